//! The facts about PostgreSQL on which the planned SQL rests, each measured on the server of this run.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod concurrently;
mod keys;
mod refusals;
mod scans;
mod statements;
#[path = "../support/mod.rs"]
mod support;
mod timeouts;
mod triggers;
mod types;
