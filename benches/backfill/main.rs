//! How long a backfill takes, beside one `UPDATE` of the whole table.
//!
//!     cargo bench --bench backfill                                    # up to a million rows
//!     cargo bench --bench backfill -- --rows 10000000 --rounds 1
//!
//! Each contender begins with a table of its own, and they take turns. With `--write`, the results go to `docs/performance.md`.

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

use std::collections::BTreeMap;
use std::time::Instant;

use coexist::{Options, Pace, Runner, Throttle};
use measuring::page::{Section, Wanted};
use measuring::plot::{self, Group};
use measuring::{Arguments, count, median, time};

const TABLE: &str = "create table orders (id bigint primary key, total integer not null, buyer text, note text)";
const FILL: &str = "insert into orders select n, n, 'given' || n || ' family' || n, 'note of order ' || n from generate_series(1, ROWS) as n";
const INDEXES: &str = "create index on orders (total); create index on orders (buyer)";

/// A change of every row.
struct Kind {
    name: &'static str,
    change: &'static str,
    /// What the plain `UPDATE` fills.
    columns: &'static str,
    update: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "integer to bigint",
        change: r#"retype orders.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject }"#,
        columns: "alter table orders add column cents bigint",
        update: "update orders set cents = total::bigint",
    },
    Kind {
        name: "text in two",
        change: r#"divide orders.buyer into given: text, family: text {
            forward given "split_part(buyer, ' ', 1)" or reject, forward family "split_part(buyer, ' ', 2)" or reject,
            backward "given || ' ' || family" or reject, insert nulls take before,
        }"#,
        columns: "alter table orders add column given text, add column family text",
        update: "update orders set given = split_part(buyer, ' ', 1), family = split_part(buyer, ' ', 2)",
    },
];

/// Who fills the rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contender {
    Plain,
    Workers(usize),
    /// One worker that keeps the table from growing.
    Bounded,
}

const CONTENDERS: [Contender; 4] = [Contender::Plain, Contender::Workers(1), Contender::Workers(2), Contender::Bounded];

/// To how many times its size the table may grow there.
const BOUND: f64 = 1.2;

impl Contender {
    fn name(self) -> String {
        match self {
            Self::Plain => "UPDATE".to_owned(),
            Self::Workers(1) => "1 worker".to_owned(),
            Self::Workers(workers) => format!("{workers} workers"),
            Self::Bounded => format!("1 worker, growth {BOUND}"),
        }
    }

    /// Without waiting for an autovacuum: an `UPDATE` does not either.
    fn pace(self) -> Option<Pace> {
        let pace = Pace::default().rest(0.0).without(Throttle::Vacuum);
        match self {
            Self::Plain => None,
            Self::Workers(workers) => Some(pace.workers(workers)),
            Self::Bounded => Some(pace.growth(BOUND)),
        }
    }
}

#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    /// How large the table and its indexes are, in times of what they were.
    table: f64,
    indexes: f64,
    /// Bytes for each row.
    wal: f64,
}

