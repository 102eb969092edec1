//! Fills the after shape: passes over the tables, until one pass finds every row filled.
//!
//! Each pass cuts the tables into segments, which are rows of the ledger; workers claim them one by one, and go through each in short
//! transactions that move the segment's cursor together with the rows. One worker is at work here; nothing but the number of claims would
//! change with more of them.
//!
//! Copies within a row go through the table block by block, on every server. That needs no key, reads in the order of the disk, and never
//! passes over a row: a row that moves meanwhile is moved by an update, and the sync trigger fills it then. Copies into another table go by
//! key, so that rows are locked in one order and the new table is filled in the order of its own key.

mod culprit;
mod pass;
mod progress;
mod worker;

use coexist_core::plan::Backfill;

use crate::error::{Error, Result};
use crate::ledger::segment::{self, Of};
use crate::options::Pace;
use crate::runner::Run;

pub use progress::Progress;

/// In how many passes rows may turn up that are not filled. Rows that the triggers see need one; what goes around them must be found.
const PASSES: i64 = 5;

/// Fills all rows of all tables of the change.
pub(crate) fn backfill(run: &mut Run, pace: &Pace) -> Result<()> {
    let (plan, change) = (run.plan, run.change());
    for (n, backfill) in plan.backfill.iter().enumerate() {
        let of = Of { change, backfill: n as i32 };
        // We hold the change's lease: whoever claimed a segment before is dead, or is fenced off now.
        run.ledger("taking over segments", |tx| segment::free_all(tx, of))?;
        while let Some(pass) = next_pass(run, of, backfill)? {
            worker::work(run, of, backfill, pass, pace)?;
        }
    }
    Ok(())
}

/// The pass that is under way, or a new one, or none where every table was found filled.
fn next_pass(run: &mut Run, of: Of, backfill: &Backfill) -> Result<Option<i32>> {
    let pass = run.ledger("dividing the tables", |tx| match segment::open_pass(tx, of)? {
        Some(pass) => Ok(Ok(Some(pass))),
        None => {
            let earlier = segment::passes(tx, of)?;
            if let Some(never_done) = earlier.iter().find(|table| !table.clean && table.with_rows >= PASSES) {
                return Ok(Err(never_done.table.clone()));
            }
            pass::divide(tx, of, backfill, &earlier).map(Ok)
        }
    })?;
    pass.map_err(|table| Error::NeverDone {
        change: of.change.to_string(),
        table: table.to_string(),
        passes: PASSES as i32,
    })
}
