//! Columns, indexes, tables, labels of enums and anything else that comes or goes: through both shapes in every phase, back from each, and
//! forward to the catalog that somebody would have who had written the new schema in the first place.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[path = "../support/mod.rs"]
mod support;

mod add_column;
mod custom;
mod drop_column;
mod indexes;
mod tables;
