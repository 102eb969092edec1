//! Each address has the name of its country. It becomes a row of a table of its own, which the addresses refer to.
//!
//!     cargo run -p extract_table
//!
//! The declaration is at stage `contract`: no code in use knows the old columns any more. What old code does until then is
//! written here as the SQL that it runs.

mod migrations;

use anyhow::{Context as _, Result, ensure};
use coexist::postgres::Client;
use coexist::sandbox::Sandbox;
use coexist::{Database, Options, Pace, Runner, phases};
use migrations::extract_countries::{Backfilled, CHANGE, after};

fn main() -> Result<()> {
    // A throw-away server with the schema that is live today, and four addresses in two countries.
    let database = Sandbox::shared()?.database("extract_table")?;
    let mut db = database.connect()?;
    db.batch_execute(include_str!("../schema.sql"))?;
    db.batch_execute(
        "insert into addresses (street, country, country_code) values
            ('Ring 1', 'Austria', 'AT'), ('Graben 2', 'Austria', 'AT'), ('Rue 3', 'Belgium', 'BE'), ('Gasse 4', 'Austria', 'AT')",
    )?;

    // The table countries is made, empty, and addresses gets a reference. Then triggers on both tables carry each write
    // over to the other one, and the backfill makes each value once, and refers to it.
    let mut runner = Runner::new(Database::at(&database.url())?, Options::default())?;
    let plan = CHANGE.plan()?;
    let change = phases::begin(&mut runner, &plan)?.expand()?.dual_write()?.backfill(Pace::default())?;

    println!("backfilled: new code finds countries");
    let backfilled = Backfilled::prove(&mut db)?;
    for country in after::countries::page(backfilled.on(&mut db), None, 10)? {
        println!("  {} {}", country.code, country.name);
    }
    let ring = after::addresses::find(backfilled.on(&mut db), 1)?.context("an address is gone")?;

    println!("old code writes names, and rows are found or made for them");
    db.batch_execute(
        "insert into addresses (street, country, country_code) values ('Avenue 5', 'Chad', 'TD'), ('Avenue 6', 'Chad', 'TD');
        update addresses set country = 'Belgium', country_code = 'BE' where id = 4",
    )?;
    let countries = after::countries::page(backfilled.on(&mut db), None, 10)?;
    println!("  {} countries", countries.len());
    ensure!(countries.len() == 3, "a country is there twice, or not at all");
    let moved = after::addresses::find(backfilled.on(&mut db), 4)?.context("an address is gone")?;
    let belgium = countries.iter().find(|country| country.code == "BE").context("Belgium is gone")?;
    ensure!(moved.country_id == belgium.id, "the address refers to another country");

    // Whoever referred to it, and old code as well, sees the new name at once: both addresses in Austria.
    println!("new code corrects a name, once");
    let corrected = after::countries::Update { name: "Österreich".into(), ..Default::default() };
    after::countries::update(backfilled.on(&mut db), ring.country_id, &corrected)?;
    for (street, country) in as_old_code_sees_them(&mut db)? {
        println!("  {street}: {country}");
    }

    // The index and the foreign key of the reference, which nobody has to wait for, and the comparison of every row.
    let mut change = change.validate()?;
    let evidence = change.verify()?;
    let compared = evidence.reconciliation();
    println!("validated: {} rows compared, {} differ", compared.rows, compared.mismatches);

    runner.contract(&plan, "extract_countries")?;
    println!("contracted: the old columns are gone");
    let named = db.query_one("select count(*) from addresses join countries on countries.id = country_id", &[])?;
    ensure!(named.get::<_, i64>(0) == 6, "an address has no country");
    // What held for the codes in addresses holds for them in their new place.
    let longer = after::countries::Insert::new("Denmark", "DNK");
    let Err(error) = after::countries::insert(backfilled.on(&mut db), &longer) else {
        anyhow::bail!("a code of three letters was taken");
    };
    println!("  {}", error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()));
    Ok(())
}

fn as_old_code_sees_them(db: &mut Client) -> Result<Vec<(String, String)>> {
    let rows = db.query("select street, country from addresses order by id", &[])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
