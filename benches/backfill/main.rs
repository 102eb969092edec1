//! How long a backfill takes, beside one `UPDATE` of the whole table.
//!
//!     cargo bench --bench backfill                                    # up to a million rows
//!     cargo bench --bench backfill -- --rows 10000000 --rounds 1 "integer to bigint"
//!
//! Each contender begins with a table of its own, and they take turns; other tools, which take long, in the first round only, and with a
//! million rows at most; of more rows there is one round. With `--write`, the results go to `docs/performance.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that fails says so by a panic"
)]

#[path = "../measuring/mod.rs"]
mod measuring;
mod peers;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use coexist::{Options, Pace, Runner, Throttle};
use measuring::page::{Section, Wanted};
use measuring::plot::{self, Group};
use measuring::{Arguments, count, median, time};
use peers::{Migrations, Peer};

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
    /// The same for other tools.
    migrations: Migrations,
    /// At least how many times as long reshape should take.
    reshape_goal: f64,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "integer to bigint",
        change: r#"retype orders.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject }"#,
        columns: "alter table orders add column cents bigint",
        update: "update orders set cents = total::bigint",
        migrations: Migrations {
            pgroll: r#"{"operations": [{"alter_column": {
                "table": "orders", "column": "total", "type": "bigint", "up": "total::bigint", "down": "total::integer"
            }}]}"#,
            reshape: r#"
                [[actions]]
                type = "alter_column"
                table = "orders"
                column = "total"
                up = "total::bigint"
                down = "total::integer"
                [actions.changes]
                type = "BIGINT"
            "#,
        },
        reshape_goal: 3.0,
    },
    Kind {
        name: "text in two",
        change: r#"divide orders.buyer into given: text, family: text {
            forward given "split_part(buyer, ' ', 1)" or reject, forward family "split_part(buyer, ' ', 2)" or reject,
            backward "given || ' ' || family" or reject, insert nulls take before,
        }"#,
        columns: "alter table orders add column given text, add column family text",
        update: "update orders set given = split_part(buyer, ' ', 1), family = split_part(buyer, ' ', 2)",
        migrations: Migrations {
            pgroll: r#"{"operations": [
                {"add_column": {
                    "table": "orders", "up": "split_part(buyer, ' ', 1)", "column": {"name": "given", "type": "text", "nullable": true}
                }},
                {"add_column": {
                    "table": "orders", "up": "split_part(buyer, ' ', 2)", "column": {"name": "family", "type": "text", "nullable": true}
                }},
                {"drop_column": {"table": "orders", "column": "buyer", "down": "given || ' ' || family"}}
            ]}"#,
            reshape: r#"
                [[actions]]
                type = "add_column"
                table = "orders"
                up = "split_part(buyer, ' ', 1)"
                [actions.column]
                name = "given"
                type = "TEXT"

                [[actions]]
                type = "add_column"
                table = "orders"
                up = "split_part(buyer, ' ', 2)"
                [actions.column]
                name = "family"
                type = "TEXT"

                [[actions]]
                type = "remove_column"
                table = "orders"
                column = "buyer"
                down = "given || ' ' || family"
            "#,
        },
        reshape_goal: 6.0,
    },
];

/// Who fills the rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contender {
    Plain,
    Workers(usize),
    /// One worker that keeps the table from growing.
    Bounded,
    Peer(Peer),
}

/// To how many times its size the table may grow there.
const BOUND: f64 = 1.2;

/// More rows than these take long: one round is enough, without other tools.
const LONG: u64 = 1_000_000;

impl Contender {
    fn name(self) -> String {
        match self {
            Self::Plain => "UPDATE".to_owned(),
            Self::Workers(1) => "1 worker".to_owned(),
            Self::Workers(workers) => format!("{workers} workers"),
            Self::Bounded => format!("1 worker, growth {BOUND}"),
            Self::Peer(peer) => peer.name().to_owned(),
        }
    }

