//! The record of each step.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::database::Transaction;
use crate::error::{Error, Result};

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Begun. A step that runs in a transaction has had no effect yet; another may have had a part of its effect.
    Started,
    /// In effect.
    Done,
    /// Being taken back.
    Undoing,
    /// Taken back.
    Undone,
}

impl StepState {
    /// As the ledger spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    fn from_name(name: &str) -> Self {
        // The column's check admits no other word.
        [Self::Done, Self::Undoing, Self::Undone].into_iter().find(|s| s.name() == name).unwrap_or(Self::Started)
    }
}

/// What the ledger knows of a step.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// How far it is.
    pub state: StepState,
    /// How often it was tried.
    pub tries: i32,
    /// How long it took, all tries together; known when it is done.
    pub took: Option<Duration>,
    /// The longest that it waited for a lock.
    pub lock_wait: Option<Duration>,
}

/// The steps that were begun, by id.
pub(crate) fn all(tx: &mut Transaction<'_>, change: &str) -> Result<BTreeMap<String, StepRecord>> {
    let rows = tx
        .query("select id, state, tries, duration_ms, lock_wait_ms from coexist.steps where change = $1", &[&change])
        .map_err(Error::database(format!("reading the steps of change `{change}`")))?;
    let milliseconds = |ms: Option<i64>| ms.map(|ms| Duration::from_millis(ms.unsigned_abs()));
    let records = rows.iter().map(|row| {
        let record = StepRecord {
            state: StepState::from_name(row.get(1)),
            tries: row.get(2),
            took: milliseconds(row.get(3)),
            lock_wait: milliseconds(row.get(4)),
        };
        (row.get(0), record)
    });
    Ok(records.collect())
}

/// Records that a step begins, or begins to be taken back: before anything of it happens.
pub(crate) fn begin(tx: &mut Transaction<'_>, change: &str, id: &str, undo: bool) -> Result<()> {
    let state = if undo { StepState::Undoing } else { StepState::Started };
    tx.execute(
        "insert into coexist.steps as step (change, id, state, tries) values ($1, $2, $3, 1)
        on conflict (change, id) do update
            set state = excluded.state,
                tries = case when step.state = excluded.state then step.tries + 1 else 1 end,
                started_at = clock_timestamp(), finished_at = null, duration_ms = null, lock_wait_ms = null",
        &[&change, &id, &state.name()],
    )
    .map_err(Error::database(format!("recording step `{id}` of change `{change}`")))?;
    Ok(())
}

/// Records that a step is done, or taken back: in the transaction that does it.
pub(crate) fn finish(
    tx: &mut Transaction<'_>,
    change: &str,
    id: &str,
    undo: bool,
    took: Duration,
    lock_wait: Duration,
) -> Result<()> {
    let state = if undo { StepState::Undone } else { StepState::Done };
    tx.execute(
        "update coexist.steps
        set state = $3, finished_at = clock_timestamp(), duration_ms = $4, lock_wait_ms = $5
        where change = $1 and id = $2",
        &[&change, &id, &state.name(), &(took.as_millis() as i64), &(lock_wait.as_millis() as i64)],
    )
    .map_err(Error::database(format!("recording step `{id}` of change `{change}`")))?;
    Ok(())
}

/// The step that was finished last, and when, in seconds since 1970 by the server's clock.
pub(crate) fn last_done(tx: &mut Transaction<'_>, change: &str) -> Result<Option<String>> {
    let row = tx
        .query_opt(
            "select id from coexist.steps where change = $1 and state = 'done' order by finished_at desc limit 1",
            &[&change],
        )
        .map_err(Error::database(format!("reading the steps of change `{change}`")))?;
    Ok(row.map(|row| row.get(0)))
}
