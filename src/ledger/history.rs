//! How a backfill went, sampled for later.

use std::time::Duration;

use crate::database::Transaction;
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
    /// Why nothing was done at that moment, by name.
    pub held: Vec<String>,
    /// The same with numbers.
    pub reasons: Vec<String>,
    /// Of the standby that is furthest behind, in seconds.
    pub lag: Option<f64>,
}

/// Adds one. What the server wrote to its WAL since it was at `wal_position` counts as written for the backfill. Answers with where it is now.
pub(crate) fn add(tx: &mut Transaction<'_>, change: &str, sample: &Sample, wal_position: Option<i64>) -> Result<i64> {
    let row = tx
        .query_one(
            "insert into coexist.history
                (change, backfill, pass, done, rows, rows_per_second, workers, held, reasons, lag, wal_position, wal_written)
            select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, wal.position,
                coalesce((select wal_written from coexist.history where change = $1 order by id desc limit 1), 0)
                    + greatest(wal.position - $11, 0)
            from (select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint) as wal (position)
            returning wal_position",
            &[
                &change,
                &sample.backfill,
                &sample.pass,
                &sample.done,
                &sample.rows,
                &sample.rows_per_second,
                &sample.workers,
                &sample.held,
                &sample.reasons,
                &sample.lag,
                &wal_position,
            ],
        )
        .map_err(Error::database(format!("recording the progress of change `{change}`")))?;
    Ok(row.get(0))
}

/// A sample, some time later.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    pub sample: Sample,
    /// How long ago it was taken, by the server's clock.
    pub age: Duration,
    /// Bytes of WAL that the server wrote while the change was backfilled, until then.
    pub wal_written: i64,
}

/// The last samples, at most `most` of them, the latest first.
pub(crate) fn latest(tx: &mut Transaction<'_>, change: &str, most: i64) -> Result<Vec<Recorded>> {
    let rows = tx
        .query(
            "select backfill, pass, done, rows, rows_per_second, workers, held, reasons, lag,
                extract(epoch from clock_timestamp() - at)::float8, wal_written
            from coexist.history where change = $1 order by id desc limit $2",
            &[&change, &most],
        )
        .map_err(Error::database(format!("reading how the backfill of change `{change}` goes")))?;
    let recorded = rows.iter().map(|row| Recorded {
        sample: Sample {
            backfill: row.get(0),
            pass: row.get(1),
            done: row.get(2),
            rows: row.get(3),
            rows_per_second: row.get(4),
            workers: row.get(5),
            held: row.get(6),
            reasons: row.get(7),
            lag: row.get(8),
        },
        age: Duration::try_from_secs_f64(row.get(9)).unwrap_or_default(),
        wal_written: row.get(10),
    });
    Ok(recorded.collect())
}
