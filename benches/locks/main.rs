//! How long each kind of change keeps others out, on a table of a million rows, while a client reads and writes it.
//!
//!     cargo bench --bench locks                 # all kinds, a million rows
//!     cargo bench --bench locks -- --rows 10000 rename widen
//!
//! For each: the longest that a lock was held which keeps writers out, in which step, and the longest that the client waited
//! for one statement, before the change and during it. With `--write`, the results go to `docs/performance.md`.
//!
//! How long a lock is held is what a session beside waits that asks for the lock of a writer over and over, and for nothing else: a
//! transaction goes on for a while after its locks are released, for it removes the files of what it dropped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails says so by a panic"
)]

mod kinds;
#[path = "../measuring/mod.rs"]
mod measuring;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use coexist::plan::{Lock, LockLevel, Mode, Plan, Step};
use coexist::sandbox::Database;
use coexist::{Event, Options, Pace, Runner};
use coexist_core::ident::QualifiedName;
use kinds::{KINDS, Kind};
use measuring::page::{Section, Wanted};
use measuring::{Arguments, count};

/// The longest that a lock should be held, in milliseconds.
const GOAL: f64 = 10.0;

fn main() {
    let arguments = Arguments::parse(&[1_000_000], 1);
    let rows = arguments.rows[0];
    let mut section = Section::default();
    section.line(format!("On tables of {} rows, while a client reads and changes single rows.", count(rows)));
    section.head(&[
        "change ",
        "longest lock against writers",
        "in step ",
        "client's longest wait: quiet",
        "during the change",
    ]);
    let mut longest = Duration::ZERO;
    for kind in KINDS.iter().filter(|kind| arguments.wants(kind.name)) {
        let measured = measure(kind, rows);
        longest = longest.max(measured.held);
        section.row(&[
            kind.name.to_owned(),
            milliseconds(measured.held),
            measured.step,
            milliseconds(measured.quiet),
            milliseconds(measured.during),
        ]);
    }
    let what = format!("{} rows, the longest lock of all changes, ms", count(rows));
    section.goal(what, longest.as_secs_f64() * 1000.0, Wanted::AtMost(GOAL));
    section.end("locks", arguments.write);
}

struct Measured {
    held: Duration,
    step: String,
    quiet: Duration,
    during: Duration,
}

fn measure(kind: &Kind, rows: u64) -> Measured {
    let plan = support::in_flight::plans(kind.schema, &format!("change it {{ {} stage contract; }}", kind.change))
        .pop()
        .expect("a plan");
    let database = measuring::database("locks", &[kind.schema, &kind.data.replace("ROWS", &rows.to_string())]);
    let stop = AtomicBool::new(false);
    let longest = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| use_the_table(&database, kind, rows, &stop, &longest));
        // What the client waits for without a change: the machine's own hiccups.
        thread::sleep(Duration::from_secs(3));
        let quiet = Duration::from_micros(longest.swap(0, Ordering::Relaxed));
        let (held, step) = run(&database, &plan);
        let during = Duration::from_micros(longest.load(Ordering::Relaxed));
        stop.store(true, Ordering::Relaxed);
        Measured { held, step, quiet, during }
    })
}

/// Takes the change to its end. Answers with the longest that a lock kept writers out, and the step that held it.
fn run(database: &Database, plan: &Plan) -> (Duration, String) {
    // A step whose lock is of the kind that keeps writers out.
    let exclusive = |step: &&Step| {
        let keeps_writers_out = |lock: &Lock| lock.level.conflicts_with(LockLevel::RowExclusive);
        step.action.mode == Mode::Transaction && step.action.locks.iter().any(keeps_writers_out)
    };
    let steps: BTreeSet<String> = plan.steps.iter().filter(exclusive).map(|step| step.id.clone()).collect();
    let current: Arc<Mutex<Option<String>>> = Arc::default();
    let seen = Arc::clone(&current);
    let options = Options::default().on_event(move |event| match event {
        Event::StepStarted { step, .. } if steps.contains(step) => *seen.lock().unwrap() = Some(step.clone()),
        Event::StepDone { .. } => *seen.lock().unwrap() = None,
        _ => {}
    });
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let probes: Vec<_> =
            (plan.tables.iter()).map(|table| scope.spawn(|| longest_held(database, table, &current, &stop))).collect();
        let mut runner = Runner::new(coexist::Database::at(&database.url()).unwrap(), options).unwrap();
        runner.up(plan, &Pace::default()).unwrap_or_else(|error| panic!("{error}"));
        runner.contract(plan, &plan.change).unwrap_or_else(|error| panic!("{error}"));
        stop.store(true, Ordering::Relaxed);
        let longest = probes.into_iter().map(|probe| probe.join().unwrap()).max();
        longest.unwrap_or((Duration::ZERO, "none".into()))
    })
}

/// The longest that a table was locked against writers, and the step.
fn longest_held(
    database: &Database,
    table: &QualifiedName,
    current: &Mutex<Option<String>>,
    stop: &AtomicBool,
) -> (Duration, String) {
    let mut client = database.connect().unwrap();
    let probe = format!("begin; lock table only {} in row exclusive mode; commit", table.quoted());
    let mut longest = (Duration::ZERO, "none".to_owned());
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let step = current.lock().unwrap().clone();
        if client.batch_execute(&probe).is_err() {
            // The table is not there, or no more.
            client.batch_execute("rollback").unwrap();
        }
        let step = step.or_else(|| current.lock().unwrap().clone());
        if let Some(step) = step {
            longest = longest.max((begun.elapsed(), step));
        }
        thread::sleep(Duration::from_micros(200));
    }
    longest
}

/// One statement after the other, each on a row of its own; keeps the longest that one took, in microseconds.
fn use_the_table(database: &Database, kind: &Kind, rows: u64, stop: &AtomicBool, longest: &AtomicU64) {
    let mut client = database.connect().unwrap();
    let mut n: u64 = 1;
    while !stop.load(Ordering::Relaxed) {
        n = (n * 48_271 + 11) % rows;
        let begun = Instant::now();
        // After the contract the old shape is gone, and what the client asks for with it.
        let _ = client.batch_execute(&kind.client.replace("ROW", &(n + 1).to_string()));
        longest.fetch_max(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
        thread::sleep(Duration::from_micros(300));
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
