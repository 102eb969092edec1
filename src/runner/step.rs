//! Carries out one step, or takes it back, so that its record commits with its effect.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coexist_core::plan::{Action, Mode, Step};
use postgres::error::SqlState;

use super::alone;
use super::run::Run;
use super::watch::Watched;
use crate::database::{Limits, Transaction};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::log::{self, Level};
use crate::ledger::step as ledger;
use crate::ledger::{StepRecord, StepState};
use crate::trace::Span;

/// How much longer than `deadlock_timeout` an autovacuum gets to end.
const MARGIN: Duration = Duration::from_millis(200);

/// Does a step, unless it is done.
pub(crate) fn perform(run: &mut Run, step: &Step) -> Result<()> {
    let earlier = run.steps()?.remove(&step.id);
    if earlier.as_ref().is_some_and(|record| record.state == StepState::Done) {
        return Ok(());
    }
    let _span = Span::step(&step.id, false).enter();
    alone::check_name(run, step, earlier.as_ref())?;
    begin(run, step, false)?;
    let begun = Instant::now();
    let lock_wait = carry_out(run, step, &step.action, Some(Record { undo: false, begun }))?;
    finish(run, step, false, begun.elapsed(), lock_wait)
}

/// Takes a step back, unless it was never begun.
pub(crate) fn take_back(run: &mut Run, step: &Step, record: Option<&StepRecord>) -> Result<()> {
    if record.is_none_or(|record| record.state == StepState::Undone) {
        return Ok(());
    }
    let _span = Span::step(&step.id, true).enter();
    begin(run, step, true)?;
    let begun = Instant::now();
    let mut lock_wait = Duration::ZERO;
    for (n, action) in step.undo.iter().enumerate() {
        let last = n + 1 == step.undo.len();
        lock_wait = lock_wait.max(carry_out(run, step, action, last.then_some(Record { undo: true, begun }))?);
    }
    if step.undo.is_empty() {
        let change = run.change();
        run.ledger(&step.id, |tx| ledger::finish(tx, change, &step.id, true, Duration::ZERO, Duration::ZERO))?;
    }
    finish(run, step, true, begun.elapsed(), lock_wait)
}

/// The record that commits with the last statement.
#[derive(Clone, Copy)]
struct Record {
    undo: bool,
    begun: Instant,
}

fn begin(run: &mut Run, step: &Step, undo: bool) -> Result<()> {
    let change = run.change();
    run.ledger(&step.id, |tx| ledger::begin(tx, change, &step.id, undo))?;
    run.options.tell(Event::StepStarted { step: step.id.clone(), title: step.title.clone(), undo });
    Ok(())
}

fn finish(run: &mut Run, step: &Step, undo: bool, took: Duration, lock_wait: Duration) -> Result<()> {
    let (change, runner) = (run.change(), run.runner);
    let what = if undo { "taken back" } else { "done" };
    let message = format!("step {} is {what}, in {} ms", step.id, took.as_millis());
    run.ledger(&step.id, |tx| log::write(tx, change, runner, Level::Info, &message))?;
    run.options.tell(Event::StepDone { step: step.id.clone(), undo, took, lock_wait });
    Ok(())
}

/// Runs an action in its mode, then answers with the longest wait for a lock.
fn carry_out(run: &mut Run, step: &Step, action: &Action, record: Option<Record>) -> Result<Duration> {
    match action.mode {
        Mode::Transaction => together(run, step, action, record, Some(run.options.statement_timeout)),
        Mode::LongTransaction => together(run, step, action, record, None),
        Mode::Outside => {
            let lock_wait = alone::run_all(run, step, action, record.is_some_and(|record| !record.undo))?;
            if let Some(record) = record {
                let (change, took) = (run.change(), record.begun.elapsed());
                run.ledger(&step.id, |tx| ledger::finish(tx, change, &step.id, record.undo, took, lock_wait))?;
            }
            Ok(lock_wait)
        }
    }
}

