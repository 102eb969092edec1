//! coexist.

mod access;
pub mod catalog;
pub mod change;
pub mod executor;
mod explained;
pub mod proof;
#[cfg(all(unix, feature = "sandbox"))]
pub mod sandbox;
pub mod value;

pub use change::Change;
pub use coexist_core::plan::{Phase, Stage};
pub use executor::Executor;
pub use postgres;
pub use value::Value;

/// For generated code. Nothing in here is promised to stay as it is.
#[doc(hidden)]
pub mod __private {
    pub use crate::access::*;
    pub use crate::change::Declared;
}
