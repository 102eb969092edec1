//! A pooler between us and the server.

use coexist::{Class, Database, Options, Pace, Phase, Runner};

use crate::pooler_of_ones_own::Pooler;
use crate::world::World;
use crate::{SHOP, shop};

fn runner(pooler: &Pooler) -> Runner {
    Runner::new(Database::at(&pooler.address()).unwrap(), Options::default()).unwrap()
}

#[test]
fn h77_a_pooler_that_shares_processes_is_found() {
    let (world, plan) = shop("pooled");
    for (mode, size, found) in [("session", 20, false), ("transaction", 20, true), ("transaction", 1, true)] {
        let Some(pooler) = Pooler::start(world.database.name(), mode, size) else { return };
        let mut runner = runner(&pooler);
        let findings = runner.check(&plan).unwrap();
        assert_eq!(findings.iter().any(|finding| finding.kind.id() == "pooler"), found, "{mode}, {size}: {findings:?}");
        if found {
            let refused = runner.up(&plan, &Pace::default()).unwrap_err();
            assert_eq!(refused.class(), Class::Refused, "{refused}");
            assert!(!world.value::<bool>("select to_regnamespace('coexist') is not null"), "nothing was touched");
        } else {
            runner.up(&plan, &Pace::default()).unwrap();
            runner.rollback(&plan, None).unwrap();
            world.execute("drop schema coexist cascade");
        }
    }
}

#[test]
fn h77_what_we_set_reaches_nobody_else() {
    let (world, plan) = shop("shared_process");
    let Some(pooler) = Pooler::start(world.database.name(), "transaction", 1) else { return };
    let mut application = pooler.connect();
    let mut set = || {
        let found = application.simple_query(
            "select string_agg(name || ' = ' || setting, ', ' order by name) from pg_settings
            where source = 'session' and name <> 'application_name'",
        );
        let found = found.unwrap().into_iter().find_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        found.unwrap_or_default()
    };
    assert_eq!(set(), "");
    let mut through = runner(&pooler);
    through.status(&plan).unwrap();
    through.check(&plan).unwrap();
    through.up(&plan, &Pace::default()).unwrap_err();
    let reads = Database::at(&pooler.address()).unwrap().read_only();
    Runner::new(reads, Options::default()).unwrap().status(&plan).unwrap();
    assert_eq!(set(), "");
}

#[test]
fn h77_a_pooler_is_found_in_the_middle_of_a_change_too() {
    let (world, plan) = shop("pooled_later");
    world.runner().expand(&plan).unwrap();
    let Some(pooler) = Pooler::start(world.database.name(), "transaction", 20) else { return };
    let refused = runner(&pooler).up(&plan, &Pace::default()).unwrap_err();
    assert!(refused.to_string().contains("pooler connection: a pooler shares server processes"), "{refused}");
    assert_eq!(world.runner().phase(&plan.change).unwrap(), Phase::Expanded);
    world.runner().up(&plan, &Pace::default()).unwrap();
}

#[test]
fn h92_a_runner_for_looking_only_writes_nothing() {
    let world = World::new("looking", SHOP);
    let (_, plan) = shop("plan");
    let mut looking = Runner::new(world.address().read_only(), Options::default()).unwrap();
    looking.status(&plan).unwrap();
    looking.check(&plan).unwrap();
    let refused = looking.up(&plan, &Pace::default()).unwrap_err();
    assert_eq!(refused.class(), Class::Refused, "{refused}");
    assert!(!world.value::<bool>("select to_regnamespace('coexist') is not null"));
}
