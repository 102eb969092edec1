//! A change from one end to the other, and back.

use coexist::ledger::Direction;
use coexist::plan::Stage;
use coexist::{Pace, Phase};

use crate::plans::{USERS, rename, split};
use crate::world::{Told, World};

#[test]
fn a_rename_goes_through_all_phases() {
    let world = World::new("whole", USERS);
    let told = Told::default();
    let mut runner = world.runner_with(coexist::Options::default().on_event(told.observer()));
    let mut plan = rename();

    runner.expand(&plan).unwrap();
    assert_eq!(world.phase(&plan), "expanded");
    runner.dual_write(&plan).unwrap();
    world.execute(
        "insert into users (name) values ('old code'); insert into users (name, full_name) values ('', 'new code')",
    );
    runner.backfill(&plan, &Pace::default()).unwrap();
    assert_eq!(world.count("users where full_name is null"), 0);
    runner.validate(&plan).unwrap();
    assert_eq!(world.phase(&plan), "validated");

    plan.stage = Stage::Contract;
    runner.contract(&plan, "rename_user_name").unwrap();
    assert_eq!(world.phase(&plan), "contracted");
    assert_eq!(world.count("users where full_name in ('old code', 'new code')"), 2);
    let catalog = world.catalog();
    assert!(catalog.contains("users.full_name: ") && !catalog.contains("users.name: "), "{catalog}");

    // Again: nothing is left to do.
    runner.up(&plan, &Pace::default()).unwrap();
    runner.contract(&plan, "rename_user_name").unwrap();

    let status = runner.status(&plan).unwrap();
    assert_eq!((status.phase, status.direction, status.runner), (Phase::Contracted, Direction::Forward, None));
    assert!(status.steps.iter().all(|step| step.record.as_ref().is_some_and(|r| r.state.name() == "done")));
    assert!(told.text().contains("the change is dual-writing"), "{}", told.text());
}

#[test]
fn a_split_goes_through_all_phases() {
    let world = World::new("whole_split", USERS);
    let mut runner = world.runner();
    let mut plan = split();
    runner.up(&plan, &Pace::default()).unwrap();
    assert_eq!(world.count("profiles"), world.count("users where bio is not null"));
    plan.stage = Stage::Contract;
    runner.contract(&plan, "split_users").unwrap();
    assert!(!world.catalog().contains("users.bio: "));
}

#[test]
fn h19_an_empty_table_goes_through_all_phases() {
    let world = World::new("empty", &format!("{USERS}; truncate users"));
    for mut plan in [rename(), split()] {
        world.runner().up(&plan, &Pace::default()).unwrap();
        plan.stage = Stage::Contract;
        world.runner().contract(&plan, &plan.change).unwrap();
    }
}

#[test]
fn h88_rollback_from_every_phase_leaves_the_catalog_as_it_was() {
    for plan in [rename(), split()] {
        let world = World::new("back", USERS);
        let before = world.catalog();
        let mut runner = world.runner();
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            // Where the change is already further than the phase, these are refused or do nothing.
            runner.expand(&plan).unwrap();
            if phase >= Phase::DualWriting {
                runner.dual_write(&plan).unwrap();
                world.execute("insert into users (name, bio) values ('while both', 'new')");
            }
            if phase >= Phase::Backfilled {
                runner.backfill(&plan, &Pace::default()).unwrap();
            }
            if phase >= Phase::Validated {
                runner.validate(&plan).unwrap();
            }
            assert_eq!(runner.phase(&plan.change).unwrap(), phase);
            runner.rollback(&plan, None).unwrap();
            assert_eq!(world.catalog(), before, "from {}", phase.name());
            let status = runner.status(&plan).unwrap();
            assert_eq!((status.phase, status.direction), (Phase::Declared, Direction::RolledBack));
            // Again: nothing is left to take back.
            runner.rollback(&plan, None).unwrap();
        }
        assert_eq!(world.count("users where name = 'while both'"), 3, "what was written stays");
        assert!(world.count("coexist.log where message = 'the change is rolled back'") >= 4, "history stays");
    }
}

#[test]
fn a_change_that_was_never_begun_is_not_known() {
    let world = World::new("unknown", USERS);
    let mut runner = world.runner();
    let plan = rename();
    assert_eq!(runner.phase(&plan.change).unwrap(), Phase::Declared);
    assert_eq!(runner.status(&plan).unwrap().steps.len(), plan.steps.len());
    let refused = [
        runner.rollback(&plan, None).unwrap_err(),
        runner.contract(&plan, &plan.change).unwrap_err(),
        runner.pause(&plan.change).unwrap_err(),
    ];
    for error in refused {
        assert!(error.to_string().contains("was never begun on this database"), "{error}");
    }
    assert_eq!(world.count("pg_namespace where nspname = 'coexist'"), 0, "asking makes no ledger");
}

#[test]
fn phases_come_in_order() {
    let world = World::new("order", USERS);
    let mut runner = world.runner();
    let plan = rename();
    let error = runner.dual_write(&plan).unwrap_err().to_string();
    assert_eq!(
        error,
        "change `rename_user_name` is declared, and must be expanded first\nhelp: take it to expanded first"
    );
    runner.expand(&plan).unwrap();
    assert!(runner.backfill(&plan, &Pace::default()).is_err());
    assert!(runner.validate(&plan).is_err());
    assert!(runner.verify(&plan).is_err());
}
