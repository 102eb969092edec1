//! How far an index is that is built beside the writers.

use std::fmt;

use postgres::Row;

use crate::database::Transaction;
use crate::error::{Error, Result};

/// An index that is being built, as the server reports it. It reports nothing of the kind about constraints that are validated.
#[derive(Clone, Debug, PartialEq)]
pub struct Building {
    /// As in messages: without schema where it is public. Unknown to roles that may not see it, and in the first moments.
    pub index: Option<String>,
    /// What is done just now, in the server's words: `building index: scanning table`, `waiting for old snapshots`.
    pub phase: String,
    /// How much of that is done, from 0 to 1, where it is counted.
    pub done: Option<f64>,
    /// The process that it waits for.
    pub waits_for: Option<i32>,
}

impl fmt::Display for Building {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.phase)?;
        if let Some(done) = self.done {
            write!(f, ", {:.0} %", done * 100.0)?;
        }
        self.waits_for.map_or(Ok(()), |pid| write!(f, ", waits for process {pid}"))
    }
}

const ABOUT: &str = "
    select case nspname when 'public' then '' else nspname || '.' end || relname, progress.phase,
        -- Tuples are counted where blocks are not; waiting is counted by those that are waited for.
        coalesce(
            lockers_done::float8 / nullif(lockers_total, 0),
            blocks_done::float8 / nullif(blocks_total, 0),
            tuples_done::float8 / nullif(tuples_total, 0)
        ),
        nullif(current_locker_pid, 0)::int4
    from pg_stat_progress_create_index as progress
    left join pg_class as class on class.oid = index_relid
    left join pg_namespace as namespace on namespace.oid = relnamespace";

/// What process `pid` builds.
pub(super) fn by_process(tx: &mut Transaction<'_>, pid: i32) -> Result<Option<Building>> {
    let row = tx.query_opt(&format!("{ABOUT} where progress.pid = $1"), &[&pid]).map_err(reading())?;
    Ok(row.as_ref().and_then(building))
}

/// What is built for a change, by whatever process of ours.
pub(super) fn for_change(tx: &mut Transaction<'_>, change: &str) -> Result<Option<Building>> {
    let of_change = "where progress.pid in (
        select pid from pg_stat_activity where datname = current_database() and application_name = left('coexist: ' || $1, 63)
    ) limit 1";
    let row = tx.query_opt(&format!("{ABOUT} {of_change}"), &[&change]).map_err(reading())?;
    Ok(row.as_ref().and_then(building))
}

/// `None` where the role may not see it.
fn building(row: &Row) -> Option<Building> {
    let done: Option<f64> = row.get(2);
    Some(Building {
        index: row.get(0),
        phase: row.get::<_, Option<String>>(1)?,
        done: done.map(|done| done.clamp(0.0, 1.0)),
        waits_for: row.get(3),
    })
}

fn reading() -> impl FnOnce(postgres::Error) -> Error {
    Error::database("looking at how far an index is")
}
