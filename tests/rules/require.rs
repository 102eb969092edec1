//! `require` and `relax`.

use coexist::plan::{LockLevel, Phase};

use super::support::in_flight::{InFlight, plans};
use super::support::life::Life;
use super::{blocks, found};

const USERS: &str =
    "create table users (id bigint primary key, name text not null, email text, touched integer not null default 0);";
const ROWS: &str = "insert into users values (1, 'Ada', 'ada@x'), (2, 'Ben', null), (3, 'Cy', null)";
const FILL: &str = "require users.email { fill \"name || '@none'\" or reject }";

fn filling(phase: Phase) -> InFlight {
    let mut db = InFlight::new(USERS, ROWS, &format!("change it {{ {FILL} stage contract; }}"));
    db.reach(phase);
    db
}

fn emails(db: &mut InFlight) -> Vec<String> {
    db.rows("select id, email from users order by id")
}

#[test]
fn the_whole_life() {
    let after = "create table users (id bigint primary key, name text not null, email text not null, touched integer not null default 0);";
    for change in [FILL, "require users.email { fill \"''\", old writes reject }"] {
        Life { before: USERS, data: ROWS, change, after }.check();
    }
    Life {
        before: USERS,
        data: "insert into users values (1, 'Ada', 'a')",
        change: "require users.email or reject;",
        after,
    }
    .check();
}

/// With `server 18;` NOT NULL itself is added not valid.
#[test]
fn the_whole_life_with_not_null_that_is_not_valid() {
    if super::support::version() < 18 {
        println!("needs PostgreSQL 18");
        return;
    }
    let declared = |stage: &str| format!("server 18; change it {{ {FILL} stage {stage}; }}");
    let mut db = InFlight::new(USERS, ROWS, &declared("contract"));
    assert!(db.plans[0].way.contains("PostgreSQL 18"), "{}", db.plans[0].way);
    let before = super::support::catalog_dump(&mut db.client);
    for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
        db.reach(phase).roll_back();
        assert!(super::support::catalog_dump(&mut db.client) == before, "back from {}", phase.name());
    }
    db.reach(Phase::DualWriting);
    assert_eq!(db.fails("insert into users (id, name) values (4, null)").0, "23502");
    db.run("insert into users (id, name) values (4, 'Di')").reach(Phase::Contracted);
    assert_eq!(emails(&mut db), ["1|ada@x", "2|Ben@none", "3|Cy@none", "4|Di@none"]);
    let after = super::support::database("after");
    let mut client = after.connect().unwrap();
    client.batch_execute(&USERS.replace("email text", "email text not null")).unwrap();
    let (wanted, got) = (super::support::catalog_dump(&mut client), super::support::catalog_dump(&mut db.client));
    assert!(got == wanted, "{}", coexist::catalog::diff(&wanted, &got));
}

