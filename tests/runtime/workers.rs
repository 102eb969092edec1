//! Several workers, in one process and in many: every row once, whoever dies.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use coexist::plan::Plan;
use coexist::{Class, Database, Error, Event, Options, Pace, Runner};

use crate::plans::{USERS, declared, rename};
use crate::world::{World, eventually};

/// A table of several segments: few rows on many blocks.
const WIDE: &str = "
    create table users (id bigint primary key generated always as identity, name text not null, bio text) with (fillfactor = 10);
    insert into users (name, bio) select repeat('name ', 20) || i, 'bio' from generate_series(1, 30000) as i";

const SPLIT: &str = "create table users (id bigint primary key, name text not null, bio text);";

fn split() -> Plan {
    declared(SPLIT, "change split { split users into profiles { key user_id, move bio } stage expand; }")
}

fn dual_writing(world: &World, plan: &Plan) -> Runner {
    let mut runner = world.runner();
    runner.expand(plan).unwrap();
    runner.dual_write(plan).unwrap();
    runner
}

fn workers(world: &World) -> i64 {
    world.value("select count(distinct worker) from coexist.segments")
}

fn rows(world: &World) -> i64 {
    world.value("select sum(rows)::bigint from coexist.segments")
}

/// Batches of this pace take a while each, so that there is time for what a test is about.
fn slowly() -> Pace {
    Pace::default().batch(Duration::from_millis(20))
}

#[test]
fn threads_share_a_table_and_fill_each_row_once() {
    let world = World::new("threads", WIDE);
    let plan = rename();
    dual_writing(&world, &plan).backfill(&plan, &slowly().workers(3)).unwrap();
    assert_eq!(world.count("users where full_name is distinct from name"), 0);
    assert_eq!(rows(&world), 30_000);
    assert_eq!(workers(&world), 3);
}

#[test]
fn a_copy_into_another_table_is_shared_by_key() {
    let rows_of_users = "insert into users select i * 7, 'name', case when i % 3 > 0 then 'bio ' || i end from generate_series(1, 150000) as i";
    let world = World::new("shared_by_key", &format!("{SPLIT} {rows_of_users}; analyze users"));
    let plan = split();
    dual_writing(&world, &plan).backfill(&plan, &slowly().workers(2)).unwrap();
    assert_eq!(world.count("profiles"), 100_000);
    assert_eq!(rows(&world), 100_000);
    assert_eq!(world.count("coexist.segments where pass = 1"), 3);
    // They follow one another without a gap and without an overlap.
    let gaps = world.count(
        "(select upto, lead(after) over (order by id) as next, id from coexist.segments where pass = 1) as segment
        where next is distinct from upto and id < 2",
    );
    assert_eq!(gaps, 0);
}

/// Not a test by itself: the process that others start, which joins a backfill and may be killed in the middle of a batch.
#[test]
fn a_process_that_joins() {
    let Ok(url) = std::env::var("COEXIST_TEST_JOINS") else { return };
    let mut runner = Runner::new(Database::at(&url).unwrap(), Options::default()).unwrap();
    runner.join(&rename(), &slowly()).unwrap();
}

fn join(world: &World) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "workers::a_process_that_joins"])
        .env("COEXIST_TEST_JOINS", world.database.url())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn h01_processes_join_and_one_that_is_killed_loses_nothing() {
    let world = World::new("processes", WIDE);
    let plan = rename();
    dual_writing(&world, &plan);
    // The leading process does nothing by itself before the others are there.
    let (there, wait) = channel::<()>();
    let wait = Mutex::new(Some(wait));
    let options = Options::default().on_event(move |event| {
        if matches!(event, Event::Progress(_))
            && let Some(wait) = wait.lock().unwrap().take()
        {
            let _ = wait.recv();
        }
    });
    let mut leader = world.runner_with(options);
    // A row that is locked keeps the process that has its segment in the middle of a batch.
    let mut application = world.client();
    application.batch_execute("begin; update users set bio = 'changed' where id = 29999").unwrap();
    std::thread::scope(|scope| {
        let led = scope.spawn(|| leader.backfill(&plan, &slowly()));
        eventually("it is led", || world.count("coexist.segments where worker is not null") > 0);
        let (mut killed, mut survivor) = (join(&world), join(&world));
        let waiting =
            "pg_stat_activity where application_name = 'coexist: rename_user_name' and wait_event_type = 'Lock'";
        eventually("one waits for the row", || world.count(waiting) > 0);
        killed.kill().unwrap();
        killed.wait().unwrap();
        application.batch_execute("commit").unwrap();
        drop(there);
        led.join().unwrap().unwrap();
        assert!(survivor.wait().unwrap().success());
    });
    assert_eq!(world.count("users where full_name is distinct from name"), 0);
    // That row was filled by its own trigger.
    assert_eq!(rows(&world), 29_999, "each row counted once");
    assert_eq!(world.phase(&plan), "backfilled");
}

#[test]
fn there_must_be_a_backfill_to_join() {
    let world = World::new("nobody_leads", USERS);
    let plan = rename();
    let mut runner = world.runner();
    assert!(matches!(runner.join(&plan, &Pace::default()).unwrap_err(), Error::UnknownChange { .. }));
    runner.expand(&plan).unwrap();
    assert!(matches!(runner.join(&plan, &Pace::default()).unwrap_err(), Error::OutOfOrder { .. }));
    runner.dual_write(&plan).unwrap();
    let refused = runner.join(&plan, &Pace::default()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no backfill of change `rename_user_name` is under way that could be joined\nhelp: start one, here or elsewhere, \
         without joining; others may join then"
    );
    assert_eq!(refused.class(), Class::Refused);
    runner.backfill(&plan, &Pace::default()).unwrap();
    runner.join(&plan, &Pace::default()).unwrap();
}

#[test]
fn a_worker_that_was_cut_off_changes_nothing_any_more() {
    let world = World::new("cut_off_worker", WIDE);
    let plan = rename();
    dual_writing(&world, &plan);
    let (reached, arrived) = channel();
    let (go_on, wait) = channel::<()>();
    let once = Mutex::new(Some((reached, wait)));
    let options = Options::default().on_event(move |event| {
        let first = if matches!(event, Event::Progress(_)) { once.lock().unwrap().take() } else { None };
        if let Some((reached, wait)) = first {
            reached.send(()).unwrap();
            let _ = wait.recv();
        }
    });
    let mut runner = world.runner_with(options);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &slowly().workers(2)));
        arrived.recv().unwrap();
        // One worker gives no sign of life between two batches; the other one does all the work.
        eventually("its segment is taken over", || {
            world.count("coexist.segments where pass = 1 and state = 'open'") == 0
        });
        go_on.send(()).unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(rows(&world), 30_000, "each row counted once");
    assert_eq!(world.count("users where full_name is distinct from name"), 0);
}
