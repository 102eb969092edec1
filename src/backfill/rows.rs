//! The smallest batch, row by row: those that can be filled are, and the first that cannot is named.

use std::time::Duration;

use coexist_core::plan::{Backfill, KeyColumn};
use coexist_core::render::statement::{self, MOST_LINES, Piece};

use super::batch::{self, Batch, Done};
use super::crew::Task;
use crate::database::Limits;
use crate::error::{Error, Result};
use crate::ledger::segment::{self, Advance, Hold, Segment};
use crate::pieces::keys;
use crate::runner::Run;

/// What the smallest batch at the segment's cursor comes to, which failed with `error`.
pub(super) fn one_by_one(run: &mut Run, task: Task, segment: &Segment, limits: Limits, error: Error) -> Result<Batch> {
    match task.backfill {
        Backfill::Update { pending, key, .. } | Backfill::Refer { pending, key, .. } => {
            block(run, task, segment, limits, pending, key)
        }
        Backfill::Insert { key, .. } | Backfill::UpdateFrom { key, .. } => match next_key(run, task, segment, key)? {
            Some(row) => Err(name(task, segment, &row, error)),
            None => Err(error),
        },
    }
}

/// Fills the rows of the block at the cursor, each in a transaction of its own.
fn block(
    run: &mut Run,
    task: Task,
    segment: &Segment,
    limits: Limits,
    pending: &str,
    key: &[KeyColumn],
) -> Result<Batch> {
    let doing = format!("filling {}", segment.table);
    let server = run.session.server;
    let block = Piece::Blocks {
        from: "$1::bigint".into(),
        to: "$1::bigint + 1".into(),
        lines: MOST_LINES.to_string(),
        slice: None,
    };
    let rows_of_block = statement::pending_rows(&segment.table, key, pending, &block, server);
    let row = Piece::Row { at: "($1::text)::tid".into() };
    let fill_row = statement::batch_by_position(task.backfill, &segment.table, &row, server).unwrap_or_default();

    let found = run.transaction(limits, &doing, |tx| {
        let Hold::Held(held) = segment::hold(tx, task.of, segment)? else { return Ok(None) };
        let Some(block) = segment.block_at(held.cursor.as_ref()) else { return Ok(None) };
        let rows = tx.query(&rows_of_block, &[&block]).map_err(Error::database(doing.clone()))?;
        Ok(Some((block, rows)))
    })?;
    let Some((block, rows)) = found else { return Ok(Batch::Lost) };
    let mut filled = 0;
    for row in rows {
        let at: String = row.get(0);
        let result = run.transaction(limits, &doing, |tx| {
            batch::announce(tx, task.backfill, segment)?;
            if !matches!(segment::hold(tx, task.of, segment)?, Hold::Held(_)) {
                return Ok(None);
            }
            let mut rows = 0;
            for sql in &fill_row {
                rows = tx.execute(sql, &[&at]).map_err(Error::database(doing.clone()))? as i64;
            }
            segment::advance(tx, task.of, segment, &Advance { cursor: None, read: 0, rows, done: false })?;
            Ok(Some(rows))
        });
        match result {
            Ok(Some(rows)) => filled += rows,
            Ok(None) => return Ok(Batch::Lost),
            Err(error) if error.is_about_a_row() || error.is_cancelled() => {
                let key: String = row.get(1);
                return Err(name(task, segment, &key, error));
            }
            Err(error) => return Err(error),
        }
    }
    run.transaction(limits, &doing, |tx| {
        if !matches!(segment::hold(tx, task.of, segment)?, Hold::Held(_)) {
            return Ok(Batch::Lost);
        }
        let next = block + 1;
        let done = segment.end_block().is_none_or(|end| next >= end);
        let on = Advance { cursor: Some(vec![next.to_string()]), read: 1, rows: 0, done };
        let progress = segment::advance(tx, task.of, segment, &on)?;
        let advance = Advance { cursor: None, read: 1, rows: filled, done };
        Ok(Batch::Done(Done { advance, through: 1, progress, wal: 0.0, worked: Duration::ZERO }))
    })
}

/// The smallest batch has one row: the one after the cursor.
fn next_key(run: &mut Run, task: Task, segment: &Segment, key: &[KeyColumn]) -> Result<Option<String>> {
    run.transaction(Limits::LEDGER, "looking for the row that cannot be filled", |tx| {
        let (Hold::Held(held), Some(upto)) = (segment::hold(tx, task.of, segment)?, &segment.upto) else {
            return Ok(None);
        };
        let after = held.cursor.as_ref().or(segment.after.as_ref());
        let next = keys::end_of_piece(tx, &segment.table, key, after, upto, 1)?;
        let values = next.as_ref().unwrap_or(upto);
        let columns: Vec<String> =
            key.iter().zip(values).map(|(column, value)| format!("{} = {value}", column.name)).collect();
        Ok(Some(columns.join(", ")))
    })
}

fn name(task: Task, segment: &Segment, row: &str, error: Error) -> Error {
    match error {
        Error::Database { source, .. } => {
            Error::Row { change: task.of.change.to_string(), row: format!("{row} of {}", segment.table), source }
        }
        other => other,
    }
}
