//! How a backfill went, sampled for later.

use postgres::Transaction;

use crate::error::{Error, Result};

/// One look at a backfill that runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    pub backfill: i32,
    pub pass: i32,
    /// From 0 to 1.
    pub done: f64,
    /// Rows that were changed in this pass.
    pub rows: i64,
    pub rows_per_second: f64,
    /// How many workers of this process are at work.
    pub workers: i32,
    /// Why nothing was done at that moment.
    pub held: Vec<String>,
}

/// Adds one, with the server's position in the WAL.
pub(crate) fn add(tx: &mut Transaction<'_>, change: &str, sample: &Sample) -> Result<()> {
    tx.execute(
        "insert into coexist.history (change, backfill, pass, done, rows, rows_per_second, workers, held, wal_position)
        values ($1, $2, $3, $4, $5, $6, $7, $8, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint)",
        &[
            &change,
            &sample.backfill,
            &sample.pass,
            &sample.done,
            &sample.rows,
            &sample.rows_per_second,
            &sample.workers,
            &sample.held,
        ],
    )
    .map_err(Error::database(format!("recording the progress of change `{change}`")))?;
    Ok(())
}
