//! What the accessors that the macro generates have in common.

mod overridden;
mod statement;
mod table;

use postgres::Row;
use postgres::types::{FromSql, ToSql};

use crate::executor::Executor;
use crate::value::Value;
pub use overridden::{Overridden, Unconvertible};
pub use statement::Field;
pub use table::{Carried, LockedFirst, Table};

/// A row of one table, by the position of its columns in [`Table::columns`].
pub trait FromRow: Sized {
    /// Decodes it.
    ///
    /// # Errors
    ///
    /// A column has another type than it had when the program was compiled.
    fn from_row(row: &Row) -> Result<Self, postgres::Error>;
}

/// What an INSERT or UPDATE gives the columns of one table.
pub trait Values {
    /// A value or none for every column, in the order of [`Table::columns`].
    fn values(&self) -> Vec<Option<Field<'_>>>;
}

/// Has no values.
#[derive(Debug)]
pub enum Nobody {}

/// A field that may leave its column out.
pub trait Optional {
    /// Its value, where it has one.
    fn value(&self) -> Option<Field<'_>>;
}

impl<T: ToSql + Sync> Optional for Value<T> {
    fn value(&self) -> Option<Field<'_>> {
        match self {
            Self::Set(value) => Some(value),
            Self::NotSet => None,
        }
    }
}

impl<T: ToSql + Sync> Optional for Option<T> {
    fn value(&self) -> Option<Field<'_>> {
        self.as_ref().map(|value| value as Field<'_>)
    }
}

/// The value of a field, where it has one.
pub fn given<T: Optional>(field: &T) -> Option<Field<'_>> {
    field.value()
}

/// The value of a field that always has one.
pub fn always<T: ToSql + Sync>(field: &T) -> Option<Field<'_>> {
    Some(field)
}

/// Holds where `T` can be the type of a column.
pub fn assert_column_type<T: ToSql + for<'a> FromSql<'a> + Sync>() {}

/// The row of a key.
///
/// # Errors
///
/// What the connection or the server says.
pub fn find<R: FromRow, E: Executor + ?Sized>(
    db: &mut E,
    table: &Table,
    key: &[Field<'_>],
) -> Result<Option<R>, E::Error> {
    let find = statement::find(table, key);
    first(db.query(&find.sql, &find.params)?)
}

/// One page of rows in the order of the primary key: the first, or the one behind a key.
///
/// # Errors
///
/// What the connection or the server says.
pub fn page<R: FromRow, E: Executor + ?Sized, const KEY: usize>(
    db: &mut E,
    table: &Table,
    behind: Option<[Field<'_>; KEY]>,
    limit: u32,
) -> Result<Vec<R>, E::Error> {
    let limit = i64::from(limit);
    let page = statement::page(table, behind.as_ref().map(<[_; KEY]>::as_slice), &limit);
    let rows = db.query(&page.sql, &page.params)?;
    Ok(rows.iter().map(R::from_row).collect::<Result<_, _>>()?)
}

/// Inserts one row, and gives it back as it is stored.
///
/// # Errors
///
/// What the connection or the server says; no row, where a trigger of the table kept it out.
pub fn insert<R: FromRow, E: Executor + ?Sized>(db: &mut E, table: &Table, row: &impl Values) -> Result<R, E::Error> {
    let insert = statement::insert(table, &[row.values()], true);
    Ok(R::from_row(&db.query_one(&insert.sql, &insert.params)?)?)
}

/// Inserts rows, with as few statements as their parameters fit in, and counts them.
///
/// # Errors
///
/// What the connection or the server says.
pub fn insert_many<E: Executor + ?Sized>(db: &mut E, table: &Table, rows: &[impl Values]) -> Result<u64, E::Error> {
    let rows: Vec<_> = rows.iter().map(Values::values).collect();
    let mut inserted = 0;
    for piece in statement::pieces(&rows) {
        let insert = statement::insert(table, piece, false);
        inserted += db.execute(&insert.sql, &insert.params)?;
    }
    Ok(inserted)
}

/// Changes the row of a key, and gives it back as it is stored: none where there is no such row.
///
/// # Errors
///
/// What the connection or the server says.
pub fn update<R: FromRow, E: Executor + ?Sized>(
    db: &mut E,
    table: &Table,
    key: &[Field<'_>],
    values: &impl Values,
) -> Result<Option<R>, E::Error> {
    let values = values.values();
    if values.iter().all(Option::is_none) {
        return find(db, table, key);
    }
    let update = statement::update(table, key, &values);
    first(db.query(&update.sql, &update.params)?)
}

/// Deletes the row of a key, and says whether there was one.
///
/// # Errors
///
/// What the connection or the server says.
pub fn delete<E: Executor + ?Sized>(db: &mut E, table: &Table, key: &[Field<'_>]) -> Result<bool, E::Error> {
    let delete = statement::delete(table, key);
    Ok(db.execute(&delete.sql, &delete.params)? > 0)
}

fn first<R: FromRow, X: From<postgres::Error>>(rows: Vec<Row>) -> Result<Option<R>, X> {
    Ok(rows.first().map(R::from_row).transpose()?)
}
