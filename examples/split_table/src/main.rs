//! `users.bio` and `users.avatar_url` move to a table of their own, and back again: the change is rolled back.
//!
//!     cargo run -p split_table
//!
//! The declaration is at stage `expand`: the code in use is old code. The accessors of the new shape are there as well,
//! for the code that is being written.

mod migrations;

use anyhow::{Context as _, Result, ensure};
use coexist::sandbox::Sandbox;
use coexist::{Database, Options, Pace, Runner, catalog, phases};
use migrations::split_user_profile::{Backfilled, CHANGE, after, before};

fn main() -> Result<()> {
    // A throw-away server with the schema that is live today.
    let database = Sandbox::shared()?.database("split_table")?;
    database.connect()?.batch_execute(include_str!("../schema.sql"))?;
    let mut db = database.connect()?;
    let catalog_before = catalog::dump(&mut db, &["coexist"])?;

    println!("declared: old code stores everything in users");
    let ada =
        before::users::Insert { bio: Some("Wrote the first program".into()), ..before::users::Insert::new("Ada") };
    let ada = before::users::insert(&mut db, &ada)?;
    let alan = before::users::insert(&mut db, &before::users::Insert::new("Alan"))?;

    // The table profiles is made, empty. Then triggers on both tables carry each write over to the other one, and the
    // backfill copies what was there before, each row under a lock, so that nobody's write is overwritten.
    let mut runner = Runner::new(Database::at(&database.url())?, Options::default())?;
    let plan = CHANGE.plan()?;
    let change = phases::begin(&mut runner, &plan)?.expand()?.dual_write()?.backfill(Pace::default())?;

    println!("backfilled: new code finds profiles");
    let backfilled = Backfilled::prove(&mut db)?;
    let profile = after::profiles::find(backfilled.on(&mut db), ada.id)?.context("Ada has no profile")?;
    println!("  Ada's: {:?}", profile.bio);
    ensure!(profile.bio == ada.bio, "the backfill copied something else");
    // A row where there is nothing to keep would be a waste; with the word `always` in the declaration, it is made
    // nevertheless.
    let none = after::profiles::find(backfilled.on(&mut db), alan.id)?;
    println!("  Alan's: {none:?}");
    ensure!(none.is_none(), "a profile was made for a user who has none");

    println!("old and new code write, each in its own shape");
    // New code: a row of profiles for Alan, another text in Ada's.
    let cracked =
        after::profiles::Insert { bio: Some("Broke the Enigma".into()), ..after::profiles::Insert::new(alan.id) };
    after::profiles::insert(backfilled.on(&mut db), &cracked)?;
    let moved = after::profiles::Update { avatar_url: "https://example.com/ada.png".into(), ..Default::default() };
    after::profiles::update(backfilled.on(&mut db), ada.id, &moved)?;
    for id in [ada.id, alan.id] {
        let user = before::users::find(&mut db, id)?.context("a user is gone")?;
        println!("  old code finds {}: {:?}, {:?}", user.name, user.bio, user.avatar_url);
    }
    // Old code: Alan's profile is cleared, which removes the row that it has in profiles.
    let cleared = before::users::Update { bio: None.into(), ..Default::default() };
    before::users::update(&mut db, alan.id, &cleared)?;
    let none = after::profiles::find(backfilled.on(&mut db), alan.id)?;
    println!("  old code clears Alan's, new code finds {none:?}");
    ensure!(none.is_none(), "the profile of new code did not follow the columns of old code");

    // The foreign key, which nobody has to wait for, and the comparison of every row.
    let mut change = change.validate()?;
    let evidence = change.verify()?;
    println!(
        "validated: {} rows compared, {} differ",
        evidence.reconciliation().rows,
        evidence.reconciliation().mismatches
    );

    // Something about the new code is wrong, whatever it may be: back to old code alone. This works up to the contract,
    // from every phase, and from the middle of a step.
    change.rollback(None)?;
    println!("rolled back: what new code wrote is kept");
    let user = before::users::find(&mut db, ada.id)?.context("Ada is gone")?;
    println!("  old code finds {}: {:?}, {:?}", user.name, user.bio, user.avatar_url);
    ensure!(user.avatar_url.as_deref() == Some("https://example.com/ada.png"), "what new code wrote is lost");
    let left = catalog::diff(&catalog_before, &catalog::dump(&mut db, &["coexist"])?);
    ensure!(left.is_empty(), "the rollback left something behind:\n{left}");
    println!("  the catalog is what it was");

    // New code has no proof any more that it may run.
    if let Err(error) = Backfilled::prove(&mut db) {
        println!("  new code: {error}");
    }
    Ok(())
}
