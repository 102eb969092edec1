//! How long each kind of change keeps others out, on a table of a million rows, while a client reads and writes it.
//!
//!     cargo bench --bench locks                 # all kinds, a million rows
//!     cargo bench --bench locks -- --rows 10000 rename widen
//!
//! Prints a table in Markdown: the longest transaction that held a lock which keeps writers out, and the longest that the client waited
//! for one statement, before the change and during it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails says so by a panic"
)]

mod kinds;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use coexist::plan::{LockLevel, Mode, Plan};
use coexist::sandbox::Database;
use coexist::{Event, Options, Pace, Runner};
use kinds::{KINDS, Kind};

fn main() {
    let (rows, wanted) = arguments();
    println!("PostgreSQL {}, {rows} rows\n", support::version());
    println!("| change | longest exclusive lock held | in step | client's longest wait: quiet | during the change |");
    println!("|---|--:|---|--:|--:|");
    for kind in KINDS.iter().filter(|kind| wanted.is_empty() || wanted.iter().any(|name| name == kind.name)) {
        let measured = measure(kind, rows);
        println!(
            "| {} | {} | {} | {} | {} |",
            kind.name,
            milliseconds(measured.held),
            measured.step,
            milliseconds(measured.quiet),
            milliseconds(measured.during)
        );
    }
}

/// The number of rows, and the names of kinds; none means all.
fn arguments() -> (u64, Vec<String>) {
    let (mut rows, mut wanted) = (1_000_000, Vec::new());
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rows" => rows = arguments.next().and_then(|rows| rows.parse().ok()).expect("--rows takes a number"),
            _ => wanted.push(argument),
        }
    }
    (rows, wanted)
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
    let database = support::database("locks");
    let mut client = database.connect().unwrap();
    client.batch_execute(kind.schema).unwrap();
    client.batch_execute(&kind.data.replace("ROWS", &rows.to_string())).unwrap();
    client.batch_execute("vacuum analyze").unwrap();
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

/// Takes the change to its end. Answers with the longest transaction under a lock that keeps writers out, and its step.
fn run(database: &Database, plan: &Plan) -> (Duration, String) {
    let took: Arc<Mutex<BTreeMap<String, Duration>>> = Arc::default();
    let seen = Arc::clone(&took);
    // A try that did not get its locks held none for long: the one that did is what counts.
    let begun = Mutex::new((Instant::now(), false));
    let options = Options::default().on_event(move |event| match event {
        Event::StepStarted { .. } => *begun.lock().unwrap() = (Instant::now(), false),
        Event::Retry { after, .. } => *begun.lock().unwrap() = (Instant::now() + *after, true),
        Event::StepDone { step, lock_wait, .. } => {
            let (begun, again) = *begun.lock().unwrap();
            let waited = if again { Duration::ZERO } else { *lock_wait };
            seen.lock().unwrap().insert(step.clone(), begun.elapsed().saturating_sub(waited));
        }
        _ => {}
    });
    let mut runner = Runner::new(coexist::Database::at(&database.url()).unwrap(), options).unwrap();
    runner.up(plan, &Pace::default()).unwrap_or_else(|error| panic!("{error}"));
    runner.contract(plan, &plan.change).unwrap_or_else(|error| panic!("{error}"));
    let took = took.lock().unwrap();
    let keeps_writers_out = |level: LockLevel| level.conflicts_with(LockLevel::RowExclusive);
    let exclusive = plan.steps.iter().filter(|step| {
        step.action.mode == Mode::Transaction && step.action.locks.iter().any(|lock| keeps_writers_out(lock.level))
    });
    exclusive
        .filter_map(|step| Some((*took.get(&step.id)?, step.id.clone())))
        .max()
        .unwrap_or((Duration::ZERO, "none".into()))
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
