//! Looks at every row of a table, in pieces that are sized to take about as long as wanted: no snapshot lives longer than one of them.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use coexist_core::ident::QualifiedName;
use coexist_core::plan::Reconcile;
use coexist_core::render::statement::{self, MOST_LINES, Piece};

use super::keys::{self, Bounds, Key};
use super::{PieceSize, blocks};
use crate::database::{Parameter, Transaction};
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

/// A contiguous part of a table.
#[derive(Clone, Debug)]
pub(crate) enum Stretch {
    /// From one block up to another, which no longer belongs to it.
    Blocks { table: QualifiedName, from: i64, to: i64 },
    /// From after one key, or from the first row, up to another key.
    Keys { after: Option<Key>, upto: Key },
}

/// Divides what is to be compared, so that several can share the work. Without bounds, a table that grows faster than it is read would keep
/// them busy for ever.
pub(crate) fn stretches(reader: &mut impl Reader, reconcile: &Reconcile) -> Result<Vec<Stretch>> {
    let (table, key) = (&reconcile.table, reconcile.key.as_slice());
    if !key.is_empty() {
        let divided = reader.read("dividing the table by key", |tx| keys::stretches(tx, table, key))?;
        return Ok(divided.into_iter().map(|(after, upto)| Stretch::Keys { after, upto }).collect());
    }
    let mut stretches = Vec::new();
    for table in reader.read("listing partitions", |tx| blocks::tables(tx, table))? {
        let extent = reader.read("measuring the table", |tx| blocks::extent(tx, &table))?;
        stretches.extend(blocks::stretches(extent.blocks).map(|(from, to)| {
            let table = table.clone();
            Stretch::Blocks { table, from, to }
        }));
    }
    Ok(stretches)
}

/// Pieces to begin with.
pub(crate) fn first_size(reconcile: &Reconcile) -> PieceSize {
    PieceSize::new(if reconcile.key.is_empty() { blocks::FIRST } else { keys::FIRST })
}

/// Goes through a stretch, and tells `each` what each piece of it came to, until it breaks off. Answers whether all rows were looked at.
pub(crate) fn compare(
    reader: &mut impl Reader,
    reconcile: &Reconcile,
    stretch: &Stretch,
    size: &mut PieceSize,
    each: impl FnMut(Stretch, Compared) -> ControlFlow<()>,
) -> Result<bool> {
    match stretch {
        Stretch::Blocks { table, from, to } => by_position(reader, reconcile, table, *from, *to, size, each),
        Stretch::Keys { after, upto } => by_key(reader, reconcile, after.clone(), upto, size, each),
    }
}

fn by_position(
    reader: &mut impl Reader,
    reconcile: &Reconcile,
    table: &QualifiedName,
    mut from: i64,
    end: i64,
    size: &mut PieceSize,
    mut each: impl FnMut(Stretch, Compared) -> ControlFlow<()>,
) -> Result<bool> {
    let piece =
        Piece::Blocks { from: "$1::bigint".into(), to: "$2::bigint".into(), lines: MOST_LINES.into(), slice: None };
    let sql = statement::reconcile_piece(reconcile, table, &piece, reader.server());
    while from < end {
        let to = end.min(from + size.get());
        let compared = timed(reader, size, |tx| read(tx, &sql, &[&from, &to]))?;
        if each(Stretch::Blocks { table: table.clone(), from, to }, compared).is_break() {
            return Ok(false);
        }
        from = to;
    }
    Ok(true)
}

fn by_key(
    reader: &mut impl Reader,
    reconcile: &Reconcile,
    mut after: Option<Key>,
    upto: &Key,
    size: &mut PieceSize,
    mut each: impl FnMut(Stretch, Compared) -> ControlFlow<()>,
) -> Result<bool> {
    let (table, key, server) = (&reconcile.table, reconcile.key.as_slice(), reader.server());
    loop {
        let rows = size.get();
        let (compared, end) = timed(reader, size, |tx| {
            let end = keys::end_of_piece(tx, table, key, after.as_ref(), upto, rows)?;
            let bounds = Bounds::new(key, after.as_ref(), end.as_ref().unwrap_or(upto));
            let sql = statement::reconcile_piece(reconcile, table, &bounds.piece, server);
            Ok((read(tx, &sql, &bounds.parameters())?, end))
        })?;
        let piece = Stretch::Keys { after: after.take(), upto: end.as_ref().unwrap_or(upto).clone() };
        if each(piece, compared).is_break() {
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

fn read(tx: &mut Transaction<'_>, sql: &str, parameters: &[&dyn Parameter]) -> Result<Compared> {
    let row = tx.query_one(sql, parameters).map_err(Error::database("comparing rows"))?;
    Ok(Compared { rows: row.get(0), mismatches: row.get(1), samples: row.get(2) })
}
