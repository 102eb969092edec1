//! A change's own row: its phase, its plan, and which way it goes.

use std::time::Duration;

use coexist_core::plan::{Phase, Plan};

use crate::database::Transaction;
use crate::error::{Error, Result};

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the after shape.
    Forward,
    /// Back, and not yet there.
    RollingBack,
    /// Back at the beginning; it may begin again.
    RolledBack,
}

impl Direction {
    /// As the ledger spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Forward, Self::RollingBack, Self::RolledBack].into_iter().find(|direction| direction.name() == name)
    }
}

/// Why a change is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PauseReason {
    /// Somebody said so, and must say that it goes on.
    Asked,
    /// Its run was stopped by a signal.
    Interrupted,
    /// The server has no room left on its disk.
    DiskFull,
}

impl PauseReason {
    /// As the ledger and the messages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked for",
            Self::Interrupted => "its run was stopped",
            Self::DiskFull => "the disk of the server is full",
        }
    }
}

/// What the ledger knows of a change as a whole.
#[derive(Clone, Debug)]
pub(crate) struct ChangeRecord {
    pub fingerprint: String,
    pub phase: Phase,
    pub direction: Direction,
    pub paused: bool,
    /// Why, for people.
    pub pause_reason: Option<String>,
    /// The plan as it was begun with.
    pub plan: String,
    /// How long ago it last came into another phase, stage or direction, or was paused or resumed, by the server's clock.
    pub since: Duration,
}

/// Reads it; `None` where the change was never begun.
pub(crate) fn find(tx: &mut Transaction<'_>, change: &str) -> Result<Option<ChangeRecord>> {
    let row = tx
        .query_opt(
            "select fingerprint, phase, direction, paused, plan,
                extract(epoch from clock_timestamp() - updated_at)::float8, pause_reason
            from coexist.changes where name = $1",
            &[&change],
        )
        .map_err(reading(change))?;
    let Some(row) = row else { return Ok(None) };
    let (phase, direction): (&str, &str) = (row.get(1), row.get(2));
    let unknown = |what: &str| Error::Plan {
        change: change.to_string(),
        message: format!("the ledger says `{what}`, which this program does not know; use a newer release of coexist"),
    };
    Ok(Some(ChangeRecord {
        fingerprint: row.get(0),
        phase: Phase::from_name(phase).ok_or_else(|| unknown(phase))?,
        direction: Direction::from_name(direction).ok_or_else(|| unknown(direction))?,
        paused: row.get(3),
        plan: row.get(4),
        since: Duration::from_secs_f64(row.get::<_, f64>(5).max(0.0)),
        pause_reason: row.get(6),
    }))
}

/// How long ago anything was done for a change, a phase, a step or a batch, by the server's clock; `None` where it was never begun.
pub(crate) fn idle(tx: &mut Transaction<'_>, change: &str) -> Result<Option<Duration>> {
    let row = tx
        .query_opt(
            "select extract(epoch from clock_timestamp() - greatest(
                updated_at,
                (select max(coalesce(finished_at, started_at)) from coexist.steps where change = $1),
                (select max(updated_at) from coexist.segments where change = $1)
            ))::float8
            from coexist.changes where name = $1",
            &[&change],
        )
        .map_err(reading(change))?;
    Ok(row.map(|row| Duration::from_secs_f64(row.get::<_, f64>(0).max(0.0))))
}

/// The changes that were ever begun, each with the plan that it was begun with, by name.
pub(crate) fn all(tx: &mut Transaction<'_>) -> Result<Vec<(String, String)>> {
    let rows = tx
        .query("select name, plan from coexist.changes order by name", &[])
        .map_err(Error::database("reading which changes the ledger knows"))?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Enters a change that was never begun.
pub(crate) fn enter(tx: &mut Transaction<'_>, plan: &Plan) -> Result<()> {
    tx.execute(
        "insert into coexist.changes (name, fingerprint, phase, stage, plan) values ($1, $2, 'declared', $3, $4)
        on conflict do nothing",
        &[&plan.change, &plan.fingerprint(), &plan.stage.name(), &coexist_core::render::plan_file::to_toml(plan)],
    )
    .map_err(writing(&plan.change))?;
    Ok(())
}

/// Takes over what the plan says now: all of it where nothing was done yet, else the words and the stage.
pub(crate) fn adopt(tx: &mut Transaction<'_>, plan: &Plan, runner: &str) -> Result<()> {
    tx.execute(
        "update coexist.changes
        set fingerprint = $2, stage = $3, plan = $4, runner = $5,
            updated_at = case when (fingerprint, stage) = ($2, $3) then updated_at else clock_timestamp() end
        where name = $1",
        &[
            &plan.change,
            &plan.fingerprint(),
            &plan.stage.name(),
            &coexist_core::render::plan_file::to_toml(plan),
            &runner,
        ],
    )
    .map_err(writing(&plan.change))?;
    Ok(())
}

/// Moves the change to a phase.
pub(crate) fn set_phase(tx: &mut Transaction<'_>, change: &str, phase: Phase) -> Result<()> {
    tx.execute(
        "update coexist.changes set phase = $2, updated_at = clock_timestamp() where name = $1",
        &[&change, &phase.name()],
    )
    .map_err(writing(change))?;
    Ok(())
}

/// Turns it round.
pub(crate) fn set_direction(tx: &mut Transaction<'_>, change: &str, direction: Direction) -> Result<()> {
    tx.execute(
        "update coexist.changes set direction = $2, updated_at = clock_timestamp() where name = $1",
        &[&change, &direction.name()],
    )
    .map_err(writing(change))?;
    Ok(())
}

/// Pauses a change, or lets it go on. Answers whether the change is known.
pub(crate) fn set_paused(tx: &mut Transaction<'_>, change: &str, reason: Option<PauseReason>) -> Result<bool> {
    let known = tx
        .execute(
            "update coexist.changes set paused = $2, pause_reason = $3, updated_at = clock_timestamp() where name = $1",
            &[&change, &reason.is_some(), &reason.map(PauseReason::name)],
        )
        .map_err(writing(change))?;
    Ok(known > 0)
}

/// Lets a change go on that paused by itself, because a new run means just that. One that somebody paused stays so.
pub(crate) fn end_own_pause(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute(
        "update coexist.changes set paused = false, pause_reason = null, updated_at = clock_timestamp()
        where name = $1 and paused and pause_reason <> $2",
        &[&change, &PauseReason::Asked.name()],
    )
    .map_err(writing(change))?;
    Ok(())
}

/// Takes the change out of the ledger, and with it all that refers to it.
pub(crate) fn forget(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute("delete from coexist.changes where name = $1", &[&change]).map_err(writing(change))?;
    Ok(())
}

fn reading(change: &str) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("reading what the ledger knows of change `{change}`"))
}

fn writing(change: &str) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("recording change `{change}` in the ledger"))
}