    /// Without waiting for an autovacuum: an `UPDATE` does not either.
    fn pace(self) -> Option<Pace> {
        let pace = Pace::default().rest(0.0).without(Throttle::Vacuum);
        match self {
            Self::Plain | Self::Peer(_) => None,
            Self::Workers(workers) => Some(pace.workers(workers)),
            Self::Bounded => Some(pace.growth(BOUND)),
        }
    }
}

/// Those that can be had here.
fn contenders(section: &mut Section) -> Vec<Contender> {
    let (there, missing): (Vec<_>, Vec<_>) =
        [Peer::Pgroll, Peer::Reshape].into_iter().partition(|peer| peer.is_there());
    for peer in missing {
        let (name, install) = (peer.name(), peer.install());
        section.line(format!("{name} is left out: it was not to be had on the machine (`{install}`)."));
    }
    let ours = [Contender::Plain, Contender::Workers(1), Contender::Workers(2), Contender::Bounded];
    ours.into_iter().chain(there.into_iter().map(Contender::Peer)).collect()
}

#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    /// How large the table and its indexes are, in times of what they were.
    table: f64,
    indexes: f64,
    /// How large the table is, in times of what its rows take without gaps.
    loose: f64,
    /// Bytes for each row.
    wal: f64,
}

/// What all rounds came to of one contender at one task.
struct Result {
    kind: &'static Kind,
    rows: u64,
    contender: Contender,
    /// In times of the plain `UPDATE`.
    ratio: f64,
    /// In times of one worker.
    of_worker: f64,
    per_second: f64,
    loose: f64,
}

