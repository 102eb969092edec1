//! What can be known about a change without touching it.

use coexist::plan::Plan;
use coexist::{Limit, Options, Pace, Phase, Throttle};

use super::plans::{USERS, rename};
use super::world::{Told, World, eventually};

#[test]
fn a_change_that_was_never_begun_is_known_to_nobody() {
    let world = World::new("status", USERS);
    let mut runner = world.runner();
    assert!(runner.recorded().unwrap().is_empty());
    let status = runner.status(&rename()).unwrap();
    assert_eq!((status.phase, status.since, status.progress), (Phase::Declared, None, None));
}

#[test]
fn a_change_says_how_far_it_is_and_since_when() {
    let world = World::new("status", USERS);
    let (mut runner, plan) = (world.runner(), rename());
    runner.up(&plan, &Pace::default()).unwrap();
    world.execute("update coexist.changes set updated_at = updated_at - interval '1 hour'");

    // Nothing is left to do, and so nothing moves.
    runner.up(&plan, &Pace::default()).unwrap();
    let status = runner.status(&plan).unwrap();
    assert!(status.since.unwrap().as_secs() >= 3600);
    let progress = status.progress.unwrap();
    assert_eq!((progress.done, progress.rows), (1.0, 1000));
    assert_eq!((status.runner, status.stopped_runner), (None, None));

    let recorded = runner.recorded().unwrap();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].plan.as_ref(), Some(&plan));
}

#[test]
fn h03_a_runner_that_was_cut_off_is_told_from_one_that_works() {
    let world = World::new("status", USERS);
    let (mut runner, plan) = (world.runner(), rename());
    runner.expand(&plan).unwrap();
    world.execute(
        "update coexist.leases set holder = 'process 7', heartbeat_at = clock_timestamp() - interval '2 minutes',
            expires_at = clock_timestamp() + interval '1 minute'",
    );
    assert_eq!(runner.status(&plan).unwrap().runner.as_deref(), Some("process 7"));

    world.execute("update coexist.leases set expires_at = clock_timestamp() - interval '1 minute'");
    let status = runner.status(&plan).unwrap();
    assert_eq!(status.runner, None);
    let stopped = status.stopped_runner.unwrap();
    assert_eq!(stopped.name, "process 7");
    assert!(stopped.seen.as_secs() >= 120);
}

#[test]
fn a_backfill_that_runs_says_how_fast_it_is_and_why_it_holds_still() {
    let world = World::new("running", USERS);
    let plan = Plan { batch: Some(1), ..rename() };
    let (mut runner, mut other) = (world.runner(), world.runner());
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    let mut old = world.client();
    // So slow that it is caught in the middle.
    let pace = Pace::default().rows_per_second(100.0).limit(Throttle::LongTransactions, Limit::above(0.0));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &pace));
        eventually("it goes on", || {
            let Some(progress) = other.status(&plan).unwrap().progress else { return false };
            let running = progress.running.unwrap();
            let is_known = running.rate.is_some_and(|rate| rate.rows_per_second > 0.0 && rate.remaining.is_some());
            is_known && running.workers == 1 && progress.batches > 0 && running.held.is_empty()
        });
        old.batch_execute("begin; select 1").unwrap();
        eventually("it holds still", || {
            let running = other.status(&plan).unwrap().progress.unwrap().running.unwrap();
            running.held == ["long transactions"] && running.reasons[0].starts_with("long transactions is ")
        });
        old.batch_execute("commit").unwrap();
        eventually("it does not hold still any more", || {
            other.status(&plan).unwrap().progress.unwrap().running.unwrap().held.is_empty()
        });
        other
            .set_pace(&plan.change, &coexist::PaceChange { rows_per_second: Some(1e9), ..Default::default() })
            .unwrap();
        run.join().unwrap().unwrap();
    });
    let status = other.status(&plan).unwrap();
    let progress = status.progress.unwrap();
    assert_eq!((progress.rows, progress.done, progress.running), (1000, 1.0, None));
    assert!(progress.wal_written > 0);
    // Others than the test may have begun a transaction, too.
    let held = status.held.iter().find(|held| held.reason == "long transactions").unwrap();
    assert!(held.times > 0 && !held.spent.is_zero(), "{held:?}");
    assert!(status.retries.is_empty());
}

#[test]
fn what_was_tried_again_is_counted_by_its_sqlstate() {
    let world = World::new("retries", USERS);
    let plan = rename();
    let told = Told::default();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    runner.expand(&plan).unwrap();
    let mut writer = world.client();
    writer.batch_execute("begin; update users set bio = 'x' where id = 1").unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.dual_write(&plan));
        eventually("it tries again", || told.text().contains("; again in"));
        writer.batch_execute("commit").unwrap();
        run.join().unwrap().unwrap();
    });
    let retries = world.runner().status(&plan).unwrap().retries;
    assert_eq!(retries.len(), 1, "{retries:?}");
    assert!(retries[0].code == "55P03" && retries[0].times > 0, "{retries:?}");
}
