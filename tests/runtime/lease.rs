//! One runner at a time.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use coexist::{Class, Error, Event, Options, Pace};

use crate::plans::{USERS, rename};
use crate::world::World;

/// Stops a run at the first event that `is`, until it is let go.
struct Halt {
    reached: Receiver<()>,
    go_on: Sender<()>,
}

fn halt(is: impl Fn(&Event) -> bool + Send + Sync + 'static) -> (Halt, Options) {
    let (tell, reached) = channel();
    let (go_on, wait) = channel();
    let once = Mutex::new(Some((tell, wait)));
    let options = Options::default().on_event(move |event| {
        if is(event)
            && let Some((tell, wait)) = once.lock().unwrap().take()
        {
            tell.send(()).unwrap();
            let _ = wait.recv();
        }
    });
    (Halt { reached, go_on }, options)
}

#[test]
fn h04_of_two_runners_one_works() {
    let world = World::new("two", USERS);
    let plan = rename();
    let (halt, options) = halt(|event| matches!(event, Event::StepStarted { .. }));
    let mut first = world.runner_with(options);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| first.up(&plan, &Pace::default()));
        halt.reached.recv().unwrap();
        let refused = world.runner().up(&plan, &Pace::default()).unwrap_err();
        assert_eq!(refused.class(), Class::Blocked);
        assert!(
            refused.to_string().starts_with("another runner is at work on change `rename_user_name`: process "),
            "{refused}"
        );
        assert!(world.runner().status(&plan).unwrap().runner.is_some());
        halt.go_on.send(()).unwrap();
        first.join().unwrap().unwrap();
    });
    assert_eq!(world.phase(&plan), "validated");
    assert_eq!(world.runner().status(&plan).unwrap().runner, None, "the lease is given back");
}

#[test]
fn two_changes_do_not_stop_each_other() {
    let world = World::new("two_changes", USERS);
    let (rename, split) = (rename(), crate::plans::split());
    let (halt, options) = halt(|event| matches!(event, Event::StepStarted { .. }));
    let mut first = world.runner_with(options);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| first.up(&rename, &Pace::default()));
        halt.reached.recv().unwrap();
        world.runner().up(&split, &Pace::default()).unwrap();
        halt.go_on.send(()).unwrap();
        first.join().unwrap().unwrap();
    });
}

#[test]
fn a_runner_that_was_taken_over_changes_nothing_any_more() {
    let world = World::new("fenced", USERS);
    let plan = rename();
    let (halt, options) = halt(|event| matches!(event, Event::StepDone { .. }));
    let mut first = world.runner_with(options);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| first.up(&plan, &Pace::default()));
        halt.reached.recv().unwrap();
        world.execute("update coexist.leases set expires_at = clock_timestamp()");
        let mut second = world.runner();
        second.up(&plan, &Pace::default()).unwrap();
        second.rollback(&plan, None).unwrap();
        let catalog = world.catalog();
        halt.go_on.send(()).unwrap();
        let lost = first.join().unwrap().unwrap_err();
        assert!(matches!(lost, Error::LeaseLost { .. }), "{lost}");
        assert_eq!(world.catalog(), catalog);
    });
}

#[test]
fn a_takeover_waits_for_the_transaction_that_is_open() {
    let world = World::new("open", USERS);
    let plan = rename();
    let (halt, options) = halt(|event| matches!(event, Event::Statement { sql, .. } if sql == "commit"));
    let mut first = world.runner_with(options);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| first.expand(&plan));
        halt.reached.recv().unwrap();
        world.execute("update coexist.leases set expires_at = clock_timestamp()");
        let mut second = world.runner();
        let refused = second.expand(&plan).unwrap_err();
        assert!(refused.to_string().contains("whose last transaction is still open"), "{refused}");
        halt.go_on.send(()).unwrap();
        first.join().unwrap().unwrap();
        second.dual_write(&plan).unwrap();
    });
}
