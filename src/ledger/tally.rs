//! What is counted: tries that failed and were followed by others, and why and for how long backfills held still.

use std::time::Duration;

use crate::database::Transaction;
use crate::error::{Error, Result};

/// How often something was tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The SQLSTATE of what went wrong; `08006` also where a connection broke without a word.
    pub code: String,
    /// How often.
    pub times: i64,
}

/// Why and for how long backfills of a change held still, all together.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The name of a throttle, or that somebody paused it.
    pub reason: String,
    /// How often.
    pub times: i64,
    /// For how long, all times together. Where there were several reasons at once, each has all of the time.
    pub spent: Duration,
}

/// Counts one try that failed.
pub(crate) fn retried(tx: &mut Transaction<'_>, change: &str, code: &str) -> Result<()> {
    add(tx, change, "retry", code, 1, Duration::ZERO)
}

/// Adds to how often, and for how long, a backfill held still for a reason.
pub(crate) fn held(tx: &mut Transaction<'_>, change: &str, held: &Held) -> Result<()> {
    add(tx, change, "hold", &held.reason, held.times, held.spent)
}

fn add(tx: &mut Transaction<'_>, change: &str, kind: &str, name: &str, times: i64, spent: Duration) -> Result<()> {
    tx.execute(
        "insert into coexist.tallies as tally (change, kind, name, times, seconds) values ($1, $2, $3, $4, $5)
        on conflict (change, kind, name) do update
            set times = tally.times + excluded.times, seconds = tally.seconds + excluded.seconds",
        &[&change, &kind, &name, &times, &spent.as_secs_f64()],
    )
    .map_err(Error::database(format!("counting for change `{change}`")))?;
    Ok(())
}

/// All that was counted.
pub(crate) fn all(tx: &mut Transaction<'_>, change: &str) -> Result<(Vec<Retries>, Vec<Held>)> {
    let rows = tx
        .query(
            "select kind, name, times, seconds from coexist.tallies where change = $1 order by kind, name",
            &[&change],
        )
        .map_err(Error::database(format!("reading what was counted for change `{change}`")))?;
    let (mut retries, mut held) = (Vec::new(), Vec::new());
    for row in rows {
        let (name, times) = (row.get(1), row.get(2));
        match row.get(0) {
            "retry" => retries.push(Retries { code: name, times }),
            _ => {
                let spent = Duration::try_from_secs_f64(row.get(3)).unwrap_or_default();
                held.push(Held { reason: name, times, spent });
            }
        }
    }
    Ok((retries, held))
}
