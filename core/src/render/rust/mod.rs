//! What the macro generates: a module for each change, with accessors for both of its shapes and the proofs that they take.
//!
//! ```text
//! names       names of SQL as identifiers
//! types       SQL types as Rust types
//! overrides   the Rust types that a declaration gives to columns
//! table       the tables of a shape with the names and types of their columns
//! accessors   the module of a table
//! derives     the traits of its structs
//! tombstones  the same for a shape that is gone
//! proofs      the proofs of a change, and who asks for them
//! module      the module of a change
//! stubs       the same for a change that is not understood
//! ```

mod accessors;
mod derives;
mod module;
mod names;
mod overrides;
mod proofs;
mod stubs;
mod table;
mod tombstones;
mod types;

use proc_macro2::TokenStream;

use crate::model::Model;
use crate::plan::Plan;

pub use stubs::stubs;
pub use types::{RustType, TypeSettings, feature_off, rust_type, underlying};

/// The items of a declaration. A change without a plan among `plans` has the same items as with one; its documentation and its `CHANGE`
/// are then without SQL.
pub fn expand(model: &Model, plans: &[Plan], settings: &TypeSettings) -> TokenStream {
    let mut items = overrides::expand(model);
    for change in &model.changes {
        let plan = plans.iter().find(|plan| plan.change == change.name);
        items.extend(module::expand(model, change, plan, settings));
    }
    items
}

#[cfg(test)]
mod tests;
