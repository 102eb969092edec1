//! What a run tells while it is under way.

use std::fmt;
use std::time::Duration;

use coexist_core::plan::Phase;

use crate::backfill::Progress;
use crate::error::Seconds;
use crate::preflight::Finding;
use crate::runner::{Blocker, Building};

/// Something happened. Its `Display` is one line for people, without the change's name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A step, or taking it back, begins.
    StepStarted {
        /// Its id in the plan.
        step: String,
        /// What it does.
        title: String,
        /// Whether it is taken back.
        undo: bool,
    },
    /// A statement is about to be sent; `commit` among them.
    Statement {
        /// The step that it belongs to.
        step: String,
        /// Its text.
        sql: String,
    },
    /// A lock that is needed is held by others. Told before queueing for it, and while waiting.
    Waiting {
        /// The step, or what else needs the lock.
        step: String,
        /// Who holds it.
        blockers: Vec<Blocker>,
    },
    /// An index is being built: told when it comes to something else, and every few seconds.
    Building {
        /// The step.
        step: String,
        /// How far it is.
        building: Building,
    },
    /// A try failed, and another one follows.
    Retry {
        /// The step, or what else was tried.
        step: String,
        /// The SQLSTATE of what went wrong, where the server said it.
        code: Option<String>,
        /// What went wrong.
        reason: String,
        /// After which pause.
        after: Duration,
    },
    /// A step is done, or taken back.
    StepDone {
        /// Its id in the plan.
        step: String,
        /// Whether it was taken back.
        undo: bool,
        /// How long it took, all tries together.
        took: Duration,
        /// The longest that it waited for a lock.
        lock_wait: Duration,
    },
    /// The ledger has the change in another phase.
    PhaseReached {
        /// Which.
        phase: Phase,
    },
    /// A batch of a backfill is committed.
    Progress(Progress),
    /// A piece of a comparison is done.
    Compared {
        /// What is compared.
        title: String,
        /// How many rows so far.
        rows: i64,
        /// How many of them disagree.
        mismatches: i64,
    },
    /// The ledger says pause; the run waits until it says otherwise.
    Paused {
        /// Why.
        reason: String,
    },
    /// A backfill holds still, because others need the server more.
    Throttled {
        /// What is beyond its limit.
        reasons: Vec<String>,
    },
    /// The pause is over, or nothing is beyond its limit any more.
    Resumed,
    /// The connection is lost and is being opened again.
    Reconnecting {
        /// Why it was lost.
        reason: String,
    },
    /// Something about the database that warns, or that would stop the run and was overridden by name.
    Finding(Finding),
    /// Something worth knowing.
    Note(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StepStarted { step, title, undo: false } => write!(f, "{step}: {title}"),
            Self::StepStarted { step, undo: true, .. } => write!(f, "{step}: taking it back"),
            Self::Statement { step, sql } => write!(f, "{step}: {sql}"),
            Self::Waiting { step, blockers } => {
                let blockers: Vec<String> = blockers.iter().map(ToString::to_string).collect();
                write!(f, "{step}: waits for {}", blockers.join("; "))
            }
            Self::Building { step, building } => write!(f, "{step}: {building}"),
            Self::Retry { step, reason, after, .. } => {
                write!(f, "{step}: {reason}; again in {:.1} s", after.as_secs_f64())
            }
            Self::StepDone { step, undo, took, lock_wait } => {
                let what = if *undo { "taken back" } else { "done" };
                write!(f, "{step}: {what} in {} ms", took.as_millis())?;
                if lock_wait.is_zero() { Ok(()) } else { write!(f, ", waited {} ms for locks", lock_wait.as_millis()) }
            }
            Self::PhaseReached { phase } => write!(f, "the change is {}", phase.name()),
            Self::Progress(progress) => progress.fmt(f),
            Self::Compared { title, rows, mismatches } => {
                write!(f, "{title}: {rows} rows compared, {mismatches} differ")
            }
            Self::Paused { reason } => write!(f, "paused; waiting to be resumed ({reason})"),
            Self::Throttled { reasons } => write!(f, "holding still: {}", reasons.join("; ")),
            Self::Resumed => f.write_str("resumed"),
            Self::Reconnecting { reason } => write!(f, "connection lost ({reason}), connecting again"),
            Self::Finding(finding) => write!(f, "{}: {finding}", finding.severity.name()),
            Self::Note(note) => f.write_str(note),
        }
    }
}

/// How long, for people.
pub(crate) fn ago(duration: Duration) -> Seconds {
    Seconds(duration.as_secs_f64())
}
