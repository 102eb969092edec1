//! `drop t.a`.

use coexist::plan::Phase;

use crate::support;
use crate::support::in_flight::InFlight;
use crate::support::life::Life;

const USERS: &str = "create table users (id integer primary key, name text not null, legacy text not null, note text);";
const ROWS: &str = "insert into users select n, 'n' || n, 'l' || n, null from generate_series(1, 100) n;";

#[test]
fn a_column_with_everything_on_it() {
    Life {
        before: "create table parents (code text primary key);
            create table t (id integer primary key, total integer, code text not null references parents, name text);
            create index t_code on t (code); create unique index t_lower on t (lower(code)) where total > 0;
            alter table t add constraint t_check check (length(code) < total + 10000); create statistics t_stats on code, total from t;
            create index t_total on t (total);",
        data: "insert into parents select 'c' || n from generate_series(1, 100) n; insert into t select n, n, 'c' || n from generate_series(1, 100) n",
        change: r#"drop t.code { default "'c1'", with t_code_fkey, t_code, t_lower, t_check, t_stats }"#,
        after: "create table parents (code text primary key);
            create table t (id integer primary key, total integer, name text); create index t_total on t (total);",
    }
    .check();
}

#[test]
fn a_nullable_column_an_identity_and_a_serial() {
    for (column, after) in [
        ("note text", "note"),
        ("note integer generated always as identity", "note"),
        ("note serial", "note"),
        ("note text generated always as (name || 'x') stored", "note"),
    ] {
        let schema = format!("create table t (id integer primary key, name text, {column});");
        let change = format!("change it {{ drop t.{after}; stage contract; }}");
        let mut db = InFlight::new(&schema, "insert into t (id, name) values (1, 'a')", &change);
        db.reach(Phase::Validated).run("insert into t (id, name) values (2, 'new code')");
        db.reach(Phase::Contracted);
        assert_eq!(db.rows("select * from t order by 1"), ["1|a", "2|new code"]);
        assert_eq!(
            db.row("select count(*) from pg_class where relkind = 'S' and relnamespace = 'public'::regnamespace"),
            "0"
        );
    }
}

#[test]
fn new_code_leaves_the_column_out_and_old_code_reads_the_default() {
    let mut db = InFlight::new(USERS, ROWS, r#"change it { drop users.legacy { default "'none'" } stage contract; }"#);
    assert_eq!(db.fails("insert into users (id, name) values (1000, 'new')").0, "23502");
    db.reach(Phase::Expanded)
        .run("insert into users (id, name) values (1000, 'new'); insert into users values (1001, 'old', 'l', 'n')");
    assert_eq!(db.rows("select legacy from users where id >= 1000 order by id"), ["none", "l"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.fails("select legacy from users").0, "42703");
    assert_eq!(db.row("select count(*) from users"), "102");
}

#[test]
fn nothing_is_lost_until_the_contract() {
    let mut db = InFlight::new(USERS, ROWS, r#"change it { drop users.legacy { default "'none'" } stage expand; }"#);
    let before = support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated).roll_back();
    assert!(support::catalog_dump(&mut db.client) == before);
    assert_eq!(db.row("select count(distinct legacy) from users"), "100");
}

/// Peers' failure 20: nothing goes that the declaration does not name. What the live database has besides stops the contract.
#[test]
fn h67_a_view_that_the_schema_does_not_know_is_not_dropped() {
    let mut db = InFlight::new(USERS, ROWS, "change it { drop users.note; stage contract; }");
    db.reach(Phase::Validated).run("create view notes as select id, note from users");
    let plan = db.plans[0].clone();
    let mut runner =
        coexist::Runner::new(coexist::Database::at(&db.database.url()).unwrap(), coexist::Options::default()).unwrap();
    runner.contract(&plan, "it").expect_err("a view reads it");
    assert_eq!(db.row("select count(note) from notes"), "0");
    db.run("drop view notes");
    runner.contract(&plan, "it").unwrap();
}
