//! What somebody wants of a backfill that runs elsewhere.

use std::time::Duration;

use crate::database::Transaction;
use crate::error::{Error, Result};
use crate::pace::PaceChange;

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Control {
    /// How often somebody wanted all runs to end that were under way.
    pub stops: i64,
    pub pace: PaceChange,
}

/// A run begins: what was wanted of earlier ones does not concern it.
pub(crate) fn begin(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute(
        "insert into coexist.control (change) values ($1)
        on conflict (change) do update
            set batch_ms = null, rest = null, workers = null, rows_per_second = null, wal_per_second = null,
                updated_at = clock_timestamp()",
        &[&change],
    )
    .map_err(writing(change))?;
    Ok(())
}

/// What is wanted now.
pub(crate) fn find(tx: &mut Transaction<'_>, change: &str) -> Result<Control> {
    let row = tx
        .query_opt(
            "select stops, batch_ms, rest, workers, rows_per_second, wal_per_second from coexist.control where change = $1",
            &[&change],
        )
        .map_err(Error::database(format!("reading what is wanted of change `{change}`")))?;
    Ok(row.map_or_else(Control::default, |row| Control {
        stops: row.get(0),
        pace: PaceChange {
            batch: row.get::<_, Option<i64>>(1).map(|ms| Duration::from_millis(ms.unsigned_abs())),
            rest: row.get(2),
            workers: row.get::<_, Option<i32>>(3).and_then(|workers| usize::try_from(workers).ok()),
            rows_per_second: row.get(4),
            wal_per_second: row.get(5),
        },
    }))
}

/// Wants all runs of the change to end.
pub(crate) fn stop(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute(
        "insert into coexist.control as control (change, stops) values ($1, 1)
        on conflict (change) do update set stops = control.stops + 1, updated_at = clock_timestamp()",
        &[&change],
    )
    .map_err(writing(change))?;
    Ok(())
}

/// Wants another pace.
pub(crate) fn set_pace(tx: &mut Transaction<'_>, change: &str, pace: &PaceChange) -> Result<()> {
    tx.execute(
        "insert into coexist.control as control (change, batch_ms, rest, workers, rows_per_second, wal_per_second)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (change) do update
            set batch_ms = coalesce(excluded.batch_ms, control.batch_ms), rest = coalesce(excluded.rest, control.rest),
                workers = coalesce(excluded.workers, control.workers),
                rows_per_second = coalesce(excluded.rows_per_second, control.rows_per_second),
                wal_per_second = coalesce(excluded.wal_per_second, control.wal_per_second),
                updated_at = clock_timestamp()",
        &[
            &change,
            &pace.batch.map(|batch| batch.as_millis() as i64),
            &pace.rest,
            &pace.workers.map(|workers| i32::try_from(workers).unwrap_or(i32::MAX)),
            &pace.rows_per_second,
            &pace.wal_per_second,
        ],
    )
    .map_err(writing(change))?;
    Ok(())
}

fn writing(change: &str) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("recording what is wanted of change `{change}`"))
}
