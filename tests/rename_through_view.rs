//! A rename through a view: old code goes on with the table, new code reads and writes a view of it, and nothing is copied.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use coexist::catalog;
use coexist::plan::Phase;
use support::in_flight::InFlight;

const USERS: &str = "create table users (
        id bigint generated always as identity primary key,
        name text not null default 'guest' check (name <> ''),
        email text unique,
        number serial,
        shout text generated always as (upper(name)) stored);
    create index users_name on users (lower(name)) where name <> 'x';
    create table posts (id bigint primary key, author text);";
const ROWS: &str = "insert into users (name, email) values ('Ada', 'a@x'), ('Ben', 'b@x'), ('Cy', null);";
const RENAME: &str = "change call_them { rename users.name to full_name through view; stage contract; }";

const PHASES: [Phase; 5] =
    [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated, Phase::Contracted];

fn at(phase: Phase) -> InFlight {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.reach(phase);
    db
}

#[test]
fn new_code_sees_what_old_code_writes_and_the_other_way_round() {
    for phase in &PHASES[..4] {
        let mut db = at(*phase);
        db.run("insert into users (name) values ('old'); insert into call_them.users (full_name) values ('new')");
        db.run(
            "update users set name = 'Ada2' where id = 1; update call_them.users set full_name = 'Ben2' where id = 2",
        );
        db.run("delete from users where name = 'Cy'");
        let rows = ["Ada2|ADA2", "Ben2|BEN2", "new|NEW", "old|OLD"];
        assert_eq!(db.rows("select name, shout from users order by 1"), rows, "{}", phase.name());
        assert_eq!(db.rows("select full_name, shout from call_them.users order by 1"), rows, "{}", phase.name());
        assert_eq!(db.fails("insert into call_them.users (full_name) values (null)").0, "23502");
        assert_eq!(db.fails("update call_them.users set full_name = ''").0, "23514");
    }
}

/// The statements of new code are the same before and after the contract.
#[test]
fn statements_of_new_code_work_before_and_after_the_contract() {
    for phase in PHASES {
        let mut db = at(phase);
        // Defaults, identity, sequence.
        assert_eq!(db.row("insert into call_them.users (email) values ('d@x') returning *"), "4|guest|d@x|4|GUEST");
        assert_eq!(
            db.rows("insert into call_them.users (full_name, email) values (default, 'e@x'), ('F', default) returning id, full_name, number"),
            ["5|guest|5", "6|F|6"]
        );
        assert_eq!(db.row("insert into call_them.users default values returning id, full_name"), "7|guest");
        assert_eq!(
            db.row(
                "insert into call_them.users (id, full_name) overriding system value values (100, 'H') returning id"
            ),
            "100"
        );
        assert_eq!(db.fails("insert into call_them.users (id, full_name) values (101, 'I')").0, "428C9");
        let not_writable = if support::version() < 14 { "42601" } else { "428C9" };
        assert_eq!(db.fails("insert into call_them.users (full_name, shout) values ('I', 'J')").0, not_writable);
        // ON CONFLICT.
        assert_eq!(
            db.row(
                "insert into call_them.users as u (full_name, email) values ('A', 'a@x')
                on conflict (email) do update set full_name = excluded.full_name || u.full_name returning id, full_name"
            ),
            "1|AAda"
        );
        assert_eq!(
            db.rows("insert into call_them.users (email) values ('a@x') on conflict do nothing returning id"),
            [""; 0]
        );
        // Row locks, joins, data-modifying WITH.
        for lock in ["update", "no key update", "share", "key share", "update skip locked", "no key update nowait"] {
            assert_eq!(db.row(&format!("select full_name from call_them.users where id = 2 for {lock}")), "Ben");
        }
        assert_eq!(
            db.row("with u as (update call_them.users set full_name = 'B' where id = 2 returning *) select full_name from u"),
            "B"
        );
        db.run("update call_them.users u set full_name = p.author from (values (3, 'Dee')) as p (id, author) where u.id = p.id");
        assert_eq!(db.row("delete from call_them.users u using posts p right join (values (3)) v (id) on true where u.id = v.id returning full_name"), "Dee");
        db.run("prepare find (bigint) as select full_name from call_them.users where id = $1");
        for _ in 0..8 {
            assert_eq!(db.row("execute find (2)"), "B");
        }
        if support::version() >= 17 {
            db.run("merge into call_them.users u using (values (2)) v (id) on u.id = v.id when matched then update set full_name = 'M'");
            assert_eq!(db.row("execute find (2)"), "M");
        }
        db.run("begin; lock table call_them.users in row exclusive mode; commit");
    }
}

