//! The command as its users meet it: a process with arguments, an environment, two streams and an exit code.
//!
//! `COEXIST_PG_BIN` chooses the server. Every test has a folder and a database of its own.

// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/runtime/plans.rs"]
mod plans;
mod support;

mod check;
mod connection;
mod exit_codes;
mod folder;
mod generate;
mod help;
mod interruption;
mod json;
mod log;
mod metrics;
mod plan;
mod status;
#[cfg(target_os = "linux")]
mod tls;
mod watch;
mod whole;
