//! All that the ledger knows of a change, at a glance.

use coexist_core::plan::{Phase, Plan};

use crate::database::{Limits, Session};
use crate::error::Result;
use crate::ledger::{self, Direction, Quarantined, Reconciliation, StepRecord};

/// How far a change is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// Its name.
    pub change: String,
    /// How far the database is.
    pub phase: Phase,
    /// Which way the change goes.
    pub direction: Direction,
    /// Whether its backfill is paused.
    pub paused: bool,
    /// Whether the plan in the ledger does something else than the one in hand.
    pub drifted: bool,
    /// The runner that is at work on it now.
    pub runner: Option<String>,
    /// The steps of the plan, in order.
    pub steps: Vec<StepStatus>,
    /// The last comparison of the shapes that still counts.
    pub reconciliation: Option<Reconciliation>,
    /// Values that did not convert.
    pub quarantine: Vec<Quarantined>,
    /// Writes that set both shapes to different values.
    pub conflicts: i64,
}

/// How far a step is.
#[derive(Clone, Debug)]
pub struct StepStatus {
    /// Its id in the plan.
    pub id: String,
    /// What it does.
    pub title: String,
    /// The phase that it leads to.
    pub phase: Phase,
    /// What the ledger knows of it; `None` where it was never begun.
    pub record: Option<StepRecord>,
}

pub(super) fn status(session: &mut Session, plan: &Plan) -> Result<Status> {
    let change = plan.change.as_str();
    let mut tx = session.begin(Limits::LEDGER)?;
    let record = if ledger::exists(&mut tx)? { ledger::change::find(&mut tx, change)? } else { None };
    let mut status = Status {
        change: change.to_string(),
        phase: Phase::Declared,
        direction: Direction::Forward,
        paused: false,
        drifted: false,
        runner: None,
        steps: Vec::new(),
        reconciliation: None,
        quarantine: Vec::new(),
        conflicts: 0,
    };
    let mut records = Default::default();
    if let Some(record) = record {
        let contract: Vec<&str> = plan.steps_to(Phase::Contracted).map(|step| step.id.as_str()).collect();
        records = ledger::step::all(&mut tx, change)?;
        status.phase = record.phase;
        status.direction = record.direction;
        status.paused = record.paused;
        status.drifted = record.fingerprint != plan.fingerprint();
        status.runner = ledger::lease::holder(&mut tx, change)?;
        status.reconciliation = ledger::evidence::latest_reconciliation(&mut tx, change, &contract)?;
        status.quarantine = ledger::evidence::quarantined(&mut tx, change)?;
        status.conflicts = ledger::evidence::conflicts(&mut tx, change)?;
    }
    status.steps = plan
        .steps
        .iter()
        .map(|step| StepStatus {
            id: step.id.clone(),
            title: step.title.clone(),
            phase: step.phase,
            record: records.remove(&step.id),
        })
        .collect();
    Ok(status)
}
