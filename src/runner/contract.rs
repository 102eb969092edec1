//! The end of the before shape: only with evidence, and only when its name is given.

use coexist_core::plan::{Phase, Stage};

use super::run::Run;
use super::{gate, rollback, step};
use crate::error::{Error, Result};
use crate::ledger;
use crate::ledger::log::{self, Level};
use crate::verify;

/// Checks the evidence, makes it anew where it is old, and carries out the steps of the contract.
pub(crate) fn contract(run: &mut Run, confirmed: &str) -> Result<()> {
    let (plan, change, runner) = (run.plan, run.change(), run.runner);
    if confirmed != change {
        return Err(Error::NotConfirmed {
            change: change.to_string(),
            what: "contract",
            why: "it removes the before shape for good".into(),
        });
    }
    // Past the point of no return there is nothing left to compare, only something left to finish.
    if rollback::point_of_no_return(run)?.is_none() {
        check_evidence(run)?;
        gate::pass(run, Phase::Contracted)?;
    }
    run.ledger("beginning the contract", |tx| log::write(tx, change, runner, Level::Info, "the contract begins"))?;
    for step in plan.steps_to(Phase::Contracted) {
        step::perform(run, step)?;
    }
    run.set_phase(Phase::Contracted)
}

fn check_evidence(run: &mut Run) -> Result<()> {
    let (plan, change) = (run.plan, run.change());
    let phase = run.record()?.phase;
    let mut missing = Vec::new();
    if plan.stage != Stage::Contract {
        missing.push(format!(
            "the source says `stage {};`: no code may use the before shape any more; say `stage contract;` and build",
            plan.stage.name()
        ));
    }
    if phase != Phase::Validated {
        missing.push(format!("the change is {}, and must be validated first", phase.name()));
        return Err(Error::NoEvidence { change: change.to_string(), missing });
    }
    if missing.is_empty() {
        let fresh = verify::latest(run)?.filter(|found| found.is_clean() && found.age <= run.options.evidence_age);
        if fresh.is_none() {
            let found = verify::verify(run)?;
            if !found.is_clean() {
                missing.push(format!(
                    "{} of {} rows differ between the shapes, for example {}; mend them, then verify again",
                    found.mismatches,
                    found.rows,
                    found.samples.join(", ")
                ));
            }
        }
    }
    verify::release_mended(run)?;
    for held in run.ledger("reading the quarantine", |tx| ledger::evidence::quarantined(tx, change))? {
        missing.push(format!(
            "{} values of {}.{} did not convert: see table coexist.quarantine, and write values that do",
            held.rows, held.table, held.column
        ));
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::NoEvidence { change: change.to_string(), missing }) }
}
