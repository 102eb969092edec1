//! Writers through both shapes while workers are killed, sessions are ended, the server crashes, and backfills are paused, resumed and paced:
//! afterwards every row agrees.
//!
//! A few seconds long, unless `COEXIST_SOAK_SECONDS` says otherwise: `COEXIST_SOAK_SECONDS=600 cargo test --test soak -- --nocapture`.
//! `COEXIST_SOAK_SEED` repeats the choices of an earlier run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use coexist::plan::{Phase, Plan};
use coexist::sandbox::{self, Sandbox};
use coexist::{Database, Error, Options, Pace, PaceChange, Runner};
use postgres::error::SqlState;

use support::clients::Random;
use support::wait_until;

const SCHEMA: &str = "
    create table orders (id bigint primary key generated always as identity, total integer not null, note text);
    create table users (id bigint primary key generated always as identity, name text not null, bio text);";

/// The user's own trigger tells which rows a backfill writes; a second time would be one too many.
const DATA: &str = "
    create table filled (id bigint not null, backfill text not null);
    create function note_filled() returns trigger language plpgsql as $$
    begin
        insert into filled values (new.id, current_setting('coexist.backfill', true));
        return null;
    end $$;
    create trigger note_filled after update on orders for each row
        when (coalesce(current_setting('coexist.backfill', true), '') <> '') execute function note_filled();
    insert into orders (total, note) select i, 'note ' || i from generate_series(1, 10000) as i;
    insert into users (name, bio) select 'name ' || i, case when i % 3 > 0 then 'bio ' || i end from generate_series(1, 10000) as i";

const CHANGES: &str = r#"
    change widen_total {
        retype orders.total to total_cents: bigint { forward "total::bigint * 100" or reject, backward "(total_cents / 100)::integer" or reject }
        stage expand;
    }
    change split_bio { split users into profiles { key user_id, move bio } stage expand; }"#;

const ROWS: usize = 10_000;

/// What an application runs.
fn statement(random: &mut Random) -> String {
    let (id, n) = (random.below(ROWS + 2000) + 1, random.below(1_000_000));
    match random.below(13) {
        0 => format!("insert into orders (total, note) values ({n}, 'before')"),
        1 => format!("insert into orders (total_cents, note) values ({n}00, 'after')"),
        2 | 3 => format!("update orders set total = {n} where id = {id}"),
        4 | 5 => format!("update orders set total_cents = {n}00 where id = {id}"),
        6 => format!("update orders set note = 'note {n}' where id between {id} and {id} + 5"),
        7 => format!("delete from orders where id = {id}"),
        8 => format!("insert into users (name, bio) values ('new', 'bio {n}')"),
        9 => format!("update users set bio = 'before {n}' where id = {id}"),
        10 => format!("update profiles set bio = 'after {n}' where user_id = {id}"),
        11 => format!("update users set bio = null where id = {id}"),
        _ => format!("delete from users where id = {id}"),
    }
}

