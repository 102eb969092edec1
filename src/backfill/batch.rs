//! One batch: a transaction that changes rows and moves the segment's cursor.

use std::fmt::Write;
use std::time::{Duration, Instant};

use coexist_core::ident::quote_literal;
use coexist_core::plan::{BACKFILL_SETTING, Backfill};
use coexist_core::render::statement::{self, MOST_LINES, Piece};

use super::crew::Task;
use crate::database::{Limits, Parameter, Transaction};
use crate::error::{Error, Result};
use crate::ledger::segment::{self, Advance, Hold, PassProgress, Segment};
use crate::options::Options;
use crate::pieces::keys::{self, Bounds};

/// How much longer than its target a batch may take before it is cancelled and made smaller.
const OVERRUN: u32 = 20;

/// What a batch is to go through, from its segment's cursor on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portion {
    /// Blocks or rows, at most.
    pub size: i64,
    /// Of how many batches of these blocks this is the next one; each fills a slice of their rows.
    pub slices: i32,
}

/// How a batch came out.
#[derive(Debug)]
pub(super) enum Batch {
    /// It was committed.
    Done(Done),
    /// The table was rewritten since the pass began: positions in it mean nothing any more.
    Rewritten,
    /// Nothing may be done now.
    Held,
    /// The segment is somebody else's now.
    Lost,
}

/// A batch that was committed.
#[derive(Debug)]
pub(super) struct Done {
    pub advance: Advance,
    /// The blocks or rows that it went through.
    pub through: i64,
    /// How far the pass is with it.
    pub progress: PassProgress,
    /// Bytes that were written to the WAL meanwhile.
    pub wal: f64,
    /// How long the rows took; what every batch needs, however small it is, aside.
    pub worked: Duration,
}

/// Time limits of a batch that should take `target`. One that waits for a row gives up before the server looks for deadlocks: the one that is
/// killed must not be the application's.
pub(super) fn limits(target: Duration, options: &Options, deadlock_timeout: Duration) -> Limits {
    Limits {
        lock: Some(options.lock_timeout.min(deadlock_timeout / 2)),
        statement: Some((target * OVERRUN).max(options.statement_timeout)),
    }
}

/// Tells our own sync triggers who writes; the server to read by key or position, however it estimates the tables; and not to wait for the
/// disk at the commit. A crash of the server may take the last batches back, their rows and the cursor together, and they are done again;
/// whatever is committed later, by us or by others, makes them durable as well.
///
/// Where rows are filled in place, the table is kept from being rewritten.
pub(super) fn announce(tx: &mut Transaction<'_>, backfill: &Backfill, segment: &Segment) -> Result<()> {
    let operation = quote_literal(backfill.operation());
    let mut statements = format!(
        "set local {BACKFILL_SETTING} = {operation}; set local enable_seqscan = off; set local synchronous_commit = off"
    );
    if backfill.in_place() {
        let _ = write!(statements, "; lock table only {} in row exclusive mode", segment.table.quoted());
    }
    tx.batch_execute(&statements).map_err(Error::database("beginning a batch"))
}

/// One batch.
pub(super) fn fill(
    tx: &mut Transaction<'_>,
    task: Task,
    segment: &Segment,
    portion: Portion,
    server: u32,
) -> Result<Batch> {
    announce(tx, task.backfill, segment)?;
    let held = match segment::hold(tx, task.of, segment)? {
        Hold::Held(held) => held,
        Hold::Paused => return Ok(Batch::Held),
        Hold::Lost => return Ok(Batch::Lost),
    };
    let working = Instant::now();
    let (advance, through) = if task.backfill.in_place() {
        if held.file_node != segment.file_node {
            return Ok(Batch::Rewritten);
        }
        by_position(tx, task, segment, held.cursor, portion, server)?
    } else {
        let advance = copy(tx, task, segment, held.cursor, portion.size, server)?;
        let read = advance.read;
        (advance, read)
    };
    let worked = working.elapsed();
    let progress = segment::advance(tx, task.of, segment, &advance)?;
    let wal = progress.wal - held.wal;
    Ok(Batch::Done(Done { advance, through, progress, wal, worked }))
}

fn by_position(
    tx: &mut Transaction<'_>,
    task: Task,
    segment: &Segment,
    cursor: Option<Vec<String>>,
    portion: Portion,
    server: u32,
) -> Result<(Advance, i64)> {
    let (Some(from), Some(end)) = (segment.block_at(cursor.as_ref()), segment.end_block()) else {
        return Err(damaged(task, segment));
    };
    // What has become too much for one batch is left to the next round, which finds the rows of the slices that were done filled.
    let (slice, round_end) = segment.round_at(cursor.as_ref()).unwrap_or((0, end));
    // What is hardly a batch by itself is taken along.
    let reach = from + portion.size;
    let to = if round_end - reach < portion.size / 2 { round_end } else { reach };
    let lines = segment.lines.map_or(MOST_LINES.to_string(), |lines| lines.to_string());
    let only = (portion.slices > 1).then(|| slice.to_string());
    let piece = Piece::Blocks { from: "$1::bigint".into(), to: "$2::bigint".into(), lines, slice: only };
    let statements = statement::batch_by_position(task.backfill, &segment.table, &piece, server)
        .ok_or_else(|| damaged(task, segment))?;
    let mut rows = 0;
    for sql in statements {
        rows = execute(tx, task, segment, &sql, &[&from, &to])?;
    }
    let through = to - from;
    let advance = if slice + 1 < portion.slices {
        let cursor = vec![from.to_string(), (slice + 1).to_string(), to.to_string()];
        Advance { cursor: Some(cursor), read: 0, rows, done: false }
    } else {
        Advance { cursor: Some(vec![to.to_string()]), read: through, rows, done: to >= end }
    };
    Ok((advance, through))
}

fn copy(
    tx: &mut Transaction<'_>,
    task: Task,
    segment: &Segment,
    cursor: Option<Vec<String>>,
    size: i64,
    server: u32,
) -> Result<Advance> {
    let Some(upto) = &segment.upto else { return Err(damaged(task, segment)) };
    let (_, key) = task.backfill.pieces();
    let after = cursor.as_ref().or(segment.after.as_ref());
    let end = keys::end_of_piece(tx, &segment.table, key, after, upto, size)?;
    let bounds = Bounds::new(key, after, end.as_ref().unwrap_or(upto));
    let copy = statement::copy_batch(task.backfill, &bounds.piece, server).ok_or_else(|| damaged(task, segment))?;
    if let Some(lock) = &copy.lock {
        execute(tx, task, segment, lock, &bounds.parameters())?;
    }
    let rows = execute(tx, task, segment, &copy.write, &bounds.parameters())?;
    let read = if end.is_some() { size } else { rows };
    Ok(Advance { done: end.is_none(), cursor: end, read, rows })
}

fn execute(
    tx: &mut Transaction<'_>,
    task: Task,
    segment: &Segment,
    sql: &str,
    parameters: &[&dyn Parameter],
) -> Result<i64> {
    let rows = tx
        .execute(sql, parameters)
        .map_err(Error::database(format!("change `{}`, filling {}", task.of.change, segment.table)))?;
    Ok(rows as i64)
}

fn damaged(task: Task, segment: &Segment) -> Error {
    Error::Plan {
        change: task.of.change.to_string(),
        message: format!(
            "segment {} of {} in coexist.segments has no bounds that this program can read; roll the change back",
            segment.id, segment.table
        ),
    }
}
