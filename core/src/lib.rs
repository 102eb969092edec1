//! The heart of coexist, without a database.
//!
//! One way only, and no step reaches back:
//!
//! ```text
//! syntax   tokens → tree with spans; nothing is checked here but grammar
//! schema   SQL text (pg_dump) → tables, columns, constraints, indexes, …
//! model    tree + schema → the two shapes of each change; plain data
//! check    every mistake of a declaration, each at its token
//! plan     ordered steps with locks, transactions and undo; plain data
//! render   SQL files, the plan as text, Rust tokens
//! ```
//!
//! Without the feature `compile` only [`plan`], [`ident`] and [`render`] remain: what a running program needs to carry out a plan
//! that a build wrote.

pub mod ident;
pub mod plan;
pub mod render;

#[cfg(feature = "compile")]
pub mod build;
#[cfg(feature = "compile")]
pub mod check;
#[cfg(feature = "compile")]
pub mod compile;
#[cfg(feature = "compile")]
pub mod diagnostic;
#[cfg(feature = "compile")]
pub mod model;
#[cfg(feature = "compile")]
pub mod schema;
#[cfg(feature = "compile")]
pub mod sql;
#[cfg(feature = "compile")]
pub mod syntax;

#[cfg(test)]
mod testing;

#[cfg(feature = "compile")]
pub use build::build;
