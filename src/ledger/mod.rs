//! The ledger: what was done, by which change, how far. It lives in the schema `coexist` of the user's database.
//!
//! Every function here runs inside of a transaction of its caller, so that a record commits together with what it records.

pub(crate) mod change;
pub(crate) mod control;
pub(crate) mod evidence;
pub(crate) mod history;
mod install;
pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod segment;
pub(crate) mod step;
pub(crate) mod tally;

pub use coexist_core::render::LEDGER_SQL as DDL;
pub(crate) use install::{exists, install};

pub use change::Direction;
pub(crate) use change::PauseReason;
pub use evidence::{Quarantined, Reconciliation};
pub use step::{StepRecord, StepState};
pub use tally::{Held, Retries};