/// What the notes of the plan say.
#[test]
fn what_a_view_cannot_do() {
    let mut db = at(Phase::Validated);
    let notes = db.plans[0].notes.join("\n");
    let refused = [
        ("COPY", "copy call_them.users to stdout", "42809"),
        ("COPY", "copy call_them.users from program 'true'", "42809"),
        ("TRUNCATE", "truncate call_them.users", "42809"),
        (
            "ON CONFLICT ON CONSTRAINT",
            "insert into call_them.users default values on conflict on constraint users_email_key do nothing",
            "42704",
        ),
        (
            "WHERE CURRENT OF",
            "begin; declare c cursor for select * from call_them.users for update; fetch c; update call_them.users set full_name = 'c' where current of c",
            "0A000",
        ),
        ("TABLESAMPLE", "select * from call_them.users tablesample system (1)", "0A000"),
        ("ctid", "select ctid from call_them.users", "42703"),
        ("xmin", "select xmin from call_them.users", "42703"),
        ("tableoid", "select tableoid from call_them.users", "42703"),
        ("foreign keys", "create table r (id bigint references call_them.users)", "42809"),
        ("indexes", "create index on call_them.users (full_name)", "42809"),
        ("drop a column", "alter table users drop column email", "2BP01"),
        ("change its type", "alter table users alter column email type varchar", "0A000"),
    ];
    for (said, statement, code) in refused {
        let (found, message) = db.fails(statement);
        assert!(found == code, "{statement}: {found} {message}");
        assert!(notes.contains(said), "{said}: {notes}");
    }
    if support::version() < 17 {
        assert!(
            ["42601", "0A000", "42809"].contains(
                &db.fails(
                    "merge into call_them.users u using (values (2)) v (id) on u.id = v.id when matched then do nothing"
                )
                .0
                .as_str()
            )
        );
    }
    assert!(notes.contains("MERGE before PostgreSQL 17"), "{notes}");
    // What is added later is not in the view, and does not disturb it.
    db.run("alter table users add column late text default 'x'").reach(Phase::Contracted);
    assert_eq!(db.row("select * from call_them.users where id = 1"), "1|Ada|a@x|1|ADA");
}

#[test]
fn h76_back_from_every_phase_nothing_is_left() {
    let before = support::catalog_dump(&mut InFlight::new(USERS, ROWS, RENAME).client);
    for phase in &PHASES[..4] {
        let mut db = at(*phase);
        db.roll_back();
        let now = support::catalog_dump(&mut db.client);
        assert!(now == before, "back from {}:\n{}", phase.name(), catalog::diff(&before, &now));
        db.reach(Phase::Contracted);
    }
}

#[test]
fn after_the_contract_the_table_is_as_if_it_had_been_made_so_and_the_view_goes_when_it_is_retired() {
    let mut db = at(Phase::Contracted);
    assert_eq!(db.rows("select full_name from call_them.users order by id"), ["Ada", "Ben", "Cy"]);
    db.retire().retire();
    let database = support::database("after");
    let mut client = database.connect().unwrap();
    client
        .batch_execute(
            &USERS
                .replace("name text", "full_name text")
                .replace("name <>", "full_name <>")
                .replace("(name)", "(full_name)"),
        )
        .unwrap();
    client.batch_execute("alter table users rename constraint users_full_name_check to users_name_check").unwrap();
    if support::version() >= 18 {
        client
            .batch_execute("alter table users rename constraint users_full_name_not_null to users_name_not_null")
            .unwrap();
    }
    let (wanted, got) = (support::catalog_dump(&mut client), support::catalog_dump(&mut db.client));
    assert!(got == wanted, "after the contract:\n{}", catalog::diff(&wanted, &got));
}

#[test]
fn h76_what_is_not_ours_stays() {
    // A schema of the change's name: the change cannot begin, and taking it back takes nothing.
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.run("create schema call_them; create table call_them.precious (id int)");
    let said = db.fails_to_reach(Phase::Expanded);
    assert!(said.contains("schema \"call_them\""), "{said}");
    db.roll_back();
    assert_eq!(db.row("select count(*) from call_them.precious"), "0");
    // Something that somebody put beside our view keeps the schema, and the rollback says so; never CASCADE.
    let mut db = at(Phase::Expanded);
    db.run("create view call_them.theirs as select full_name from call_them.users");
    let said = db.try_roll_back().unwrap_err().to_string();
    assert!(said.contains("other objects depend on it"), "{said}");
    db.run("drop view call_them.theirs").roll_back();
    assert_eq!(db.row("select to_regnamespace('call_them') is null"), "t");
}

