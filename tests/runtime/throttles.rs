//! A backfill holds still while others need the server, and is steered from elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use coexist::plan::Plan;
use coexist::sandbox::Sandbox;
use coexist::{Class, Database, Error, Limit, Options, Pace, PaceChange, Runner, Throttle};

use crate::plans::{USERS, rename};
use crate::world::{Told, World, eventually};

fn dual_writing(world: &World) -> (Runner, Plan) {
    let plan = Plan { batch: Some(1), ..rename() };
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    (runner, plan)
}

/// Runs the backfill with `pace` until what it tells contains `held`, then does `relieve`, after which it must end.
fn holds(world: &World, plan: &Plan, pace: &Pace, held: &str, relieve: impl FnOnce()) -> String {
    let told = Told::default();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(plan, pace));
        eventually(held, || told.text().contains(held));
        assert!(world.count("users where full_name is null") > 0);
        relieve();
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
    told.text()
}

/// A pace that looks at nothing else: the tests on a restless server disturb each other's.
fn only(throttle: Throttle) -> Pace {
    let others = Throttle::ALL.into_iter().filter(|other| *other != throttle);
    others.fold(Pace::default(), Pace::without)
}

/// A server whose WAL soon is too much, is never archived, and is kept for whoever asks; and on which autovacuum looks around all the time.
fn restless(hint: &str, schema: &str) -> World {
    static SERVER: OnceLock<Sandbox> = OnceLock::new();
    let sandbox = SERVER.get_or_init(|| {
        let settings = [
            ("wal_level", "logical"),
            ("max_wal_size", "32MB"),
            ("archive_mode", "on"),
            ("archive_command", "false"),
            ("autovacuum_naptime", "1s"),
        ];
        let builder =
            settings.into_iter().fold(Sandbox::builder(), |builder, (name, value)| builder.setting(name, value));
        builder.start().unwrap()
    });
    let world = World { database: sandbox.database(hint).unwrap(), server: sandbox.version() };
    world.execute(schema);
    world
}

/// Fills WAL with nothing.
const SWITCH_WAL: &str = "select pg_logical_emit_message(false, '', 'filler'); select pg_switch_wal()";

#[test]
fn h10_checkpoints_that_wal_forces_hold_it_still() {
    let world = restless("checkpoints", USERS);
    let (mut other, plan) = dual_writing(&world);
    let pace =
        only(Throttle::ForcedCheckpoints).limit(Throttle::ForcedCheckpoints, Limit::above(1.0)).rows_per_second(50.0);
    let told = Told::default();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &pace));
        // It counts from its first look.
        eventually("it holds still", || {
            world.execute(SWITCH_WAL);
            world.execute("checkpoint");
            std::thread::sleep(Duration::from_millis(200));
            told.text().contains("holding still: forced checkpoints is")
        });
        assert!(world.count("users where full_name is null") > 0);
        // Other tests make checkpoints on this server, too.
        let reset = if world.server >= 17 { "checkpointer" } else { "bgwriter" };
        eventually("it goes on", || {
            world.execute(&format!("select pg_stat_reset_shared('{reset}')"));
            told.text().contains("resumed")
        });
        // It may hold still again at any moment.
        other.stop(&plan.change).unwrap();
        assert!(matches!(run.join().unwrap(), Err(Error::Stopped { .. })));
    });
}

/// A change that is dual-writing on a table that an autovacuum is at work on, for minutes.
fn vacuumed(hint: &str) -> (World, Plan) {
    // Many pages, each of which takes the vacuum a while.
    let sparse = "create table users (id bigint primary key generated always as identity, name text not null, bio text)
            with (fillfactor = 10, autovacuum_enabled = off);
        insert into users (name, bio) select 'name ' || i, 'bio' from generate_series(1, 1000) as i;
        update users set bio = 'changed'";
    let world = restless(hint, sparse);
    let (_, plan) = dual_writing(&world);
    world.execute(
        "alter table users set (autovacuum_enabled = on, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100,
            autovacuum_vacuum_cost_limit = 1)",
    );
    let at_work = "pg_stat_progress_vacuum where relid = 'users'::regclass";
    eventually("it is vacuumed", || world.count(at_work) > 0);
    (world, plan)
}

