//! A service is deployed instance by instance while three changes of its schema go from the first step to the last.
//! Nothing fails, nothing is lost.
//!
//!     cargo run -p rolling_deploy
//!
//! The service is in `versions`, as it was checked out at three commits of its life: `v1` at stage `expand`, `v2` at
//! stage `migrate`, `v3` at stage `contract`. Here is what a team would do with it: deploy versions, and run
//! `coexist up`, `coexist rollback` and `coexist contract`.

mod changes;
mod database;
mod fleet;
mod load;
mod report;
mod settings;
mod text;
mod timeline;

use std::ops::Range;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use coexist::Pace;
use coexist::catalog::{self, CatalogDump};
use shop_service::Service as _;

use crate::changes::{Agreement, Changes};
use crate::database::ShopDatabase;
use crate::fleet::{Fleet, Version};
use crate::report::Outcome;
use crate::settings::Settings;
use crate::text::seconds;
use crate::timeline::Timeline;

fn main() -> ExitCode {
    let outcome = Settings::from_args().and_then(|settings| run(&settings));
    match outcome {
        Ok(outcome) if outcome.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<Outcome> {
    let database = ShopDatabase::start(settings.users)?;
    report::introduction(&database, settings.users);
    let catalog_before = database.catalog()?;
    let mut changes = Changes::new(&database)?;
    let mut story = Story { timeline: Timeline::start(), fleet: Fleet::start(&database)?, beat: settings.beat };

    let told = tell(&mut story, &mut changes, &database, &catalog_before);
    story.timeline.end();
    let mut clients = story.fleet.stop()?;
    if told.is_ok() {
        database.compare_with(&mut clients)?;
    }
    report::print_problems(&clients);
    let agreement = told?;
    let difference = catalog::diff(&catalog_before, &database.catalog()?);
    Ok(report::print(&story.timeline, &clients, &changes, &agreement, &difference))
}

/// The whole life of the changes. Answers with what the last comparison of the shapes found.
fn tell(
    story: &mut Story,
    changes: &mut Changes,
    database: &ShopDatabase,
    catalog_before: &CatalogDump,
) -> Result<Vec<Agreement>> {
    story.chapter("v1", "Version 1 runs. It knows the shapes before, and nothing is changed yet.");
    story.watch();

    changes.planned_by(shop_v1::CHANGES)?;
    story.chapter("expand", "EXPAND: the columns and the table of the shapes after are made, empty.");
    story.detail(&changes.each(|runner, plan| runner.expand(plan))?);
    story.watch();

    story.chapter("dual-write", "DUAL-WRITE: from here on, triggers carry each write to the other shape.");
    story.detail(&changes.each(|runner, plan| runner.dual_write(plan))?);
    story.watch();

    story.chapter("backfill", "BACKFILL: rows that were there before are filled.");
    story.replace(0..1, Version::V2)?;
    story.say("A first version 2. It uses the shapes before until every row is filled.");
    story.detail(&changes.each(|runner, plan| runner.backfill(plan, &gently()))?);
    story.say("Done: it gets the proof from the ledger, and uses the shapes after.");
    story.watch();

    story.chapter("v1 and v2", "A second one: old and new code write the same rows, side by side.");
    story.replace(1..2, Version::V2)?;
    story.watch();

    story.chapter("rollback", "Something seems wrong with the new totals. Version 1 takes over again.");
    story.replace(0..2, Version::V1)?;
    story.say("ROLLBACK of widen_order_total, while everybody writes.");
    story.detail(&changes.one("widen_order_total", |runner, plan| runner.rollback(plan, None))?);
    let difference = catalog::diff(catalog_before, &database.catalog()?);
    let left: Vec<&str> = difference.lines().filter(|line| line.contains("orders")).collect();
    ensure!(left.is_empty(), "the rollback left something behind: {}", left.join("\n"));
    story.say("Nothing of it is left in the catalog. What version 2 wrote is kept.");
    story.watch();

    story.chapter("once more", "A false alarm: EXPAND, DUAL-WRITE, BACKFILL of widen_order_total once more.");
    story.detail(&changes.one("widen_order_total", |runner, plan| {
        runner.expand(plan)?;
        runner.dual_write(plan)?;
        runner.backfill(plan, &gently())
    })?);
    story.watch();

    changes.planned_by(shop_v2::CHANGES)?;
    story.chapter("v1 to v2", "Version 2 is deployed, instance by instance.");
    story.deploy(Version::V2)?;

    story.chapter("validate", "VALIDATE: indexes and constraints are built, and every row is compared.");
    story.detail(&changes.each(|runner, plan| runner.validate(plan))?);
    story.watch();

    changes.planned_by(shop_v3::CHANGES)?;
    story.chapter("v2 to v3", "Version 3 is deployed. It knows the shapes after alone.");
    story.deploy(Version::V3)?;
    let agreement = changes.verify()?;

    story.chapter("contract", "CONTRACT: the shapes before are removed.");
    story.detail(&changes.each(|runner, plan| runner.contract(plan, &plan.change))?);
    story.watch();

    story.chapter("v3", "Version 3 runs on.");
    place_large_order(database)?;
    story.say("It takes an order of 3,000,000,000 cents: too large for the old column.");
    story.watch();
    Ok(agreement)
}

/// Slower than it could be, so that there is something to see of it.
fn gently() -> Pace {
    Pace::default().batch(Duration::from_millis(20)).rest(2.0)
}

fn place_large_order(database: &ShopDatabase) -> Result<()> {
    let mut shop = shop_v3::Shop::start(database.connect_as_service()?)?;
    let user = shop.sign_up("large@example.com", "A large customer", &Default::default())?;
    let order = shop.place_order(user, 3_000_000_000)?;
    let order = shop.order(order)?.context("the large order is not there")?;
    ensure!(order.cents == 3_000_000_000, "the large order has become {order:?}");
    shop.delete_user(user)?;
    Ok(())
}

/// What happens, chapter by chapter, with the instances at work meanwhile.
struct Story {
    timeline: Timeline,
    fleet: Fleet,
    /// How long to look on after each step.
    beat: Duration,
}

impl Story {
    fn chapter(&mut self, name: &'static str, text: &str) {
        self.timeline.chapter(name);
        self.say(text);
    }

    fn say(&self, text: &str) {
        println!("{:>7} s  {}  {text}", seconds(self.timeline.now()), self.fleet);
    }

    fn detail(&self, text: &str) {
        println!("{:24}{text}", "");
    }

    /// Lets the instances work for a while.
    fn watch(&self) {
        std::thread::sleep(self.beat);
    }

    fn replace(&mut self, instances: Range<usize>, version: Version) -> Result<()> {
        instances.into_iter().try_for_each(|instance| self.fleet.replace(instance, version))
    }

    /// Replaces all instances, one by one: both versions work side by side for a while.
    fn deploy(&mut self, version: Version) -> Result<()> {
        for instance in 0..self.fleet.len() {
            self.fleet.replace(instance, version)?;
            self.say(["one of four", "two of four", "three of four", "all four"].get(instance).unwrap_or(&""));
            std::thread::sleep(self.beat / 2);
        }
        Ok(())
    }
}
