//! What the commands that change the database have in common: a runner that tells what it does, and that stops when it is asked to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coexist::plan::{Phase, Plan};
use coexist::{Class, Database, Error, Kind, Options, Runner};
use coexist_core::diagnostic::nearest;
use serde_json::{Value, json};

use super::Context;
use crate::args::{Connection, Limits, Metrics, Overrides};
use crate::connect::{self, Server};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::metrics::Exporter;
use crate::output::{Outcome, Output};
use crate::progress::Reporter;

/// The shortest time that a statement of a short transaction is given.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

const STOPPING: &str = "stopping at the next safe point; once more to stop at once";

/// A runner at work, and what shows its work.
pub(crate) struct Work {
    pub runner: Runner,
    reporter: Arc<Reporter>,
    /// Ends with the work.
    _exporter: Exporter,
    /// What was done, change by change, as JSON.
    changes: Vec<Value>,
    moved: bool,
}

impl Work {
    /// Connects. From here on, Ctrl-C and SIGTERM end the work at the next safe point. Rows are compared by so many `readers`.
    pub fn begin(
        context: &Context,
        connection: &Connection,
        limits: &Limits,
        overrides: &Overrides,
        metrics: &Metrics,
        readers: usize,
    ) -> Result<Self> {
        let overridden = overridden(overrides)?;
        let server = connect::server(connection, context.environment)?;
        warn(context.output, &server);
        // A first connection of our own: a failure says to where.
        drop(server.connect()?);
        let exporter = Exporter::start(context, &server, metrics)?;
        let reporter = Arc::new(Reporter::new(context.output));
        let observer = Arc::clone(&reporter);
        let options = overridden
            .into_iter()
            .fold(Options::default(), Options::overriding)
            .lock_timeout(limits.lock_timeout)
            .statement_timeout(STATEMENT_TIMEOUT.max(limits.lock_timeout * 2))
            .deadline(limits.max_wait)
            .readers(readers)
            .stop_flag(stop_flag(Some((context.output, STOPPING)))?)
            .on_event(move |event| observer.event(event));
        let runner = Runner::new(Database::opened_by(move || server.open()), options).map_err(failure)?;
        Ok(Self { runner, reporter, _exporter: exporter, changes: Vec::new(), moved: false })
    }

    /// Does `work` on one change, and remembers from which phase to which it came.
    pub fn on<T>(&mut self, plan: &Plan, work: impl FnOnce(&mut Runner) -> coexist::Result<T>) -> Result<(T, Phase)> {
        let from = self.runner.phase(&plan.change).map_err(failure)?;
        self.reporter.begin(&plan.change);
        let worked = work(&mut self.runner);
        self.reporter.end();
        // Where the connection is lost for good, how far it came is not known.
        let to = self.runner.phase(&plan.change).unwrap_or(from);
        self.moved |= from != to;
        self.changes.push(json!({ "change": plan.change, "from": from.name(), "to": to.name() }));
        worked.map(|value| (value, to)).map_err(failure)
    }

    /// Ends the work: with what went wrong, or with whether some change came into another phase.
    pub fn end(self, result: Result<()>) -> Outcome {
        let outcome = match result {
            Err(failure) => Outcome::from(failure),
            Ok(()) if self.moved => Outcome::new(Exit::Done),
            Ok(()) => Outcome::new(Exit::NothingToDo),
        };
        outcome.with("changes", self.changes)
    }
}

/// The findings that are to be overridden.
///
/// # Errors
///
/// There is no such finding, or it is one that nobody may override.
fn overridden(overrides: &Overrides) -> Result<Vec<String>> {
    for name in &overrides.force {
        let id = name.split_once(':').map_or(name.as_str(), |(id, _)| id);
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.id() == id) else {
            let failure = Failure::new(Exit::Usage, format!("there is no finding `{id}`"));
            return Err(match nearest(id, Kind::ALL.into_iter().map(Kind::id)) {
                Some(near) => failure.help(format!("is `{near}` meant?")),
                None => failure.help("`coexist check` lists what it finds with its id"),
            });
        };
        if !kind.can_be_overridden() {
            let message = format!("`{id}` cannot be overridden: the change would fail, or lose what nobody sees");
            return Err(Failure::new(Exit::Usage, message).help("mend what `coexist check` says"));
        }
    }
    Ok(overrides.force.clone())
}

/// A runner for looking only: the server refuses every write of its transactions.
pub(crate) fn looking(server: Server) -> Result<Runner> {
    drop(server.connect()?);
    Runner::new(Database::opened_by(move || server.open()).read_only(), Options::default()).map_err(failure)
}

/// Says what is worth knowing about how the database was found.
pub(crate) fn warn(output: Output, server: &Server) {
    server.warnings.iter().for_each(|warning| output.warning(warning));
}

/// An error of the run time, as a command ends with it.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = match error.class() {
        Class::Refused => Exit::Refused,
        Class::Blocked => Exit::Blocked,
        Class::Paused => Exit::Paused,
        Class::Drift => Exit::Drift,
        Class::Blind => Exit::Blind,
        Class::Failed => Exit::Failed,
    };
    let text = error.to_string();
    if let Error::OutOfOrder { change, needed, .. } = &error
        && let Some((message, _)) = text.split_once("\nhelp: ")
        && Phase::from_name(needed).is_some_and(|needed| needed <= Phase::Validated)
    {
        return Failure::new(exit, message).help(format!("take it there first: coexist up {change} --to {needed}"));
    }
    match text.split_once("\nhelp: ") {
        Some((message, help)) => Failure::new(exit, message).help(help),
        None => Failure::new(exit, text),
    }
}

/// The plan in the ledger cannot be read.
pub(crate) fn unreadable(change: &str) -> Failure {
    let message = format!("the plan of change `{change}` in the ledger was written by another release of coexist");
    Failure::new(Exit::Refused, message).help("use that release, or bring the folder of the change back")
}

/// A flag that Ctrl-C, SIGTERM and SIGHUP set. The second time, the process ends at once; the server then rolls back what was under way.
/// `said` is said the first time.
pub(super) fn stop_flag(said: Option<(Output, &'static str)>) -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Paused.code().into());
        }
        if let Some((output, said)) = said {
            output.note(said);
        }
    })
    .map_err(|error| Failure::new(Exit::Failed, format!("signals cannot be handled: {error}")))?;
    Ok(flag)
}
