//! Columns whose Rust type is one of the user's own.
//!
//! A type that does not convert is one mistake, and the compiler shall say so once: where the type is declared
//! ([`assert_column_type`](super::assert_column_type)). So the code for such columns compiles with any type: the functions of
//! [`Overridden`] itself are there for types that convert, and the compiler prefers them; for other types it finds those of
//! [`Unconvertible`], which only stand in, since such a program does not compile.

use std::convert::Infallible;
use std::error::Error;
use std::marker::PhantomData;

use postgres::Row;
use postgres::types::{FromSql, FromSqlOwned, ToSql, Type};

use super::statement::Field;
use super::{Optional, given};

/// A type of the user's own.
#[derive(Debug)]
pub struct Overridden<T>(PhantomData<T>);

impl<T: FromSqlOwned> Overridden<T> {
    /// Decodes a column.
    ///
    /// # Errors
    ///
    /// The column has another type than it had when the program was compiled.
    pub fn read(row: &Row, position: usize) -> Result<T, postgres::Error> {
        row.try_get(position)
    }
}

impl<T: ToSql + Sync> Overridden<T> {
    /// A value as a parameter.
    pub fn field(value: &T) -> Field<'_> {
        value
    }
}

impl<T: Optional> Overridden<T> {
    /// The value of a field, where it has one.
    pub fn given(field: &T) -> Option<Field<'_>> {
        given(field)
    }
}

/// What stands in for the functions of [`Overridden`].
pub trait Unconvertible<T> {
    /// In place of [`Overridden::read`].
    ///
    /// # Errors
    ///
    /// Always.
    fn read(row: &Row, _position: usize) -> Result<T, postgres::Error> {
        // There is no such column.
        row.try_get(usize::MAX).map(|never: Never| match never.0 {})
    }

    /// In place of [`Overridden::field`].
    fn field(_value: &T) -> Field<'_> {
        &0_i32
    }

    /// In place of [`Overridden::given`].
    fn given(_field: &T) -> Option<Field<'_>> {
        None
    }
}

impl<T> Unconvertible<T> for Overridden<T> {}

struct Never(Infallible);

impl FromSql<'_> for Never {
    fn from_sql(_: &Type, _: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Err("no value is of this type".into())
    }

    fn accepts(_: &Type) -> bool {
        false
    }
}
