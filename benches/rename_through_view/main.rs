//! How long a rename through a view takes, on tables of several sizes.
//!
//!     cargo bench --bench rename_through_view
//!
//! With `--write`, the results go to `docs/performance.md`.

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

use coexist::{Options, Pace, Runner};
use measuring::page::{Section, Wanted};
use measuring::{Arguments, count, median, time};

const TABLE: &str = "create table users (id bigint primary key, name text not null, note text)";
const FILL: &str = "insert into users select n, 'name ' || n, 'note ' || n from generate_series(1, ROWS) as n";
const CHANGE: &str = "change it { rename users.name to full_name through view; stage contract; }";

fn main() {
    let arguments = Arguments::parse(&[10_000, 1_000_000], 5);
    let plan = support::in_flight::plans(TABLE, CHANGE).pop().expect("a plan");
    let mut section = Section::default();
    section
        .line(format!("The whole command, its look at the catalog included. Medians of {} rounds.", arguments.rounds));
    section.head(&["rows", "up to validated", "contract"]);
    let mut whole = Vec::new();
    for rows in arguments.rows.iter().copied() {
        let database = measuring::database("view", &[TABLE, &FILL.replace("ROWS", &rows.to_string())]);
        let mut rounds = Vec::new();
        for _ in 0..arguments.rounds {
            let address = coexist::Database::at(&database.url()).unwrap();
            let mut runner = Runner::new(address, Options::default()).unwrap();
            let begun = Instant::now();
            runner.up(&plan, &Pace::default()).unwrap();
            let up = begun.elapsed().as_secs_f64();
            runner.contract(&plan, &plan.change).unwrap();
            rounds.push((up, begun.elapsed().as_secs_f64() - up));
            // As it was, for the next round.
            runner.retire(&plan).unwrap();
            let again = "drop schema coexist cascade; alter table users rename full_name to name";
            database.connect().unwrap().batch_execute(again).unwrap();
        }
        let (up, contract) = (median(rounds.iter().map(|round| round.0)), median(rounds.iter().map(|round| round.1)));
        section.row(&[count(rows), time(up), time(contract)]);
        whole.push((rows, up + contract));
    }
    if let [(few, fast), .., (many, slow)] = whole.as_slice() {
        let what = format!("time at {} rows, × at {}", count(*many), count(*few));
        section.goal(what, slow / fast, Wanted::AtMost(1.5));
    }
    section.end("rename_through_view", arguments.write);
}
