//! Text made of plans: SQL files and statements, the plan file, and (with `compile`) Rust.

pub mod block;
pub mod files;
pub mod plan_file;
#[cfg(feature = "compile")]
pub mod rust;
pub mod statement;

/// What makes the ledger, the schema `coexist`: harmless where it already exists.
pub const LEDGER_SQL: &str = include_str!("ledger.sql");
