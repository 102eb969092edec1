//! Divides tables into the segments of a pass.

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Backfill, KeyColumn};
use coexist_core::render::statement::{self, TID_RANGE_SCAN};

use crate::database::Transaction;
use crate::error::{Error, Result};
use crate::ledger::segment::{self, Of, Segment, TablePasses};
use crate::pieces::{blocks, keys};

/// Begins a new pass over the tables that no earlier pass found filled; `None` where there are none. The bounds are read now, after the
/// triggers came into effect: whatever is written from here on is filled by them, so the pass ends however much that is.
pub(super) fn divide(
    tx: &mut Transaction<'_>,
    of: Of,
    backfill: &Backfill,
    earlier: &[TablePasses],
    server: u32,
) -> Result<Option<i32>> {
    let filled = |table: &QualifiedName| earlier.iter().any(|passes| passes.clean && passes.table == *table);
    let pass = segment::last_pass(tx, of)? + 1;
    let mut segments = Vec::new();
    match backfill {
        Backfill::Update { table, pending, .. } | Backfill::Refer { table, pending, .. } => {
            for table in blocks::tables(tx, table)?.into_iter().filter(|table| !filled(table)) {
                if server >= TID_RANGE_SCAN {
                    by_blocks(tx, table, pass, &mut segments)?;
                } else {
                    by_lines(tx, table, pending, pass, &mut segments)?;
                }
            }
        }
        Backfill::Insert { .. } | Backfill::UpdateFrom { .. } => {
            let (table, key) = backfill.pieces();
            if !filled(table) {
                by_key(tx, of, table, key, pass, &mut segments)?;
            }
        }
    }
    segment::add(tx, of, &segments)?;
    Ok((!segments.is_empty()).then_some(pass))
}

fn by_blocks(tx: &mut Transaction<'_>, table: QualifiedName, pass: i32, segments: &mut Vec<Segment>) -> Result<()> {
    let extent = blocks::extent(tx, &table)?;
    for (from, to) in blocks::stretches(extent.blocks) {
        segments.push(of_blocks(&table, extent, pass, segments.len(), from, to));
    }
    Ok(())
}

/// For servers that read by position line by line: finds out first which blocks have rows that are pending, and in which lines.
fn by_lines(
    tx: &mut Transaction<'_>,
    table: QualifiedName,
    pending: &str,
    pass: i32,
    segments: &mut Vec<Segment>,
) -> Result<()> {
    let extent = blocks::extent(tx, &table)?;
    if extent.blocks == 0 {
        return Ok(());
    }
    let stretch = blocks::stretch(extent.blocks);
    let found = tx
        .query(&statement::pending_lines(&table, pending, &stretch.to_string()), &[])
        .map_err(Error::database(format!("looking for rows of {table} to fill")))?;
    for row in &found {
        let from = row.get::<_, i64>(0) * stretch;
        // Rows that were added since, in blocks beyond the extent, are filled.
        let to = extent.blocks.min(from + stretch);
        if from < to {
            let lines = Some(row.get(1));
            segments.push(Segment { lines, ..of_blocks(&table, extent, pass, segments.len(), from, to) });
        }
    }
    if found.is_empty() {
        // So that the ledger knows that it was looked at.
        segments.push(of_blocks(&table, extent, pass, segments.len(), 0, 0));
    }
    Ok(())
}

fn of_blocks(table: &QualifiedName, extent: blocks::Extent, pass: i32, id: usize, from: i64, to: i64) -> Segment {
    Segment {
        pass,
        id: id as i32,
        table: table.clone(),
        file_node: extent.file_node,
        after: Some(vec![from.to_string()]),
        upto: Some(vec![to.to_string()]),
        lines: None,
        size: to - from,
        token: 0,
    }
}

fn by_key(
    tx: &mut Transaction<'_>,
    of: Of,
    table: &QualifiedName,
    key: &[KeyColumn],
    pass: i32,
    segments: &mut Vec<Segment>,
) -> Result<()> {
    if key.is_empty() {
        return Err(Error::Plan {
            change: of.change.to_string(),
            message: format!(
                "rows of {table} cannot be copied into another table, because it has no primary key; add one first"
            ),
        });
    }
    let stretches = keys::stretches(tx, table, key)?;
    let size = keys::estimate(tx, table)? / (stretches.len() as i64).max(1);
    for (after, upto) in stretches {
        segments.push(Segment {
            pass,
            id: segments.len() as i32,
            table: table.clone(),
            file_node: None,
            after,
            upto: Some(upto),
            lines: None,
            size,
            token: 0,
        });
    }
    Ok(())
}
