//! Tables by key. Keys travel as text: every type can be written as text and read back.

use coexist_core::ident::QualifiedName;
use coexist_core::plan::KeyColumn;
use coexist_core::render::statement::{self, Piece};

use super::STRETCHES;
use crate::database::{Parameter, Transaction};
use crate::error::{Error, Result};

/// How many rows the first piece has.
pub(crate) const FIRST: i64 = 2000;

/// A key, one text for each of its columns.
pub(crate) type Key = Vec<String>;

/// The rows from after one key up to another, as a piece with its parameters.
pub(crate) struct Bounds<'a> {
    /// With parameters from `$1` on.
    pub piece: Piece,
    values: Vec<&'a String>,
}

impl<'a> Bounds<'a> {
    /// From the first row where there is no `after`.
    pub fn new(key: &[KeyColumn], after: Option<&'a Key>, upto: &'a Key) -> Self {
        let (lower, first) = match after {
            Some(_) => (Some(statement::key_parameters(key, 1)), key.len() + 1),
            None => (None, 1),
        };
        let piece = Piece::Keys { after: lower, upto: Some(statement::key_parameters(key, first)) };
        Self { piece, values: after.into_iter().flatten().chain(upto).collect() }
    }

    /// What the parameters are.
    pub fn parameters(&self) -> Vec<&dyn Parameter> {
        self.values.iter().map(|value| *value as &dyn Parameter).collect()
    }
}

/// The greatest key; `None` where the table is empty.
fn last(tx: &mut Transaction<'_>, table: &QualifiedName, key: &[KeyColumn]) -> Result<Option<Key>> {
    let row = tx
        .query_opt(&statement::last_key(table, key), &[])
        .map_err(Error::database(format!("finding the last key of {table}")))?;
    Ok(row.map(|row| row.get(0)))
}

/// The key at which a piece of `rows` rows ends that begins after `after`; `None` where fewer are left up to `upto`.
pub(crate) fn end_of_piece(
    tx: &mut Transaction<'_>,
    table: &QualifiedName,
    key: &[KeyColumn],
    after: Option<&Key>,
    upto: &Key,
    rows: i64,
) -> Result<Option<Key>> {
    let bounds = Bounds::new(key, after, upto);
    let count = format!("${}::bigint", bounds.values.len() + 1);
    let sql = statement::end_of_piece(table, key, &bounds.piece, &count);
    let mut parameters = bounds.parameters();
    parameters.push(&rows);
    let row = tx.query_opt(&sql, &parameters).map_err(Error::database(format!("reading the keys of {table}")))?;
    Ok(row.map(|row| row.get(0)))
}

/// How many rows a table has, all its partitions together, as the server last estimated it; before it ever did, as rows of 100 bytes would fit.
pub(crate) fn estimate(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<i64> {
    let row = tx
        .query_one(
            "with recursive tree as (
                select to_regclass($1)::oid as id
                union
                select child.inhrelid from pg_inherits as child join tree on child.inhparent = tree.id
            )
            select coalesce(sum(
                case when class.relpages > 0 then class.reltuples else pg_relation_size(class.oid) / 100 end
            ) filter (where class.relkind <> 'p'), 0)::bigint
            from tree join pg_class as class on class.oid = tree.id",
            &[&table.quoted()],
        )
        .map_err(Error::database(format!("measuring table {table}")))?;
    Ok(row.get(0))
}

/// How many rows the smallest stretch has, and the largest.
const FEWEST: i64 = 50_000;
const MOST: i64 = 1_000_000;

/// Divides a table into stretches of about the same size: the key after which each begins, where it is not the first, and its last.
pub(crate) fn stretches(
    tx: &mut Transaction<'_>,
    table: &QualifiedName,
    key: &[KeyColumn],
) -> Result<Vec<(Option<Key>, Key)>> {
    let Some(last) = last(tx, table, key)? else { return Ok(Vec::new()) };
    let rows = estimate(tx, table)?;
    let parts = rows / (rows / STRETCHES).clamp(FEWEST, MOST);
    let mut bounds = quantiles(tx, table, key, &last, rows, parts)?;
    bounds.push(last);
    let mut after = None;
    Ok(bounds.into_iter().map(|upto| (after.replace(upto.clone()), upto)).collect())
}

/// How many rows are looked at to divide a table.
const SAMPLE: f64 = 30_000.0;

/// Keys below `last` that divide a table of about `rows` rows into `parts` of about the same size, in order. They need not be exact.
fn quantiles(
    tx: &mut Transaction<'_>,
    table: &QualifiedName,
    key: &[KeyColumn],
    last: &Key,
    rows: i64,
    parts: i64,
) -> Result<Vec<Key>> {
    if parts < 2 {
        return Ok(Vec::new());
    }
    let percent = (SAMPLE / rows as f64 * 100.0).clamp(0.0001, 100.0) as f32;
    let bounds = Piece::Keys { after: None, upto: Some(statement::key_parameters(key, 1)) };
    let next = key.len() + 1;
    let (percent_at, parts_at) = (format!("${next}::real"), format!("${}::bigint", next + 1));
    let sql = statement::key_quantiles(table, key, &bounds, &percent_at, &parts_at);
    let mut parameters: Vec<&dyn Parameter> = last.iter().map(|value| value as &dyn Parameter).collect();
    parameters.push(&percent);
    parameters.push(&parts);
    let found = tx.query(&sql, &parameters).map_err(Error::database(format!("reading the keys of {table}")))?;
    Ok(found.iter().map(|row| row.get(0)).collect())
}
