//! Several changes of one table in flight, and several operations in one change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use coexist::plan::Phase;
use coexist::{Options, Pace};

use super::support::in_flight::InFlight;
use super::support::life::Life;

/// Between two writes of a writer: without it, four of them leave the processors of a small machine to nobody else.
const BREATH: Duration = Duration::from_millis(2);
const SHOP: &str = "create table users (id bigint primary key, name text);
    create table orders (id bigint primary key, user_id bigint, total integer, note text, code text);";
const ROWS: &str = "insert into users values (1, 'a'), (2, 'b');
    insert into orders select n, 1 + n % 3, n - 5, nullif('n' || n % 4, 'n0'), 'c' || n from generate_series(1, 200) n";
/// What others find in the shape that they begin with, the default, comes first.
const CHANGES: &str = r#"
    change e { default orders.total: "3"; stage contract; }
    change a { require orders.note { fill "'none'" } stage contract; }
    change b { constrain orders: check positive "total >= 0" { fix total "0" } stage contract; }
    change c { constrain orders: (user_id) references users { fix user_id "null", old writes reject } stage contract; }
    change d { rename orders.code to label; stage contract; }
    change f { constrain orders: unique (id, total) or reject; stage contract; }
"#;

#[test]
fn many_changes_of_one_table_at_once() {
    let mut db = InFlight::new(SHOP, ROWS, &CHANGES.replace("stage contract", "stage expand"));
    let before = super::support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated);
    db.run("insert into orders (id, total, code) values (1000, -1, 'x'); insert into orders (id, label) values (1001, 'y')");
    assert_eq!(
        db.rows("select id, total, note, code, label from orders where id >= 1000 order by id"),
        ["1000|0|none|x|x", "1001|3|none|y|y"]
    );
    db.roll_back();
    let now = super::support::catalog_dump(&mut db.client);
    assert!(now == before, "{}", coexist::catalog::diff(&before, &now));
    let mut db = InFlight::new(SHOP, ROWS, CHANGES);
    db.reach(Phase::Contracted);
    assert_eq!(db.row("select count(*) from orders where total < 0 or note is null or user_id > 2"), "0");
}

#[test]
fn operations_of_one_change() {
    Life {
        before: "create table t (id integer primary key, a text, b integer, c integer not null);",
        data: "insert into t values (1, null, -1, 1), (2, 'x', 2, 2)",
        change: r#"require t.a { fill "''" } constrain t: check positive "b > 0" { fix b "1" } relax t.c { nulls from contract }
            default t.c: "5"; comment t: "All of it"; constrain t: unique (c) or reject;"#,
        after: "create table t (id integer primary key, a text not null, b integer, c integer default 5, constraint positive check (b > 0), unique (c));
            comment on table t is 'All of it';",
    }
    .check();
}

/// For NOT NULL a value of a composite type is one, whatever its fields hold. `IS NULL` and `IS NOT NULL` are of another mind.
#[test]
fn values_with_null_fields_are_values() {
    let schema = "create type pair as (a integer, b integer);
        create table t (id integer primary key, must pair, may pair not null, one pair);";
    let rows = "insert into t values (1, '(,)', '(,)', '(,)'), (2, null, '(1,)', '(1,)'), (3, '(1,)', '(1,2)', null), (4, '(1,2)', '(,)', null)";
    let change = r#"change it {
        require t.must { fill "'(0,0)'::pair" }
        relax t.may { nulls from dual_write, backward "'(9,9)'::pair" or reject }
        constrain t: unique (one) or reject;
        add t.new: pair not null fill "coalesce(one, must, '(7,7)'::pair)";
        stage expand;
    }"#;
    let mut db = InFlight::new(schema, rows, change);
    db.reach(Phase::Validated);
    let shown = "select id, must, may, one, new from t order by id";
    let filled = ["1|(,)|(,)|(,)|(,)", "2|(0,0)|(1,)|(1,)|(1,)", "3|(1,)|(1,2)|-|(1,)", "4|(1,2)|(,)|-|(1,2)"];
    assert_eq!(db.rows(shown), filled);
    db.run("insert into t values (5, '(,)', null, '(,1)', '(,)')");
    assert_eq!(db.row("select must, new from t where id = 5"), "(,)|(,)");
    db.roll_back();
    assert_eq!(
        db.rows("select id, may from t order by id"),
        ["1|(,)", "2|(1,)", "3|(1,2)", "4|(,)", "5|(9,9)"],
        "only what is null gets another value"
    );
    db.run("insert into t values (6, null, '(,)', '(,)'), (7, null, '(,)', '(1,)')");
    let duplicates = super::found(&mut db, "3_duplicates_t_one_key");
    assert_eq!(duplicates.len(), 2, "{duplicates:?}");
}

