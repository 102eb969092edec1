//! Fills the after shape: passes over the tables, until one pass finds every row filled.
//!
//! Each pass cuts the tables into segments, which are rows of the ledger; workers claim them one by one, and go through each in short
//! transactions that move the segment's cursor together with the rows. One thread holds the change's lease, makes the passes and looks after
//! the workers of its process; other processes may join with workers of their own.
//!
//! Copies within a row go through the table block by block, on every server. That needs no key, reads in the order of the disk, and never
//! passes over a row: a row that moves meanwhile is moved by an update, and the sync trigger fills it then. Copies into another table go by
//! key, so that rows are locked in one order and the new table is filled in the order of its own key.

mod batch;
mod crew;
mod growth;
mod lead;
mod orders;
mod pass;
mod progress;
mod rows;
pub(crate) mod throttle;
mod worker;

use std::time::Duration;

use coexist_core::plan::{Backfill, Phase};

use crate::database::Limits;
use crate::error::{Error, Result};
use crate::ledger::segment::{self, Of};
use crate::ledger::{self, Direction};
use crate::pace::Pace;
use crate::runner::Run;

use crew::Task;
pub use progress::Progress;
use throttle::Throttles;

/// In how many passes rows may turn up that are not filled. Rows that the triggers see need one; what goes around them must be found.
const PASSES: i64 = 5;

/// How often a process that joined looks for a pass to take part in.
const LOOK: Duration = Duration::from_millis(250);

/// Fills all rows of all tables of the change.
pub(crate) fn backfill(run: &mut Run, pace: &Pace) -> Result<()> {
    let (plan, change) = (run.plan, run.change());
    let mut throttles = Throttles::new(&pace.limits);
    run.ledger("beginning the backfill", |tx| ledger::control::begin(tx, change))?;
    for (n, backfill) in plan.backfill.iter().enumerate() {
        let of = Of { change, backfill: n as i32 };
        while let Some(pass) = next_pass(run, of, backfill)? {
            crew::work(run, Task { of, backfill, pass, batch: plan.batch }, pace, &mut throttles)?;
        }
    }
    Ok(())
}

/// Takes part in a backfill that another process leads, until it is over.
pub(crate) fn join(run: &mut Run, pace: &Pace) -> Result<()> {
    let (plan, change) = (run.plan, run.change());
    let mut throttles = Throttles::new(&pace.limits);
    loop {
        let record = run.record()?;
        if record.phase >= Phase::Backfilled || record.direction != Direction::Forward {
            return Ok(());
        }
        let mut worked = false;
        for (n, backfill) in plan.backfill.iter().enumerate() {
            let of = Of { change, backfill: n as i32 };
            if let Some(pass) = run.ledger("looking for work", |tx| segment::open_pass(tx, of))? {
                crew::work(run, Task { of, backfill, pass, batch: plan.batch }, pace, &mut throttles)?;
                worked = true;
            }
        }
        let led = run.ledger("looking for who leads", |tx| ledger::lease::holder(tx, change))?;
        if !worked && !led.is_some_and(|holder| holder.alive) && run.record()?.phase < Phase::Backfilled {
            return Err(Error::NobodyLeads { change: change.to_string() });
        }
        run.sleep(LOOK)?;
    }
}

/// The pass that is under way, or a new one, or none where every table was found filled.
fn next_pass(run: &mut Run, of: Of, backfill: &Backfill) -> Result<Option<i32>> {
    // Without a limit of time: older servers read the tables.
    let limits = Limits { statement: None, ..Limits::LEDGER };
    let server = run.session.server;
    let doing = "dividing the tables";
    let pass = run.persist(doing, |run, _| {
        run.transaction(limits, doing, |tx| match segment::open_pass(tx, of)? {
            Some(pass) => Ok(Ok(Some(pass))),
            None => {
                let earlier = segment::passes(tx, of)?;
                if let Some(never_done) = earlier.iter().find(|table| !table.clean && table.with_rows >= PASSES) {
                    return Ok(Err(never_done.table.clone()));
                }
                pass::divide(tx, of, backfill, &earlier, server).map(Ok)
            }
        })
    })?;
    pass.map_err(|table| Error::NeverDone {
        change: of.change.to_string(),
        table: table.to_string(),
        passes: PASSES as i32,
    })
}
