#![doc = include_str!("../README.md")]

mod access;
mod backfill;
pub mod catalog;
pub mod change;
mod database;
mod error;
mod event;
pub mod executor;
mod explained;
pub mod ledger;
mod options;
mod pace;
pub mod phases;
mod pieces;
mod preflight;
pub mod proof;
mod runner;
#[cfg(all(unix, feature = "sandbox"))]
pub mod sandbox;
mod trace;
pub mod value;
mod verify;

pub use backfill::Progress;
pub use backfill::throttle::{Limit, Throttle};
pub use change::Change;
pub use coexist_core::plan::{self, Phase, Stage};
pub use coexist_macros::migrations;
pub use database::Database;
pub use error::{Class, Error, Result, Seconds};
pub use event::Event;
pub use executor::Executor;
pub use explained::Explained;
pub use options::Options;
pub use pace::{Pace, PaceChange};
pub use postgres;
pub use preflight::{Finding, Kind, Severity};
pub use runner::{
    BackfillStatus, Blocker, Building, Rate, Recorded, Runner, Running, Status, StepStatus, StoppedRunner,
};
pub use value::Value;

/// For generated code. Nothing in here is promised to stay as it is.
#[doc(hidden)]
pub mod __private {
    pub use crate::access::*;
    pub use crate::change::Declared;
    pub use postgres::{Error as DbError, Row as DbRow};

    #[cfg(feature = "with-chrono-0_4")]
    pub use chrono;
    #[cfg(feature = "with-rust_decimal-1")]
    pub use rust_decimal;
    #[cfg(feature = "with-serde_json-1")]
    pub use serde_json;
    #[cfg(feature = "with-time-0_3")]
    pub use time;
    #[cfg(feature = "with-uuid-1")]
    pub use uuid;
}
