//! Locks that others hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coexist::{Class, Error, Options, Pace};

use crate::plans::{USERS, rename};
use crate::world::{Told, World, eventually};

fn impatient(told: &Told) -> Options {
    Options::default()
        .lock_timeout(Duration::from_millis(100))
        .deadline(Duration::from_secs(2))
        .on_event(told.observer())
}

#[test]
fn h21_h22_a_reader_that_holds_a_lock_is_named() {
    let world = World::new("reader", USERS);
    let plan = rename();
    let mut reader = world.client();
    reader.batch_execute("set application_name = 'nightly report'; begin; select from users limit 1").unwrap();
    let told = Told::default();
    let blocked = world.runner_with(impatient(&told)).expand(&plan).unwrap_err();
    assert_eq!(blocked.class(), Class::Blocked);
    let message = blocked.to_string();
    for part in [
        "change `rename_user_name`, add_columns: no lock within",
        "application \"nightly report\"",
        "idle in transaction",
        "holds AccessShareLock on users",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let text = told.text();
    let (waits, statement) = (text.find("waits for process").unwrap(), text.find("add_columns: alter table").unwrap());
    assert!(waits < statement, "told before queueing: {text}");
    assert_eq!(world.step(&plan.change, "add_columns"), "started");
    assert!(world.count("coexist.log where level = 'warning'") > 0);

    // From here, back works, and so does going on.
    reader.batch_execute("rollback").unwrap();
    world.runner().rollback(&plan, None).unwrap();
    world.runner().expand(&plan).unwrap();
}

#[test]
fn a_lock_that_is_let_go_is_taken() {
    let world = World::new("let_go", USERS);
    let plan = rename();
    let mut reader = world.client();
    reader.batch_execute("begin; select from users limit 1").unwrap();
    let told = Told::default();
    let mut runner = world.runner_with(impatient(&told).deadline(Duration::from_secs(60)));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.expand(&plan));
        eventually("a try fails", || told.text().contains("; again in"));
        reader.batch_execute("commit").unwrap();
        run.join().unwrap().unwrap();
    });
    assert!(world.value::<Option<i64>>("select lock_wait_ms from coexist.steps").is_some());
}

/// `DROP TRIGGER` needs a stronger lock than `CREATE TRIGGER`: one that a reader is enough to keep away.
#[test]
fn h30_a_rollback_steps_back_from_a_reader_and_tries_again() {
    let world = World::new("drop_trigger", USERS);
    let plan = rename();
    let before = world.catalog();
    world.runner().expand(&plan).unwrap();
    world.runner().dual_write(&plan).unwrap();
    let mut reader = world.client();
    reader.batch_execute("begin; select from users limit 1").unwrap();
    let told = Told::default();
    let mut runner = world.runner_with(impatient(&told).deadline(Duration::from_secs(60)));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.rollback(&plan, None));
        eventually("it has stepped back twice", || told.text().matches("; again in").count() >= 2);
        // Whoever came in between was let through.
        assert_eq!(world.count("users"), 1000);
        world.execute("update users set name = 'written meanwhile' where id = 1");
        reader.batch_execute("commit").unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(before, world.catalog());
}

#[test]
fn h23_a_prepared_transaction_is_named_and_not_waited_for_to_the_end() {
    let world = World::new("prepared", USERS);
    world.execute("begin; update users set bio = bio where id = 1; prepare transaction 'forgotten'");
    let told = Told::default();
    let options = impatient(&told).deadline(Duration::from_secs(600));
    let blocked = world.runner_with(options).expand(&rename()).unwrap_err().to_string();
    assert!(
        blocked.contains("prepared transaction 'forgotten' (it waits for commit prepared or rollback prepared)"),
        "{blocked}"
    );
    world.execute("rollback prepared 'forgotten'");
}

#[test]
fn h24_a_lock_timeout_that_the_statement_timeout_would_hide_is_refused() {
    let world = World::new("timeouts", USERS);
    let options = Options::default().lock_timeout(Duration::from_secs(5)).statement_timeout(Duration::from_secs(5));
    let refused = coexist::Runner::new(world.address(), options).err().unwrap();
    assert_eq!(refused.class(), Class::Refused);
    assert_eq!(refused.to_string(), "the lock timeout (5s) must be less than the statement timeout (5s)");
}

#[test]
fn h12_a_batch_gives_way_before_the_application_is_killed_for_a_deadlock() {
    let world = World::new("deadlock", USERS);
    let plan = rename();
    world.runner().expand(&plan).unwrap();
    world.runner().dual_write(&plan).unwrap();
    let mut application = world.client();
    // It holds the last row, and wants the first, which the batch has locked by then.
    application.batch_execute("begin; update users set bio = 'held' where id = 1000").unwrap();
    let told = Told::default();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &Pace::default()));
        eventually("the batch waits for the row", || world.count("pg_locks where not granted") > 0);
        application.batch_execute("update users set bio = 'also held' where id = 1").unwrap();
        eventually("the batch gives way", || told.text().contains("filling users: "));
        application.batch_execute("commit").unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
    assert_eq!(world.count("users where bio in ('held', 'also held')"), 2);
}

#[test]
fn h15_a_run_that_is_asked_to_stop_stops_while_it_waits() {
    let world = World::new("stop", USERS);
    let plan = rename();
    let mut reader = world.client();
    reader.batch_execute("begin; select from users limit 1").unwrap();
    let (told, stop) = (Told::default(), Arc::new(AtomicBool::new(false)));
    let options = Options::default().stop_flag(Arc::clone(&stop)).on_event(told.observer());
    let mut runner = world.runner_with(options);
    let stopped = std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.expand(&plan));
        eventually("it waits", || told.text().contains("waits for process"));
        stop.store(true, Ordering::SeqCst);
        run.join().unwrap().unwrap_err()
    });
    assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
    assert_eq!(stopped.class(), Class::Paused);
    reader.batch_execute("commit").unwrap();
    world.runner().expand(&plan).unwrap();
}

#[test]
fn lock_levels_conflict_as_the_server_says() {
    use coexist::plan::LockLevel;
    let world = World::new("matrix", USERS);
    let (mut one, mut other) = (world.client(), world.client());
    for held in LockLevel::ALL {
        for wanted in LockLevel::ALL {
            one.batch_execute(&format!("begin; lock table users in {} mode", held.name())).unwrap();
            let refused = other.batch_execute(&format!("begin; lock table users in {} mode nowait", wanted.name()));
            assert_eq!(refused.is_err(), held.conflicts_with(wanted), "{} and {}", held.name(), wanted.name());
            other.batch_execute("rollback").unwrap();
            one.batch_execute("rollback").unwrap();
        }
    }
}
