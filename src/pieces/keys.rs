//! Tables by key. Keys travel as text: every type can be written as text and read back.

use coexist_core::ident::QualifiedName;
use coexist_core::plan::KeyColumn;
use coexist_core::render::statement::{self, Piece};
use postgres::Transaction;
use postgres::types::ToSql;

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
    pub fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values.iter().map(|value| *value as &(dyn ToSql + Sync)).collect()
    }
}

/// The greatest key; `None` where the table is empty.
pub(crate) fn last(tx: &mut Transaction<'_>, table: &QualifiedName, key: &[KeyColumn]) -> Result<Option<Key>> {
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