fn main() {
    let arguments = Arguments::parse(&[10_000, 100_000, 1_000_000], 3);
    let mut section = Section::default();
    section.line(format!("Medians of {} rounds, and of the ratios within each round.", arguments.rounds));
    section.head(&[
        "change ",
        "indexes",
        "rows",
        "by ",
        "× `UPDATE`",
        "time",
        "rows/s",
        "table ×",
        "indexes ×",
        "WAL bytes/row",
    ]);
    let (mut groups, mut ratios, mut speeds) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut growth: f64 = 0.0;
    for kind in &KINDS {
        for indexes in [false, true] {
            for rows in arguments.rows.iter().copied() {
                let rounds: Vec<Vec<Measured>> = (0..arguments.rounds)
                    .map(|_| CONTENDERS.iter().map(|contender| measure(kind, indexes, rows, *contender)).collect())
                    .collect();
                let mut bars = Vec::new();
                for (n, contender) in CONTENDERS.into_iter().enumerate() {
                    let of = |value: fn(&Measured) -> f64| median(rounds.iter().map(|round| value(&round[n])));
                    let ratio = median(rounds.iter().map(|round| round[n].seconds / round[0].seconds));
                    let speed = rows as f64 / of(|measured| measured.seconds);
                    section.row(&[
                        kind.name.to_owned(),
                        if indexes { "3" } else { "1" }.to_owned(),
                        count(rows),
                        contender.name(),
                        format!("{ratio:.2}"),
                        time(of(|measured| measured.seconds)),
                        format!("{speed:.0}"),
                        format!("{:.2}", of(|measured| measured.table)),
                        format!("{:.2}", of(|measured| measured.indexes)),
                        format!("{:.0}", of(|measured| measured.wal)),
                    ]);
                    bars.push(Some(ratio));
                    ratios.entry((contender, rows)).or_insert_with(Vec::new).push(ratio);
                    speeds.entry((contender, rows)).or_insert_with(Vec::new).push(speed);
                    if contender == Contender::Bounded && rows >= 100_000 {
                        growth = growth.max(of(|measured| measured.table));
                    }
                }
                let indexes = if indexes { ", 3 indexes" } else { "" };
                groups.push(Group { name: format!("{}, {}{indexes}", kind.name, count(rows)), bars });
            }
        }
    }
    let names = CONTENDERS.map(Contender::name);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let title = "Backfill: time, in times of one UPDATE of the whole table";
    section.picture("backfill", title, &plot::bars(title, " ×", &names, &groups, Some(1.0)), arguments.write);
    for rows in arguments.rows.iter().copied() {
        let worst = |contender| ratios[&(contender, rows)].iter().copied().fold(0.0, f64::max);
        let rows = count(rows);
        section.goal(
            format!("{rows} rows, 1 worker, × UPDATE, the slowest case"),
            worst(Contender::Workers(1)),
            Wanted::AtMost(1.15),
        );
        section.goal(
            format!("{rows} rows, 2 workers, × UPDATE, the slowest case"),
            worst(Contender::Workers(2)),
            Wanted::AtMost(0.8),
        );
    }
    if let (Some(most), true) = (arguments.rows.iter().max(), arguments.rows.contains(&1_000_000))
        && *most > 1_000_000
    {
        let speed = |rows| median(speeds[&(Contender::Workers(1), rows)].iter().copied());
        section.goal(
            format!("rows/s at {} rows, × at 1 M", count(*most)),
            speed(*most) / speed(1_000_000),
            Wanted::AtLeast(0.85),
        );
    }
    if growth > 0.0 {
        section.goal(format!("size of the table, bounded to {BOUND}, the largest"), growth, Wanted::AtMost(1.2));
    }
    section.end("backfill", arguments.write);
}

fn measure(kind: &Kind, indexes: bool, rows: u64, contender: Contender) -> Measured {
    let fill = FILL.replace("ROWS", &rows.to_string());
    let indexes = if indexes { INDEXES } else { "" };
    let schema = format!("{TABLE}; {indexes}");
    let database = measuring::database("backfill", &[TABLE, &fill, indexes]);
    let mut client = database.connect().unwrap();
    let mut state = || -> (f64, f64, f64) {
        let row = client
            .query_one(
                "select pg_relation_size('orders')::float8, pg_indexes_size('orders')::float8,
                    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8",
                &[],
            )
            .unwrap();
        (row.get(0), row.get(1), row.get(2))
    };
    let work: Box<dyn FnOnce()> = match contender.pace() {
        None => {
            let mut client = database.connect().unwrap();
            client.batch_execute(kind.columns).unwrap();
            Box::new(move || client.batch_execute(kind.update).unwrap())
        }
        Some(pace) => {
            let change = format!("change it {{ {} stage migrate; }}", kind.change);
            let plan = support::in_flight::plans(&schema, &change).pop().expect("a plan");
            let address = coexist::Database::at(&database.url()).unwrap();
            let mut runner = Runner::new(address, Options::default()).unwrap();
            runner.expand(&plan).unwrap();
            runner.dual_write(&plan).unwrap();
            Box::new(move || runner.backfill(&plan, &pace).unwrap())
        }
    };
    let (table, index, wal) = state();
    let begun = Instant::now();
    work();
    let seconds = begun.elapsed().as_secs_f64();
    let after = state();
    Measured { seconds, table: after.0 / table, indexes: after.1 / index, wal: (after.2 - wal) / rows as f64 }
}