#[test]
fn nothing_is_copied_whatever_the_size() {
    let mut db =
        InFlight::new(USERS, "insert into users (name) select 'n' || n from generate_series(1, 300000) n", RENAME);
    let files =
        "select string_agg(relname || pg_relation_filenode(oid) || ' ' || pg_relation_size(oid), ', ' order by relname)
        from pg_class where relname like 'users%' and relkind in ('r', 'i')";
    // The last transaction that wrote a row.
    let writer = "select max(xmin::text::bigint) from only users";
    let before = (db.row(files), db.row(writer));
    db.reach(Phase::Contracted);
    assert_eq!((db.row(files), db.row(writer)), before);
}

#[test]
fn h49_h73_open_sessions_of_new_code_notice_nothing_of_the_contract() {
    let mut db = at(Phase::Validated);
    let stop = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    let url = db.database.url();
    thread::scope(|scope| {
        for client in 0..3 {
            let (url, stop, done) = (&url, &stop, &done);
            scope.spawn(move || {
                let mut session = postgres::Client::connect(url, postgres::NoTls).unwrap();
                let find = session.prepare("select id, full_name from call_them.users where id = $1 for update").unwrap();
                let all = session.prepare("select * from call_them.users order by id limit 3").unwrap();
                let set = session.prepare("update call_them.users set full_name = $2 where id = $1 returning *").unwrap();
                session
                    .batch_execute("create function pg_temp.name_of(key bigint) returns text language plpgsql as $$
                        declare found text; begin select full_name into found from call_them.users where id = key; return found; end $$")
                    .unwrap();
                let mut n = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    let mut tx = session.transaction().unwrap();
                    assert_eq!(tx.query(&find, &[&2_i64]).unwrap().len(), 1);
                    tx.query(&set, &[&2_i64, &format!("{client} {n}")]).unwrap();
                    assert_eq!(tx.query(&all, &[]).unwrap().len(), 3);
                    tx.query_one("select pg_temp.name_of(2)", &[]).unwrap();
                    tx.commit().unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let enough = |more: u64| {
            let from = done.load(Ordering::Relaxed);
            support::wait_until("the clients go on", || done.load(Ordering::Relaxed) >= from + more);
        };
        enough(30);
        db.reach(Phase::Contracted);
        enough(30);
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(db.row("select full_name = name from call_them.users join (select id, full_name as name from users) t using (id) where id = 2"), "t");
}

// --- privileges ---

const ROLES: &str = "do $$ begin
        create role view_writer; create role view_reader; create role view_owner;
    exception when duplicate_object then null; end $$;";

#[test]
fn h41_roles_may_do_through_the_view_what_they_may_do_with_the_table() {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.run(ROLES).run("grant select, insert, update on users to view_writer; grant usage on sequence users_number_seq to view_writer;
        grant select on users to view_reader with grant option; alter table users owner to view_owner; alter sequence users_number_seq owner to view_owner");
    db.reach(Phase::Expanded);
    db.run("set role view_writer; insert into call_them.users (full_name) values ('w'); update call_them.users set full_name = 'x' where id = 1; reset role");
    assert_eq!(db.fails("set role view_writer; delete from call_them.users").0, "42501");
    db.run("reset role; set role view_reader; select full_name from call_them.users; select id from call_them.users limit 1; reset role");
    assert_eq!(db.fails("set role view_reader; update call_them.users set full_name = 'y'").0, "42501");
    db.run("reset role");
    assert_eq!(db.row("select relowner::regrole from pg_class where oid = 'call_them.users'::regclass"), "view_owner");
    if support::version() >= 15 {
        // A right that is taken away later is taken away from the view as well.
        db.run("revoke select on users from view_writer");
        assert_eq!(db.fails("set role view_writer; select 1 from call_them.users").0, "42501");
    }
    db.run("reset role").reach(Phase::Contracted);
    db.run("set role view_reader; select full_name from call_them.users; reset role").retire();
    db.run("drop owned by view_writer, view_reader");
}

#[test]
fn h41_privileges_on_single_columns() {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.run(ROLES).run("grant select (id, name), update (name) on users to view_reader");
    for phase in [Phase::Expanded, Phase::Contracted] {
        db.reach(phase);
        db.run("set role view_reader; select id, full_name from call_them.users; update call_them.users set full_name = 'r' where id = 1; reset role");
        assert_eq!(db.fails("set role view_reader; select email from call_them.users").0, "42501");
        assert_eq!(db.fails("set role view_reader; update call_them.users set email = 'r'").0, "42501");
        db.run("reset role");
    }
}

#[test]
fn h43_row_level_security_holds_through_the_view() {
    if support::version() < 15 {
        return;
    }
    let schema = format!(
        "{USERS} alter table users enable row level security; create policy own on users using (name = current_user);"
    );
    let mut db = InFlight::new(
        &schema,
        "insert into users (name) values ('view_writer'), ('Ada')",
        &format!("server 15; {RENAME}"),
    );
    db.run(ROLES).run("grant select, update on users to view_writer");
    for phase in [Phase::Expanded, Phase::Contracted] {
        db.reach(phase).run("set role view_writer");
        assert_eq!(db.rows("select full_name from call_them.users"), ["view_writer"]);
        assert_eq!(db.fails("update call_them.users set full_name = 'x'").0, "42501");
        db.run("reset role");
    }
}

#[test]
fn h43_row_level_security_that_the_schema_file_does_not_know_stops_it_where_a_view_would_leak() {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.run(ROLES).run("alter table users enable row level security");
    if support::version() >= 15 {
        db.run("grant select (id) on users to view_reader");
    }
    let said = db.fails_to_reach(Phase::Expanded);
    assert!(said.contains("row level security"), "{said}");
}

// --- other shapes of tables and changes ---

#[test]
fn h70_partitions_children_views_policies_triggers_rules_and_publications_go_on_with_the_column() {
    let schema = "create table t (id bigint, name text, at date) partition by range (at);
        create table t1 partition of t for values from ('2020-01-01') to ('2021-01-01'); create table t2 partition of t default;
        create table parent (id bigint primary key, name text); create table child (extra int) inherits (parent); alter table child replica identity full;
        create view reads as select name from parent; create function f() returns trigger language plpgsql as 'begin return new; end';
        create trigger tr before update of name on parent for each row when (new.name is not null) execute function f();
        create rule r as on insert to parent do also notify inserted;";
    let mut db = InFlight::new(
        schema,
        "insert into t values (1, 'a', '2020-02-02'), (2, 'b', '2030-01-01'); insert into child values (3, 'c', 4); create publication p for table parent",
        "change both { rename t.name to title through view; rename parent.name to title through view; stage contract; }",
    );
    for phase in [Phase::Expanded, Phase::Contracted] {
        db.reach(phase);
        assert_eq!(db.rows("select title from \"both\".t order by id"), ["a", "b"]);
        assert_eq!(db.rows("select title from \"both\".parent where id = 3"), ["c"]);
        db.run("update \"both\".t set title = title, at = '2020-03-03' where id = 2; insert into \"both\".parent values (9, 'x'); update \"both\".parent set title = title; delete from \"both\".parent where id = 9");
    }
    assert_eq!(db.rows("select title from t1 order by id"), ["a", "b"]);
    assert_eq!(db.rows("select name from reads"), ["c"]);
    db.retire();
    assert_eq!(db.row("select to_regnamespace('\"both\"') is null"), "t");
}

#[test]
fn several_columns_of_one_table() {
    let mut db = InFlight::new(
        USERS,
        ROWS,
        "change two { rename users.name to full_name through view; rename users.email to address through view; stage contract; }",
    );
    for phase in [Phase::Expanded, Phase::Contracted] {
        db.reach(phase);
        assert_eq!(db.row("select full_name, address from two.users where id = 1"), "Ada|a@x");
    }
    assert_eq!(db.row("select full_name, address from users where id = 1"), "Ada|a@x");
}

#[test]
fn names_that_hurt() {
    let schema = "create schema \"W %s; \"\"S\"; create table \"W %s; \"\"S\".\"T $$\" (\"select\" int primary key, \"MiX'ed\" text);
        grant select (\"MiX'ed\") on \"W %s; \"\"S\".\"T $$\" to public;";
    let change =
        r#"change hurt { rename "W %s; \"S"."T $$"."MiX'ed" to "é $coexist$ %I" through view; stage contract; }"#;
    let mut db = InFlight::new(schema, "insert into \"W %s; \"\"S\".\"T $$\" values (1, 'a')", change);
    for phase in [Phase::Expanded, Phase::Contracted] {
        db.reach(phase);
        assert_eq!(db.row("select \"é $coexist$ %I\" from hurt.\"T $$\""), "a");
    }
}
