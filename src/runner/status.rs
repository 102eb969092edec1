//! All that the ledger knows of a change, at a glance.

use std::time::Duration;

use coexist_core::plan::{Phase, Plan};
use coexist_core::render::plan_file;

use crate::database::{Limits, Session};
use crate::error::Result;
use crate::ledger::{self, Direction, PauseReason, Quarantined, Reconciliation, StepRecord};

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
    /// Whether somebody paused it, and must resume it; otherwise running it again is enough.
    pub paused_by_request: bool,
    /// Why it is paused, for people.
    pub pause_reason: Option<String>,
    /// Whether the plan in the ledger does something else than the one in hand.
    pub drifted: bool,
    /// How long ago it last came into another phase, stage or direction, or was paused or resumed; `None` where it was never begun.
    pub since: Option<Duration>,
    /// The runner that is at work on it now.
    pub runner: Option<String>,
    /// The runner that was at work on it last, where it was cut off.
    pub stopped_runner: Option<StoppedRunner>,
    /// How far the backfill is; `None` before its first batch.
    pub progress: Option<BackfillStatus>,
    /// The steps of the plan, in order.
    pub steps: Vec<StepStatus>,
    /// The last comparison of the shapes that still counts.
    pub reconciliation: Option<Reconciliation>,
    /// Values that did not convert.
    pub quarantine: Vec<Quarantined>,
    /// Writes that set both shapes to different values.
    pub conflicts: i64,
}

/// A runner that no longer gives a sign of life, and that did not say that it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct StoppedRunner {
    /// Which process it was, and where.
    pub name: String,
    /// How long ago it gave its last sign of life.
    pub seen: Duration,
}

/// How far a backfill is.
#[derive(Clone, Debug, PartialEq)]
pub struct BackfillStatus {
    /// The pass that was begun last: the first fills, the next ones look for what is left.
    pub pass: i32,
    /// How much of that pass is done, from 0 to 1.
    pub done: f64,
    /// Rows that were filled, in all passes.
    pub rows: i64,
}

/// A change that the ledger knows.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its name.
    pub change: String,
    /// The plan that it was begun with; `None` where another release of coexist wrote it.
    pub plan: Option<Plan>,
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
        paused_by_request: false,
        pause_reason: None,
        drifted: false,
        since: None,
        runner: None,
        stopped_runner: None,
        progress: None,
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
        status.paused_by_request =
            record.paused && record.pause_reason.as_deref().is_none_or(|reason| reason == PauseReason::Asked.name());
        status.pause_reason = record.pause_reason;
        status.drifted = record.fingerprint != plan.fingerprint();
        status.since = Some(record.since);
        match ledger::lease::holder(&mut tx, change)? {
            Some(holder) if holder.alive => status.runner = Some(holder.name),
            Some(holder) => status.stopped_runner = Some(StoppedRunner { name: holder.name, seen: holder.seen }),
            None => {}
        }
        status.progress = ledger::segment::last_progress(&mut tx, change)?.map(|(pass, now)| BackfillStatus {
            pass,
            done: now.done(),
            rows: now.rows,
        });
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

/// Every change that was ever begun, by name; none where there is no ledger.
pub(super) fn recorded(session: &mut Session) -> Result<Vec<Recorded>> {
    let mut tx = session.begin(Limits::LEDGER)?;
    let known = if ledger::exists(&mut tx)? { ledger::change::all(&mut tx)? } else { Vec::new() };
    let recorded = known.into_iter().map(|(change, plan)| Recorded { change, plan: plan_file::from_toml(&plan).ok() });
    Ok(recorded.collect())
}
