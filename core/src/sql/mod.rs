//! SQL as text with structure: one wrapper around the parser, so that nothing else in the workspace knows which one it is.
//!
//! - [`expression`]: an expression that a user wrote or a dump contains: its mistakes, its column references, its functions, and a copy of
//!   it with columns put in place of others (token by token, never text in text).
//! - [`types`]: type names as users write them, and as PostgreSQL's `format_type` spells them.
//! - [`token`]: SQL as a flat list of tokens, for where a tree would cost too much.
//! - [`builtin`]: what PostgreSQL's own functions are (volatile, aggregate, …), taken from the catalogs of real servers.
//! - [`fitness`]: which calls keep an expression from being a conversion.
//! - [`conversion`]: what a cast from one type to another does to a value: nothing, loses something, may fail.
//! - [`surely`]: when a cast that may fail surely does not.
//! - [`error`]: a mistake in a piece of SQL, with its place in the text, and the code frame that shows it.

pub mod builtin;
pub mod conversion;
pub mod error;
pub mod expression;
pub mod fitness;
mod parser;
#[cfg(test)]
mod properties;
mod stack;
pub mod storage;
pub mod surely;
pub mod token;
pub(crate) mod tree;
pub mod types;
mod walk;

pub use error::{ErrorKind, ExpressionError, frame};
pub use expression::Expression;
pub use types::parse_type;
