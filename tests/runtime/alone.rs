//! Statements that cannot run in a transaction, and what they leave behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coexist::plan::{LockLevel, Mode, Phase, Plan};
use coexist::{Class, Error, Options, Pace};

use crate::plans::{USERS, empty, rename, step};
use crate::world::{Told, World, eventually};

fn index_is_valid(world: &World, name: &str) -> Option<bool> {
    let sql = "select indisvalid from pg_index join pg_class on oid = indexrelid where relname = $1";
    world.client().query_opt(sql, &[&name]).unwrap().map(|row| row.get(0))
}

fn backfilled(world: &World) -> Plan {
    let plan = rename();
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    runner.backfill(&plan, &Pace::default()).unwrap();
    plan
}

/// A transaction with a snapshot that every concurrent index build of the database waits for.
fn old_snapshot(world: &World) -> postgres::Client {
    let mut client = world.client();
    client
        .batch_execute(
            "set application_name = 'report'; begin isolation level repeatable read; select count(*) from pg_class",
        )
        .unwrap();
    client
}

#[test]
fn h28_an_index_that_a_killed_build_left_invalid_is_built_again() {
    let world = World::new("invalid", USERS);
    let plan = backfilled(&world);
    let mut report = old_snapshot(&world);
    let told = Told::default();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.validate(&plan));
        eventually("the build waits for the snapshot", || told.text().contains("index: waits for process"));
        assert!(told.text().contains("application \"report\""), "{}", told.text());
        let pid: i32 = report.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
        let waits = format!("index: waiting for old snapshots, 0 %, waits for process {pid}");
        eventually("it says how far the build is", || told.text().contains(&waits));
        let building = world.runner().status(&plan).unwrap().building.unwrap();
        assert_eq!((building.index.as_deref(), building.waits_for), (Some("users_full_name"), Some(pid)));
        assert_eq!(index_is_valid(&world, "users_full_name"), Some(false));
        let kill = "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query like 'create index%' and state = 'active' and pid <> pg_backend_pid()";
        assert_eq!(world.client().query(kill, &[]).unwrap().len(), 1);
        eventually("the leftover is dropped", || told.text().contains("which an earlier try left invalid"));
        report.batch_execute("commit").unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(index_is_valid(&world, "users_full_name"), Some(true));
    let comment: String = world.value("select obj_description('users_full_name'::regclass)");
    assert_eq!(comment, "coexist: rename_user_name");
}

#[test]
fn h27_a_build_that_waits_beyond_the_deadline_names_what_it_waits_for() {
    let world = World::new("watchdog", USERS);
    let plan = backfilled(&world);
    let mut report = old_snapshot(&world);
    let blocked = world.runner_with(Options::default().deadline(Duration::from_secs(1))).validate(&plan).unwrap_err();
    assert_eq!(blocked.class(), Class::Blocked);
    assert!(blocked.to_string().contains("application \"report\", idle in transaction"), "{blocked}");
    report.batch_execute("commit").unwrap();
    world.runner().validate(&plan).unwrap();
    assert_eq!(index_is_valid(&world, "users_full_name"), Some(true));
}

#[test]
fn a_build_stops_when_the_run_is_asked_to() {
    let world = World::new("stop_build", USERS);
    let plan = backfilled(&world);
    let mut report = old_snapshot(&world);
    let (told, stop) = (Told::default(), Arc::new(AtomicBool::new(false)));
    let mut runner = world.runner_with(Options::default().stop_flag(Arc::clone(&stop)).on_event(told.observer()));
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.validate(&plan));
        eventually("the build waits", || told.text().contains("index: waits for process"));
        stop.store(true, Ordering::SeqCst);
        run.join().unwrap().unwrap_err()
    });
    assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
    report.batch_execute("commit").unwrap();
    assert_eq!(index_is_valid(&world, "users_full_name"), Some(false));
    world.runner().rollback(&plan, None).unwrap();
    assert_eq!(index_is_valid(&world, "users_full_name"), None);
}

#[test]
fn h76_an_index_of_somebody_elses_is_left_alone() {
    let world = World::new("taken", USERS);
    let plan = backfilled(&world);
    world.execute("create index users_full_name on users (bio)");
    let taken = world.runner().validate(&plan).unwrap_err();
    assert_eq!(taken.class(), Class::Drift);
    assert!(
        taken.to_string().contains(
            r#"step `index`: relation "public"."users_full_name" already exists, and this change did not make it"#
        ),
        "{taken}"
    );
    world.runner().rollback(&plan, None).unwrap();
    assert_eq!(index_is_valid(&world, "users_full_name"), Some(true), "also by the rollback");
}

#[test]
fn h76_a_column_of_somebody_elses_is_left_alone() {
    let world =
        World::new("taken_column", &format!("{USERS}; alter table users add column full_name text default 'mine'"));
    let plan = rename();
    let taken = world.runner().expand(&plan).unwrap_err().to_string();
    assert!(taken.contains(r#"step `add_columns`: column "full_name" of relation "users" already exists"#), "{taken}");
}

#[test]
fn h54_a_unique_index_that_cannot_be_built_leaves_nothing_behind() {
    let world = World::new("duplicates", &format!("{USERS}; update users set bio = 'same'"));
    let mut plan = empty("unique_bio");
    plan.steps.push(
        step("index", Phase::Validated)
            .mode(Mode::Outside)
            .locks("users", LockLevel::ShareUpdateExclusive)
            .leaves("users_bio")
            .runs("create unique index concurrently users_bio on public.users (bio)")
            .undo(Mode::Outside, &["drop index concurrently if exists public.users_bio"])
            .build(),
    );
    let failed = world.runner().up(&plan, &Pace::default()).unwrap_err();
    assert_eq!(failed.class(), Class::Failed);
    assert!(failed.to_string().contains("could not create unique index \"users_bio\" [23505]"), "{failed}");
    assert!(!failed.to_string().contains("same"), "values of rows stay where they are (H83): {failed}");
    assert_eq!(index_is_valid(&world, "users_bio"), None);
}