/// An application, until it is told to stop. It connects again when the server is gone, and tries again what a deadlock ended.
fn write(database: &sandbox::Database, mut random: Random, stop: &AtomicBool, written: &AtomicUsize) {
    let mut client = None;
    while !stop.load(Ordering::SeqCst) {
        let Some(connected) = client.as_mut() else {
            client = database.connect().ok();
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let sql = statement(&mut random);
        let Err(error) = postgres::Client::batch_execute(connected, &sql) else {
            written.fetch_add(1, Ordering::SeqCst);
            continue;
        };
        match error.code() {
            Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
            Some(code) if code.code().starts_with("57P") => client = None,
            None if connected.is_closed() => client = None,
            _ => panic!("{sql}: {error:?}"),
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn plans() -> Vec<Plan> {
    support::in_flight::plans(SCHEMA, CHANGES)
}

/// Not a test by itself: a process that leads a backfill or joins it, and that may be killed at any moment.
#[test]
fn a_process_that_works() {
    let Ok(url) = std::env::var("COEXIST_SOAK_WORKS_AT") else { return };
    let plan = &plans()[number("COEXIST_SOAK_CHANGE").unwrap() as usize];
    let rate = number("COEXIST_SOAK_RATE").unwrap() as f64;
    let pace = Pace::default().batch(Duration::from_millis(20)).workers(2).rows_per_second(rate);
    let options = Options::default().lease(Duration::from_secs(2));
    let mut runner = Runner::new(Database::at(&url).unwrap(), options).unwrap();
    let leads = number("COEXIST_SOAK_LEADS") == Some(1);
    let result = if leads { runner.backfill(plan, &pace) } else { runner.join(plan, &pace) };
    if let Err(error) = result {
        eprintln!("{} of {}: {error}", if leads { "the leader" } else { "a worker" }, plan.change);
        std::process::exit(1);
    }
}

/// The processes that fill one change.
struct Crew<'a> {
    database: &'a sandbox::Database,
    change: usize,
    /// Rows per second, of each process.
    rate: u64,
    /// The first one leads.
    processes: [Option<Child>; 2],
}

impl Crew<'_> {
    /// Starts those that are not there.
    fn tend(&mut self) {
        for (n, process) in self.processes.iter_mut().enumerate() {
            if let Some(child) = process
                && child.try_wait().unwrap().is_none()
            {
                continue;
            }
            let started = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "a_process_that_works", "--nocapture"])
                .env("COEXIST_SOAK_WORKS_AT", self.database.url())
                .env("COEXIST_SOAK_CHANGE", self.change.to_string())
                .env("COEXIST_SOAK_RATE", self.rate.to_string())
                .env("COEXIST_SOAK_LEADS", if n == 0 { "1" } else { "0" })
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            *process = Some(started.unwrap());
        }
    }

    fn kill(&mut self, n: usize) {
        if let Some(mut child) = self.processes[n].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        (0..self.processes.len()).for_each(|n| self.kill(n));
    }
}

/// A runner of this process; `None` while the server is down.
fn runner(database: &sandbox::Database) -> Option<Runner> {
    let options = Options::default().lease(Duration::from_secs(2));
    Runner::new(Database::at(&database.url()).unwrap(), options).ok()
}

/// Makes trouble, until every change is backfilled or `until` is over. Answers with how often it did what.
fn trouble(
    sandbox: &mut Sandbox,
    database: &sandbox::Database,
    random: &mut Random,
    until: Instant,
) -> Vec<(&'static str, usize)> {
    let plans = plans();
    let seconds = until.saturating_duration_since(Instant::now()).as_secs().max(1);
    let rate = (ROWS as u64 / seconds / 4).clamp(50, 2000);
    let mut crews: Vec<Crew> =
        (0..plans.len()).map(|change| Crew { database, change, rate, processes: [None, None] }).collect();
    let mut done = [
        ("a leader was killed", 0),
        ("a worker was killed", 0),
        ("paused", 0),
        ("resumed", 0),
        ("paced", 0),
        ("sessions were ended", 0),
        ("the server crashed", 0),
    ];
    while Instant::now() < until {
        crews.iter_mut().for_each(Crew::tend);
        thread::sleep(Duration::from_millis(100 + random.below(400) as u64));
        let Some(mut runner) = runner(database) else { continue };
        if plans.iter().all(|plan| runner.phase(&plan.change).is_ok_and(|phase| phase == Phase::Backfilled)) {
            break;
        }
        let n = random.below(plans.len());
        let change = plans[n].change.as_str();
        let action = [0, 1, 1, 2, 3, 3, 4, 4, 5, 6][random.below(10)];
        done[action].1 += 1;
        match action {
            0 => crews[n].kill(0),
            1 => crews[n].kill(1),
            2 => runner.pause(change).unwrap(),
            3 => runner.resume(change).unwrap(),
            4 => {
                let pace = PaceChange {
                    batch: Some(Duration::from_millis(1 + random.below(200) as u64)),
                    workers: Some(1 + random.below(3)),
                    rows_per_second: Some((rate as usize * (1 + random.below(3))) as f64),
                    ..PaceChange::default()
                };
                runner.set_pace(change, &pace).unwrap();
            }
            5 => {
                let sql = "select pg_terminate_backend(pid) from pg_stat_activity
                    where application_name like 'coexist: %' and random() < 0.5";
                database.connect().unwrap().batch_execute(sql).unwrap();
            }
            _ => {
                drop(runner);
                sandbox.kill().unwrap();
                sandbox.restart().unwrap();
            }
        }
    }
    done.to_vec()
}

