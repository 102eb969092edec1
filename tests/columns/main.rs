//! Columns of a row that become others of the same row: divided, combined, several at once, and of every type.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[path = "../support/mod.rs"]
mod support;

mod combine;
mod divide;
mod hazards;
mod several;
mod types;
