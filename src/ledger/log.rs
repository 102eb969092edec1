//! What happened, for later. Rows' values never stand in it.

use crate::database::Transaction;
use crate::error::{Error, Result};

/// How grave an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

/// Adds an entry.
pub(crate) fn write(tx: &mut Transaction<'_>, change: &str, runner: &str, level: Level, message: &str) -> Result<()> {
    let level = match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    tx.execute(
        "insert into coexist.log (change, runner, level, message) values ($1, $2, $3, $4)",
        &[&change, &runner, &level, &message],
    )
    .map_err(Error::database("writing the ledger's log"))?;
    Ok(())
}