/// An index is built concurrently only when nobody sees an older state of any table of the database: transactions of a backfill, however long
/// that goes on, must be short.
#[test]
fn h29_an_index_is_built_beside_the_backfill_of_another_change() {
    let schema = "create table filled (id bigint primary key, total integer); create table indexed (id bigint primary key, code text);";
    let rows = "insert into filled select n, n from generate_series(1, 100000) n; insert into indexed select n, n from generate_series(1, 100) n";
    let changes = r#"
        change fill { retype filled.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject } stage expand; }
        change build { constrain indexed: unique (code) or reject; stage expand; }
    "#;
    let mut db = InFlight::new(schema, rows, changes);
    db.reach(Phase::DualWriting);
    let [fill, build] = db.plans.as_slice() else { panic!("two changes") };
    let stop = Arc::new(AtomicBool::new(false));
    let mut filler = db.runner(Options::default().stop_flag(Arc::clone(&stop)));
    let mut builder = db.runner(Options::default());
    thread::scope(|scope| {
        // For hours, at this rate.
        let filling = scope.spawn(|| filler.backfill(fill, &Pace::default().rows_per_second(1.0)));
        super::support::wait_until("rows are filled", || {
            db.database
                .connect()
                .unwrap()
                .query_one("select exists (select from filled where cents is not null)", &[])
                .unwrap()
                .get(0)
        });
        builder.up(build, &Pace::default()).unwrap();
        assert!(!filling.is_finished());
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(filling.join().unwrap(), Err(coexist::Error::Stopped { .. })));
    });
    assert_eq!(builder.phase("build").unwrap(), Phase::Validated);
    assert_eq!(builder.phase("fill").unwrap(), Phase::DualWriting);
}

/// Number 20 of what other tools break: nothing goes with something else.
#[test]
fn nothing_is_dropped_by_cascade() {
    for plan in super::support::in_flight::plans(SHOP, CHANGES) {
        let undo = plan.steps.iter().flat_map(|step| &step.undo);
        for sql in plan.steps.iter().map(|step| &step.action).chain(undo).flat_map(|action| &action.statements) {
            assert!(!(sql.contains("drop ") && sql.contains("cascade")), "{sql}");
        }
    }
}

/// Number 15: a change that comes to its end or goes, while code that keeps to the new rules writes, fails none of its statements.
#[test]
fn writers_go_on_through_contract_and_rollback() {
    let mut db = InFlight::new(SHOP, ROWS, CHANGES);
    db.reach(Phase::Validated);
    let (stop, url) = (AtomicBool::new(false), db.database.url());
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer: i64| {
                let (stop, url) = (&stop, &url);
                scope.spawn(move || {
                    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                    let mut n = 0;
                    while !stop.load(Ordering::Relaxed) || n < 20 {
                        let id = 10_000 * (writer + 1) + n;
                        client
                            .batch_execute(&format!(
                                "insert into orders (id, user_id, total, note) values ({id}, 1, {n}, 'x');
                                 update orders set total = 1, note = 'y' where id = {id}; delete from orders where id = {id} - 5"
                            ))
                            .unwrap();
                        n += 1;
                        thread::sleep(BREATH);
                    }
                })
            })
            .collect();
        db.roll_back().reach(Phase::Contracted);
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

/// Number 1 of what other tools break: not one statement of old code fails from the beginning to the end, where its writes are mended.
#[test]
fn old_code_writes_all_the_time() {
    let changes = r#"
        change a { require orders.note { fill "'none'" } stage contract; }
        change b { constrain orders: check positive "total >= 0" { fix total "0" } stage contract; }
    "#;
    let mut db = InFlight::new(SHOP, ROWS, changes);
    let (stop, url) = (AtomicBool::new(false), db.database.url());
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer: i64| {
                let (stop, url) = (&stop, &url);
                scope.spawn(move || {
                    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                    let mut n = 0;
                    while !stop.load(Ordering::Relaxed) || n < 20 {
                        let id = 10_000 * (writer + 1) + n;
                        client
                            .batch_execute(&format!(
                                "insert into orders (id, total, note) values ({id}, -{n}, null);
                                 update orders set total = -1, note = null where id = {id}; update orders set code = 'x' where id = {}",
                                1 + n % 200
                            ))
                            .unwrap();
                        n += 1;
                        thread::sleep(BREATH);
                    }
                    n
                })
            })
            .collect();
        db.reach(Phase::Validated);
        stop.store(true, Ordering::Relaxed);
        assert!(writers.into_iter().all(|writer| writer.join().unwrap() >= 20));
    });
    db.reach(Phase::Contracted);
    assert_eq!(db.row("select count(*) from orders where total < 0 or note is null"), "0");
}
