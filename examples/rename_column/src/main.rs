//! `users.name` becomes `users.full_name`, while old code and new code both use the table.
//!
//!     cargo run -p rename_column
//!
//! The declaration is in `migrations.rs`, and what `cargo build` made of it in the folder `migrations`. It is at stage
//! `migrate`: code moves to the new shape. See the example `change_type` for the stage that comes after.

#![allow(deprecated, reason = "the old code below uses the before shape, which is deprecated from stage `migrate` on")]

mod migrations;

use anyhow::{Context as _, Result, bail, ensure};
use coexist::postgres::error::SqlState;
use coexist::sandbox::Sandbox;
use coexist::{Database, Options, Pace, Runner, phases};
use migrations::rename_user_name::{Backfilled, CHANGE, DualWriting, after, before};

fn main() -> Result<()> {
    // A throw-away server with the schema that is live today. Your programs have a database of their own.
    let database = Sandbox::shared()?.database("rename_column")?;
    database.connect()?.batch_execute(include_str!("../schema.sql"))?;
    let mut db = database.connect()?;

    // `coexist up` does what follows as a command. In a program, each phase is a type: one that is left out does not
    // compile.
    let mut runner = Runner::new(Database::at(&database.url())?, Options::default())?;
    let plan = CHANGE.plan()?;
    let change = phases::begin(&mut runner, &plan)?;

    println!("declared");
    // Old code writes the before shape, as it has always done. It goes on with that in every phase below.
    let ada = before::users::Insert { name: "Ada".into(), ..before::users::Insert::new("ada@example.com") };
    let ada = before::users::insert(&mut db, &ada)?;
    println!("  old code stores name {:?}", ada.name);

    // Adds `full_name`: nullable, without a default. No row is touched, and old code, which does not name the column,
    // cannot notice.
    let change = change.expand()?;
    println!("expanded: full_name is there, and empty");
    // Nothing fills it yet, so new code must not run yet either. Only the ledger in the database gives the proof that
    // it may.
    match DualWriting::prove(&mut db) {
        Err(not_yet) => println!("  new code: {not_yet}"),
        Ok(proof) => bail!("{proof:?} before anything fills the column"),
    }

    // Triggers fill the shape that a write did not name from the one that it did.
    let change = change.dual_write()?;
    println!("dual-writing: every write reaches both shapes");
    // With the proof, `after` compiles. Without, the message says which call gives it.
    let dual_writing = DualWriting::prove(&mut db)?;
    let grace =
        after::users::Insert { full_name: "Grace Hopper".into(), ..after::users::Insert::new("grace@example.com") };
    let grace = after::users::insert(dual_writing.on(&mut db), &grace)?;
    let as_old = before::users::find(&mut db, grace.id)?.context("old code does not find Grace")?;
    println!("  new code stores full_name {:?}, old code finds name {:?}", grace.full_name, as_old.name);
    ensure!(as_old.name == "Grace Hopper", "old code does not see what new code wrote");
    // What hangs on the old column holds for new code already: the default, and the check.
    let guest = after::users::insert(dual_writing.on(&mut db), &after::users::Insert::new("guest@example.com"))?;
    println!("  new code leaves full_name out, and gets the default {:?}", guest.full_name);
    ensure!(guest.full_name == "guest", "the default of the old column does not hold for the new one");
    let blank = after::users::Update { full_name: " ".into(), ..Default::default() };
    match after::users::update(dual_writing.on(&mut db), guest.id, &blank) {
        Err(error) if error.code() == Some(&SqlState::CHECK_VIOLATION) => {
            println!("  new code writes a blank, and is refused by the check");
        }
        other => bail!("a blank name was not refused by the check: {other:?}"),
    }

    // Fills the rows that were there before, in small transactions, each row only if nobody has filled it yet.
    let change = change.backfill(Pace::default())?;
    println!("backfilled: every row is in both shapes");
    // Reading takes this proof: before, a row may be in the old shape alone.
    let backfilled = Backfilled::prove(&mut db)?;
    let as_new = after::users::find(backfilled.on(&mut db), ada.id)?.context("new code does not find Ada")?;
    println!("  new code finds full_name {:?}, stored before the column was there", as_new.full_name);
    ensure!(as_new.full_name == "Ada", "the backfill left Ada out");
    // Old code has not stopped.
    let married = before::users::Update { name: "Ada Lovelace".into(), ..Default::default() };
    before::users::update(&mut db, ada.id, &married)?;
    let as_new = after::users::find(backfilled.on(&mut db), ada.id)?.context("new code does not find Ada")?;
    println!("  old code changes the name, new code finds full_name {:?}", as_new.full_name);
    ensure!(as_new.full_name == "Ada Lovelace", "new code does not see what old code wrote");

    // Builds the indexes of the new column without blocking writers, validates its constraints, and compares every row.
    let mut change = change.validate()?;
    println!("validated: the new column has all that the old one had");
    for index in db.query("select indexdef from pg_indexes where tablename = 'users' order by indexname", &[])? {
        println!("  {}", index.get::<_, &str>(0));
    }
    let evidence = change.verify()?;
    let found = evidence.reconciliation();
    println!("  {} rows compared, {} differ", found.rows, found.mismatches);
    ensure!(found.is_clean(), "the shapes differ: {:?}", found.samples);

    // Removing the old column is refused as long as the source may still use it: it says `stage migrate`.
    match change.contract(evidence) {
        Err(error) => println!("contract is refused:\n  {}", error.to_string().replace('\n', "\n  ")),
        Ok(_) => bail!("the contract removed a column that the source still uses"),
    }
    Ok(())
}
