//! The generated accessors on real servers.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic that it fails")]
#![deny(missing_docs, clippy::pedantic)]

mod both_shapes;
mod connections;
#[cfg(all(
    feature = "with-uuid-1",
    feature = "with-chrono-0_4",
    feature = "with-serde_json-1",
    feature = "with-rust_decimal-1"
))]
mod featured;
mod keys;
mod own_types;
mod types;
mod values;

use coexist::sandbox::{Database, Sandbox};
use coexist::{Options, Pace, Runner, phases};
use postgres::Client;

const SCHEMA: &str = include_str!("schema.sql");

/// The changes that the tests use.
mod declared {
    coexist::migrations! {
        schema "tests/accessors/schema.sql";

        /// Every column of `things` is read and written.
        change rename_label {
            rename things.label to title;
            stage expand;
        }

        change rename_default_name {
            rename defaults.name to full_name;
            stage expand;
        }

        change rename_points {
            rename scores.points to score;
            stage expand;
        }

        change nasty_names {
            rename "2fa"."Order \"Items\"; --"."type" to "kind of; '";
            stage expand;
        }

        change rename_line {
            rename log.line to message;
            stage expand;
        }

        /// Profiles are read rarely and are large.
        change split_user_profile {
            split users into profiles { key user_id, move bio }
            stage migrate;
        }

        change widen_order_total {
            retype orders.total to total_cents: bigint {
                forward "total::bigint",
                backward "total_cents::integer" or reject,
            }
            stage expand;
        }
    }
}

/// A database with the schema.
fn database() -> Database {
    let database = Sandbox::shared().unwrap().database("accessors").unwrap();
    database.connect().unwrap().batch_execute(SCHEMA).unwrap();
    database
}

fn client(database: &Database) -> Client {
    database.connect().unwrap()
}

/// Takes a change to the phase in which its after shape can be read.
fn backfill(database: &Database, change: &coexist::Change) {
    let plan = change.plan().unwrap();
    let mut runner = Runner::new(coexist::Database::at(&database.url()).unwrap(), Options::default()).unwrap();
    let begun = phases::begin(&mut runner, &plan).unwrap().expand().unwrap().dual_write().unwrap();
    begun.backfill(Pace::default()).unwrap();
}
