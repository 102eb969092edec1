//! coexist.

#[cfg(all(unix, feature = "sandbox"))]
pub mod sandbox;
