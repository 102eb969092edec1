//! What the tests on real servers share.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod in_flight;

use std::thread;
use std::time::{Duration, Instant};

use coexist::catalog::{self, CatalogDump};
use coexist::sandbox::{Database, Sandbox};
use postgres::Client;

/// A fresh database in the server of this process. It goes when the value is dropped.
pub fn database(hint: &str) -> Database {
    Sandbox::shared().unwrap().database(hint).unwrap()
}

/// The catalog without the ledger.
pub fn catalog_dump(client: &mut Client) -> CatalogDump {
    catalog::dump(client, &["coexist"]).unwrap()
}
