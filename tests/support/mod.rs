//! What the tests on real servers share.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod clients;
pub mod cut_off;
pub mod in_flight;
pub mod life;

use std::thread;
use std::time::{Duration, Instant};

use coexist::catalog::{self, CatalogDump};
use coexist::sandbox::{Database, Sandbox};
use postgres::Client;

/// A fresh database in the server of this process. It goes when the value is dropped.
pub fn database(hint: &str) -> Database {
    Sandbox::shared().unwrap().database(hint).unwrap()
}

/// The major version of the server of this process.
pub fn version() -> u32 {
    Sandbox::shared().unwrap().version()
}

/// The catalog without the ledger.
pub fn catalog_dump(client: &mut Client) -> CatalogDump {
    catalog::dump(client, &["coexist"]).unwrap()
}

/// The SQLSTATE of what the server said.
pub fn code(error: &postgres::Error) -> &str {
    error.code().unwrap_or_else(|| panic!("not from the server: {error:?}")).code()
}

/// Waits for something that another session or process is about to do. Only a real failure takes as long as this waits.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(120), "still not so: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
