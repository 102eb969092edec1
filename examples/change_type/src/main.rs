//! `orders.total integer` becomes `orders.total_cents bigint`, up to the end: the old column is removed.
//!
//!     cargo run -p change_type
//!
//! The declaration is at stage `contract`: no code uses the old column any more. In this source that is not a promise
//! but a fact, because the `before` accessors no longer compile; write
//! `migrations::widen_order_total::before::orders::find(&mut db, 1)` to see what the compiler says. The database has to
//! follow, and programs that were built at an earlier stage run until then. Here they are a few statements of SQL.

mod migrations;

use anyhow::{Context as _, Result, bail, ensure};
use coexist::postgres::Client;
use coexist::postgres::error::SqlState;
use coexist::sandbox::Sandbox;
use coexist::{Database, Event, Options, Pace, Runner, catalog};
use migrations::widen_order_total::{Backfilled, CHANGE, after::orders};

/// What an earlier release does. It knows nothing of `total_cents`.
mod earlier_release {
    use coexist::postgres::{Client, Error};

    pub fn place_order(db: &mut Client, customer: &str, total: i32) -> Result<i64, Error> {
        let order = "insert into public.orders (customer, total) values ($1, $2) returning id";
        db.query_one(order, &[&customer, &total])?.try_get(0)
    }

    pub fn total(db: &mut Client, order: i64) -> Result<i32, Error> {
        db.query_one("select total from public.orders where id = $1", &[&order])?.try_get(0)
    }
}

fn main() -> Result<()> {
    // A throw-away server with the schema that is live today, and ten thousand orders.
    let database = Sandbox::shared()?.database("change_type")?;
    database.connect()?.batch_execute(include_str!("../schema.sql"))?;
    let mut db = database.connect()?;
    db.batch_execute(
        "insert into public.orders (customer, total)
         select 'customer ' || n, n * 100 from generate_series(1, 10000) as n",
    )?;
    let catalog_before = catalog::dump(&mut db, &["coexist"])?;

    // Everything up to where there is no way back is one call; `coexist up` does the same. It may be killed at any
    // point, and goes on when it is called again.
    let plan = CHANGE.plan()?;
    println!("up: {}", plan.way);
    let mut runner = Runner::new(Database::at(&database.url())?, Options::default().on_event(print))?;
    runner.up(&plan, &Pace::default())?;
    let compared = runner.status(&plan)?.reconciliation.context("the shapes were not compared")?;
    println!("  {} rows compared, {} differ", compared.rows, compared.mismatches);

    // From here on, releases of both kinds are in use.
    let backfilled = Backfilled::prove(&mut db)?;
    let order = earlier_release::place_order(&mut db, "Ada", 1_999)?;
    let found = orders::find(backfilled.on(&mut db), order)?.context("the order is not there")?;
    println!("the earlier release stores total 1999, this one finds total_cents {}", found.total_cents);
    ensure!(found.total_cents == 1_999, "the new column did not follow the old one");

    let raise = orders::Update { total_cents: 2_499.into(), ..Default::default() };
    orders::update(backfilled.on(&mut db), order, &raise)?;
    let found = earlier_release::total(&mut db, order)?;
    println!("this release stores total_cents 2499, the earlier one finds total {found}");
    ensure!(found == 2_499, "the old column did not follow the new one");

    // What the change is for cannot be had yet: the old column has no place for this value, and the earlier release
    // would not find it. The declaration says what happens then: `backward … or reject`.
    match place_large_order(&mut db, backfilled) {
        Err(error) if error.code() == Some(&SqlState::NUMERIC_VALUE_OUT_OF_RANGE) => {
            println!("this release stores total_cents 3000000000, and is refused: the earlier one could not read it");
        }
        other => bail!("the old column cannot hold this total, and nobody said so: {other:?}"),
    }

    // The earlier release is out of use. `contract` makes sure that the comparison of every row still counts, and
    // removes the old column in one short transaction. It takes the name of the change, because there is no way back.
    println!("contract:");
    runner.contract(&plan, "widen_order_total")?;
    let large = place_large_order(&mut db, backfilled)?;
    println!("this release stores total_cents {}", large.total_cents);

    // The new column has all that hung on the old one, and nothing of the change itself is left.
    println!("the catalog:");
    for line in catalog::diff(&catalog_before, &catalog::dump(&mut db, &["coexist"])?).lines() {
        println!("  {line}");
    }
    Ok(())
}

fn place_large_order(db: &mut Client, backfilled: Backfilled) -> Result<orders::Row, coexist::postgres::Error> {
    let order = orders::Insert { total_cents: 3_000_000_000.into(), ..orders::Insert::new("Grace") };
    orders::insert(backfilled.on(db), &order)
}

/// Prints what a runner tells: each step with how long it took, which is how long it can have held its locks.
fn print(event: &Event) {
    match event {
        Event::StepDone { .. } | Event::PhaseReached { .. } | Event::Retry { .. } => println!("  {event}"),
        Event::Progress(progress) if progress.batch_rows > 0 => println!("  {progress}"),
        _ => {}
    }
}