/// All statements and the record in one transaction.
fn together(
    run: &mut Run,
    step: &Step,
    action: &Action,
    record: Option<Record>,
    statement_timeout: Option<Duration>,
) -> Result<Duration> {
    let every = if statement_timeout.is_some() { Duration::from_millis(50) } else { Duration::from_millis(500) };
    let watched = Watched {
        step: step.id.clone(),
        every,
        patience: None,
        builds: false,
        interrupt: Arc::clone(&run.options.stop),
    };
    let mut longest_wait = Duration::ZERO;
    let mut outwaited = false;
    run.persist(&step.id, |run, tries| {
        if let Some(record) = record.filter(|_| tries > 1) {
            // The connection may have been lost after the commit and before its answer.
            let state = run.steps()?.get(&step.id).map(|record| record.state);
            if state == Some(if record.undo { StepState::Undone } else { StepState::Done }) {
                return Ok(());
            }
        }
        let was_behind_autovacuum = tries > 1 && run.is_behind_autovacuum();
        run.announce_holders(&step.id, &action.locks)?;
        let mut limits = Limits { lock: Some(run.options.lock_timeout), statement: statement_timeout };
        if was_behind_autovacuum && !outwaited {
            outwaited = true;
            limits.lock = Some(outwait(run, step, statement_timeout)?);
        }
        let options = run.options;
        let (change, doing) = (run.change(), format!("change `{}`, step `{}`", run.change(), step.id));
        let (result, seen) = run.watched(watched.clone(), |run| {
            run.transaction(limits, &doing, |tx| {
                for statement in &action.statements {
                    options.tell(Event::Statement { step: step.id.clone(), sql: statement.clone() });
                    execute(tx, change, step, statement)?;
                }
                if let Some(record) = record {
                    ledger::finish(tx, change, &step.id, record.undo, record.begun.elapsed(), longest_wait)?;
                }
                options.tell(Event::Statement { step: step.id.clone(), sql: "commit".to_string() });
                Ok(())
            })
        });
        longest_wait = longest_wait.max(seen.longest_wait);
        match result {
            Err(error) if error.is_cancelled() && options.must_stop() => {
                Err(Error::Stopped { change: change.to_string() })
            }
            other => other,
        }
    })?;
    Ok(longest_wait)
}

/// How long to queue behind an autovacuum. The server ends it for who waits, though not one that prevents wraparound, and no sooner than
/// `deadlock_timeout`: everybody else waits that long as well, so it is tried once.
fn outwait(run: &mut Run, step: &Step, statement_timeout: Option<Duration>) -> Result<Duration> {
    let usual = run.options.lock_timeout;
    let wait = usual.max(run.deadlock_timeout()? + MARGIN);
    if statement_timeout.is_some_and(|limit| limit <= wait) {
        return Ok(usual);
    }
    run.options.tell(Event::Note(format!(
        "{}: an autovacuum is in the way; waiting for up to {} ms, for the server to end it",
        step.id,
        wait.as_millis()
    )));
    Ok(wait)
}

fn execute(tx: &mut Transaction<'_>, change: &str, step: &Step, statement: &str) -> Result<()> {
    tx.batch_execute(statement).map_err(|error| explain(change, step, statement, error))
}

/// What a refused statement means for the change.
pub(super) fn explain(change: &str, step: &Step, statement: &str, error: postgres::Error) -> Error {
    const TAKEN: [SqlState; 5] = [
        SqlState::DUPLICATE_COLUMN,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_FUNCTION,
        SqlState::DUPLICATE_SCHEMA,
    ];
    match error.as_db_error() {
        Some(db) if TAKEN.contains(db.code()) => Error::NameTaken {
            change: change.to_string(),
            step: step.id.clone(),
            object: db.message().trim_end_matches(" already exists").to_string(),
        },
        _ => {
            let first_line = statement.lines().next().unwrap_or_default();
            Error::database(format!("change `{change}`, step `{}`, at `{first_line}`", step.id))(error)
        }
    }
}
