//! Tables by physical position.

use coexist_core::ident::QualifiedName;

use super::STRETCHES;
use crate::database::Transaction;
use crate::error::{Error, Result};

/// How many blocks the first piece has: some thousand rows.
pub(crate) const FIRST: i64 = 128;

/// How many rows a block holds, roughly: enough to begin with, since sizes are adjusted to the time that pieces take.
pub(crate) const ROWS_PER_BLOCK: i64 = 64;

/// How many blocks the smallest stretch of several has: 4 MB, some batches' worth.
const FEWEST: i64 = 512;

/// How many the largest has: 128 MB, so that a stretch that is taken over, or a bloated one, is no disaster.
const MOST: i64 = 16_384;

/// How many blocks each stretch of a table of so many has: all about the same, so that workers end together.
pub(crate) fn stretch(blocks: i64) -> i64 {
    let last = (blocks - 1).max(0);
    let stretches = (blocks / FEWEST).clamp(1, STRETCHES).max(last / MOST + 1);
    last / stretches + 1
}

/// The stretches of a table of so many blocks: the first block of each, and the first that no longer belongs to it.
pub(crate) fn stretches(blocks: i64) -> impl Iterator<Item = (i64, i64)> {
    let stretch = stretch(blocks);
    (0..blocks).step_by(stretch as usize).map(move |from| (from, blocks.min(from + stretch)))
}

/// A table's file, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// How many blocks it has.
    pub blocks: i64,
    /// Which file it is: another one after the table was rewritten.
    pub file_node: Option<u32>,
}

/// The tables whose blocks hold the rows of `table`: itself, its partitions, its inheritance children.
pub(crate) fn tables(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<Vec<QualifiedName>> {
    let rows = tx
        .query(
            "with recursive tree as (
                select to_regclass($1)::oid as id
                union
                select child.inhrelid from pg_inherits as child join tree on child.inhparent = tree.id
            )
            select namespace.nspname::text, class.relname::text, class.relkind::text
            from tree join pg_class as class on class.oid = tree.id
            join pg_namespace as namespace on namespace.oid = class.relnamespace
            where class.relkind <> 'p'
            order by class.oid",
            &[&table.quoted()],
        )
        .map_err(Error::database(format!("listing the partitions of {table}")))?;
    Ok(rows.iter().map(|row| QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1))).collect())
}

/// A table's file, in a transaction that keeps it from being rewritten until it ends.
pub(crate) fn extent(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<Extent> {
    let measuring = || Error::database(format!("measuring table {table}"));
    tx.batch_execute(&format!("lock table only {} in access share mode", table.quoted())).map_err(measuring())?;
    let row = tx
        .query_one(
            "select pg_relation_size(to_regclass($1)) / current_setting('block_size')::bigint,
                pg_relation_filenode(to_regclass($1))",
            &[&table.quoted()],
        )
        .map_err(measuring())?;
    Ok(Extent { blocks: row.get(0), file_node: row.get(1) })
}
