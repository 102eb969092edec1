//! Statements that run outside of any transaction.

use std::thread;

use coexist_core::plan::LockLevel;
use postgres::Client;

use crate::statements::level;
use crate::support::{code, database, wait_until};

#[test]
fn h27_create_index_concurrently_runs_in_no_transaction() {
    let database = database("concurrently");
    let mut client = database.connect().unwrap();
    client.batch_execute("create table t (a integer)").unwrap();
    let mut transaction = client.transaction().unwrap();
    let error = transaction.batch_execute("create index concurrently i on t (a)").unwrap_err();
    assert_eq!(code(&error), "25001");
    drop(transaction);
    // Two statements in one message are a transaction as well.
    let error = client.batch_execute("select 1; create index concurrently i on t (a)").unwrap_err();
    assert_eq!(code(&error), "25001");
    client.batch_execute("create index concurrently i on t (a)").unwrap();
}

#[test]
fn indexes_come_and_go_under_share_update_exclusive() {
    let database = database("concurrently");
    let mut writer = database.connect().unwrap();
    writer.batch_execute("create table t (a integer)").unwrap();
    for statement in ["create index concurrently i on t (a)", "drop index concurrently i"] {
        // Both wait for writers that were there before them, and hold their lock meanwhile.
        let mut writing = writer.transaction().unwrap();
        writing.batch_execute("insert into t values (1)").unwrap();
        let mut builder = database.connect().unwrap();
        let pid = pid(&mut builder);
        let building = thread::spawn(move || builder.batch_execute(statement).unwrap());
        let mut observer = database.connect().unwrap();
        wait_until("it waits for the writer", || waits(&mut observer, pid));
        let query = "select mode from pg_locks where pid = $1 and relation = 't'::regclass and granted";
        let locks: Vec<LockLevel> =
            observer.query(query, &[&pid]).unwrap().iter().map(|row| level(row.get(0))).collect();
        assert_eq!(locks.iter().max(), Some(&LockLevel::ShareUpdateExclusive), "{statement}");
        writing.commit().unwrap();
        building.join().unwrap();
    }
}

#[test]
fn h27_create_index_concurrently_waits_for_old_snapshots_of_any_table() {
    let database = database("concurrently");
    let mut reader = database.connect().unwrap();
    reader.batch_execute("create table t (a integer); create table unrelated (a integer)").unwrap();
    reader.batch_execute("begin isolation level repeatable read; select from unrelated").unwrap();
    let mut builder = database.connect().unwrap();
    let pid = pid(&mut builder);
    let building = thread::spawn(move || builder.batch_execute("create index concurrently i on t (a)").unwrap());
    let mut observer = database.connect().unwrap();
    wait_until("it waits for the reader", || {
        let query =
            "select 1 from pg_stat_progress_create_index where pid = $1 and phase = 'waiting for old snapshots'";
        observer.query_opt(query, &[&pid]).unwrap().is_some()
    });
    reader.batch_execute("commit").unwrap();
    building.join().unwrap();
}

#[test]
fn two_indexes_of_one_table_are_not_built_at_once() {
    let database = database("concurrently");
    let mut writer = database.connect().unwrap();
    writer.batch_execute("create table t (a integer)").unwrap();
    let mut writing = writer.transaction().unwrap();
    writing.batch_execute("insert into t values (1)").unwrap();
    let mut observer = database.connect().unwrap();
    let mut build = |name: &str| {
        let (mut builder, sql) = (database.connect().unwrap(), format!("create index concurrently {name} on t (a)"));
        let pid = pid(&mut builder);
        let building = thread::spawn(move || builder.batch_execute(&sql));
        wait_until("it waits", || waits(&mut observer, pid));
        (pid, building)
    };
    let (_, first) = build("first");
    let (pid, second) = build("second");
    let query = "select mode from pg_locks where pid = $1 and not granted";
    assert_eq!(observer.query_one(query, &[&pid]).unwrap().get::<_, &str>(0), "ShareUpdateExclusiveLock");
    writing.commit().unwrap();
    // The second waits with a snapshot that the first must wait for in the end.
    let ended: Vec<_> = [first, second].into_iter().filter_map(|building| building.join().unwrap().err()).collect();
    assert_eq!(ended.iter().map(code).collect::<Vec<_>>(), ["40P01"]);
}

#[test]
fn h28_a_lock_timeout_leaves_an_invalid_index_that_if_not_exists_keeps() {
    let database = database("concurrently");
    let mut writer = database.connect().unwrap();
    writer.batch_execute("create table t (a integer)").unwrap();
    let mut writing = writer.transaction().unwrap();
    writing.batch_execute("insert into t values (1)").unwrap();
    let mut builder = database.connect().unwrap();
    builder.batch_execute("set lock_timeout = '50ms'").unwrap();
    let error = builder.batch_execute("create index concurrently i on t (a)").unwrap_err();
    assert_eq!(code(&error), "55P03");
    writing.commit().unwrap();
    let valid = |client: &mut Client| -> bool {
        client.query_one("select indisvalid from pg_index where indexrelid = 'i'::regclass", &[]).unwrap().get(0)
    };
    assert!(!valid(&mut builder));
    builder.batch_execute("create index concurrently if not exists i on t (a)").unwrap();
    assert!(!valid(&mut builder));
}

#[test]
fn h28_duplicates_leave_an_invalid_index() {
    let database = database("concurrently");
    let mut client = database.connect().unwrap();
    client.batch_execute("create table t (a integer); insert into t values (1), (1)").unwrap();
    let error = client.batch_execute("create unique index concurrently i on t (a)").unwrap_err();
    assert_eq!(code(&error), "23505");
    let row =
        client.query_one("select indisvalid, indisready from pg_index where indexrelid = 'i'::regclass", &[]).unwrap();
    assert_eq!((row.get(0), row.get(1)), (false, false));
}

fn pid(client: &mut Client) -> i32 {
    client.query_one("select pg_backend_pid()", &[]).unwrap().get(0)
}

fn waits(observer: &mut Client, pid: i32) -> bool {
    let query = "select 1 from pg_locks where pid = $1 and not granted";
    observer.query_opt(query, &[&pid]).unwrap().is_some()
}