#[test]
fn h09_an_autovacuum_holds_it_still() {
    let (world, plan) = vacuumed("autovacuum");
    let text = holds(
        &world,
        &plan,
        &only(Throttle::Vacuum),
        "holding still: autovacuum is 1, at work on users (process ",
        || {
            // The vacuum gives way.
            world.execute("alter table users set (autovacuum_enabled = off)");
        },
    );
    assert!(text.contains("resumed"), "{text}");
}

/// The server ends it for who waits, but not before the time after which our statements usually let go.
#[test]
fn h09_an_autovacuum_makes_way_for_a_step() {
    let (world, plan) = vacuumed("makes_way");
    let told = Told::default();
    let options = Options::default().deadline(Duration::from_secs(100)).on_event(told.observer());
    world.runner_with(options).rollback(&plan, None).unwrap();
    let text = told.text();
    assert!(
        text.contains("an autovacuum is in the way; waiting for up to 1200 ms, for the server to end it"),
        "{text}"
    );
}

#[test]
fn sessions_that_wait_behind_it_hold_it_still() {
    let world = World::new("waiters", USERS);
    let (_, plan) = dual_writing(&world);
    world.execute(&format!("alter database {} set deadlock_timeout = '1h'", world.database.name()));
    let (mut holder, mut waiter) = (world.client(), world.client());
    holder.batch_execute("begin; update users set bio = 'held' where id = 1000").unwrap();
    let told = Told::default();
    let options = Options::default()
        .lock_timeout(Duration::from_secs(60))
        .statement_timeout(Duration::from_secs(120))
        .on_event(told.observer());
    let mut runner = world.runner_with(options);
    let pace = Pace::default().limit(Throttle::LockWaiters, Limit::above(0.0));
    let plan = Plan { batch: None, ..plan };
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &pace));
        eventually("the batch waits for the last row", || world.count("pg_locks where not granted") > 0);
        // A batch holds some of the rows of its blocks only.
        let waits = scope.spawn(move || waiter.batch_execute("update users set bio = 'waited' where id < 1000"));
        // The batch is then taken back, and nobody waits any more.
        eventually("it holds still", || told.text().contains("holding still: lock waiters is 1 behind this backfill"));
        waits.join().unwrap().unwrap();
        eventually("it goes on", || told.text().contains("resumed"));
        holder.batch_execute("commit").unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
}

#[test]
fn h07_what_cannot_be_measured_holds_it_still() {
    let world = World::new("unreadable", USERS);
    let (_, plan) = dual_writing(&world);
    world.execute(
        "create role unreadable login; grant usage on schema coexist to unreadable;
        grant all on all tables in schema coexist to unreadable; alter table users owner to unreadable;
        revoke select on pg_stat_replication from public",
    );
    let address = Database::at(&world.database.url().replace("user=postgres", "user=unreadable")).unwrap();
    let told = Told::default();
    let mut runner = Runner::new(address, Options::default().on_event(told.observer())).unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &Pace::default()));
        eventually("it holds still", || {
            told.text()
                .contains("holding still: replica lag cannot be measured: measuring replica lag: permission denied")
        });
        assert_eq!(world.count("users where full_name is not null"), 0, "not one batch began");
        world.execute("grant select on pg_stat_replication to public");
        run.join().unwrap().unwrap();
    });
    world.execute("drop owned by unreadable; drop role unreadable");
}

#[test]
fn active_sessions_hold_it_still() {
    let world = World::new("active", USERS);
    let (_, plan) = dual_writing(&world);
    // Other tests have sessions on this server.
    let sleepers: Vec<_> = (0..30)
        .map(|_| {
            let mut client = world.client();
            let cancel = client.cancel_token();
            (cancel, std::thread::spawn(move || client.batch_execute("select pg_sleep(1000)")))
        })
        .collect();
    eventually("they sleep", || world.count("pg_stat_activity where wait_event = 'PgSleep'") >= 30);
    let pace = Pace::default().limit(Throttle::ActiveSessions, Limit::above(29.0).resume(29.0));
    holds(&world, &plan, &pace, "holding still: active sessions is", || {
        for (cancel, sleeper) in sleepers {
            cancel.cancel_query(postgres::NoTls).unwrap();
            sleeper.join().unwrap().unwrap_err();
        }
    });
}

#[test]
fn h22_long_transactions_hold_it_still() {
    let world = World::new("sessions", USERS);
    let (_, plan) = dual_writing(&world);
    let mut old = world.client();
    old.batch_execute("begin; select 1").unwrap();
    let pace = Pace::default().limit(Throttle::LongTransactions, Limit::above(0.0));
    let text = holds(&world, &plan, &pace, "holding still: long transactions is", || {
        old.batch_execute("commit").unwrap();
    });
    assert!(text.contains("resumed"), "{text}");
}

