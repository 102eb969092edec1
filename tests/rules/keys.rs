//! `constrain t: unique …` and `primary key …`

use coexist::plan::Phase;

use super::support::in_flight::{InFlight, plans};
use super::support::life::Life;
use super::{blocks, found};

const USERS: &str = "create table users (id bigint not null, tenant integer, email text);";
const ROWS: &str = "insert into users values (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'a'), (4, 2, null), (5, 2, null)";

#[test]
fn the_whole_life() {
    let life = |change, after| Life { before: USERS, data: ROWS, change, after };
    let table = "create table users (id bigint not null, tenant integer, email text";
    for (change, constraint) in [
        ("constrain users: unique (tenant, email) or reject;", "unique (tenant, email)"),
        (
            "constrain users: unique by_mail (email, id) include (tenant) or reject;",
            "constraint by_mail unique (email, id) include (tenant)",
        ),
        (
            "constrain users: unique by_id (id) deferrable initially deferred or reject;",
            "constraint by_id unique (id) deferrable initially deferred",
        ),
        ("constrain users: primary key (id) or reject;", "primary key (id)"),
    ] {
        life(change, Box::leak(format!("{table}, {constraint});").into_boxed_str())).check();
    }
}

#[test]
fn nulls_that_are_not_distinct() {
    if super::support::version() < 15 {
        println!("needs PostgreSQL 15");
        return;
    }
    let change = "server 15; change it { constrain users: unique (tenant, email) nulls not distinct or reject; stage contract; }";
    let mut db = InFlight::new(USERS, ROWS, change);
    assert_eq!(found(&mut db, "duplicates_users_tenant_email_key").len(), 1);
    db.run("delete from users where id = 5").reach(Phase::Contracted);
    assert_eq!(db.fails("insert into users values (6, 2, null)").0, "23505");
}

/// H54: the rows are named by their keys before any index is built; what they share is not shown.
#[test]
fn h54_duplicates_are_found_with_their_keys() {
    let schema = "create table users (id bigint primary key, email text);";
    let data = "insert into users values (1, 'a@x'), (2, 'b@x'), (3, 'a@x'), (4, null), (5, null)";
    let mut db =
        InFlight::new(schema, data, "change it { constrain users: unique (email) or reject; stage contract; }");
    let found_rows = found(&mut db, "duplicates_users_email_key");
    assert_eq!(found_rows, ["2 rows share one value, with key 1, 3"]);
    assert_eq!(blocks(&db.plans[0], "duplicates_users_email_key"), Phase::Validated);
    db.run("update users set email = 'c@x' where id = 3").reach(Phase::Contracted);
    let (code, message) = db.fails("insert into users values (6, 'b@x')");
    assert!(code == "23505" && message.contains("users_email_key"), "{message}");
}

/// H54: before anything is touched, so that no index is built in vain (H28, number 8 of what other tools break).
#[test]
fn h54_duplicates_stop_the_change_before_an_index_is_built() {
    let schema = "create table users (id bigint primary key, email text);";
    let data = "insert into users values (1, 'a'), (2, 'a')";
    let mut db =
        InFlight::new(schema, data, "change it { constrain users: unique (email) or reject; stage contract; }");
    let error = db.fails_to_reach(Phase::Expanded);
    assert!(error.contains("2 rows share one value, with key 1, 2"), "{error}");
    db.run("delete from users where id = 2").reach(Phase::Contracted);
    assert_eq!(
        db.rows("select i.relname, x.indisvalid from pg_index x join pg_class i on i.oid = x.indexrelid where indrelid = 'users'::regclass order by 1"),
        ["users_email_key|t", "users_pkey|t"]
    );
}

/// H27: outside of a transaction; H26: nothing else with it.
#[test]
fn h27_the_index_is_built_outside_of_a_transaction() {
    let plan = plans(USERS, "change it { constrain users: primary key (id) or reject; stage expand; }").remove(0);
    let build = plan.steps.iter().find(|step| step.leftover.is_some()).unwrap();
    assert_eq!((build.action.mode, build.action.statements.len()), (coexist::plan::Mode::Outside, 1));
}

/// Old writes find out when the index does, and not before.
#[test]
fn writers_go_on_until_the_index_is_there() {
    let mut db = InFlight::new(USERS, "", "change it { constrain users: unique (email) or reject; stage expand; }");
    db.reach(Phase::Backfilled).run("insert into users values (1, 1, 'a')").reach(Phase::Validated);
    assert_eq!(db.fails("insert into users values (2, 1, 'a')").0, "23505");
    db.roll_back().run("insert into users values (2, 1, 'a')");
}
