//! Writers that are at work while a change takes its steps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Scope};

use coexist::plan::Phase;
use support::in_flight::InFlight;

const SCHEMA: &str = "create table users (id bigint generated always as identity primary key, name text not null, total integer not null default 0, bio text);
    create index users_name on users (name);";
const ROWS: &str = "insert into users (name, bio) select 'n' || n, 'b' from generate_series(1, 2000) n";
const CHANGES: &str = r#"
    change rename_name { rename users.name to full_name; stage expand; }
    change widen_total { retype users.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject } stage expand; }
    change split_bio { split users into profiles { key user_id, move bio } stage expand; }
"#;

/// What old code does with one row.
fn old_code(id: u64) -> String {
    format!(
        "insert into users (name) values ('new'); update users set total = total + 1 where id = {id};
        update users set bio = nullif(bio, 'b') where id = {id}; delete from users where id = {id} + 2000"
    )
}

/// What new code does with one row, which it locks in the old table first, as the accessors do.
fn new_code(id: u64) -> String {
    format!(
        "select from users where id = {id} for no key update;
        insert into users (full_name) values ('new'); update users set cents = cents + 1 where id = {id};
        update profiles set bio = 'c' where user_id = {id}; delete from users where id = {id} + 2000"
    )
}

/// Ends the writers, also where the test fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Three clients carry out the statements for one row after the other, none of which may fail.
fn write<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    url: &'scope str,
    stop: &'scope AtomicBool,
    written: &'scope AtomicU64,
    statements: fn(u64) -> String,
) {
    for n in 0..3u64 {
        scope.spawn(move || {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            let mut id = n;
            while !stop.load(Ordering::Relaxed) {
                id = (id * 31 + 7) % 2000 + 1;
                client.batch_execute(&statements(id)).unwrap();
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
}

/// Old code writes all the time, forward to the end and back: no statement fails at any moment, whatever half of a step is done.
#[test]
fn h31_no_write_of_old_code_fails() {
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGES);
    let stop = AtomicBool::new(false);
    let written = AtomicU64::new(0);
    let url = db.database.url();
    thread::scope(|scope| {
        let _ends = Ends(&stop);
        write(scope, &url, &stop, &written, old_code);
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            let before = written.load(Ordering::Relaxed);
            db.reach(phase);
            support::wait_until("somebody writes in this phase", || written.load(Ordering::Relaxed) > before);
        }
        db.roll_back().reach(Phase::DualWriting).roll_back();
    });
}

/// From each phase back to the beginning: old code writes all the time, new code once every row has its shape.
#[test]
fn h88_back_from_every_phase_while_both_write() {
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGES);
    let before = support::catalog_dump(&mut db.client);
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let url = db.database.url();
    thread::scope(|scope| {
        let _ends = Ends(&stop);
        write(scope, &url, &stop, &written, old_code);
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            db.reach(phase);
            let (stop_new, written_new) = (AtomicBool::new(phase < Phase::Backfilled), AtomicU64::new(0));
            thread::scope(|scope| {
                let _ends = Ends(&stop_new);
                write(scope, &url, &stop_new, &written_new, new_code);
                support::wait_until("both write in this phase", || {
                    phase < Phase::Backfilled || written_new.load(Ordering::Relaxed) > 10
                });
            });
            let before = written.load(Ordering::Relaxed);
            db.roll_back();
            support::wait_until("old code writes on", || written.load(Ordering::Relaxed) > before);
        }
    });
    assert_eq!(coexist::catalog::diff(&before, &support::catalog_dump(&mut db.client)), "");
}

/// New code writes all the time, through the contracts: no statement fails, neither before the before shape goes nor after it (H32).
#[test]
fn h32_no_write_of_new_code_fails() {
    let mut db = InFlight::new(SCHEMA, ROWS, &CHANGES.replace("stage expand", "stage contract"));
    db.reach(Phase::Validated);
    let stop = AtomicBool::new(false);
    let written = AtomicU64::new(0);
    let url = db.database.url();
    thread::scope(|scope| {
        let _ends = Ends(&stop);
        write(scope, &url, &stop, &written, new_code);
        for _ in 0..2 {
            let before = written.load(Ordering::Relaxed);
            support::wait_until("they write", || written.load(Ordering::Relaxed) > before + 10);
            db.reach(Phase::Contracted);
        }
    });
}

/// A row that a transaction inserts before the triggers are there, and commits after, is no row that nobody fills.
#[test]
fn h33_a_row_in_flight_when_the_trigger_comes() {
    let mut db = InFlight::new(SCHEMA, ROWS, "change rename_name { rename users.name to full_name; stage expand; }");
    db.reach(Phase::Expanded);
    let mut writer = db.database.connect().unwrap();
    writer.batch_execute("begin; insert into users (name) values ('in flight')").unwrap();
    let mut watcher = db.database.connect().unwrap();
    thread::scope(|scope| {
        let change = scope.spawn(|| {
            db.reach(Phase::Validated);
            db
        });
        // The step that makes the triggers waits for the writer, whatever it tries in between.
        support::wait_until("the change has been in the queue behind the writer", || {
            let waits = "select exists (select from pg_locks where not granted and relation = 'users'::regclass)";
            watcher.query_one(waits, &[]).unwrap().get(0)
        });
        writer.batch_execute("commit").unwrap();
        let mut db = change.join().unwrap();
        assert_eq!(db.row("select full_name from users where name = 'in flight'"), "in flight");
        assert_eq!(db.row("select count(*) from users where full_name is null"), "0");
    });
}