/// Takes a change to validated, once whoever was killed is forgotten.
fn settle(database: &sandbox::Database, plan: &Plan) {
    wait_until("the lease of a process that was killed ends", || {
        let mut runner = runner(database).unwrap();
        runner.resume(&plan.change).unwrap();
        match runner.up(plan, &Pace::default()) {
            Ok(()) => true,
            Err(Error::AnotherRunner { .. }) => false,
            Err(error) => panic!("{}: {error}", plan.change),
        }
    });
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another seed every time")]
fn h01_h02_h03_h05_every_row_agrees_after_all_kinds_of_trouble() {
    let seconds = number("COEXIST_SOAK_SECONDS").unwrap_or(4);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = number("COEXIST_SOAK_SEED").unwrap_or(now.subsec_nanos().into());
    eprintln!("seed {seed}, {seconds} s");
    let mut random = Random::new(seed);

    let mut sandbox = Sandbox::start().unwrap();
    let database = sandbox.database("soak").unwrap();
    database.connect().unwrap().batch_execute(&format!("{SCHEMA} {DATA}")).unwrap();
    let catalog = support::catalog_dump(&mut database.connect().unwrap());
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        let mut first = runner(&database).unwrap();
        for plan in &plans() {
            first.expand(plan).unwrap();
            first.dual_write(plan).unwrap();
        }
        drop(first);
        let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                let random = Random::new(random.below(usize::MAX) as u64);
                scope.spawn(|| write(&database, random, &stop, &written));
            }
            let ended = scope.spawn(|| {
                let done = trouble(&mut sandbox, &database, &mut random, until);
                plans().iter().for_each(|plan| settle(&database, plan));
                done
            });
            let done = ended.join();
            stop.store(true, Ordering::SeqCst);
            eprintln!("{} writes; {:?}", written.load(Ordering::SeqCst), done.unwrap());
        });
        check(&database);
        let mut last = runner(&database).unwrap();
        for plan in plans().iter().rev() {
            last.rollback(plan, Some(&plan.change)).unwrap();
        }
        let mut client = database.connect().unwrap();
        assert!(support::catalog_dump(&mut client) == catalog, "the catalog is not what it was");
        client.batch_execute("truncate filled").unwrap();
        if Instant::now() >= until {
            break;
        }
    }
}

/// Everything that must hold when it is over.
fn check(database: &sandbox::Database) {
    let mut client = database.connect().unwrap();
    let mut count = |what: &str| -> i64 { client.query_one(&format!("select count(*) {what}"), &[]).unwrap().get(0) };
    for plan in &plans() {
        let found = runner(database).unwrap().verify(plan).unwrap();
        assert!(found.is_clean(), "{}: {:?}", plan.change, found.samples);
    }
    assert_eq!(count("from orders where total_cents / 100 is distinct from total"), 0);
    assert_eq!(count("from users full join profiles on id = user_id where users.bio is distinct from profiles.bio"), 0);
    assert_eq!(count("from (select from filled group by id having count(*) > 1) as twice"), 0, "no row twice");
    let counted = "select coalesce(sum(rows), 0)::bigint from coexist.segments where change = 'widen_total'";
    let counted: i64 = database.connect().unwrap().query_one(counted, &[]).unwrap().get(0);
    assert_eq!(count("from filled"), counted, "the ledger counts what was written, no more and no less");
}
