//! SQL as text with structure: one wrapper around the parser, so that nothing else in the workspace knows which one it is.
//!
//! - [`expression`]: an expression that a user wrote or a dump contains: its mistakes, its column references, its functions, and a copy of
//!   it with columns put in place of others (token by token, never text in text).
//! - [`builtin`]: what PostgreSQL's own functions are (volatile, aggregate, …), taken from the catalogs of real servers.

pub mod builtin;
pub mod expression;
