//! What can be known about a change without touching it.

use coexist::{Pace, Phase};

use super::plans::{USERS, rename};
use super::world::World;

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
