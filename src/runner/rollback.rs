//! The way back: every step that was begun is taken back, the last one first.

use coexist_core::plan::{Mode, Phase};

use super::adopt;
use super::run::Run;
use super::step;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::log::{self, Level};
use crate::ledger::{self, Direction, StepState};

/// Takes the change back to where nothing of it is left. `confirmed` is the name that the user gave for a change that loses something.
pub(crate) fn roll_back(run: &mut Run, confirmed: Option<&str>) -> Result<()> {
    adopt::adopt(run)?;
    let (plan, change, runner) = (run.plan, run.change(), run.runner);
    let mut records = run.steps()?;
    if let Some(step) = point_of_no_return(run)? {
        return Err(Error::PointOfNoReturn { change: change.to_string(), step });
    }
    let wrote = plan.steps_to(Phase::DualWriting).any(|step| records.contains_key(&step.id));
    if let Some(why) = plan.irreversible.as_ref().filter(|_| wrote && confirmed != Some(change)) {
        return Err(Error::NotConfirmed {
            change: change.to_string(),
            what: "rollback",
            why: format!("what new code wrote will be lost: {why}"),
        });
    }
    run.ledger("beginning the rollback", |tx| {
        ledger::change::set_direction(tx, change, Direction::RollingBack)?;
        log::write(tx, change, runner, Level::Info, "the rollback begins")
    })?;
    for step in plan.steps.iter().rev() {
        step::take_back(run, step, records.remove(&step.id).as_ref())?;
    }
    run.ledger("finishing the rollback", |tx| {
        ledger::segment::clear(tx, change)?;
        ledger::evidence::clear(tx, change)?;
        ledger::change::set_phase(tx, change, Phase::Declared)?;
        ledger::change::set_paused(tx, change, None)?;
        ledger::change::set_direction(tx, change, Direction::RolledBack)?;
        log::write(tx, change, runner, Level::Info, "the change is rolled back")
    })?;
    run.options.tell(Event::PhaseReached { phase: Phase::Declared });
    Ok(())
}

/// The step of the contract after which there is no way back, if it may have had an effect.
pub(crate) fn point_of_no_return(run: &mut Run) -> Result<Option<String>> {
    let records = run.steps()?;
    let step = run.plan.steps_to(Phase::Contracted).find(|step| {
        let state = records.get(&step.id).map(|record| record.state);
        let effective = match state {
            Some(StepState::Done) => true,
            // A transaction that did not commit had no effect.
            Some(StepState::Started) => step.action.mode == Mode::Outside,
            _ => false,
        };
        effective && step.undo.is_empty()
    });
    Ok(step.map(|step| step.id.clone()))
}
