//! One worker: claims segments, and goes through each in short transactions.

use std::time::{Duration, Instant};

use coexist_core::plan::{BACKFILL_SETTING, Backfill};
use coexist_core::render::statement::{self, Piece};
use postgres::Transaction;
use postgres::types::ToSql;

use super::culprit;
use super::progress::Meter;
use crate::database::Limits;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::segment::{self, Advance, Of, Segment};
use crate::options::Pace;
use crate::pieces::keys::{self, Bounds};
use crate::pieces::{PieceSize, blocks};
use crate::runner::{Run, Watched};

/// How much longer than its target a batch may take before it is cancelled and made smaller.
const OVERRUN: u32 = 20;

/// The shortest time after which a batch is cancelled.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How a batch came out.
enum Batch {
    /// It was committed.
    Done(Advance),
    /// The table was rewritten since the pass began; its segments are given up.
    Rewritten,
    /// The ledger says pause.
    Paused,
    /// The segment is somebody else's now.
    Lost,
}

/// Works through segments of a pass until none is left.
pub(super) fn work(run: &mut Run, of: Of, backfill: &Backfill, pass: i32, pace: &Pace) -> Result<()> {
    let declared = run.plan.batch.map(i64::from);
    let first = match backfill {
        Backfill::Update { .. } | Backfill::Refer { .. } => {
            declared.map_or(blocks::FIRST, |rows| rows / blocks::ROWS_PER_BLOCK)
        }
        Backfill::Insert { .. } | Backfill::UpdateFrom { .. } => declared.unwrap_or(keys::FIRST),
    };
    let mut worker = Worker {
        of,
        backfill,
        pass,
        pace,
        size: PieceSize::new(pace.batch, first),
        limits: limits(run, pace)?,
        meter: Meter::new(run.ledger("measuring progress", |tx| segment::progress(tx, of, pass))?),
    };
    let (name, lease) = (run.runner, run.options.lease);
    while let Some(segment) = run.ledger("claiming a segment", |tx| segment::claim(tx, of, pass, name, lease))? {
        worker.go_through(run, &segment)?;
    }
    Ok(())
}

/// A batch that waits for a row gives up before the server looks for deadlocks: the one that is killed must not be the application's.
fn limits(run: &mut Run, pace: &Pace) -> Result<Limits> {
    let deadlock_timeout = run.ledger("reading deadlock_timeout", |tx| {
        let row = tx
            .query_one("select setting::bigint from pg_settings where name = 'deadlock_timeout'", &[])
            .map_err(Error::database("reading deadlock_timeout"))?;
        Ok(Duration::from_millis(row.get::<_, i64>(0).unsigned_abs()))
    })?;
    Ok(Limits {
        lock: Some(run.options.lock_timeout.min(deadlock_timeout / 2)),
        statement: Some((pace.batch * OVERRUN).max(SHORTEST_TIMEOUT)),
    })
}

struct Worker<'a> {
    of: Of<'a>,
    backfill: &'a Backfill,
    pass: i32,
    pace: &'a Pace,
    size: PieceSize,
    limits: Limits,
    meter: Meter,
}

