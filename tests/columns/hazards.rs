//! Divided and combined columns under what breaks them elsewhere.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use coexist::plan::Phase;

use crate::support;
use crate::support::in_flight::InFlight;

const PEOPLE: &str = "create table people (id integer primary key, name text not null default 'No Name', email text);";
const ROWS: &str = "insert into people select n, 'Mary Jane Watson ' || n, n || '@x' from generate_series(1, 200) n;";
const DIVIDE: &str = r#"change it {
    divide people.name into first_name: text not null, last_name: text {
        forward first_name "split_part(name, ' ', 1)" or reject,
        forward last_name "nullif(substr(name, length(split_part(name, ' ', 1)) + 2), '')" or reject,
        backward lossy "first_name || coalesce(' ' || last_name, '')" or reject,
    }
    stage contract;
}"#;

/// What the before shape cannot hold is ruled by the declaration, and breaks no write by surprise.
#[test]
fn h40_parts_that_the_whole_cannot_hold() {
    for (rule, expected) in [("or reject", "22003"), ("or quarantine", "-|-|400|400"), (r#"or "-1""#, "-1|-|400|400")] {
        let other = if rule == "or quarantine" { "or quarantine" } else { "or reject" };
        let change = format!(
            r#"change it {{
                combine t.(a, b) into x: integer, y: integer {{
                    forward x "a::integer" or reject, forward y "b::integer" or reject,
                    backward a "(x * 100)::smallint" {rule}, backward b "nullif(y, 400)::smallint" {other},
                }}
                stage expand;
            }}"#
        );
        let schema = "create table t (id integer primary key, a smallint, b smallint);";
        let mut db = InFlight::new(schema, "insert into t values (1, 100, 2)", &change);
        db.reach(Phase::Backfilled);
        let write = "update t set x = 400, y = 400 where id = 1";
        if expected == "22003" {
            assert_eq!(db.fails(write).0, expected);
            assert_eq!(db.row("select a, b, x, y from t"), "100|2|100|2");
        } else {
            db.run(write);
            assert_eq!(db.row("select a, b, x, y from t"), expected, "{rule}");
        }
        let held = i64::from(rule == "or quarantine");
        assert_eq!(db.row("select count(*) from coexist.quarantine where col = 'a'"), held.to_string(), "{rule}");
    }
}

/// Of a function that somebody put in front of the path, nothing is called.
#[test]
fn h42_functions_in_front_of_the_path_convert_nothing() {
    let mut db = InFlight::new(PEOPLE, ROWS, DIVIDE);
    db.reach(Phase::DualWriting).run(
        "create schema evil; create function evil.split_part(text, text, integer) returns text language sql as $$ select 'captured' $$;
         create function pg_temp.length(text) returns integer language sql as $$ select 0 $$;
         set search_path = evil, pg_temp, pg_catalog, public;
         update people set name = 'Ada Lovelace' where id = 1; insert into people (id, name) values (1000, 'Ben Bell'); reset search_path",
    );
    let rows = db.rows("select first_name, last_name from people where id in (1, 1000) order by id");
    assert_eq!(rows, ["Ada|Lovelace", "Ben|Bell"]);
}

