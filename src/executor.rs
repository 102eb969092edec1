//! What runs a statement: a client, a transaction, or anything that stands for one.

use std::error::Error;

use postgres::types::{ToSql, Type};
use postgres::{Client, Row, Transaction};

/// Runs statements. Every accessor takes one; implement it for a connection type of your own to use accessors with it.
///
/// `&mut T` runs statements where `T` does, so that a function may take `&mut impl Executor` and pass it on.
pub trait Executor {
    /// What goes wrong. The errors of decoding a row are among it.
    type Error: From<postgres::Error> + Error + Send + Sync + 'static;

    /// Runs one statement and collects its rows.
    ///
    /// # Errors
    ///
    /// What the connection or the server says.
    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Self::Error>;

    /// Runs one statement that gives one row.
    ///
    /// # Errors
    ///
    /// What the connection or the server says; no row, or several.
    fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, Self::Error>;

    /// Runs one statement and counts the rows that it inserted, changed or deleted.
    ///
    /// # Errors
    ///
    /// What the connection or the server says.
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Self::Error>;
}

/// A parameter: `$1` is the first.
#[derive(Clone, Debug)]
pub struct Param<'a> {
    /// Its value.
    pub value: &'a (dyn ToSql + Sync),
    /// Its type, where it is one of PostgreSQL's own; `None` where the server has to be asked.
    pub ty: Option<Type>,
}

/// When the types of all parameters are known, the statement takes one round trip and no prepared statement, which a connection pooler
/// may hand to another session. Otherwise it is prepared first.
fn typed<'a>(params: &[Param<'a>]) -> Option<Vec<(&'a (dyn ToSql + Sync), Type)>> {
    params.iter().map(|param| Some((param.value, param.ty.clone()?))).collect()
}

fn untyped<'a>(params: &[Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param.value).collect()
}

macro_rules! executor {
    ($client:ty) => {
        impl Executor for $client {
            type Error = postgres::Error;

            fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Self::Error> {
                match typed(params) {
                    Some(params) => self.query_typed(sql, &params),
                    None => self.query(sql, &untyped(params)),
                }
            }

            fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, Self::Error> {
                match typed(params) {
                    Some(params) => self.query_typed_one(sql, &params),
                    None => self.query_one(sql, &untyped(params)),
                }
            }

            fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Self::Error> {
                match typed(params) {
                    Some(params) => self.execute_typed(sql, &params),
                    None => self.execute(sql, &untyped(params)),
                }
            }
        }
    };
}

executor!(Client);
executor!(Transaction<'_>);

impl<E: Executor + ?Sized> Executor for &mut E {
    type Error = E::Error;

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Self::Error> {
        (**self).query(sql, params)
    }

    fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, Self::Error> {
        (**self).query_one(sql, params)
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Self::Error> {
        (**self).execute(sql, params)
    }
}
