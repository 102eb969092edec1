//! A column that gets another type and keeps its name: in place, where PostgreSQL changes nothing but its catalog; else by a copy that a view
//! shows under the old name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use coexist::plan::Phase;
use support::in_flight::InFlight;
use support::life::Life;

// --- in place ---

const CODES: &str = "create table countries (code varchar(2) primary key);
    create table users (id bigint primary key, code varchar(10) collate \"C\" not null default 'none' constraint users_code_check check (code <> ''),
        country varchar(2) references countries on delete cascade);
    alter table users add constraint users_size check (length(code) < 9) not valid;
    create index users_code on users (code, id); create unique index users_only on users (code) include (id);
    alter table users alter code set storage external; comment on constraint users_code_check on users is 'some';
    create statistics users_stats on id, code from users; grant select (code) on users to public; comment on column users.code is 'theirs';";
const CODED: &str =
    "insert into countries values ('de'); insert into users select n, 'c' || n, 'de' from generate_series(1, 1000) n";

#[test]
fn in_place_nothing_is_written_and_all_that_hangs_on_the_column_stays() {
    let after = CODES.replace("varchar(10)", "text").replace("default 'none'", "default 'none'::varchar");
    Life { before: CODES, data: CODED, change: "retype users.code to text;", after: &after }.check();
    let mut db = InFlight::new(CODES, CODED, "change it { retype users.code to text in place; stage contract; }");
    let files = "select string_agg(relname || pg_relation_filenode(oid), ', ' order by relname) from pg_class where relname like 'users%' and relkind in ('r', 'i')";
    let before = db.row(files);
    assert!(db.plans[0].way.starts_with("in place"), "{}", db.plans[0].way);
    db.reach(Phase::Validated);
    assert_eq!(db.fails("insert into users (id, code) values (0, 'longer than ten')").0, "22001");
    db.reach(Phase::Contracted);
    assert_eq!(db.row(files), before);
    assert_eq!(db.row("select convalidated from pg_constraint where conname = 'users_code_check'"), "t");
    assert_eq!(db.row("select n_distinct < 0 from pg_stats where tablename = 'users' and attname = 'code'"), "t");
    assert_eq!(db.fails("insert into users (id, code) values (0, '')").0, "23514");
    db.run("alter table users drop constraint users_size; insert into users (id, code) values (0, 'longer than ten')");
}

#[test]
fn in_place_a_key_that_others_reference() {
    let before = "create table t (code varchar(4) primary key); create table c (id int, code varchar(4) references t on update cascade);";
    let mut db = Life {
        before,
        data: "insert into t values ('a'); insert into c values (1, 'a')",
        change: "retype t.code to varchar(9); retype c.code to varchar(9);",
        after: &before.replace("varchar(4)", "varchar(9)"),
    }
    .check();
    assert_eq!(db.fails("insert into c values (2, 'b')").0, "23503");
}

#[test]
fn h73_in_place_a_prepared_statement_that_gives_back_the_column_fails_once() {
    let mut db = InFlight::new(CODES, CODED, "change it { retype users.code to text; stage contract; }");
    db.run("prepare code as select code from users where id = 1; prepare id as select id from users where code = 'c1'");
    db.reach(Phase::Validated);
    assert_eq!((db.row("execute code"), db.row("execute id")), ("c1".to_owned(), "1".to_owned()));
    assert!(db.plans[0].notes.iter().any(|note| note.contains("0A000")), "{:?}", db.plans[0].notes);
    db.reach(Phase::Contracted);
    assert_eq!(db.row("execute id"), "1");
    assert_eq!(db.fails("execute code").0, "0A000");
}

// --- a view of a copy ---

const ORDERS: &str = "create table customers (id bigint primary key, total integer);
    create table orders (id serial primary key, total integer not null default 7 check (total >= 0), note text);
    create index orders_total on orders (total) where total > 100; comment on column orders.total is 'cents';";
const ORDERED: &str = "insert into orders (total, note) select n, 'n' from generate_series(1, 1000) n";
const WIDEN: &str = r#"change it { retype orders.total to bigint { forward "total::bigint", backward "total::integer" or reject } stage contract; }"#;

#[test]
fn through_a_view_of_a_copy_the_name_stays() {
    let after = ORDERS
        .replace(
            "orders (id serial primary key, total integer not null default 7 check (total >= 0), note text)",
            "orders (id serial primary key, note text, total bigint not null default (7)::bigint check (total >= 0))",
        )
        .replace("default (7)::bigint", "default 7::bigint");
    let change = r#"retype orders.total to bigint { forward "total::bigint", backward "total::integer" or reject }"#;
    let mut db = Life { before: ORDERS, data: ORDERED, change, after: &after }.check();
    db.run("insert into orders (total) values (3000000000)");
}