impl Worker<'_> {
    fn go_through(&mut self, run: &mut Run, segment: &Segment) -> Result<()> {
        loop {
            run.stop_if_asked()?;
            let begun = Instant::now();
            match self.batch(run, segment)? {
                Batch::Done(advance) => {
                    let took = begun.elapsed();
                    self.size.took(took);
                    self.tell(run, segment, &advance, took)?;
                    if advance.done {
                        return Ok(());
                    }
                    run.sleep(took.mul_f64(self.pace.rest))?;
                }
                Batch::Rewritten => {
                    run.options.tell(Event::Note(format!(
                        "{} was rewritten meanwhile (VACUUM FULL, CLUSTER or TRUNCATE); it will be gone through again",
                        segment.table
                    )));
                    return Ok(());
                }
                Batch::Paused => wait_while_paused(run)?,
                Batch::Lost => return Ok(()),
            }
        }
    }

    fn tell(&mut self, run: &mut Run, segment: &Segment, advance: &Advance, took: Duration) -> Result<()> {
        let (of, pass) = (self.of, self.pass);
        let now = run.ledger("measuring progress", |tx| segment::progress(tx, of, pass))?;
        let progress = self.meter.measure(segment.table.to_string(), pass, now, advance.rows, took);
        run.options.tell(Event::Progress(progress));
        Ok(())
    }

    /// One batch, tried again in smaller pieces where it waits too long for rows, takes too long, or has a row that cannot be filled: the rows
    /// before that one are.
    fn batch(&mut self, run: &mut Run, segment: &Segment) -> Result<Batch> {
        let doing = format!("filling {}", segment.table);
        let watched = Watched { step: doing.clone(), every: Duration::from_millis(250), patience: None };
        run.persist(&doing, |run, tries| {
            if tries > 1 {
                self.size.halve();
            }
            loop {
                let (name, lease, limits) = (run.runner, run.options.lease, self.limits);
                let (result, _) = run.watched(watched.clone(), |run| {
                    let server = run.session.server;
                    run.transaction(limits, &doing, |tx| self.try_batch(tx, segment, name, lease, server))
                });
                match result {
                    Err(error) if error.is_cancelled() && run.options.must_stop() => {
                        return Err(Error::Stopped { change: run.change().to_string() });
                    }
                    Err(error) if error.is_cancelled() && self.size.get() > 1 => {
                        self.size.halve();
                        run.options.tell(Event::Retry {
                            step: doing.clone(),
                            reason: error.to_string(),
                            after: Duration::ZERO,
                        });
                    }
                    Err(error) if error.is_about_a_row() && self.size.get() > 1 => self.size.halve(),
                    Err(error) if error.is_about_a_row() => {
                        return Err(culprit::name_row(run, self.of, self.backfill, segment, error));
                    }
                    result => return result,
                }
            }
        })
    }

    fn try_batch(
        &self,
        tx: &mut Transaction<'_>,
        segment: &Segment,
        worker: &str,
        lease: Duration,
        server: u32,
    ) -> Result<Batch> {
        let paused = tx
            .query_one("select paused from coexist.changes where name = $1", &[&self.of.change])
            .map_err(Error::database("reading the ledger"))?;
        if paused.get(0) {
            return Ok(Batch::Paused);
        }
        // Read anew each time: whether the last commit arrived may not be known.
        let Some(cursor) = segment::hold(tx, self.of, segment, worker)? else { return Ok(Batch::Lost) };
        tx.execute("select set_config($1, $2, true)", &[&BACKFILL_SETTING, &self.of.change])
            .map_err(Error::database("beginning a batch"))?;
        let advance = match self.backfill {
            Backfill::Update { .. } | Backfill::Refer { .. } => {
                if blocks::extent_for_update(tx, &segment.table)?.file_node != segment.file_node {
                    segment::void(tx, self.of, self.pass, &segment.table)?;
                    return Ok(Batch::Rewritten);
                }
                self.by_position(tx, segment, cursor, server)?
            }
            Backfill::Insert { .. } | Backfill::UpdateFrom { .. } => self.copy(tx, segment, cursor, server)?,
        };
        segment::advance(tx, self.of, segment, &advance, lease)?;
        Ok(Batch::Done(advance))
    }

    fn by_position(
        &self,
        tx: &mut Transaction<'_>,
        segment: &Segment,
        cursor: Option<Vec<String>>,
        server: u32,
    ) -> Result<Advance> {
        let (Some(from), Some(end)) = (segment.block_at(cursor.as_ref()), segment.end_block()) else {
            return Err(self.damaged(segment));
        };
        let to = end.min(from + self.size.get());
        let piece = Piece::Blocks { from: "$1::bigint".into(), to: "$2::bigint".into() };
        let statements = statement::batch_by_position(self.backfill, &segment.table, &piece, server)
            .ok_or_else(|| self.damaged(segment))?;
        let mut rows = 0;
        for sql in statements {
            rows = self.execute(tx, segment, &sql, &[&from, &to])?;
        }
        Ok(Advance { cursor: Some(vec![to.to_string()]), read: to - from, rows, done: to >= end })
    }

    fn copy(
        &self,
        tx: &mut Transaction<'_>,
        segment: &Segment,
        cursor: Option<Vec<String>>,
        server: u32,
    ) -> Result<Advance> {
        let (_, key) = self.backfill.pieces();
        let Some(upto) = &segment.upto else { return Err(self.damaged(segment)) };
        let end = keys::end_of_piece(tx, &segment.table, key, cursor.as_ref(), upto, self.size.get())?;
        let bounds = Bounds::new(key, cursor.as_ref(), end.as_ref().unwrap_or(upto));
        let sql = statement::copy_batch(self.backfill, &bounds.piece, server).ok_or_else(|| self.damaged(segment))?;
        let rows = self.execute(tx, segment, &sql, &bounds.parameters())?;
        let read = if end.is_some() { self.size.get() } else { rows };
        Ok(Advance { done: end.is_none(), cursor: end, read, rows })
    }

    fn execute(
        &self,
        tx: &mut Transaction<'_>,
        segment: &Segment,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<i64> {
        let rows = tx
            .execute(sql, parameters)
            .map_err(Error::database(format!("change `{}`, filling {}", self.of.change, segment.table)))?;
        Ok(rows as i64)
    }

    fn damaged(&self, segment: &Segment) -> Error {
        Error::Plan {
            change: self.of.change.to_string(),
            message: format!(
                "segment {} of {} in coexist.segments has no bounds that this program can read; roll the change back",
                segment.id, segment.table
            ),
        }
    }
}

/// Waits until the ledger no longer says pause. The lease is kept alive meanwhile.
fn wait_while_paused(run: &mut Run) -> Result<()> {
    run.options.tell(Event::Paused);
    while run.record()?.paused {
        run.sleep(Duration::from_millis(500))?;
    }
    run.options.tell(Event::Resumed);
    Ok(())
}
