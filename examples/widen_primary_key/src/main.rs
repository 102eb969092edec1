//! `users.id` was made an integer, and runs out. It becomes a bigint, and so do the columns of three tables that reference it: as one change,
//! while old and new code write, and under the same names.
//!
//!     cargo run -p widen_primary_key
//!
//! The declaration is at stage `contract`: old code is gone from this source. What old code there is here is SQL, as an instance of the
//! version before runs it.

mod migrations;

use anyhow::{Context as _, Result, ensure};
use coexist::postgres::Client;
use coexist::sandbox::Sandbox;
use coexist::{Database, Options, Pace, Runner, phases};
use migrations::widen_user_id::{Backfilled, CHANGE, after};

/// The constraints, indexes and sequences: what must have the same names afterwards.
const NAMES: &str = "select conrelid::regclass || ': ' || conname from pg_constraint where connamespace = 'public'::regnamespace
    union all select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('i', 'S') order by 1";

fn main() -> Result<()> {
    // A throw-away server with the schema that is live today, and a sequence that is nearly at its end.
    let database = Sandbox::shared()?.database("widen_primary_key")?;
    let mut db = database.connect()?;
    db.batch_execute(include_str!("../schema.sql"))?;
    db.batch_execute("alter sequence users_id_seq restart with 2147483600")?;
    let names_before = names(&mut db)?;

    println!("declared: old code counts in i32");
    let ada = OldCode { db: database.connect()? }.sign_up("Ada", None)?;
    println!("  Ada is user {ada}; there is room for {} more", i32::MAX - ada);

    // Wider columns beside the old ones, in all tables that the change names; triggers that fill them; the rows that
    // were there before.
    let mut runner = Runner::new(Database::at(&database.url())?, Options::default())?;
    let plan = CHANGE.plan()?;
    println!("{}", plan.way);
    let change = phases::begin(&mut runner, &plan)?.expand()?.dual_write()?.backfill(Pace::default())?;

    println!("backfilled: new code counts in i64, in the same columns");
    let backfilled = Backfilled::prove(&mut db)?;
    let mut old_code = OldCode { db: database.connect()? };
    let alan = old_code.sign_up("Alan", Some(ada))?;
    let alan = after::users::find(backfilled.on(&mut db), i64::from(alan))?.context("Alan is not found")?;
    println!("  old code signs Alan up, new code finds user {}, invited by {:?}", alan.id, alan.invited_by);
    let grace = after::users::Insert { invited_by: Some(alan.id), ..after::users::Insert::new("Grace") };
    let grace = after::users::insert(backfilled.on(&mut db), &grace)?;
    let order = after::orders::insert(backfilled.on(&mut db), &after::orders::Insert::new(grace.id, 4_200))?;
    after::ratings::insert(backfilled.on(&mut db), &after::ratings::Insert::new(grace.id, order.id, 5))?;
    println!("  new code signs Grace up, old code finds her to have spent {} cents", old_code.spent(&grace.name)?);

    // Indexes without blocking writers, foreign keys validated each by itself, every row of each table compared.
    let mut change = change.validate()?;
    let evidence = change.verify()?;
    println!(
        "validated: {} rows compared, {} differ",
        evidence.reconciliation().rows,
        evidence.reconciliation().mismatches
    );

    // No instance of old code is left. One short transaction swaps keys and references together.
    change.contract(evidence)?;
    println!("contracted: the columns are wide");
    for n in 0..100 {
        let user = after::users::insert(backfilled.on(&mut db), &after::users::Insert::new(format!("user {n}")))?;
        after::orders::insert(backfilled.on(&mut db), &after::orders::Insert::new(user.id, 100))?;
    }
    let last = db.query_one("select max(user_id) from orders", &[])?.get::<_, i64>(0);
    println!("  a hundred users later, the newest is {last}, beyond 2^31");
    ensure!(last > i64::from(i32::MAX), "the sequence did not pass the end of the old type");

    let names_after = names(&mut db)?;
    ensure!(names_before == names_after, "names have changed: {names_before:?}, {names_after:?}");
    println!("  all {} constraints, indexes and sequences have the names that they had", names_after.len());
    Ok(())
}

/// An instance of the version before.
struct OldCode {
    db: Client,
}

impl OldCode {
    fn sign_up(&mut self, name: &str, invited_by: Option<i32>) -> Result<i32> {
        let insert = "insert into users (name, invited_by) values ($1, $2) returning id";
        Ok(self.db.query_one(insert, &[&name, &invited_by])?.try_get(0)?)
    }

    fn spent(&mut self, name: &str) -> Result<i64> {
        let id: i32 = self.db.query_one("select id from users where name = $1", &[&name])?.try_get(0)?;
        Ok(self.db.query_one("select sum(cents)::bigint from orders where user_id = $1", &[&id])?.try_get(0)?)
    }
}

fn names(db: &mut Client) -> Result<Vec<String>> {
    let rows = db.query(NAMES, &[])?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