#[test]
fn h08_a_slot_that_keeps_wal_is_named() {
    let world = restless("slots", USERS);
    let (_, plan) = dual_writing(&world);
    world.execute("select pg_create_physical_replication_slot('forgotten', true)");
    let pace = only(Throttle::RetainedWal).limit(Throttle::RetainedWal, Limit::above(100_000.0));
    world.execute("create table filler as select repeat('x', 100) from generate_series(1, 10000)");
    let text = holds(&world, &plan, &pace, "holding still: retained WAL is", || {
        world.execute("select pg_drop_replication_slot('forgotten')");
    });
    assert!(text.contains("kept for slot forgotten, which nobody reads from"), "{text}");
}

#[test]
fn h08_an_archive_that_is_stuck_holds_it_still() {
    let world = restless("archive", USERS);
    let (_, plan) = dual_writing(&world);
    let told = Told::default();
    let options = Options::default().on_event(told.observer());
    // Its first look is where it begins to count, so it must see the backlog grow, or what was never archived.
    let pace = only(Throttle::ArchiveBacklog)
        .limit(Throttle::ArchiveBacklog, Limit::above(2.0))
        .patience(Duration::from_secs(2));
    let stop = Arc::new(AtomicBool::new(false));
    let mut runner = world.runner_with(options.stop_flag(Arc::clone(&stop)));
    let slow = pace.rows_per_second(20.0).batch(Duration::from_millis(1));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &slow));
        eventually("it is held still, and ends", || {
            if !told.text().contains("holding still") {
                world.execute(SWITCH_WAL);
            }
            run.is_finished()
        });
        let ended = run.join().unwrap().unwrap_err();
        assert!(matches!(ended, Error::Throttled { .. }), "{ended}");
        assert_eq!(ended.class(), Class::Blocked);
        assert!(ended.to_string().contains("it held still for 2 s: archive backlog is"), "{ended}");
    });
}

#[test]
fn h79_what_a_role_cannot_see_is_said_or_refused() {
    let world = World::new("blind", USERS);
    let (_, plan) = dual_writing(&world);
    world.execute(
        "do $$ begin create role blind login; exception when duplicate_object then null; end $$;
        grant usage on schema coexist to blind; grant all on all tables in schema coexist to blind;
        alter table users owner to blind",
    );
    let address = Database::at(&world.database.url().replace("user=postgres", "user=blind")).unwrap();
    let pace = Pace::default().limit(Throttle::ActiveSessions, Limit::above(100.0));
    let told = Told::default();
    let mut runner = Runner::new(address.clone(), Options::default().on_event(told.observer())).unwrap();
    for required in [pace.clone().require(Throttle::ActiveSessions), pace.clone().require_all()] {
        let refused = runner.up(&plan, &required).unwrap_err();
        assert!(matches!(refused, Error::Blind { .. }), "{refused}");
        assert_eq!(refused.class(), Class::Blind);
        assert!(refused.to_string().contains("active sessions: only members of pg_read_all_stats see"), "{refused}");
    }
    assert_eq!(world.count("coexist.segments"), 0);
    let no_limit = runner.backfill(&plan, &pace.clone().require(Throttle::LongTransactions)).unwrap_err();
    assert!(no_limit.to_string().contains("long transactions is required to be seen, and has no limit"), "{no_limit}");
    // What can be seen may be required.
    runner.backfill(&plan, &pace.require(Throttle::RetainedWal)).unwrap();
    assert!(
        told.text().contains("blind-spot active sessions: the backfill does not hold still for it"),
        "{}",
        told.text()
    );
    world.execute("drop owned by blind; drop role blind");
}

#[test]
fn h16_a_pause_takes_effect_while_a_batch_waits_for_a_row() {
    let world = World::new("pause_waiting", USERS);
    let (mut other, plan) = dual_writing(&world);
    let mut application = world.client();
    application.batch_execute("begin; update users set bio = 'changed' where id = 500").unwrap();
    let told = Told::default();
    let options = Options::default().lock_timeout(Duration::from_secs(4)).on_event(told.observer());
    let mut runner = world.runner_with(options);
    world.execute(&format!("alter database {} set deadlock_timeout = '1h'", world.database.name()));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &Pace::default()));
        let waits = "pg_locks where not granted and locktype = 'transactionid'";
        eventually("it waits for the row", || world.count(waits) > 0);
        let begun = Instant::now();
        other.pause(&plan.change).unwrap();
        eventually("it does not wait any more", || world.count(waits) == 0);
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        eventually("it says so", || told.text().contains("paused; waiting to be resumed (asked for)"));
        application.batch_execute("commit").unwrap();
        other.resume(&plan.change).unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
}

