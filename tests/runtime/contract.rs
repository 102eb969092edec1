//! The end of the before shape: what it asks for, and what comes after.

use std::time::Duration;

use coexist::plan::{Plan, Stage};
use coexist::{Class, Error, Options, Pace};

use crate::plans::{USERS, rename};
use crate::world::World;

fn validated(hint: &str) -> (World, Plan) {
    let world = World::new(hint, USERS);
    let mut plan = rename();
    plan.stage = Stage::Contract;
    world.runner().up(&plan, &Pace::default()).unwrap();
    (world, plan)
}

/// A write that no trigger sees.
fn go_around_the_triggers(world: &World, sql: &str) {
    world.execute(&format!("set session_replication_role = replica; {sql}"));
}

#[test]
fn h85_contract_is_refused_without_evidence() {
    let (world, plan) = validated("refused");
    let contract = |plan: &Plan, name: &str| world.runner().contract(plan, name).unwrap_err();

    let unconfirmed = contract(&plan, "rename");
    assert_eq!(
        unconfirmed.to_string(),
        "contract of change `rename_user_name` must be confirmed with its name\nhelp: it removes the before shape for good"
    );

    let expand = Plan { stage: Stage::Expand, ..plan.clone() };
    let refused = contract(&expand, "rename_user_name");
    assert_eq!(refused.class(), Class::Refused);
    assert!(refused.to_string().contains("  - the source says `stage expand;`"), "{refused}");

    world.execute("select coexist.quarantine_row('rename_user_name', 'users', null, 'name', 'x', '22P02', 'no')");
    let refused = contract(&plan, "rename_user_name").to_string();
    assert!(refused.contains("1 values of users.name did not convert"), "{refused}");
    world.execute("truncate coexist.quarantine");

    world.runner().rollback(&plan, None).unwrap();
    world.runner().expand(&plan).unwrap();
    let refused = contract(&plan, "rename_user_name").to_string();
    assert!(refused.contains("  - the change is expanded, and must be validated first"), "{refused}");
}

#[test]
fn evidence_that_is_old_is_made_again() {
    let (world, plan) = validated("old");
    go_around_the_triggers(&world, "update users set name = 'drifted' where id in (7, 8)");
    let refused =
        world.runner_with(Options::default().evidence_age(Duration::ZERO)).contract(&plan, &plan.change).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "change `rename_user_name` cannot be contracted yet:\n  - 2 of 1000 rows differ between the shapes, for example \
         users {\"id\": 7}, users {\"id\": 8}; mend them, then verify again"
    );
    // It is in the ledger, and counts against the change however young it is.
    assert!(world.runner().contract(&plan, &plan.change).is_err());
    world.execute("update users set name = name || '' , full_name = 'mended' where id in (7, 8)");
    assert!(world.runner().verify(&plan).unwrap().is_clean());
    world.runner().contract(&plan, &plan.change).unwrap();
    assert_eq!(world.phase(&plan), "contracted");
}

#[test]
fn rows_that_differ_keep_a_change_from_being_validated() {
    let world = World::new("mismatch", USERS);
    let plan = rename();
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    runner.backfill(&plan, &Pace::default()).unwrap();
    go_around_the_triggers(&world, "update users set name = 'drifted' where id <= 30");
    let differ = runner.validate(&plan).unwrap_err();
    let Error::Mismatch { mismatches: 30, rows: 1000, samples, .. } = &differ else { panic!("{differ}") };
    assert_eq!(samples.len(), 20);
    assert_eq!(samples[0], "users {\"id\": 1}");
    assert_eq!(world.phase(&plan), "backfilled");
    world.execute("update users set full_name = name, name = name || '!' where full_name <> name");
    world.execute("update users set full_name = name || '?' where id <= 30");
    runner.validate(&plan).unwrap();
}

#[test]
fn h88_after_the_contract_there_is_no_way_back() {
    let (world, plan) = validated("no_way_back");
    world.runner().contract(&plan, &plan.change).unwrap();
    let refused = world.runner().rollback(&plan, None).unwrap_err();
    assert_eq!(refused.class(), Class::Refused);
    assert!(refused.to_string().contains("past the point of no return: step `drop_columns`"), "{refused}");
}

#[test]
fn a_contract_that_waited_in_vain_for_its_lock_can_be_rolled_back() {
    let (world, plan) = validated("in_vain");
    let mut reader = world.client();
    reader.batch_execute("begin; select from users limit 1").unwrap();
    let options = Options::default().lock_timeout(Duration::from_millis(50)).deadline(Duration::from_millis(300));
    assert!(matches!(world.runner_with(options).contract(&plan, &plan.change), Err(Error::Blocked { .. })));
    reader.batch_execute("commit").unwrap();
    world.runner().rollback(&plan, None).unwrap();
    assert_eq!(world.phase(&plan), "declared");
}

#[test]
fn a_change_that_loses_what_new_code_wrote_goes_back_only_by_name() {
    let world = World::new("irreversible", USERS);
    let plan = Plan { irreversible: Some("full names do not fit".into()), ..rename() };
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.rollback(&plan, None).unwrap();
    runner.up(&plan, &Pace::default()).unwrap();
    let refused = runner.rollback(&plan, None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "rollback of change `rename_user_name` must be confirmed with its name\nhelp: what new code wrote will be lost: full names do not fit"
    );
    runner.rollback(&plan, Some("rename_user_name")).unwrap();
}

#[test]
fn h17_another_plan_is_refused_once_something_was_done() {
    let world = World::new("drift", USERS);
    let plan = rename();
    let mut other = plan.clone();
    other.steps[1].action.statements[0].push_str(" -- edited");
    other.steps[2].id = "another_index".into();
    other.backfill.clear();

    let mut runner = world.runner();
    runner.expand(&other).unwrap();
    runner.rollback(&other, None).unwrap();
    // Nothing of it is left: the new plan takes its place.
    runner.expand(&plan).unwrap();
    let drift = runner.dual_write(&other).unwrap_err();
    assert_eq!(drift.class(), Class::Drift);
    assert_eq!(
        drift.to_string(),
        "change `rename_user_name` was begun with another plan than this one:\n  - step `sync` does something else\n  \
         - step `index` is gone\n  - step `another_index` is new\n  - the backfill fills in something else\nhelp: go on with the plan \
         that it was begun with, or roll it back with that plan and begin again"
    );
    assert!(matches!(runner.rollback(&other, None), Err(Error::PlanChanged { .. })));
    assert!(runner.status(&other).unwrap().drifted);
    // Its words and its stage may change.
    let reworded = Plan { summary: "better".into(), stage: Stage::Migrate, ..plan.clone() };
    runner.dual_write(&reworded).unwrap();
    assert_eq!(world.value::<String>("select stage from coexist.changes"), "migrate");
}
