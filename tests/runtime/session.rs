//! Settings of the server, the database and the role that must not matter, and those that must.

use coexist::{Class, Pace};

use crate::plans::{USERS, rename, split};
use crate::world::{World, eventually};

#[test]
fn h13_h81_hostile_settings_change_nothing() {
    let world = World::new("hostile", USERS);
    let name = world.database.name().to_string();
    world.execute("create schema evil; create table evil.users (id int); create function evil.now() returns int language sql as 'select 1'");
    for setting in [
        "search_path = evil, public",
        "default_transaction_isolation = 'serializable'",
        "\"TimeZone\" = 'Asia/Kathmandu'",
        "\"DateStyle\" = 'SQL, DMY'",
        "\"IntervalStyle\" = 'sql_standard'",
        "extra_float_digits = -15",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
        "transform_null_equals = on",
        "statement_timeout = '1s'",
        "lock_timeout = '1ms'",
        "idle_in_transaction_session_timeout = '1ms'",
        "coexist.backfill = 'rename_user_name'",
    ] {
        world.execute(&format!("alter database {name} set {setting}"));
    }
    for plan in [rename(), split()] {
        world.runner().up(&plan, &Pace::default()).unwrap();
        world.runner().rollback(&plan, None).unwrap();
    }
}

#[test]
fn h78_h92_a_database_that_is_read_only_is_left_alone() {
    let world = World::new("read_only", USERS);
    world.execute(&format!("alter database {} set default_transaction_read_only = on", world.database.name()));
    let refused = world.runner().up(&rename(), &Pace::default()).unwrap_err();
    assert_eq!(refused.class(), Class::Refused);
    assert!(refused.to_string().contains("read-only default_transaction_read_only: it is on"), "{refused}");
}

#[test]
fn h82_a_plan_for_a_later_server_is_refused() {
    let world = World::new("server", USERS);
    let mut plan = rename();
    plan.server = 99;
    let refused = world.runner().up(&plan, &Pace::default()).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with(&format!("change `rename_user_name` needs PostgreSQL 99, this server is {}", world.server)),
        "{refused}"
    );
}

#[test]
fn a_session_that_was_ended_while_idle_is_opened_again() {
    let world = World::new("idle", USERS);
    let plan = rename();
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'coexist%'";
    for _ in 0..3 {
        eventually("it is gone", || world.client().query(end, &[]).unwrap().is_empty());
        runner.dual_write(&plan).unwrap();
        eventually("it is gone", || world.client().query(end, &[]).unwrap().is_empty());
        runner.status(&plan).unwrap();
    }
}

#[test]
fn no_server_is_a_clear_error() {
    let nowhere = coexist::Database::at("host=/nonexistent user=nobody").unwrap();
    let error = coexist::Runner::new(nowhere, coexist::Options::default()).err().unwrap();
    assert_eq!(error.class(), Class::Failed);
    assert!(error.to_string().starts_with("no connection to the database: error connecting to server: "), "{error}");
    assert!(
        coexist::Database::at("no address")
            .unwrap_err()
            .to_string()
            .starts_with("the database address cannot be read: ")
    );
}
