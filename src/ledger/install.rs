//! Makes the ledger on first use, and brings it up to date afterwards.

use super::DDL;
use crate::database::Transaction;
use crate::error::{Error, Result};

/// What leads to each version from the one before it, the first from nothing. Only ever added to.
const MIGRATIONS: [&str; 1] = [DDL];

/// Makes sure that the ledger has the version that this program knows.
///
/// Several that do this at once wait for each other, on a lock that ends with the transaction (a pooler would hand a session's lock on).
pub(crate) fn install(tx: &mut Transaction<'_>) -> Result<()> {
    let known = MIGRATIONS.len() as i32;
    let mut found = version(tx)?;
    if found < known {
        let reading = || Error::database("making the ledger (schema coexist)");
        tx.batch_execute("select pg_catalog.pg_advisory_xact_lock(1668245880)").map_err(reading())?;
        found = version(tx)?;
        for migration in &MIGRATIONS[found.max(0) as usize..] {
            tx.batch_execute(migration).map_err(reading())?;
        }
    }
    if found > known { Err(Error::LedgerTooNew { found, known }) } else { Ok(()) }
}

/// Whether there is one.
pub(crate) fn exists(tx: &mut Transaction<'_>) -> Result<bool> {
    Ok(version(tx)? > 0)
}

/// Zero where there is none yet.
fn version(tx: &mut Transaction<'_>) -> Result<i32> {
    let reading = || Error::database("reading the version of the ledger");
    let exists = tx
        .query_one(
            "select pg_catalog.to_regclass('coexist.version') is not null,
                pg_catalog.to_regnamespace('coexist') is not null",
            &[],
        )
        .map_err(reading())?;
    match (exists.get(0), exists.get(1)) {
        (true, _) => {
            let row = tx.query_one("select coalesce(max(version), 0) from coexist.version", &[]);
            Ok(row.map_err(reading())?.get(0))
        }
        (false, true) => Err(Error::ForeignLedger),
        (false, false) => Ok(0),
    }
}
