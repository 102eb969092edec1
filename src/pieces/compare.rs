//! Looks at every row of a table, in pieces that are sized to take about as long as wanted: no snapshot lives longer than one of them.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use coexist_core::plan::Reconcile;
use coexist_core::render::statement::{self, MOST_LINES, Piece};
use postgres::Transaction;
use postgres::types::ToSql;

use super::keys::{self, Bounds, Key};
use super::{PieceSize, blocks};
use crate::error::{Error, Result};

/// How long one piece should take. Nothing is held meanwhile but a snapshot.
const PIECE: Duration = Duration::from_secs(1);

/// What runs the transactions: a run tries again what fails for a passing reason, a mere look does not.
pub(crate) trait Reader {
    /// 13, 14, …
    fn server(&self) -> u32;

    /// One transaction, which may be tried several times.
    fn read<T>(&mut self, doing: &str, work: impl FnMut(&mut Transaction<'_>) -> Result<T>) -> Result<T>;
}

/// What one piece came to.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    /// Rows that were read.
    pub rows: i64,
    /// Those of them for which the condition is true.
    pub mismatches: i64,
    /// Keys of some of these.
    pub samples: Vec<String>,
}

/// Tells `each` what each piece came to, until it breaks off. Answers whether all rows were looked at.
pub(crate) fn compare(
    reader: &mut impl Reader,
    reconcile: &Reconcile,
    each: impl FnMut(Compared) -> ControlFlow<()>,
) -> Result<bool> {
    if reconcile.key.is_empty() { by_position(reader, reconcile, each) } else { by_key(reader, reconcile, each) }
}

fn by_position(
    reader: &mut impl Reader,
    reconcile: &Reconcile,
    mut each: impl FnMut(Compared) -> ControlFlow<()>,
) -> Result<bool> {
    let piece =
        Piece::Blocks { from: "$1::bigint".into(), to: "$2::bigint".into(), lines: MOST_LINES.into(), slice: None };
    for table in reader.read("listing partitions", |tx| blocks::tables(tx, &reconcile.table))? {
        let sql = statement::reconcile_piece(reconcile, &table, &piece, reader.server());
        let end = reader.read("measuring the table", |tx| blocks::extent(tx, &table))?.blocks;
        let mut size = PieceSize::new(blocks::FIRST);
        let mut from = 0;
        while from < end {
            let to = end.min(from + size.get());
            let compared = timed(reader, &mut size, |tx| read(tx, &sql, &[&from, &to]))?;
            if each(compared).is_break() {
                return Ok(false);
            }
            from = to;
        }
    }
    Ok(true)
}

fn by_key(
    reader: &mut impl Reader,
    reconcile: &Reconcile,
    mut each: impl FnMut(Compared) -> ControlFlow<()>,
) -> Result<bool> {
    let (table, key, server) = (&reconcile.table, reconcile.key.as_slice(), reader.server());
    // Without a bound, a table that grows faster than it is read would keep us busy for ever.
    let Some(last) = reader.read("finding the last key", |tx| keys::last(tx, table, key))? else { return Ok(true) };
    let mut size = PieceSize::new(keys::FIRST);
    let mut after: Option<Key> = None;
    loop {
        let rows = size.get();
        let (compared, end) = timed(reader, &mut size, |tx| {
            let end = keys::end_of_piece(tx, table, key, after.as_ref(), &last, rows)?;
            let bounds = Bounds::new(key, after.as_ref(), end.as_ref().unwrap_or(&last));
            let sql = statement::reconcile_piece(reconcile, table, &bounds.piece, server);
            Ok((read(tx, &sql, &bounds.parameters())?, end))
        })?;
        if each(compared).is_break() {
            return Ok(false);
        }
        match end {
            Some(end) => after = Some(end),
            None => return Ok(true),
        }
    }
}

fn timed<T>(
    reader: &mut impl Reader,
    size: &mut PieceSize,
    piece: impl FnMut(&mut Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let begun = Instant::now();
    let result = reader.read("comparing rows", piece)?;
    size.took(size.get(), begun.elapsed(), PIECE);
    Ok(result)
}

fn read(tx: &mut Transaction<'_>, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Compared> {
    let row = tx.query_one(sql, parameters).map_err(Error::database("comparing rows"))?;
    Ok(Compared { rows: row.get(0), mismatches: row.get(1), samples: row.get(2) })
}
