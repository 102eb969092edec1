//! What the triggers cost those who write, once every row is in step.
//!
//!     cargo bench --bench dual_writing
//!
//! The same statements on two tables, one with the triggers of a change and one without, in turn. With `--write`, the results go to
//! `docs/performance.md`.

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

use std::time::Instant;

use coexist::plan::Phase;
use coexist::sandbox::Database;
use coexist::{Options, Pace, Runner};
use measuring::orders::{CHANGE, FILL, TABLE};
use measuring::page::{Section, Wanted};
use measuring::plot::{self, Group};
use measuring::{Arguments, median, time};
use postgres::Client;

/// How many single rows are written in one turn.
const STATEMENTS: i64 = 1000;

/// What a client writes.
struct Kind {
    name: &'static str,
    /// With the key as a parameter; none where all rows are written by one statement.
    sql: &'static str,
    single: bool,
    /// At least this throughput, in times of that without triggers.
    goal: f64,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "INSERT of a row",
        sql: "insert into orders (id, total, buyer) values ($1::bigint + 10000000, 7, 'buyer')",
        single: true,
        goal: 0.95,
    },
    Kind {
        name: "UPDATE of a row, the column that changes",
        sql: "update orders set total = total % 1000000 + 1 where id = $1",
        single: true,
        goal: 0.95,
    },
    Kind {
        name: "UPDATE of a row, another column",
        sql: "update orders set note = 'note ' || $1::bigint where id = $1",
        single: true,
        goal: 0.98,
    },
    Kind {
        name: "UPDATE of all rows, the column that changes",
        sql: "update orders set total = total % 1000000 + 1",
        single: false,
        // A bulk update may be 1.4 times slower.
        goal: 1.0 / 1.4,
    },
];

fn main() {
    let arguments = Arguments::parse(&[100_000], 15);
    let rows = arguments.rows[0];
    let fill = FILL.replace("ROWS", &rows.to_string());
    let without = measuring::database("without", &[TABLE, &fill]);
    let with = measuring::database("with", &[TABLE, &fill]);
    fill_the_after_shape(&with);
    let mut clients = [&without, &with].map(|database| database.connect().unwrap());
    let mut section = Section::default();
    section.line(format!(
        "One client; {STATEMENTS} single rows in one turn, each a transaction of its own, or one statement over {rows} rows. Medians of {} rounds.",
        arguments.rounds
    ));
    section.head(&["statement ", "throughput × without", "time without triggers", "time with them"]);
    let mut groups = Vec::new();
    for (n, kind) in KINDS.iter().enumerate() {
        let mut turns: Vec<[f64; 2]> = Vec::new();
        let rounds = if kind.single { arguments.rounds } else { arguments.rounds.div_ceil(3) };
        for round in 0..=rounds {
            let first = ((n * (rounds + 1) + round) as i64 * STATEMENTS) % (rows as i64 - STATEMENTS).max(1);
            // Who comes first changes from round to round, and the first round warms up.
            let mut turn = [0.0; 2];
            for which in [round % 2, 1 - round % 2] {
                turn[which] = write(&mut clients[which], kind, first);
            }
            if round > 0 {
                turns.push(turn);
            }
            [&without, &with].into_iter().for_each(measuring::settle);
        }
        let throughput = median(turns.iter().map(|[without, with]| without / with));
        let per = |of: usize| time(median(turns.iter().map(|turn| turn[of])));
        section.row(&[kind.name.to_owned(), format!("{throughput:.2}"), per(0), per(1)]);
        groups.push(Group { name: kind.name.to_owned(), bars: vec![Some(throughput)] });
        section.goal(kind.name, throughput, Wanted::AtLeast((kind.goal * 100.0).floor() / 100.0));
    }
    let title = "Throughput with the triggers, in times of that without";
    section.picture(
        "dual_writing",
        title,
        &plot::bars(title, " ×", &["with triggers"], &groups, Some(1.0)),
        arguments.write,
    );
    section.end("dual_writing", arguments.write);
}

fn fill_the_after_shape(database: &Database) {
    let plan = support::in_flight::plans(TABLE, CHANGE).pop().expect("a plan");
    let mut runner = Runner::new(coexist::Database::at(&database.url()).unwrap(), Options::default()).unwrap();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    runner.backfill(&plan, &Pace::default()).unwrap();
    assert_eq!(runner.phase(&plan.change).unwrap(), Phase::Backfilled);
    // Both tables as densely filled as the other.
    database.connect().unwrap().batch_execute("vacuum full orders").unwrap();
    measuring::settle(database);
}

/// How long one turn takes, in seconds for each statement.
fn write(client: &mut Client, kind: &Kind, first: i64) -> f64 {
    let statement = client.prepare(kind.sql).unwrap();
    let begun = Instant::now();
    if !kind.single {
        client.execute(&statement, &[]).unwrap();
        return begun.elapsed().as_secs_f64();
    }
    for id in first..first + STATEMENTS {
        client.execute(&statement, &[&(id + 1)]).unwrap();
    }
    begun.elapsed().as_secs_f64() / STATEMENTS as f64
}
