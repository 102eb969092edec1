//! Statements that cannot run in a transaction (`CREATE INDEX CONCURRENTLY`): each try looks at what an earlier one left behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Action, Leftover, Mode, Step};
use postgres::error::SqlState;

use super::run::Run;
use super::step::explain;
use super::watch::Watched;
use crate::database::Limits;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::{StepRecord, StepState};

/// What is there under an index's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A table, a view, a sequence.
    NoIndex,
    /// A process is at work on it.
    Building(i32),
    Invalid,
    Valid,
}

/// Refuses a step whose index has a name that is taken, before the ledger says that it is ours.
pub(super) fn check_name(run: &mut Run, step: &Step, earlier: Option<&StepRecord>) -> Result<()> {
    let Some(Leftover::Index(index)) = &step.leftover else { return Ok(()) };
    if earlier.is_some_and(|record| record.state == StepState::Started) {
        return Ok(());
    }
    match find(run, index)? {
        Found::Nothing => Ok(()),
        _ => Err(Error::NameTaken {
            change: run.change().to_string(),
            step: step.id.clone(),
            object: format!("relation {}", index.quoted()),
        }),
    }
}

/// Runs the statements of an action one by one. `forward` says that the first one makes what `step.leftover` names.
pub(super) fn run_all(run: &mut Run, step: &Step, action: &Action, forward: bool) -> Result<Duration> {
    debug_assert_eq!(action.mode, Mode::Outside);
    let made = step.leftover.as_ref().filter(|_| forward);
    let mut longest_wait = Duration::ZERO;
    for (n, statement) in action.statements.iter().enumerate() {
        let made = made.filter(|_| n == 0);
        run.persist(&step.id, |run, _| {
            if let Some(Leftover::Index(index)) = made
                && make_way(run, step, index)? == Found::Valid
            {
                return Ok(());
            }
            run.announce_holders(&step.id, &action.locks)?;
            let result = run_one(run, step, statement, &mut longest_wait);
            // An invalid index costs every write, and a unique one refuses writes.
            if let (Err(error), Some(Leftover::Index(index))) = (&result, made)
                && !error.is_connection_loss()
                && let Err(kept) = drop_invalid(run, step, index)
            {
                run.options.tell(Event::Note(format!("{}: {} stays behind, invalid: {kept}", step.id, index.quoted())));
            }
            result
        })?;
    }
    Ok(longest_wait)
}

/// One statement, without a lock timeout, which would leave an invalid index behind. Instead, somebody watches it, and cancels it where a
/// lock is held beyond the deadline or the run must stop.
fn run_one(run: &mut Run, step: &Step, statement: &str, longest_wait: &mut Duration) -> Result<()> {
    // The lease is checked, if not held, by a statement that cannot be part of a transaction.
    run.transaction(Limits::LEDGER, "checking the lease", |_| Ok(()))?;
    run.options.tell(Event::Statement { step: step.id.clone(), sql: statement.to_string() });
    let watched = Watched {
        step: step.id.clone(),
        every: Duration::from_millis(250),
        patience: Some(run.options.deadline),
        builds: step.leftover.is_some(),
        interrupt: Arc::clone(&run.options.stop),
    };
    let begun = Instant::now();
    let (result, seen) = run.watched(watched, |run| run.session.run_alone(statement));
    *longest_wait = seen.longest_wait.max(*longest_wait);
    let change = run.change();
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) && run.options.must_stop() => {
            Err(Error::Stopped { change: change.to_string() })
        }
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) && seen.gave_up => Err(Error::Blocked {
            change: change.to_string(),
            doing: step.id.clone(),
            waited: begun.elapsed(),
            blockers: seen.blockers,
        }),
        Err(error) => Err(explain(change, step, statement, error)),
    }
}

/// Waits for a build that a dead runner's session still carries on, and drops what is invalid.
fn make_way(run: &mut Run, step: &Step, index: &QualifiedName) -> Result<Found> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        match find(run, index)? {
            Found::Building(pid) if begun.elapsed() < run.options.deadline => {
                if !told {
                    run.options.tell(Event::Note(format!(
                        "{}: process {pid} is still building {}, waiting for it",
                        step.id,
                        index.quoted()
                    )));
                    told = true;
                }
                run.sleep(Duration::from_millis(500))?;
            }
            Found::Building(_) => {
                return Err(Error::Blocked {
                    change: run.change().to_string(),
                    doing: step.id.clone(),
                    waited: begun.elapsed(),
                    blockers: Vec::new(),
                });
            }
            Found::Invalid => drop_invalid(run, step, index)?,
            found @ (Found::Nothing | Found::Valid) => return Ok(found),
            Found::NoIndex => {
                return Err(Error::NameTaken {
                    change: run.change().to_string(),
                    step: step.id.clone(),
                    object: format!("relation {}", index.quoted()),
                });
            }
        }
    }
}

fn drop_invalid(run: &mut Run, step: &Step, index: &QualifiedName) -> Result<()> {
    if find(run, index)? != Found::Invalid {
        return Ok(());
    }
    run.options.tell(Event::Note(format!(
        "{}: dropping {}, which an earlier try left invalid",
        step.id,
        index.quoted()
    )));
    let statement = format!("drop index concurrently if exists {}", index.quoted());
    run_one(run, step, &statement, &mut Duration::default())
}

fn find(run: &mut Run, index: &QualifiedName) -> Result<Found> {
    run.ledger("looking for the index", |tx| {
        let row = tx
            .query_opt(
                "select indexes.indisvalid, building.pid
                from pg_class as class
                join pg_namespace as namespace on namespace.oid = class.relnamespace
                left join pg_index as indexes on indexes.indexrelid = class.oid
                left join pg_stat_progress_create_index as building on building.index_relid = class.oid
                where namespace.nspname = $1 and class.relname = $2",
                &[&index.schema, &index.name],
            )
            .map_err(Error::database(format!("looking for the index {}", index.quoted())))?;
        Ok(match row.map(|row| (row.get::<_, Option<bool>>(0), row.get::<_, Option<i32>>(1))) {
            None => Found::Nothing,
            Some((_, Some(pid))) => Found::Building(pid),
            Some((Some(true), _)) => Found::Valid,
            Some((Some(false), _)) => Found::Invalid,
            Some((None, _)) => Found::NoIndex,
        })
    })
}
