//! What an application feels of a backfill of the table that it uses.
//!
//!     cargo bench --bench clients
//!     cargo bench --bench clients -- --rows 300000 --rounds 1
//!
//! A few clients read and change single rows at random, with a moment's thought in between, so that the server has something left to give.
//! Each contender is measured on a table of its own: quiet, and while it runs. With `--write`, the results go to `docs/performance.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails says so by a panic"
)]

#[path = "../measuring/mod.rs"]
mod measuring;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use coexist::sandbox::Database;
use coexist::{Options, Pace, Runner};
use measuring::orders::{CHANGE, FILL, TABLE};
use measuring::page::{Section, Wanted};
use measuring::plot::{self, Group};
use measuring::{Arguments, count, median, time};
use support::clients::Random;

/// How many clients there are, and how long each thinks between two statements.
const CLIENTS: u64 = 4;
const THOUGHT: Duration = Duration::from_millis(3);
/// How long the quiet before and after is measured.
const QUIET: Duration = Duration::from_secs(8);

/// What runs beside the clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contender {
    DefaultPace,
    Resting,
    TwoWorkers,
    Plain,
    /// Nothing but a processor in use: what this machine makes of that is no backfill's doing.
    Computing,
}

const CONTENDERS: [Contender; 5] =
    [Contender::DefaultPace, Contender::Resting, Contender::TwoWorkers, Contender::Plain, Contender::Computing];

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Self::DefaultPace => "backfill, default pace",
            Self::Resting => "backfill, resting three times as long as it works",
            Self::TwoWorkers => "backfill, 2 workers",
            Self::Plain => "one UPDATE of the whole table",
            Self::Computing => "a session that only computes",
        }
    }
}

/// Stretches of time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    During,
    After,
}

impl When {
    fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        }
    }
}

/// What the clients felt in one stretch of time.
#[derive(Clone, Copy, Default)]
struct Felt {
    median: f64,
    p99: f64,
    longest: f64,
    per_second: f64,
}

struct Measured {
    before: Felt,
    during: Felt,
    after: Felt,
    seconds: f64,
    failures: usize,
}

fn main() {
    let arguments = Arguments::parse(&[1_000_000], 3);
    let mut section = Section::default();
    section.line(format!(
        "{CLIENTS} clients, each with {} ms of thought between two statements: half read a row by its key, half change one. Medians of {} rounds.",
        THOUGHT.as_millis(),
        arguments.rounds
    ));
    for rows in arguments.rows.iter().copied() {
        let rounds: Vec<Vec<Measured>> = (0..arguments.rounds)
            .map(|_| CONTENDERS.iter().map(|contender| measure(*contender, rows)).collect())
            .collect();
        report(&mut section, rows, &rounds, arguments.write);
    }
    section.end("clients", arguments.write);
}

fn report(section: &mut Section, rows: u64, rounds: &[Vec<Measured>], write: bool) {
    section.head(&[
        "beside ",
        "when ",
        "median",
        "p99",
        "longest",
        "statements/s",
        "p99 × quiet",
        "throughput × quiet",
        "took",
        "failures",
    ]);
    let mut groups = Vec::new();
    for (n, contender) in CONTENDERS.into_iter().enumerate() {
        let of = |value: &dyn Fn(&Measured) -> f64| median(rounds.iter().map(|round| value(&round[n])));
        let failures: usize = rounds.iter().map(|round| round[n].failures).sum();
        for when in [When::Before, When::During, When::After] {
            let felt = |measured: &Measured| match when {
                When::Before => measured.before,
                When::During => measured.during,
                When::After => measured.after,
            };
            let is_during = when == When::During;
            section.row(&[
                contender.name().to_owned(),
                when.name().to_owned(),
                time(of(&|m| felt(m).median)),
                time(of(&|m| felt(m).p99)),
                time(of(&|m| felt(m).longest)),
                format!("{:.0}", of(&|m| felt(m).per_second)),
                format!("{:.2}", of(&|m| felt(m).p99 / m.before.p99)),
                format!("{:.2}", of(&|m| felt(m).per_second / m.before.per_second)),
                if is_during { time(of(&|m| m.seconds)) } else { String::new() },
                if is_during { failures.to_string() } else { String::new() },
            ]);
        }
        let (p99, throughput) =
            (of(&|m| m.during.p99 / m.before.p99), of(&|m| m.during.per_second / m.before.per_second));
        groups.push(Group { name: contender.name().to_owned(), bars: vec![Some(p99), Some(throughput)] });
        if contender == Contender::DefaultPace {
            let what = |goal: &str| format!("{} rows, default pace, {goal}", count(rows));
            section.goal(what("p99 × quiet"), p99, Wanted::AtMost(1.5));
            section.goal(what("throughput × quiet"), throughput, Wanted::AtLeast(0.9));
            section.goal(what("failed statements"), failures as f64, Wanted::AtMost(0.0));
        }
    }
    let title = "What clients feel while all rows are filled, in times of the quiet before";
    let picture = plot::bars(title, " ×", &["p99 latency", "throughput"], &groups, Some(1.0));
    section.picture("clients", title, &picture, write);
}

