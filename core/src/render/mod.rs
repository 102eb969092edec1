//! Text made of plans: SQL files and statements, the plan file, and (with `compile`) Rust.

pub mod plan_file;
pub mod statement;
pub mod block;
pub mod files;
