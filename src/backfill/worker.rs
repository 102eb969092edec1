//! One worker: claims segments, and goes through each in short transactions.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use postgres::error::SqlState;

use super::batch::{self, Batch, Portion};
use super::crew::Shared;
use super::orders::Leave;
use super::rows;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::segment::{self, Advance, PassProgress, Segment};
use crate::pace::Pace;
use crate::pieces::{PieceSize, blocks, keys};
use crate::runner::{Run, Seat, Watched};
use crate::trace::Span;

/// How often a batch is tried again because somebody added a row of the new table at the same moment.
const CONFLICTS: u32 = 5;

/// How long to wait where the ledger says that nothing may be done now: the leading thread sees it as well, soon.
const HELD: Duration = Duration::from_millis(50);

/// Works until no segment is free, or the worker is not needed any more.
pub(super) fn work(seat: &Seat, shared: &Shared, number: usize) -> Result<()> {
    let mut session = seat.open(&shared.options)?;
    let name = format!("{}, worker {}", seat.runner, number + 1);
    let mut run = Run::beside(seat, &shared.options, &mut session, &name);
    let declared = shared.task.batch.map(i64::from);
    let first = if shared.task.backfill.in_place() {
        declared.map_or(blocks::FIRST, |rows| rows / blocks::ROWS_PER_BLOCK)
    } else {
        declared.unwrap_or(keys::FIRST)
    };
    let deadlock_timeout = run.deadlock_timeout()?;
    let slices = shared.task.slices(run.session.server);
    let (size, density) = (PieceSize::new(first), Density::default());
    Worker { shared, number, size, density, slices, deadlock_timeout }.segments(&mut run)
}

struct Worker<'a> {
    shared: &'a Shared<'a>,
    /// From 0.
    number: usize,
    size: PieceSize,
    density: Density,
    /// In how many batches each piece is filled.
    slices: i32,
    deadlock_timeout: Duration,
}

/// How many rows a batch fills of each block or row that it goes through: what a ceiling in rows makes of a batch.
#[derive(Default)]
struct Density(Option<f64>);

impl Density {
    fn learn(&mut self, through: i64, rows: i64) {
        if through > 0 && rows > 0 {
            self.0 = Some(rows as f64 / through as f64);
        }
    }

    /// Of a batch of `size`, what takes its target time at most at the pace's ceiling: many small batches, not few with long rests.
    fn cap(&self, size: i64, pace: &Pace) -> i64 {
        let (Some(rate), Some(density)) = (pace.rows_per_second, self.0) else { return size };
        size.min((rate * pace.batch.as_secs_f64() / density) as i64).max(1)
    }
}

