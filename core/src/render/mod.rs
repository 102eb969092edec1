//! Text made of plans: SQL files and statements, the plan file, and (with `compile`) Rust.

pub mod block;
pub mod files;
pub mod plan_file;
pub mod statement;