fn measure(contender: Contender, rows: u64) -> Measured {
    let database = measuring::database("clients", &[TABLE, &FILL.replace("ROWS", &rows.to_string())]);
    let work: Box<dyn FnOnce()> = match contender {
        Contender::Plain => {
            let mut client = database.connect().unwrap();
            client.batch_execute("alter table orders add column cents bigint").unwrap();
            Box::new(move || client.batch_execute("update orders set cents = total::bigint").unwrap())
        }
        Contender::Computing => {
            let mut client = database.connect().unwrap();
            let compute = format!("select count(*) from generate_series(1, {}) as n where n % 7 = 3", 20 * rows);
            Box::new(move || client.batch_execute(&compute).unwrap())
        }
        Contender::DefaultPace | Contender::Resting | Contender::TwoWorkers => {
            let plan = support::in_flight::plans(TABLE, CHANGE).pop().expect("a plan");
            let mut runner = Runner::new(coexist::Database::at(&database.url()).unwrap(), Options::default()).unwrap();
            runner.expand(&plan).unwrap();
            runner.dual_write(&plan).unwrap();
            let pace = match contender {
                Contender::Resting => Pace::default().rest(3.0),
                Contender::TwoWorkers => Pace::default().workers(2),
                _ => Pace::default(),
            };
            Box::new(move || runner.backfill(&plan, &pace).unwrap())
        }
    };
    let clients = Clients { database: &database, rows, felt: Mutex::default(), failures: AtomicUsize::new(0) };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        (0..CLIENTS).for_each(|n| {
            let (clients, stop) = (&clients, &stop);
            scope.spawn(move || clients.use_the_table(n, stop));
        });
        // The first statements read the table into memory.
        clients.for_a_while(QUIET / 4);
        let before = clients.for_a_while(QUIET);
        let begun = Instant::now();
        work();
        let seconds = begun.elapsed().as_secs_f64();
        let during = clients.take(begun, seconds);
        let after = clients.for_a_while(QUIET);
        stop.store(true, Ordering::Relaxed);
        Measured { before, during, after, seconds, failures: clients.failures.load(Ordering::Relaxed) }
    })
}

/// Clients at work.
struct Clients<'a> {
    database: &'a Database,
    rows: u64,
    /// When each statement since they were taken last began, and how long it took, in seconds.
    felt: Mutex<Vec<(Instant, f64)>>,
    failures: AtomicUsize,
}

impl Clients<'_> {
    fn use_the_table(&self, n: u64, stop: &AtomicBool) {
        let mut client = self.database.connect().unwrap();
        let read = client.prepare("select total, buyer, note from orders where id = $1").unwrap();
        let change = client.prepare("update orders set total = total % 1000000 + 1 where id = $1").unwrap();
        let mut random = Random::new(n + 1);
        while !stop.load(Ordering::Relaxed) {
            let statement = if random.below(2) == 0 { &read } else { &change };
            let id = 1 + random.below(self.rows as usize) as i64;
            let begun = Instant::now();
            if client.query(statement, &[&id]).is_err() {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            self.felt.lock().unwrap().push((begun, begun.elapsed().as_secs_f64()));
            thread::sleep(THOUGHT);
        }
    }

    fn for_a_while(&self, duration: Duration) -> Felt {
        let begun = Instant::now();
        thread::sleep(duration);
        self.take(begun, begun.elapsed().as_secs_f64())
    }

    /// What was felt of the statements that began in the `seconds` from `begun` on.
    fn take(&self, begun: Instant, seconds: f64) -> Felt {
        let end = begun + Duration::from_secs_f64(seconds);
        // Those that began in that time, and waited, are over soon.
        thread::sleep(Duration::from_millis(500));
        let all = std::mem::take(&mut *self.felt.lock().unwrap());
        let in_time = all.into_iter().filter(|(at, _)| (begun..end).contains(at));
        let mut felt: Vec<f64> = in_time.map(|(_, took)| took).collect();
        felt.sort_by(f64::total_cmp);
        let at = |part: f64| felt.get(((felt.len() as f64 * part) as usize).min(felt.len().saturating_sub(1))).copied();
        Felt {
            median: at(0.5).unwrap_or_default(),
            p99: at(0.99).unwrap_or_default(),
            longest: felt.last().copied().unwrap_or_default(),
            per_second: felt.len() as f64 / seconds,
        }
    }
}
