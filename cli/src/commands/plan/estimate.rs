//! How long steps take, from the sizes of the tables. What is assumed is said in `docs/command.md`.

use std::time::Duration;

use coexist::plan::{Action, Backfill, Mode, Reconcile};

use super::live::Live;

/// An index is built by reading the table twice, and by sorting and writing its entries.
const INDEX: u32 = 5;

/// A row that is filled is read, written anew with an entry in each index, and logged.
const FILL: u32 = 20;

/// What a change of the catalog takes, once its locks are granted.
const CATALOG: Duration = Duration::from_millis(10);

/// How long an action takes; `None` where that is not known.
pub(super) fn action(action: &Action, live: &Live) -> Option<Duration> {
    let mut reading = Duration::ZERO;
    for lock in action.locks.iter().filter(|lock| lock.scans) {
        reading += live.size(&lock.table)?.read_once()?;
    }
    Some(CATALOG + if action.mode == Mode::Outside { reading * INDEX } else { reading })
}

/// How long the rows of a backfill take.
pub(super) fn backfill(backfill: &Backfill, live: &Live) -> Option<Duration> {
    let (table, _) = backfill.pieces();
    Some(live.size(table)?.read_once()? * FILL)
}

/// How long a comparison takes.
pub(super) fn reconcile(reconcile: &Reconcile, live: &Live) -> Option<Duration> {
    let other = match &reconcile.join {
        Some((table, _)) => live.size(table).and_then(|size| size.read_once()).unwrap_or_default(),
        None => Duration::ZERO,
    };
    Some(live.size(&reconcile.table)?.read_once()? + other)
}
