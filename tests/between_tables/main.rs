//! What holds for every change between tables: a split, a merge, an extraction, a move up and a move down a reference.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[path = "../support/mod.rs"]
mod support;

mod accessors;
mod composite;
mod hazards;
mod kinds;