impl Worker<'_> {
    fn segments(&mut self, run: &mut Run) -> Result<()> {
        let (task, name) = (self.shared.task, run.runner);
        while !self.shared.orders.is_ending() && self.number < self.shared.orders.workers() {
            let claimed = run.ledger("claiming a segment", |tx| segment::claim(tx, task.of, task.pass, name))?;
            let Some(segment) = claimed else { return Ok(()) };
            let result = self.go_through(run, &segment);
            if !matches!(result, Ok(true)) {
                // Where this fails, the claim ends by itself.
                let _ = run.transaction(crate::database::Limits::LEDGER, "giving back a segment", |tx| {
                    segment::release(tx, task.of, &segment)
                });
            }
            result?;
        }
        Ok(())
    }

    /// Answers whether nothing is left to do of it, for this worker.
    fn go_through(&mut self, run: &mut Run, segment: &Segment) -> Result<bool> {
        let task = self.shared.task;
        let orders = &self.shared.orders;
        while let Some(leave) = orders.next(self.number, self.size.get()) {
            let begun = Instant::now();
            let _span = Span::batch(&segment.table, self.number + 1).enter();
            let batch = self.batch(run, segment, &leave);
            let (read, rows, wal) = match &batch {
                Ok(Batch::Done(done)) => (done.advance.read, done.advance.rows, done.wal),
                _ => (0, 0, 0.0),
            };
            orders.done(leave.blocks, read, rows, wal);
            match batch? {
                Batch::Done(done) => {
                    let took = begun.elapsed();
                    self.size.took(done.through, done.worked, leave.pace.batch);
                    self.density.learn(done.through, done.advance.rows);
                    self.tell(run, segment, &done.advance, done.progress, took);
                    if done.advance.done {
                        return Ok(true);
                    }
                    run.sleep(took.mul_f64(leave.pace.rest))?;
                }
                Batch::Rewritten => {
                    run.ledger("giving up segments", |tx| segment::void(tx, task.of, task.pass, &segment.table))?;
                    run.options.tell(Event::Note(format!(
                        "{} was rewritten meanwhile (VACUUM FULL, CLUSTER or TRUNCATE); it will be gone through again",
                        segment.table
                    )));
                    return Ok(true);
                }
                Batch::Held => run.sleep(HELD)?,
                Batch::Lost => return Ok(true),
            }
        }
        Ok(false)
    }

    fn tell(&self, run: &Run, segment: &Segment, advance: &Advance, now: PassProgress, took: Duration) {
        let pass = self.shared.task.pass;
        // A panic elsewhere leaves nothing half done in there.
        let mut meter = self.shared.meter.lock().unwrap_or_else(PoisonError::into_inner);
        let progress = meter.measure(segment.table.to_string(), pass, now, advance.rows, took);
        drop(meter);
        run.options.tell(Event::Progress(progress));
    }

    /// One batch, tried again in smaller pieces where it waits too long for rows, takes too long, or has a row that cannot be filled; in the
    /// end row by row.
    fn batch(&mut self, run: &mut Run, segment: &Segment, leave: &Leave) -> Result<Batch> {
        let (task, orders) = (self.shared.task, &self.shared.orders);
        let doing = format!("filling {}", segment.table);
        let limits = batch::limits(leave.pace.batch, run.options, self.deadlock_timeout);
        let watched = Watched {
            step: doing.clone(),
            every: Duration::from_millis(250),
            patience: None,
            builds: false,
            interrupt: Arc::clone(&orders.interrupt),
        };
        let mut conflicts = 0;
        run.persist(&doing, |run, tries| {
            if tries > 1 {
                self.size.halve();
            }
            loop {
                let size = self.density.cap(self.size.get(), &leave.pace).min(leave.blocks);
                let portion = Portion { size, slices: self.slices };
                let (result, _) = run.watched(watched.clone(), |run| {
                    let server = run.session.server;
                    run.transaction(limits, &doing, |tx| batch::fill(tx, task, segment, portion, server))
                });
                let error = match result {
                    Ok(batch) => return Ok(batch),
                    Err(error) => error,
                };
                if error.is_cancelled() && orders.is_ending() {
                    return Err(Error::Stopped { change: run.change().to_string() });
                }
                if error.is_cancelled() && orders.is_held() {
                    return Ok(Batch::Held);
                }
                if error.is_disk_full() {
                    orders.report_full_disk();
                    return Ok(Batch::Held);
                }
                let conflict = error.sqlstate() == Some(&SqlState::UNIQUE_VIOLATION);
                if conflict && conflicts < CONFLICTS {
                    conflicts += 1;
                    run.tell_retry(&doing, &error, Duration::ZERO);
                } else if error.is_cancelled() && size > 1 {
                    self.size.halve();
                    run.tell_retry(&doing, &error, Duration::ZERO);
                } else if error.is_about_a_row() && size > 1 {
                    self.size.halve();
                } else if error.is_about_a_row() || error.is_cancelled() {
                    return rows::one_by_one(run, task, segment, limits, error);
                } else {
                    return Err(error);
                }
            }
        })
    }
}
