//! Divides tables into the segments of a pass.

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Backfill, KeyColumn};
use postgres::Transaction;

use crate::error::{Error, Result};
use crate::ledger::segment::{self, Of, Segment, TablePasses};
use crate::pieces::{blocks, keys};

/// How many blocks a segment has: 128 MB, small enough to share out, large enough to be few.
const SEGMENT_BLOCKS: i64 = 16_384;

/// Begins a new pass over the tables that no earlier pass found filled; `None` where there are none. The bounds are read now, after the
/// triggers came into effect: whatever is written from here on is filled by them, so the pass ends however much that is.
pub(super) fn divide(
    tx: &mut Transaction<'_>,
    of: Of,
    backfill: &Backfill,
    earlier: &[TablePasses],
) -> Result<Option<i32>> {
    let filled = |table: &QualifiedName| earlier.iter().any(|passes| passes.clean && passes.table == *table);
    let pass = segment::last_pass(tx, of)? + 1;
    let mut segments = Vec::new();
    match backfill {
        Backfill::Update { table, .. } | Backfill::Refer { table, .. } => {
            for table in blocks::tables(tx, table)?.into_iter().filter(|table| !filled(table)) {
                by_blocks(tx, table, pass, &mut segments)?;
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
    let mut from = 0;
    while from < extent.blocks {
        let to = extent.blocks.min(from + SEGMENT_BLOCKS);
        segments.push(Segment {
            pass,
            id: segments.len() as i32,
            table: table.clone(),
            file_node: extent.file_node,
            after: Some(vec![from.to_string()]),
            upto: Some(vec![to.to_string()]),
            size: to - from,
        });
        from = to;
    }
    Ok(())
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
    let Some(last) = keys::last(tx, table, key)? else { return Ok(()) };
    let estimate = tx
        .query_one(
            "select greatest(class.reltuples, 0)::bigint from pg_class as class where class.oid = to_regclass($1)",
            &[&table.quoted()],
        )
        .map_err(Error::database(format!("measuring table {table}")))?;
    segments.push(Segment {
        pass,
        id: segments.len() as i32,
        table: table.clone(),
        file_node: None,
        after: None,
        upto: Some(last),
        size: estimate.get(0),
    });
    Ok(())
}
