//! `users.name` becomes `users.full_name` through a view: nothing is copied, whatever the size of the table.
//!
//!     cargo run -p rename_through_view
//!
//! New code sees the table through a view that shows the column under its new name; old code goes on with the table. The
//! contract renames the column itself, and the view goes on showing what it showed. The accessors are the same before and
//! after. The declaration is at stage `contract`, so the earlier release below is a few statements of SQL.

mod migrations;

use anyhow::{Context as _, Result, ensure};
use coexist::sandbox::Sandbox;
use coexist::{Database, Event, Options, Pace, Runner, catalog};
use migrations::rename_user_name::{Backfilled, CHANGE, after::users};

/// What an earlier release does. It knows nothing of `full_name`.
mod earlier_release {
    use coexist::postgres::{Client, Error};

    pub fn sign_up(db: &mut Client, email: &str, name: &str) -> Result<i64, Error> {
        let user = "insert into public.users (email, name) values ($1, $2) returning id";
        db.query_one(user, &[&email, &name])?.try_get(0)
    }

    pub fn name(db: &mut Client, user: i64) -> Result<String, Error> {
        db.query_one("select name from public.users where id = $1", &[&user])?.try_get(0)
    }
}

fn main() -> Result<()> {
    // A throw-away server with the schema that is live today, and a hundred thousand users.
    let database = Sandbox::shared()?.database("rename_through_view")?;
    database.connect()?.batch_execute(include_str!("../schema.sql"))?;
    let mut db = database.connect()?;
    db.batch_execute(
        "insert into public.users (email, name)
         select 'user' || n || '@example.com', 'User ' || n from generate_series(1, 100000) as n",
    )?;
    let catalog_before = catalog::dump(&mut db, &["coexist"])?;
    let size = "select pg_total_relation_size('public.users')";
    let size_before: i64 = db.query_one(size, &[])?.get(0);

    // One step that makes the view. There is nothing to fill and nothing to compare.
    let plan = CHANGE.plan()?;
    println!("up: {}", plan.way);
    let mut runner = Runner::new(Database::at(&database.url())?, Options::default().on_event(print))?;
    runner.up(&plan, &Pace::default())?;
    println!("what to know of it:");
    for note in &plan.notes {
        println!("  {note}");
    }

    // From here on, releases of both kinds are in use.
    let backfilled = Backfilled::prove(&mut db)?;
    let ada = earlier_release::sign_up(&mut db, "ada@example.com", "Ada")?;
    let found = users::find(backfilled.on(&mut db), ada)?.context("Ada is not there")?;
    println!("the earlier release stores name \"Ada\", this one finds full_name {:?}", found.full_name);
    ensure!(found.full_name == "Ada", "the view does not show what the earlier release wrote");

    let married = users::Update { full_name: "Ada Lovelace".into(), ..Default::default() };
    users::update(backfilled.on(&mut db), ada, &married)?;
    let found = earlier_release::name(&mut db, ada)?;
    println!("this release stores full_name \"Ada Lovelace\", the earlier one finds name {found:?}");
    ensure!(found == "Ada Lovelace", "the earlier release does not find what this one wrote");
    let guest = users::insert(backfilled.on(&mut db), &users::Insert::new("guest@example.com"))?;
    println!("this release leaves full_name out, and gets the default {:?}", guest.full_name);

    // The earlier release is out of use. The contract renames the column of the table; the calls below are the same.
    println!("contract:");
    runner.contract(&plan, "rename_user_name")?;
    let found = users::find(backfilled.on(&mut db), ada)?.context("Ada is not there")?;
    println!("this release finds full_name {:?}, by the same call", found.full_name);
    ensure!(found.full_name == "Ada Lovelace", "the view lost what it showed");

    // A later release has the column in its schema.sql and the change no more in its declaration; it needs no view.
    println!("retire:");
    runner.retire(&plan)?;
    let size_now: i64 = db.query_one(size, &[])?.get(0);
    println!("the table had {size_before} bytes with its indexes, and has {size_now}");
    println!("the catalog:");
    for line in catalog::diff(&catalog_before, &catalog::dump(&mut db, &["coexist"])?).lines() {
        println!("  {line}");
    }
    Ok(())
}

/// Prints what a runner tells: each step with how long it took, which is how long it can have held its locks.
fn print(event: &Event) {
    match event {
        Event::StepDone { .. } | Event::PhaseReached { .. } | Event::Retry { .. } => println!("  {event}"),
        _ => {}
    }
}
