//! With the crate `tracing`.

use coexist_core::plan::Phase;
use tracing::{debug, error, info, warn};

use crate::error::Error;
use crate::event::Event;
use crate::preflight::Severity;

/// Where it is from, for filters.
const TARGET: &str = "coexist";

/// What is under way.
#[derive(Clone)]
pub(crate) struct Span(tracing::Span);

impl Span {
    pub fn change(name: &str) -> Self {
        Self(tracing::info_span!(target: TARGET, "change", change = name))
    }

    pub fn phase(phase: Phase) -> Self {
        Self(tracing::info_span!(target: TARGET, "phase", phase = phase.name()))
    }

    pub fn step(id: &str, undo: bool) -> Self {
        Self(tracing::info_span!(target: TARGET, "step", step = id, undo))
    }

    pub fn batch(table: &dyn std::fmt::Display, worker: usize) -> Self {
        Self(tracing::debug_span!(target: TARGET, "batch", %table, worker))
    }

    /// What this thread is in.
    pub fn current() -> Self {
        Self(tracing::Span::current())
    }

    /// This thread is in it as long as the answer lives.
    pub fn enter(self) -> tracing::span::EnteredSpan {
        self.0.entered()
    }
}

/// Something happened.
pub(crate) fn event(event: &Event) {
    let millis = |duration: &std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match event {
        Event::StepStarted { title, .. } => info!(target: TARGET, title, "begins"),
        Event::Statement { sql, .. } => debug!(target: TARGET, sql, "statement"),
        Event::Waiting { step, blockers } => {
            let blockers: Vec<String> = blockers.iter().map(ToString::to_string).collect();
            warn!(target: TARGET, doing = step, blockers = blockers.join("; "), "waits for a lock");
        }
        Event::Building { building, .. } => {
            info!(target: TARGET, doing = building.phase, done = building.done, waits_for = building.waits_for, "builds an index");
        }
        Event::Retry { step, code, after, .. } => {
            warn!(target: TARGET, doing = step, sqlstate = code, after_ms = millis(after), "tried again")
        }
        Event::StepDone { took, lock_wait, .. } => {
            info!(target: TARGET, took_ms = millis(took), lock_wait_ms = millis(lock_wait), "done");
        }
        Event::PhaseReached { phase } => info!(target: TARGET, reached = phase.name(), "phase reached"),
        Event::Progress(progress) => debug!(target: TARGET,
            table = progress.table,
            pass = progress.pass,
            rows = progress.batch_rows,
            took_ms = millis(&progress.batch_took),
            done = progress.done,
            rows_per_second = progress.rows_per_second,
            "batch"
        ),
        Event::Compared { title, rows, mismatches } => debug!(target: TARGET, title, rows, mismatches, "compared"),
        Event::Paused { reason } => info!(target: TARGET, reason, "paused"),
        Event::Throttled { reasons } => warn!(target: TARGET, reasons = reasons.join("; "), "holds still"),
        Event::Resumed => info!(target: TARGET, "goes on"),
        Event::Reconnecting { .. } => warn!(target: TARGET, "connection lost"),
        // Its reason may have keys of rows.
        Event::Finding(finding) => match finding.severity {
            Severity::Informs => info!(target: TARGET, finding = finding.kind.id(), object = finding.object, "informs"),
            Severity::Warns => warn!(target: TARGET, finding = finding.kind.id(), object = finding.object, "warns"),
            Severity::Blocks => {
                warn!(target: TARGET, finding = finding.kind.id(), object = finding.object, "overridden")
            }
        },
        Event::Note(note) => info!(target: TARGET, "{note}"),
    }
}

/// The run ends with an error, which its caller is told in full.
pub(crate) fn failed(failure: &Error) {
    let sqlstate = failure.sqlstate().map(|code| code.code().to_string());
    error!(target: TARGET, class = failure.class().name(), sqlstate, "failed");
}
