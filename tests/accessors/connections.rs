//! What accessors run on.

use coexist::Executor;
use coexist::executor::Param;
use postgres::{Error, Row};

use crate::declared::rename_default_name::before::defaults::{self, Insert};
use crate::{client, database};

#[test]
fn a_transaction_that_is_dropped_leaves_nothing() {
    let database = database();
    let mut db = client(&database);
    let mut transaction = db.transaction().unwrap();
    let row = defaults::insert(&mut transaction, &Insert::new("Ada")).unwrap();
    let mut inner = transaction.transaction().unwrap();
    assert!(defaults::delete(&mut inner, row.id).unwrap());
    drop(inner);
    assert!(defaults::find(&mut transaction, row.id).unwrap().is_some());
    drop(transaction);
    assert_eq!(defaults::find(&mut db, row.id).unwrap(), None);
}

/// Passes on what it gets.
fn generic(db: &mut impl Executor<Error = Error>) -> Row {
    db.query_one("select 1", &[]).unwrap()
}

/// A connection of one's own.
struct Counting<E> {
    inner: E,
    statements: usize,
}

impl<E: Executor> Executor for Counting<E> {
    type Error = E::Error;

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Self::Error> {
        self.statements += 1;
        self.inner.query(sql, params)
    }

    fn query_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Row, Self::Error> {
        self.statements += 1;
        self.inner.query_one(sql, params)
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, Self::Error> {
        self.statements += 1;
        self.inner.execute(sql, params)
    }
}

#[test]
fn a_connection_of_ones_own() {
    let database = database();
    let mut db = Counting { inner: client(&database), statements: 0 };
    let row = defaults::insert(&mut db, &Insert::new("Ada")).unwrap();
    assert!(defaults::find(&mut db, row.id).unwrap().is_some());
    assert!(defaults::delete(&mut db, row.id).unwrap());
    generic(&mut db);
    assert_eq!(db.statements, 4);
    let mut dynamic: &mut dyn Executor<Error = Error> = &mut db;
    assert_eq!(defaults::find(dynamic, row.id).unwrap(), None);
    generic(&mut dynamic);
}
