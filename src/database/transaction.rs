//! Transactions in which every statement takes one round trip.
//!
//! The `postgres` crate asks the server for the types of parameters before it sends them, and afterwards takes back what it prepared. Here
//! the Rust type of a parameter says which type it has.

use std::time::SystemTime;

use postgres::types::{ToSql, Type};
use postgres::{Client, Error, Row};

/// An open transaction. It is taken back unless it is committed.
pub(crate) struct Transaction<'a> {
    client: &'a mut Client,
    is_open: bool,
}

impl<'a> Transaction<'a> {
    /// Begins one with a statement that does so, and with what else is to be run at once.
    pub fn begin(client: &'a mut Client, statements: &str) -> Result<Self, Error> {
        let transaction = Self { client, is_open: true };
        transaction.client.batch_execute(statements)?;
        Ok(transaction)
    }

    /// Runs statements without parameters.
    pub fn batch_execute(&mut self, statements: &str) -> Result<(), Error> {
        self.client.batch_execute(statements)
    }

    /// Runs a statement and counts the rows that it changed.
    pub fn execute(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<u64, Error> {
        self.client.execute_typed(statement, &typed(parameters))
    }

    /// Runs a statement and collects its rows.
    pub fn query(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<Vec<Row>, Error> {
        self.client.query_typed(statement, &typed(parameters))
    }

    /// Runs a statement that gives one row.
    pub fn query_one(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<Row, Error> {
        self.client.query_typed_one(statement, &typed(parameters))
    }

    /// Runs a statement that gives one row at most.
    pub fn query_opt(&mut self, statement: &str, parameters: &[&dyn Parameter]) -> Result<Option<Row>, Error> {
        self.client.query_typed_opt(statement, &typed(parameters))
    }

    /// Runs a statement, and takes it back, whatever comes of it: the transaction goes on where it fails, too.
    pub fn attempt(&mut self, statement: &str) -> Result<Result<Vec<Row>, Error>, Error> {
        self.client.batch_execute("savepoint attempt")?;
        let result = self.client.query_typed(statement, &[]);
        self.client.batch_execute("rollback to savepoint attempt; release savepoint attempt")?;
        Ok(result)
    }

    pub fn commit(mut self) -> Result<(), Error> {
        self.is_open = false;
        self.client.batch_execute("commit")
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // Where this fails, the connection is gone, and the transaction with it.
            let _ = self.client.batch_execute("rollback");
        }
    }
}

fn typed<'a>(parameters: &[&'a dyn Parameter]) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    parameters.iter().map(|parameter| (parameter.value(), parameter.sql_type())).collect()
}

/// A value of a statement's parameter.
pub(crate) trait Parameter {
    fn value(&self) -> &(dyn ToSql + Sync);

    fn sql_type(&self) -> Type;
}

impl<T: HasSqlType + ToSql + Sync> Parameter for T {
    fn value(&self) -> &(dyn ToSql + Sync) {
        self
    }

    fn sql_type(&self) -> Type {
        T::TYPE
    }
}

/// A Rust type whose values are sent as those of one SQL type.
pub(crate) trait HasSqlType {
    const TYPE: Type;
}

/// One whose values may be those of an array.
pub(crate) trait Element: HasSqlType {
    const ARRAY: Type;
}

macro_rules! has_sql_type {
    ($($rust:ty => $sql:ident, $array:ident;)+) => {
        $(
            impl HasSqlType for $rust {
                const TYPE: Type = Type::$sql;
            }

            impl Element for $rust {
                const ARRAY: Type = Type::$array;
            }
        )+
    };
}

has_sql_type! {
    bool => BOOL, BOOL_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    u32 => OID, OID_ARRAY;
    f32 => FLOAT4, FLOAT4_ARRAY;
    f64 => FLOAT8, FLOAT8_ARRAY;
    str => TEXT, TEXT_ARRAY;
    String => TEXT, TEXT_ARRAY;
    SystemTime => TIMESTAMPTZ, TIMESTAMPTZ_ARRAY;
}

impl<T: HasSqlType> HasSqlType for Option<T> {
    const TYPE: Type = T::TYPE;
}

impl<T: HasSqlType + ?Sized> HasSqlType for &T {
    const TYPE: Type = T::TYPE;
}

impl<T: Element> Element for Option<T> {
    const ARRAY: Type = T::ARRAY;
}

impl<T: Element + ?Sized> Element for &T {
    const ARRAY: Type = T::ARRAY;
}

impl<T: Element> HasSqlType for [T] {
    const TYPE: Type = T::ARRAY;
}

impl<T: Element> HasSqlType for Vec<T> {
    const TYPE: Type = T::ARRAY;
}