fn main() {
    let arguments = Arguments::parse(&[10_000, 100_000, 1_000_000], 3);
    let mut section = Section::default();
    section.line(format!(
        "Medians of {} rounds, and of the ratios within each round; one round of more than {} rows.",
        arguments.rounds,
        count(LONG)
    ));
    section.line("Time is that of filling the rows; that of other tools is of the command that begins the change and fills them.");
    let contenders = contenders(&mut section);
    section.head(&[
        "change ",
        "indexes",
        "rows",
        "by ",
        "× `UPDATE`",
        "time",
        "rows/s",
        "table ×",
        "without gaps ×",
        "indexes ×",
        "WAL bytes/row",
    ]);
    let (mut groups, mut results) = (Vec::new(), Vec::new());
    for kind in KINDS.iter().filter(|kind| arguments.wants(kind.name)) {
        for indexes in [false, true] {
            for rows in arguments.rows.iter().copied() {
                let first = results.len();
                compete(&mut section, &mut results, &contenders, kind, indexes, rows, arguments.rounds);
                let indexes = if indexes { ", 3 indexes" } else { "" };
                let bars = results[first..].iter().map(|result| Some(result.ratio)).collect();
                groups.push(Group { name: format!("{}, {}{indexes}", kind.name, count(rows)), bars });
            }
        }
    }
    let names: Vec<String> = contenders.iter().map(|contender| contender.name()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let title = "Backfill: time, in times of one UPDATE of the whole table";
    section.picture("backfill", title, &plot::bars(title, " ×", &names, &groups, Some(1.0)), arguments.write);
    goals(&mut section, &results, &arguments.rows);
    section.end("backfill", arguments.write);
}

/// All contenders at one task, in turns.
fn compete(
    section: &mut Section,
    results: &mut Vec<Result>,
    contenders: &[Contender],
    kind: &'static Kind,
    indexes: bool,
    rows: u64,
    rounds: usize,
) {
    let rounds: Vec<BTreeMap<Contender, Measured>> = (0..if rows > LONG { 1 } else { rounds })
        .map(|round| {
            let is_short = round == 0 && rows <= LONG;
            let takes_part = |contender: &&Contender| is_short || !matches!(contender, Contender::Peer(_));
            let measured = |contender: &Contender| (*contender, measure(kind, indexes, rows, *contender));
            contenders.iter().filter(takes_part).map(measured).collect()
        })
        .collect();
    for contender in rounds.iter().flat_map(BTreeMap::keys).copied().collect::<BTreeSet<_>>() {
        let of =
            |value: fn(&Measured) -> f64| median(rounds.iter().filter_map(|round| round.get(&contender)).map(value));
        let beside = |other| {
            let ratio = |round: &BTreeMap<Contender, Measured>| {
                Some(round.get(&contender)?.seconds / round.get(&other)?.seconds)
            };
            median(rounds.iter().filter_map(ratio))
        };
        let result = Result {
            kind,
            rows,
            contender,
            ratio: beside(Contender::Plain),
            of_worker: beside(Contender::Workers(1)),
            per_second: rows as f64 / of(|measured| measured.seconds),
            loose: of(|measured| measured.loose),
        };
        section.row(&[
            kind.name.to_owned(),
            if indexes { "3" } else { "1" }.to_owned(),
            count(rows),
            contender.name(),
            format!("{:.2}", result.ratio),
            time(of(|measured| measured.seconds)),
            format!("{:.0}", result.per_second),
            format!("{:.2}", of(|measured| measured.table)),
            format!("{:.2}", result.loose),
            format!("{:.2}", of(|measured| measured.indexes)),
            format!("{:.0}", of(|measured| measured.wal)),
        ]);
        results.push(result);
    }
}

fn goals(section: &mut Section, results: &[Result], rows: &[u64]) {
    let of =
        |contender, rows| results.iter().filter(move |result| result.contender == contender && result.rows == rows);
    for rows in rows.iter().copied() {
        for (workers, limit) in [(1, 1.15), (2, 0.8)] {
            let worst = of(Contender::Workers(workers), rows).map(|result| result.ratio).fold(0.0, f64::max);
            let name = Contender::Workers(workers).name();
            let what = format!("{} rows, {name}, × UPDATE, the slowest case", count(rows));
            section.goal(what, worst, Wanted::AtMost(limit));
        }
    }
    let long = |result: &&Result| result.rows >= 300_000;
    for peer in [Peer::Pgroll, Peer::Reshape] {
        for kind in &KINDS {
            let theirs = results
                .iter()
                .filter(long)
                .filter(|result| result.contender == Contender::Peer(peer) && result.kind.name == kind.name);
            if let Some(least) = theirs.map(|result| result.of_worker).reduce(f64::min) {
                let limit = if peer == Peer::Reshape { kind.reshape_goal } else { 10.0 };
                let what = format!("{}, 300 k rows and more, {}, × 1 worker, the fastest case", kind.name, peer.name());
                section.goal(what, least, Wanted::AtLeast(limit));
            }
        }
    }
    if let Some(most) = rows.iter().copied().max().filter(|most| *most > 1_000_000 && rows.contains(&1_000_000)) {
        let speed = |rows| median(of(Contender::Workers(1), rows).map(|result| result.per_second));
        let what = format!("rows/s at {} rows, × at 1 M", count(most));
        section.goal(what, speed(most) / speed(1_000_000), Wanted::AtLeast(0.85));
    }
    let bounded = results.iter().filter(|result| result.contender == Contender::Bounded && result.rows >= 100_000);
    if let Some(largest) = bounded.map(|result| result.loose).reduce(f64::max) {
        let what = format!("table, × its rows without gaps, bounded to {BOUND}, the largest");
        section.goal(what, largest, Wanted::AtMost(1.2));
    }
}

fn measure(kind: &'static Kind, indexes: bool, rows: u64, contender: Contender) -> Measured {
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
    let work: Box<dyn FnOnce()> = match (contender, contender.pace()) {
        (Contender::Peer(peer), _) => peer.prepare(&kind.migrations, &database),
        (_, None) => {
            let mut client = database.connect().unwrap();
            client.batch_execute(kind.columns).unwrap();
            Box::new(move || client.batch_execute(kind.update).unwrap())
        }
        (_, Some(pace)) => {
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
    database.connect().unwrap().batch_execute("vacuum full orders").unwrap();
    let without_gaps = state().0;
    Measured {
        seconds,
        table: after.0 / table,
        indexes: after.1 / index,
        loose: after.0 / without_gaps,
        wal: (after.2 - wal) / rows as f64,
    }
}
