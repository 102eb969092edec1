//! Plans carried out on a real server: happy, interrupted, contended, and taken back.
//!
//! `COEXIST_PG_BIN` chooses the server. Every test has a database of its own.

// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod plans;
mod world;

mod alone;
mod backfill;
mod contract;
mod crash;
mod disk;
mod failures;
mod lease;
mod ledger;
mod locks;
mod phases;
mod session;
mod standby;
mod status;
mod throttles;
mod verify;
mod whole;
mod workers;
