//! What needs somebody's attention.

use std::time::Duration;

use coexist::ledger::{Direction, StepState};
use coexist::plan::{Phase, Plan, Stage};
use coexist::{Seconds, Status};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::output::{count, differing, time};

/// The kind of a change that stands still.
pub(super) const STALE: &str = "stale";

/// Something about a change that somebody should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attention {
    /// For programs: `stale`, `runner stopped`, …
    pub kind: &'static str,
    /// What is the matter.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Attention {
    fn new(kind: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: Some(help.into()) }
    }

    /// The folder of the change cannot be trusted.
    pub fn files(failure: Failure) -> Self {
        Self { kind: "files", message: failure.message, help: failure.help }
    }

    /// The database is in the middle of a change that the folder does not have.
    pub fn undeclared(change: &str) -> Self {
        Self::new(
            "undeclared",
            "under way in the database, and not in the folder",
            format!("bring its folder back, or take it back: coexist rollback {change}"),
        )
    }

    pub fn document(&self) -> Value {
        json!({ "kind": self.kind, "message": self.message, "help": self.help })
    }
}

/// All that is the matter with a change on `today`, where it may stand still for `stale`.
pub(super) fn of_change(plan: &Plan, status: &Status, today: &str, stale: Duration) -> Vec<Attention> {
    let change = plan.change.as_str();
    let mut found = Vec::new();
    let mut add = |kind, message: String, help: String| found.push(Attention::new(kind, message, help));
    if status.drifted && is_begun(status) {
        add(
            "plan changed",
            "the database is under way with another plan than the one in the folder".to_owned(),
            format!(
                "go back to the declaration that it was begun with, or take it back and begin again: coexist rollback {change}"
            ),
        );
    }
    if let Some(stopped) = &status.stopped_runner {
        add(
            "runner stopped",
            format!(
                "its last runner, {}, was cut off and last seen {} ago",
                stopped.name,
                Seconds(stopped.seen.as_secs_f64())
            ),
            go_on(status, change),
        );
    }
    if status.direction == Direction::RollingBack && status.runner.is_none() && status.stopped_runner.is_none() {
        add("rolling back", "its rollback is not finished".to_owned(), go_on(status, change));
    }
    if status.paused {
        match &status.pause_reason {
            Some(reason) if !status.paused_by_request => {
                add("paused", format!("its backfill is paused: {reason}"), go_on(status, change));
            }
            _ => add(
                "paused",
                "somebody paused its backfill".to_owned(),
                format!("let it go on: coexist resume {change}"),
            ),
        }
    }
    if let Some(comparison) = status.reconciliation.as_ref().filter(|comparison| !comparison.is_clean()) {
        add(
            "mismatch",
            differing(comparison.mismatches, comparison.rows),
            format!("see which, and mend them through one shape: coexist verify {change}"),
        );
    }
    for held in &status.quarantine {
        add(
            "quarantine",
            format!("{} values of {}.{} did not convert", count(held.rows), held.table, held.column),
            "see table coexist.quarantine, and write values that convert; contract waits for it".to_owned(),
        );
    }
    if status.conflicts > 0 {
        add(
            "conflicts",
            format!("{} writes set both shapes to different values; the after shape won", count(status.conflicts)),
            "look for code that writes both shapes".to_owned(),
        );
    }
    let under_way = is_begun(status) && status.phase < Phase::Contracted;
    if let Some(idle) = status.idle.filter(|idle| under_way && status.runner.is_none() && *idle >= stale) {
        add(
            STALE,
            format!("it stands still since {}", time(idle)),
            format!("{}, or take it back: coexist rollback {change}", forward(plan, status.phase)),
        );
    }
    if let Some(day) = plan.contract_by.as_ref().filter(|day| under_way && day.as_str() < today) {
        add("overdue", format!("its contract was promised by {day}"), forward(plan, status.phase));
    }
    found
}

/// Whether something of the change is in the database.
pub(super) fn is_begun(status: &Status) -> bool {
    let in_effect = |state| state != StepState::Undone;
    status.phase != Phase::Declared
        || status.steps.iter().filter_map(|step| step.record.as_ref()).any(|record| in_effect(record.state))
}

/// `rolling back`, where the change does not simply go forward.
pub(super) fn direction(status: &Status) -> Option<&'static str> {
    (status.direction != Direction::Forward).then(|| status.direction.name())
}

fn go_on(status: &Status, change: &str) -> String {
    match status.direction {
        Direction::RollingBack => format!("finish it: coexist rollback {change}"),
        Direction::Forward | Direction::RolledBack => format!("go on where it stopped: coexist up {change}"),
    }
}

fn forward(plan: &Plan, phase: Phase) -> String {
    let change = &plan.change;
    match plan.stage {
        _ if phase < Phase::Validated => format!("go on: coexist up {change}"),
        Stage::Expand => "move the code to the after shape: `stage migrate;`".to_owned(),
        Stage::Migrate => "remove the last uses of the before shape: `stage contract;`".to_owned(),
        Stage::Contract => format!("remove the before shape: coexist contract {change} --confirm {change}"),
    }
}