/// Old code notices nothing before its NULLs are filled, and nothing after (number 1 of what other tools break).
#[test]
fn old_writes_are_filled() {
    let mut db = filling(Phase::Expanded);
    db.run("insert into users (id, name) values (4, 'Di')");
    assert_eq!(db.row("select email from users where id = 4"), "-");
    db.reach(Phase::DualWriting);
    db.run(
        "insert into users (id, name) values (5, 'Ed'); update users set email = null where id = 1;
        update users set touched = 1 where id = 2",
    );
    assert_eq!(emails(&mut db), ["1|Ada@none", "2|Ben@none", "3|-", "4|-", "5|Ed@none"]);
    db.reach(Phase::Validated)
        .run("insert into users (id, name, email) values (6, 'Fay', null) on conflict do nothing");
    assert_eq!(emails(&mut db), ["1|Ada@none", "2|Ben@none", "3|Cy@none", "4|Di@none", "5|Ed@none", "6|Fay@none"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.fails("insert into users (id, name) values (7, 'Gil')").0, "23502");
}

#[test]
fn a_copied_row_is_filled() {
    use std::io::Write;
    let mut db = filling(Phase::DualWriting);
    let mut copy = db.client.copy_in("copy users (id, name) from stdin").unwrap();
    copy.write_all(b"4\tDi\n").unwrap();
    copy.finish().unwrap();
    assert_eq!(db.row("select email from users where id = 4"), "Di@none");
}

#[test]
fn a_key_that_is_updated_and_a_row_that_is_deleted_meanwhile() {
    let mut db = filling(Phase::DualWriting);
    db.run("update users set id = 20 where id = 2; delete from users where id = 3").reach(Phase::Validated);
    assert_eq!(emails(&mut db), ["1|ada@x", "20|Ben@none"]);
}

/// What new code wrote stays, whatever the backfill does (number 2).
#[test]
fn the_backfill_leaves_what_was_written() {
    let mut db = filling(Phase::DualWriting);
    db.run("update users set email = 'new' where id = 2").reach(Phase::Validated);
    assert_eq!(emails(&mut db), ["1|ada@x", "2|new", "3|Cy@none"]);
}

#[test]
fn old_writes_are_rejected_and_old_rows_can_be_written() {
    let mut db = InFlight::new(
        USERS,
        ROWS,
        "change it { require users.email { fill \"'none'\", old writes reject } stage expand; }",
    );
    db.reach(Phase::DualWriting);
    assert_eq!(db.fails("insert into users (id, name) values (4, 'Di')").0, "23514");
    assert_eq!(db.fails("update users set email = null where id = 1").0, "23514");
    // A row that was null before does not keep old code from writing the rest of it.
    db.run("update users set touched = 1 where id = 2");
    assert_eq!(emails(&mut db), ["1|ada@x", "2|none", "3|-"]);
    db.reach(Phase::Validated);
    assert_eq!(emails(&mut db), ["1|ada@x", "2|none", "3|none"]);
}

/// H53
#[test]
fn h53_nulls_are_found_with_their_keys() {
    let mut db = InFlight::new(USERS, ROWS, "change it { require users.email or reject; stage expand; }");
    assert_eq!(found(&mut db, "null_email"), ["2", "3"]);
    let error = db.fails_to_reach(Phase::Expanded);
    assert!(error.contains("rows of users whose email is null"), "{error}");
    assert_eq!(blocks(&db.plans[0], "null_email"), Phase::DualWriting);
    db.run("update users set email = name").reach(Phase::Validated);
    assert_eq!(found(&mut db, "null_email"), Vec::<String>::new());
    assert_eq!(db.fails("insert into users (id, name) values (4, 'Di')").0, "23514");
}

/// H53, H26: no step reads rows under a lock that anybody waits for, and what is not valid is validated in a transaction of its own.
#[test]
fn h53_no_row_is_read_under_a_strong_lock() {
    for server in ["", "server 18; "] {
        let plan = plans(USERS, &format!("{server}change it {{ {FILL} stage contract; }}")).remove(0);
        for step in &plan.steps {
            let scans = step.action.locks.iter().filter(|lock| lock.scans);
            assert!(scans.into_iter().all(|lock| lock.level == LockLevel::ShareUpdateExclusive), "{}", step.id);
            let sql = step.action.statements.join(";");
            assert!(!(sql.contains("not valid") && sql.contains("validate constraint")), "{sql}");
        }
    }
}

/// H53: SET NOT NULL takes the check for a proof. Were it to read the table, it would come across the row that the check was made to overlook.
#[test]
fn h53_the_contract_reads_no_row() {
    let mut db = filling(Phase::Validated);
    db.run("set session_replication_role = replica; alter table users disable trigger all");
    let scans = |db: &mut InFlight| db.row("select seq_scan from pg_stat_user_tables where relname = 'users'");
    db.run("select pg_stat_reset()");
    let before = scans(&mut db);
    let contract = db.plans[0].steps_to(Phase::Contracted).flat_map(|step| step.action.statements.clone());
    let contract: Vec<String> = contract.collect();
    db.run(&format!("begin; {}; commit", contract.join(";")));
    assert_eq!(scans(&mut db), before);
    assert_eq!(
        db.row("select attnotnull from pg_attribute where attrelid = 'users'::regclass and attname = 'email'"),
        "t"
    );
}

/// The table's own triggers see the rows that the application writes, and not those that the backfill fills (number 7).
#[test]
fn h50_an_updated_at_stays_as_it_was() {
    let schema = format!(
        "{USERS} create function touch() returns trigger language plpgsql as $$ begin new.touched := new.touched + 1; return new; end $$;
        create trigger touch before update on users for each row execute function touch();"
    );
    let mut db = InFlight::new(&schema, ROWS, &format!("change it {{ {FILL} stage contract; }}"));
    db.reach(Phase::Backfilled);
    assert_eq!(
        db.rows("select id, email, touched from users order by id"),
        ["1|ada@x|0", "2|Ben@none|0", "3|Cy@none|0"]
    );
    db.run("update users set email = null where id = 1");
    assert_eq!(db.row("select email, touched from users where id = 1"), "Ada@none|1");
    db.reach(Phase::Contracted).run("update users set name = 'x' where id = 1");
}

/// The row that cannot be filled is named.
#[test]
fn a_row_that_the_expression_does_not_fill() {
    let mut db = InFlight::new(
        "create table t (id integer primary key, a text, b text);",
        "insert into t values (1, 'x', null), (2, null, 'y'), (7, null, null)",
        "change it { require t.a { fill \"b\" or reject } stage expand; }",
    );
    db.reach(Phase::DualWriting);
    let error = db.fails_to_reach(Phase::Backfilled);
    assert!(error.contains("7"), "{error}");
    db.run("update t set b = 'z' where id = 7").reach(Phase::Validated);
    assert_eq!(db.rows("select a from t order by id"), ["x", "y", "z"]);
}

/// H66, H65
#[test]
fn h66_names_that_need_quotes() {
    let schema = "create schema \"Weird Schema\"; create table \"Weird Schema\".\"Order; Items\" (\"select\" integer primary key, \"it's\" text, \"$coexist$\" text);";
    let change = r#"require "Weird Schema"."Order; Items"."it's" { fill "\"$coexist$\" || '$coexist$'" or reject }"#;
    let mut db = InFlight::new(
        schema,
        r#"insert into "Weird Schema"."Order; Items" values (1, null, 'a')"#,
        &format!(
            "change a_change_with_a_name_that_is_as_long_as_a_name_can_be_in_postgresql {{ {change} stage contract; }}"
        ),
    );
    db.reach(Phase::Contracted);
    assert_eq!(db.row(r#"select "it's" from "Weird Schema"."Order; Items""#), "a$coexist$");
}

// --- relax ---

const STRICT: &str = "create table users (id bigint primary key, email text not null);";

#[test]
fn the_whole_life_of_a_column_that_becomes_nullable() {
    let after = "create table users (id bigint primary key, email text);";
    let data = "insert into users values (1, 'a'), (2, 'b')";
    for change in
        ["relax users.email { nulls from contract }", "relax users.email { nulls from dual_write, backward \"''\" }"]
    {
        Life { before: STRICT, data, change, after }.check();
    }
}

#[test]
fn nulls_from_the_contract_on() {
    let mut db = InFlight::new(STRICT, "", "change it { relax users.email { nulls from contract } stage contract; }");
    db.reach(Phase::Validated);
    assert_eq!(db.fails("insert into users values (1, null)").0, "23502");
    db.reach(Phase::Contracted).run("insert into users values (1, null)");
}

#[test]
fn a_rollback_puts_values_in_place_of_nulls() {
    let change =
        "change it { relax users.email { nulls from dual_write, backward \"'user ' || id\" or reject } stage expand; }";
    let mut db = InFlight::new(STRICT, "insert into users values (1, 'a')", change);
    db.reach(Phase::DualWriting).run("insert into users values (2, null); update users set email = null where id = 1");
    db.roll_back();
    assert_eq!(db.rows("select email from users order by id"), ["user 1", "user 2"]);
    assert_eq!(db.fails("insert into users values (3, null)").0, "23502");
}

/// PostgreSQL 18 keeps NOT NULL under a name.
#[test]
fn a_named_not_null_comes_back_under_its_name() {
    if super::support::version() < 18 {
        println!("needs PostgreSQL 18");
        return;
    }
    let schema = "create table users (id bigint primary key, email text constraint must not null);";
    let change = "change it { relax users.email { nulls from dual_write, backward \"''\" } stage expand; }";
    let mut db = InFlight::new(schema, "", change);
    let before = super::support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated).roll_back();
    let now = super::support::catalog_dump(&mut db.client);
    assert!(now == before, "{}", coexist::catalog::diff(&before, &now));
}