#[test]
fn its_pace_and_its_end_come_from_elsewhere() {
    let world = World::new("steered", USERS);
    let (mut other, plan) = dual_writing(&world);
    let (mut first, mut second) = (world.runner(), world.runner());
    std::thread::scope(|scope| {
        // At this rate it would take hours.
        let run = scope.spawn(|| first.backfill(&plan, &Pace::default().rows_per_second(0.01)));
        eventually("it begins", || {
            world.value::<i64>("select coalesce(sum(batches), 0)::bigint from coexist.segments") > 0
        });
        other.stop(&plan.change).unwrap();
        assert!(matches!(run.join().unwrap().unwrap_err(), Error::Stopped { .. }));
        assert!(other.status(&plan).unwrap().paused, "it says why it does not go on");

        let run = scope.spawn(|| second.backfill(&plan, &Pace::default().rows_per_second(0.01)));
        eventually("it is at work", || other.status(&plan).unwrap().runner.is_some());
        let faster = PaceChange { rows_per_second: Some(1e9), ..PaceChange::default() };
        eventually("it is faster", || {
            other.set_pace(&plan.change, &faster).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            run.is_finished()
        });
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
    assert!(world.count("coexist.history") > 0);
    let refused = other.set_pace(&plan.change, &PaceChange { workers: Some(0), ..PaceChange::default() }).unwrap_err();
    assert!(matches!(refused, Error::Options(_)), "{refused}");
}

#[test]
fn h15_a_run_that_is_stopped_leaves_a_pause_that_its_next_run_ends() {
    let world = World::new("interrupted", USERS);
    let (mut other, plan) = dual_writing(&world);
    let stop = Arc::new(AtomicBool::new(false));
    let mut runner = world.runner_with(Options::default().stop_flag(Arc::clone(&stop)));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &Pace::default().rows_per_second(0.01)));
        eventually("it begins", || {
            world.value::<i64>("select coalesce(sum(batches), 0)::bigint from coexist.segments") > 0
        });
        stop.store(true, Ordering::SeqCst);
        assert!(matches!(run.join().unwrap().unwrap_err(), Error::Stopped { .. }));
    });
    let status = other.status(&plan).unwrap();
    assert!(status.paused && !status.paused_by_request);
    assert_eq!(status.pause_reason.as_deref(), Some("its run was stopped"));
    other.backfill(&plan, &Pace::default()).unwrap();
    assert!(!other.status(&plan).unwrap().paused);
}

#[test]
fn h61_a_table_grows_no_more_than_it_may() {
    // A transaction that writes keeps rows from being vacuumed away in every database of its server.
    let sandbox = Sandbox::start().unwrap();
    let times = growth_of_users(&sandbox, &Pace::default().growth(1.2));
    assert!(times <= 1.25, "bounded: {times}");
    // Without a bound, most copies stay in their block; but nothing is cleared up in a block that is read line by line.
    let times = growth_of_users(&sandbox, &Pace::default());
    let most = if sandbox.version() >= 14 { 1.7 } else { 2.3 };
    assert!(times <= most, "{times}");
}

/// To how many times its size a table grows while it is filled.
fn growth_of_users(sandbox: &Sandbox, pace: &Pace) -> f64 {
    let world = World { database: sandbox.database("growth").unwrap(), server: sandbox.version() };
    world.execute(
        "create table users (id bigint primary key generated always as identity, name text not null, bio text) with (autovacuum_enabled = off);
        insert into users (name, bio) select 'name ' || i, repeat('bio ', 20) from generate_series(1, 60000) as i",
    );
    world.execute("vacuum users");
    let (mut runner, plan) = dual_writing(&world);
    let size = "select pg_relation_size('users')";
    let before: i64 = world.value(size);
    runner.backfill(&plan, pace).unwrap();
    let after: i64 = world.value(size);
    assert_eq!(world.count("users where full_name is distinct from name"), 0);
    after as f64 / before as f64
}
