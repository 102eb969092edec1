//! All that the ledger knows of a change, at a glance.

use std::time::Duration;

use coexist_core::plan::{Phase, Plan};
use coexist_core::render::plan_file;

use super::building::{self, Building};
use crate::database::{Limits, Session, Transaction};
use crate::error::Result;
use crate::ledger::segment::{self, LastPass};
use crate::ledger::{self, Direction, Held, PauseReason, Quarantined, Reconciliation, Retries, StepRecord, history};

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
    /// How long ago anything was done for it: a phase, a step, a batch. `None` where it was never begun.
    pub idle: Option<Duration>,
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
    /// How often something was tried again, by SQLSTATE.
    pub retries: Vec<Retries>,
    /// Why and for how long its backfills held still, so far.
    pub held: Vec<Held>,
    /// The index that is being built for it.
    pub building: Option<Building>,
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
    /// Batches that were committed, in all passes.
    pub batches: i64,
    /// Bytes of WAL that the server wrote while it ran, for whomever.
    pub wal_written: i64,
    /// What is known of it because it runs now, or waits to go on.
    pub running: Option<Running>,
}

/// A backfill that runs, in whatever processes.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// How many workers are at work.
    pub workers: i64,
    /// How fast it goes; `None` where that cannot be told yet.
    pub rate: Option<Rate>,
    /// By how many seconds the standby that is furthest behind lags, without end where it is gone; `None` where there is none, or none can be
    /// seen.
    pub lag: Option<f64>,
    /// Why it holds still, by name; nothing where it does not.
    pub held: Vec<String>,
    /// The same with numbers, for people.
    pub reasons: Vec<String>,
}

/// How fast a backfill goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Rows that are filled in a second.
    pub rows_per_second: f64,
    /// Bytes of WAL that the server writes in a second, for whomever.
    pub wal_per_second: f64,
    /// How long the pass still takes if it goes on like that; `None` while nothing moves.
    pub remaining: Option<Duration>,
    /// The time before now in which that was measured.
    pub over: Duration,
}

/// Over what time rates are measured.
const WINDOW: Duration = Duration::from_secs(60);

/// More samples than there can be in that time, unless what it holds still for changes with every look.
const SAMPLES: i64 = 60;

/// How old a sample may be that still says how things are.
const FRESH: Duration = Duration::from_secs(15);

/// How fast the pass goes that is at `now`, by samples of it, the latest first.
fn rate(now: &LastPass, samples: &[history::Recorded]) -> Option<Rate> {
    let of_pass = |recorded: &&history::Recorded| {
        // What was further than now is of a pass that was taken back.
        recorded.age <= WINDOW
            && (recorded.sample.backfill, recorded.sample.pass) == (now.backfill, now.pass)
            && recorded.sample.done <= now.progress.done()
    };
    let first = samples.iter().take_while(of_pass).last()?;
    let over = first.age;
    let seconds = over.as_secs_f64();
    if seconds < 0.1 {
        return None;
    }
    let per_second = |amount: f64| amount.max(0.0) / seconds;
    let done = per_second(now.progress.done() - first.sample.done);
    let remaining = Duration::try_from_secs_f64((1.0 - now.progress.done()) / done).ok();
    let latest = samples.first()?;
    let sampled = first.age.saturating_sub(latest.age).as_secs_f64();
    let wal = (latest.wal_written - first.wal_written).max(0) as f64;
    Some(Rate {
        rows_per_second: per_second((now.progress.rows - first.sample.rows) as f64),
        wal_per_second: if sampled > 0.0 { wal / sampled } else { 0.0 },
        remaining,
        over,
    })
}

/// How far the backfill of a change is; `None` before its first pass.
fn backfill(tx: &mut Transaction<'_>, change: &str, runs: bool) -> Result<Option<BackfillStatus>> {
    let Some(now) = segment::last_pass_of(tx, change)? else { return Ok(None) };
    let samples = history::latest(tx, change, SAMPLES)?;
    let running = runs.then(|| {
        let fresh = samples.first().filter(|latest| latest.age <= FRESH).map(|latest| latest.sample.clone());
        let sample = fresh.unwrap_or_default();
        Running {
            workers: now.workers,
            rate: rate(&now, &samples),
            lag: sample.lag,
            held: sample.held,
            reasons: sample.reasons,
        }
    });
    Ok(Some(BackfillStatus {
        pass: now.pass,
        done: now.progress.done(),
        rows: now.rows,
        batches: now.batches,
        wal_written: samples.first().map_or(0, |latest| latest.wal_written),
        running,
    }))
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
        idle: None,
        runner: None,
        stopped_runner: None,
        progress: None,
        steps: Vec::new(),
        reconciliation: None,
        quarantine: Vec::new(),
        conflicts: 0,
        retries: Vec::new(),
        held: Vec::new(),
        building: None,
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
        status.idle = ledger::change::idle(&mut tx, change)?;
        match ledger::lease::holder(&mut tx, change)? {
            Some(holder) if holder.alive => status.runner = Some(holder.name),
            Some(holder) => status.stopped_runner = Some(StoppedRunner { name: holder.name, seen: holder.seen }),
            None => {}
        }
        if status.runner.is_some() {
            status.building = building::for_change(&mut tx, change)?;
        }
        let runs = status.runner.is_some() && record.phase < Phase::Backfilled;
        status.progress = backfill(&mut tx, change, runs)?;
        (status.retries, status.held) = ledger::tally::all(&mut tx, change)?;
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
