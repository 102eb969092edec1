//! `add t.a`.

use coexist::plan::Phase;

use crate::support;
use crate::support::in_flight::{InFlight, plans};
use crate::support::life::Life;

const USERS: &str = "create table users (id integer primary key, name text not null, born integer);";
const ROWS: &str = "insert into users select n, 'n' || n, n from generate_series(1, 300) n;";

fn add(column: &str) -> InFlight {
    InFlight::new(USERS, ROWS, &format!("change it {{ add users.{column}; stage contract; }}"))
}

fn file_node(db: &mut InFlight) -> String {
    db.row("select pg_relation_filenode('users')")
}

#[test]
fn a_nullable_column() {
    Life {
        before: USERS,
        data: ROWS,
        change: "add users.nick: text;",
        after: "create table users (id integer primary key, name text not null, born integer, nick text);",
    }
    .check();
}

#[test]
fn a_default_that_all_rows_share_touches_none() {
    let change = r#"add users.visits: bigint not null default "0";"#;
    Life {
        before: USERS,
        data: ROWS,
        change,
        after: "create table users (id integer primary key, name text not null, born integer, visits bigint not null default 0);",
    }
    .check();
    let mut db = add(r#"seen: timestamptz not null default "now()""#);
    let before = file_node(&mut db);
    db.reach(Phase::Expanded).run("insert into users (id, name) values (1000, 'old code')");
    assert_eq!(db.row("select count(*), count(seen) from users"), "301|301");
    assert_eq!(file_node(&mut db), before, "the table was written anew");
    assert!(db.plans[0].backfill.is_empty());
}

#[test]
fn a_default_of_its_own_for_each_row() {
    Life {
        before: USERS,
        data: ROWS,
        change: r#"add users.token: uuid not null default "gen_random_uuid()";"#,
        after: "create table users (id integer primary key, name text not null, born integer, token uuid not null default gen_random_uuid());",
    }
    .check();
}

/// H63: what is another value each time is stored once.
#[test]
fn each_row_gets_a_value_of_its_own_and_keeps_it() {
    let mut db = add(r#"token: uuid not null default "gen_random_uuid()""#);
    let before = file_node(&mut db);
    db.reach(Phase::Expanded).run("insert into users (id, name) values (1000, 'old')");
    assert_eq!(db.rows("select id from users where token is not null"), ["1000"]);
    db.reach(Phase::DualWriting)
        .run("insert into users (id, name) values (1001, 'old')")
        .run("insert into users (id, name, token) values (1002, 'new', '00000000-0000-0000-0000-000000000002')")
        .run("update users set name = 'touched by old code' where id = 7")
        .run("update users set token = '00000000-0000-0000-0000-000000000009' where id = 9");
    let seventh = db.row("select token from users where id = 7");
    assert_ne!(seventh, "-", "a row that is written is filled on its way");
    db.reach(Phase::Validated);
    assert_eq!(db.row("select count(*), count(distinct token) from users"), "303|303");
    assert_eq!(db.row("select token from users where id = 7"), seventh);
    assert_eq!(db.row("select token from users where id = 9"), "00000000-0000-0000-0000-000000000009");
    db.reach(Phase::Contracted);
    assert_eq!(file_node(&mut db), before, "the table was written anew");
    assert_eq!(db.fails("update users set token = null where id = 1").0, "23502");
}

#[test]
fn rows_are_filled_from_what_they_hold() {
    let mut db = add(r#"handle: text not null fill "lower(name) || coalesce(born::text, '')""#);
    db.reach(Phase::Expanded).run("insert into users values (1000, 'Between', 1)");
    db.reach(Phase::DualWriting).run("insert into users values (1001, 'OLD', null)");
    assert_eq!(db.row("select handle from users where id = 1001"), "old");
    assert_eq!(db.rows("select handle from users where id = 1"), ["-"]);
    db.run("insert into users (id, name, handle) values (1002, 'New', 'given')");
    assert_eq!(db.row("select handle from users where id = 1002"), "given");
    db.run("update users set name = 'Later' where id = 1001");
    assert_eq!(db.row("select handle from users where id = 1001"), "old", "filled once, and its own from then on");
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select handle from users where id in (1, 1000) order by id"), ["n11", "between1"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.fails("insert into users values (1003, 'old code', null)").0, "23502");
}

/// Rows that are there get what `fill` says, rows that come get the default.
#[test]
fn fill_and_default() {
    let mut db = add(r#"source: text not null default "'web'" fill "'import'""#);
    db.reach(Phase::Validated).run("insert into users (id, name) values (1000, 'new')");
    assert_eq!(db.rows("select source, count(*) from users group by 1 order by 1"), ["import|300", "web|1"]);
}

#[test]
fn rollback_keeps_everything_else() {
    let mut db = InFlight::new(
        USERS,
        ROWS,
        r#"change it { add users.handle: text not null fill "lower(name)"; stage expand; }"#,
    );
    let before = support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated).run("insert into users (id, name, handle) values (1000, 'New', 'x')").roll_back();
    assert!(support::catalog_dump(&mut db.client) == before);
    assert_eq!(db.row("select count(*), max(name) from users where id = 1000"), "1|New");
}

#[test]
fn h50_updated_at_stays_when_rows_are_filled() {
    let mut db = InFlight::new(
        "create table t (id integer primary key, updated_at timestamptz);
         create function touch() returns trigger language plpgsql as 'begin new.updated_at := now(); return new; end';
         create trigger touch before update on t for each row execute function touch();",
        "insert into t select n, '2001-01-01' from generate_series(1, 10) n",
        r#"change it { add t.a: integer not null fill "id * 2"; stage contract; }"#,
    );
    db.reach(Phase::Contracted);
    assert_eq!(db.row("select count(*), sum(a) from t where updated_at = '2001-01-01'"), "10|110");
}

/// Names, types and expressions that hurt (H65, H66).
#[test]
fn names_that_hurt() {
    let long = "n".repeat(63);
    let mut db = InFlight::new(
        "create schema \"Weird; Schema\"; create table \"Weird; Schema\".\"Order \"\" Items\" (\"select\" integer primary key);",
        "insert into \"Weird; Schema\".\"Order \"\" Items\" values (1)",
        &format!(
            r#"change it {{ add "Weird; Schema"."Order \" Items"."{long}": text not null fill "\"select\" || '$coexist$ %'"; stage contract; }}"#
        ),
    );
    db.reach(Phase::Contracted);
    assert_eq!(db.row("select * from \"Weird; Schema\".\"Order \"\" Items\""), "1|1$coexist$ %");
}

/// H76: what was there before is never taken for ours.
#[test]
fn a_column_of_somebody_elses_is_left_alone() {
    let mut db = add("nick: text");
    db.run("alter table users add nick text");
    let runner = coexist::Runner::new(coexist::Database::at(&db.database.url()).unwrap(), coexist::Options::default());
    let mut runner = runner.unwrap();
    let plan = db.plans[0].clone();
    runner.expand(&plan).expect_err("the name is taken");
    let _ = runner.rollback(&plan, Some("it"));
    assert_eq!(db.row("select count(nick) from users"), "0");
}

#[test]
fn only_what_must_is_written() {
    let plan = |column: &str| plans(USERS, &format!("change it {{ add users.{column}; stage expand; }}")).remove(0);
    for (column, fills) in [
        ("a: text", false),
        (r#"a: text not null default "upper('x')""#, false),
        (r#"a: date not null default "current_date""#, false),
        (r#"a: double precision not null default "random()""#, true),
        (r#"a: timestamptz not null default "clock_timestamp()""#, true),
        (r#"a: text not null default "'x'::varchar(3)""#, false),
    ] {
        assert_eq!(!plan(column).backfill.is_empty(), fills, "{column}");
    }
}
