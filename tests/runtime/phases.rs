//! The phases as types. That a wrong order does not compile is shown in `tests/ui/phases`.

use coexist::phases::{self, Found};
use coexist::plan::Stage;
use coexist::{Pace, Phase};

use crate::plans::{USERS, rename};
use crate::world::World;

#[test]
fn the_phases_in_one_program() {
    let world = World::new("typestate", USERS);
    let mut runner = world.runner();
    let mut plan = rename();
    plan.stage = Stage::Contract;
    let mut change = phases::begin(&mut runner, &plan)
        .unwrap()
        .expand()
        .unwrap()
        .dual_write()
        .unwrap()
        .backfill(Pace::default())
        .unwrap()
        .validate()
        .unwrap();
    let evidence = change.verify().unwrap();
    assert_eq!((evidence.reconciliation().rows, evidence.reconciliation().mismatches), (1000, 0));
    change.contract(evidence).unwrap();
    assert_eq!(world.phase(&plan), "contracted");
}

#[test]
fn resume_gives_the_phase_of_the_database() {
    let world = World::new("typestate_resume", USERS);
    let mut runner = world.runner();
    let plan = rename();
    phases::begin(&mut runner, &plan).unwrap().expand().unwrap();
    let again = phases::begin(&mut runner, &plan).unwrap_err().to_string();
    assert_eq!(
        again,
        "change `rename_user_name` is expanded, and must be declared first\nhelp: go on with it: `phases::resume` gives the phase in which it is"
    );
    let Found::Expanded(change) = phases::resume(&mut runner, &plan).unwrap() else { panic!() };
    change.dual_write().unwrap();
    let found = phases::resume(&mut runner, &plan).unwrap();
    assert_eq!(found.phase(), Phase::DualWriting);
    let Found::DualWriting(change) = found else { panic!() };
    change.rollback(None).unwrap();
    assert_eq!(world.phase(&plan), "declared");
}
