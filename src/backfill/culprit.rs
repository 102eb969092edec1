//! Names the row that cannot be filled.

use coexist_core::plan::{BACKFILL_SETTING, Backfill, KeyColumn};
use coexist_core::render::statement::{self, Piece};

use crate::database::Limits;
use crate::error::{Error, Result};
use crate::ledger::segment::{self, Of, Segment};
use crate::pieces::keys;
use crate::runner::Run;

/// Makes of a failure of the smallest batch at the segment's cursor one that says which row it is; where that cannot be found out, it stays
/// what it is.
pub(super) fn name_row(run: &mut Run, of: Of, backfill: &Backfill, segment: &Segment, error: Error) -> Error {
    let row = match backfill {
        Backfill::Update { pending, key, .. } | Backfill::Refer { pending, key, .. } => {
            in_block(run, of, backfill, segment, pending, key)
        }
        Backfill::Insert { key, .. } | Backfill::UpdateFrom { key, .. } => next_key(run, of, segment, key),
    };
    match (row, error) {
        (Ok(Some(key)), Error::Database { source, .. }) => {
            Error::Row { change: of.change.to_string(), row: format!("{key} of {}", segment.table), source }
        }
        (_, error) => error,
    }
}

/// Tries the rows of the block one by one, and takes each try back.
fn in_block(
    run: &mut Run,
    of: Of,
    backfill: &Backfill,
    segment: &Segment,
    pending: &str,
    key: &[KeyColumn],
) -> Result<Option<String>> {
    let failed = || Error::database(format!("looking for the row of {} that cannot be filled", segment.table));
    let (worker, server) = (run.runner, run.session.server);
    let block = Piece::Blocks { from: "$1::bigint".into(), to: "$1::bigint + 1".into() };
    let rows_of_block = statement::pending_rows(&segment.table, key, pending, &block, server);
    let row = Piece::Row { at: "($1::text)::tid".into() };
    let fill_row = statement::batch_by_position(backfill, &segment.table, &row, server).unwrap_or_default();

    let mut tx = run.session.begin(Limits::LEDGER)?;
    let cursor = segment::hold(&mut tx, of, segment, worker)?.flatten();
    let Some(block) = segment.block_at(cursor.as_ref()) else { return Ok(None) };
    let rows = tx.query(&rows_of_block, &[&block]).map_err(failed())?;
    drop(tx);
    for row in rows {
        let at: String = row.get(0);
        let mut tx = run.session.begin(Limits::LEDGER)?;
        tx.execute("select set_config($1, $2, true)", &[&BACKFILL_SETTING, &of.change]).map_err(failed())?;
        tx.batch_execute("set constraints all immediate").map_err(failed())?;
        let filled = fill_row.iter().try_for_each(|sql| tx.execute(sql, &[&at]).map(drop).map_err(failed()));
        if filled.is_err_and(|error| error.is_about_a_row()) {
            return Ok(row.get(1));
        }
    }
    Ok(None)
}

/// The smallest batch has one row: the one after the cursor.
fn next_key(run: &mut Run, of: Of, segment: &Segment, key: &[KeyColumn]) -> Result<Option<String>> {
    let worker = run.runner;
    let mut tx = run.session.begin(Limits::LEDGER)?;
    let (Some(cursor), Some(upto)) = (segment::hold(&mut tx, of, segment, worker)?, &segment.upto) else {
        return Ok(None);
    };
    let next = keys::end_of_piece(&mut tx, &segment.table, key, cursor.as_ref(), upto, 1)?;
    let values = next.as_ref().unwrap_or(upto);
    let columns: Vec<String> =
        key.iter().zip(values).map(|(column, value)| format!("{} = {value}", column.name)).collect();
    Ok(Some(columns.join(", ")))
}