/// Old and new code with prepared statements that name their columns notice nothing, up to the contract and, new code, beyond it.
#[test]
fn h32_h49_h73_open_sessions_notice_nothing_of_any_phase() {
    let mut db = InFlight::new(PEOPLE, ROWS, DIVIDE);
    let url = db.database.url();
    let (stop, stop_old, done) = (AtomicBool::new(false), AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let work = |read: &'static str, write: &'static str, stop: &'static str| (read, write, stop);
        let session = |(read, write, of): (&'static str, &'static str, &'static str)| {
            let (url, done) = (url.clone(), &done);
            let stop = if of == "old" { &stop_old } else { &stop };
            scope.spawn(move || {
                let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
                let (read, write) = (client.prepare(read).unwrap(), client.prepare(write).unwrap());
                let mut id = 0;
                while !stop.load(Ordering::Relaxed) {
                    id = (id * 31 + 7) % 200 + 1;
                    let mut tx = client.transaction().unwrap();
                    assert_eq!(tx.query(&read, &[&id]).unwrap().len(), 1);
                    assert_eq!(tx.query(&write, &[&id, &"Ann"]).unwrap().len(), 1);
                    tx.commit().unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let went_on = || {
            let from = done.load(Ordering::Relaxed);
            support::wait_until("the sessions go on", || done.load(Ordering::Relaxed) >= from + 20);
        };
        let old = session(work(
            "select id, name from people where id = $1",
            "update people set name = $2 where id = $1 returning name",
            "old",
        ));
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            db.reach(phase);
            went_on();
        }
        db.roll_back();
        went_on();
        db.reach(Phase::Validated);
        session(work(
            "select id, first_name, last_name from people where id = $1",
            "update people set first_name = $2 where id = $1 returning first_name",
            "new",
        ));
        went_on();
        stop_old.store(true, Ordering::Relaxed);
        old.join().unwrap();
        db.reach(Phase::Contracted);
        went_on();
        stop.store(true, Ordering::Relaxed);
    });
}

/// Why accessors name their columns: what a session prepared with `*` fails once when columns come.
#[test]
fn h73_a_star_that_was_prepared_fails_once() {
    let mut db = InFlight::new(PEOPLE, ROWS, DIVIDE);
    let mut client = db.database.connect().unwrap();
    let star = client.prepare("select * from people where id = 1").unwrap();
    let named = client.prepare("select id, name, email from people where id = 1").unwrap();
    client.query(&star, &[]).unwrap();
    db.reach(Phase::Expanded);
    let error = client.query(&star, &[]).unwrap_err();
    assert_eq!(support::code(&error), "0A000");
    client.query(&named, &[]).unwrap();
}

/// A name that its parts do not give back is left as old code wrote it, whatever new code writes to other columns; and a comparison takes
/// a row that one side wrote with loss for what it is.
#[test]
fn h62_what_parts_do_not_give_back_is_left_alone() {
    let mut db = InFlight::new(PEOPLE, ROWS, DIVIDE);
    db.run("update people set name = 'Mary Jane  Watson ' where id = 1").reach(Phase::Backfilled);
    db.run("update people set email = 'new' where id = 1");
    assert_eq!(
        db.row("select name, first_name, last_name from people where id = 1"),
        "Mary Jane  Watson |Mary|Jane  Watson "
    );
    db.run("update people set first_name = 'Mary Jane', last_name = 'Watson' where id = 2");
    assert_eq!(
        db.row("select name, first_name, last_name from people where id = 2"),
        "Mary Jane Watson|Mary Jane|Watson"
    );
    // `Mary Jane` is no first name that the name gives back: as lossy declared, and no difference.
    db.reach(Phase::Validated);
    assert_eq!(db.row("select first_name from people where id = 2"), "Mary Jane");
    // Without `lossy` it is one.
    let mut db = InFlight::new(PEOPLE, ROWS, &DIVIDE.replace("backward lossy", "backward"));
    db.reach(Phase::Backfilled).run("update people set first_name = 'Mary Jane', last_name = 'Watson' where id = 2");
    let exact = db.row("select name, first_name, last_name from people where id = 2");
    assert_eq!(exact, "Mary Jane Watson|Mary Jane|Watson");
    let said = db.fails_to_reach(Phase::Validated);
    assert!(said.contains("1 of 200 rows differ"), "{said}");
}

#[test]
fn h65_h66_names_that_hurt() {
    let long = "n".repeat(62);
    let schema = format!(
        r#"create schema "Weird; Schema"; create table "Weird; Schema"."the ""{table}" ("select" integer primary key, "$$ drop table x;" text, "{long}" text);"#,
        table = "t".repeat(50),
    );
    let table = format!(r#""Weird; Schema"."the ""{}""#, "t".repeat(50));
    let ddl = "$$ drop table x;";
    let change = format!(
        r##"change {name} {{
            combine "Weird; Schema"."the \"{t}".("{ddl}", "{long}") into "ünï{umlauts}": text, "from": text {{
                forward "ünï{umlauts}" r#""{ddl}""# or reject, forward "from" r#""{long}""# or reject,
                backward "{ddl}" r#""ünï{umlauts}""# or reject, backward "{long}" r#""from""# or reject,
            }}
            stage contract;
        }}"##,
        name = "c".repeat(60),
        t = "t".repeat(50),
        umlauts = "ü".repeat(28),
    );
    let rows = format!("insert into {table} values (1, 'a', 'b'), (2, null, 'it''s')");
    let mut db = InFlight::new(&schema, &rows, &change);
    let before = support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated).run(&format!(
        r#"update {table} set "{ddl}" = 'old' where "select" = 1; update {table} set "from" = 'new' where "select" = 2"#
    ));
    db.roll_back();
    assert!(support::catalog_dump(&mut db.client) == before);
    assert_eq!(db.rows(&format!("select * from {table} order by 1")), ["1|old|b", "2|-|new"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.rows(&format!("select * from {table} order by 1")), ["1|old|b", "2|-|new"]);
}
