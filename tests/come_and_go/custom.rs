//! `enum … add value`, and `sql { … }`.

use coexist::plan::Phase;

use crate::support;
use crate::support::in_flight::InFlight;
use crate::support::life::Life;

const MOODS: &str = "create type mood as enum ('sad', 'ok', 'happy'); create table users (id integer primary key, mood mood, name text);";

#[test]
fn labels() {
    for (declared, place) in [
        (r#"enum mood add value "it's fine" before "ok";"#, "before 'ok'"),
        (r#"enum mood add value "it's fine" after "happy";"#, "after 'happy'"),
        (r#"enum mood add value "it's fine";"#, ""),
    ] {
        let after = format!("{MOODS} alter type mood add value 'it''s fine' {place};");
        Life { before: MOODS, data: "insert into users values (1, 'ok')", change: declared, after: after.leak() }
            .check();
    }
}

#[test]
fn statements_of_each_phase() {
    Life {
        before: MOODS,
        data: "insert into users values (1, 'ok', 'a')",
        change: r#"sql {
            expand "create table log (id integer, at timestamptz); create function stamp() returns trigger language plpgsql as $$ begin insert into log values (new.id, now()); return new; end $$"
                undo "drop function if exists stamp(); drop table if exists log" locks nothing,
            dual_write "create trigger stamp after insert on users for each row execute function stamp()" undo "drop trigger if exists stamp on users"
                locks users access exclusive,
            validate "alter table users add constraint named check (name is not null) not valid" undo "alter table users drop constraint if exists named"
                locks users access exclusive,
            contract "alter table users validate constraint named" locks users share update exclusive,
        }"#,
        after: "create type mood as enum ('sad', 'ok', 'happy'); create table users (id integer primary key, mood mood, name text);
            create table log (id integer, at timestamptz); create function stamp() returns trigger language plpgsql as $$ begin insert into log values (new.id, now()); return new; end $$;
            create trigger stamp after insert on users for each row execute function stamp(); alter table users add constraint named check (name is not null);",
    }
    .check();
}

#[test]
fn outside_of_a_transaction() {
    let before = "create table t (id integer primary key, a text); create index t_a on t (a);";
    let mut db = InFlight::new(
        before,
        "insert into t select n, 'a' from generate_series(1, 10) n",
        r#"change it { sql { validate "reindex index concurrently t_a; vacuum t" locks t share update exclusive outside transaction, irreversible } stage expand; }"#,
    );
    let plain = support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated);
    assert!(support::catalog_dump(&mut db.client) == plain);
    assert_eq!(db.row("select count(*) from pg_index where not indisvalid"), "0");
    let plan = &db.plans[0];
    assert_eq!(plan.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>(), ["sql_1", "sql_1_2"]);
    assert!(plan.irreversible.is_some());
}

/// What is not declared is not done: the transaction does not commit.
#[test]
fn locks_that_were_not_declared() {
    for (locks, fine) in [
        ("nothing", false),
        ("t share row exclusive", false),
        ("u access exclusive", false),
        ("t access exclusive", true),
    ] {
        let change = format!(
            r#"change it {{ sql {{ expand "alter table t add column b integer; create table made (id integer)" undo "alter table t drop column if exists b; drop table if exists made"
                locks {locks} }} stage expand; }}"#
        );
        let mut db =
            InFlight::new("create table t (id integer primary key); create table u (id integer);", "", &change);
        let plan = db.plans[0].clone();
        let mut runner =
            coexist::Runner::new(coexist::Database::at(&db.database.url()).unwrap(), coexist::Options::default())
                .unwrap();
        let result = runner.expand(&plan);
        assert_eq!(result.is_ok(), fine, "{locks}");
        if let Err(error) = result {
            let said = format!("{error:?}");
            assert!(said.contains("ACCESS EXCLUSIVE on t, which is not declared"), "{said}");
            assert_eq!(db.rows("select from information_schema.columns where column_name = 'b'").len(), 0);
        }
    }
}