#[test]
fn both_shapes_are_written_through_the_view_and_the_table() {
    for phase in [Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
        let mut db = InFlight::new(ORDERS, ORDERED, WIDEN);
        db.reach(phase);
        assert!(db.plans[0].way.starts_with("view of a copy"), "{}", db.plans[0].way);
        db.run("insert into orders (id, total) values (2001, 1)");
        assert_eq!(
            db.row("insert into it.orders (id, total, note) values (2002, 2, 'new') returning id, total"),
            "2002|2"
        );
        assert_eq!(db.row("insert into it.orders (id) values (2003) returning total"), "7");
        db.run(
            "update orders set total = 11 where id in (1, 2001); update it.orders set total = 22 where id in (2, 2002)",
        );
        let both = "select o.id, o.total, v.total, pg_typeof(v.total) from orders o join it.orders v using (id) where id in (1, 2001, 2002, 2003) order by 1";
        assert_eq!(
            db.rows(both),
            ["1|11|11|bigint", "2001|11|11|bigint", "2002|22|22|bigint", "2003|7|7|bigint"],
            "{}",
            phase.name()
        );
        assert_eq!(db.fails("update it.orders set total = 3000000000 where id = 2001").0, "22003");
        assert_eq!(db.fails("insert into it.orders (id, total) values (2004, -1)").0, "23514");
        if phase > Phase::DualWriting {
            assert_eq!(db.row("select total from it.orders where id = 2"), "22");
            assert_eq!(db.fails("update it.orders set total = null where id = 3").0, "23502");
        }
        db.reach(Phase::Contracted);
        assert_eq!(db.row("update it.orders set total = 3000000000 where id = 2001 returning total"), "3000000000");
        assert_eq!(db.row("select total, pg_typeof(total) from orders where id = 2001"), "3000000000|bigint");
    }
}

#[test]
fn a_fallback_and_a_quarantine_read_the_column_of_the_other_shape() {
    let schema = "create table t (id int primary key, a text, b text);";
    let data = "insert into t values (1, '5', '5'), (2, 'x', 'y')";
    for (column, otherwise, expected) in [("a", r#"or "0""#, "0"), ("b", "or quarantine", "-")] {
        let change = format!(
            r#"change it {{ retype t.{column} to integer {{ forward "{column}::integer" {otherwise}, backward "{column}::text" }} stage expand; }}"#
        );
        let mut db = InFlight::new(schema, data, &change);
        db.reach(Phase::Backfilled);
        assert_eq!(db.rows(&format!("select {column} from it.t order by id")), ["5", expected]);
        db.run(&format!("update it.t set {column} = 9 where id = 2"));
        assert_eq!(db.row(&format!("select {column} from t where id = 2")), "9");
    }
}

#[test]
fn an_identity_and_a_key_that_others_reference() {
    let before = "create table t (id integer generated always as identity primary key, name text); create table c (t_id integer references t);";
    let mut db = InFlight::new(
        before,
        "insert into t (name) values ('a'), ('b'); insert into c values (1)",
        r#"change it { retype t.id to bigint { forward "id::bigint", backward "id::integer" or reject } stage contract; }"#,
    );
    db.reach(Phase::Validated).run("insert into it.t (name) values ('c')").reach(Phase::Contracted).retire();
    db.run("insert into t (name) values ('d')");
    assert_eq!(
        db.rows("select id, name, pg_typeof(id) from t order by 1"),
        ["1|a|bigint", "2|b|bigint", "3|c|bigint", "4|d|bigint"]
    );
    assert_eq!(db.fails("insert into c values (9)").0, "23503");
}

#[test]
fn h49_h73_open_sessions_of_new_code_notice_nothing_of_the_contract() {
    let mut db = InFlight::new(ORDERS, ORDERED, WIDEN);
    db.reach(Phase::Validated);
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let url = db.database.url();
    thread::scope(|scope| {
        for client in 0..2_i64 {
            let (url, stop, done) = (&url, &stop, &done);
            scope.spawn(move || {
                let mut session = postgres::Client::connect(url, postgres::NoTls).unwrap();
                let all = session.prepare("select * from it.orders order by id limit 3").unwrap();
                let set = session.prepare("update it.orders set total = $2 where id = $1 returning total").unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let mut tx = session.transaction().unwrap();
                    tx.query(&set, &[&5_i32, &client]).unwrap();
                    assert_eq!(tx.query(&all, &[]).unwrap().len(), 3);
                    tx.commit().unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let enough = |more: u64| {
            let from = done.load(Ordering::Relaxed);
            support::wait_until("the clients go on", || done.load(Ordering::Relaxed) >= from + more);
        };
        enough(20);
        db.reach(Phase::Contracted);
        enough(20);
        stop.store(true, Ordering::Relaxed);
    });
}
