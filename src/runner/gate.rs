//! Looks before each phase, and stops where something stands in its way: before anything of the phase is done, and only then.

use coexist_core::plan::{Phase, Plan};

use postgres::error::SqlState;

use super::run::Run;
use crate::database::{Database, Limits, Session};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::log::Level;
use crate::ledger::{self, StepState};
use crate::options::Options;
use crate::preflight::{Finding, Look, Severity};

/// Looks at everything before anything is touched, the ledger included; and later at how the server is reached, before it goes on to `target`.
/// Answers with what was overridden.
pub(super) fn enter(
    plan: &Plan,
    options: &Options,
    database: &Database,
    session: &mut Session,
    target: Phase,
) -> Result<Vec<Finding>> {
    let Some(reached) = touched(session, plan)? else {
        session.serve(plan);
        let mut look = Look::new(plan, options, session.server, Phase::Declared, Phase::Validated);
        look.at_everything(database, session, Some(Phase::Expanded))?;
        return judge(plan, options, look.findings());
    };
    if reached < target { directly(plan, options, database, session.server) } else { Ok(Vec::new()) }
}

/// Makes sure that each session has a server process of its own. Answers with what was overridden.
pub(super) fn directly(plan: &Plan, options: &Options, database: &Database, server: u32) -> Result<Vec<Finding>> {
    let mut look = Look::new(plan, options, server, Phase::Declared, Phase::Contracted);
    look.at_connection(database);
    judge(plan, options, look.findings())
}

/// Lets the change pass to the next phase, which is not the first.
pub(super) fn pass(run: &mut Run, next: Phase) -> Result<()> {
    if is_begun(run, next)? {
        return Ok(());
    }
    let reached = run.record()?.phase;
    let mut look = Look::new(run.plan, run.options, run.session.server, reached, next);
    look.at_own(run.session)?;
    if next == Phase::Contracted {
        look.at_dependents(run.session)?;
    }
    look.at_rows(run.session, next, None)?;
    let overridden = judge(run.plan, run.options, look.findings())?;
    record(run, &overridden);
    Ok(())
}

/// Writes to the ledger's log what was overridden.
pub(super) fn record(run: &mut Run, overridden: &[Finding]) {
    for finding in overridden {
        run.log(Level::Warning, &format!("overridden by name: {finding}"));
    }
}

/// How far the change is; `None` where nothing of it is in the database.
fn touched(session: &mut Session, plan: &Plan) -> Result<Option<Phase>> {
    let mut tx = session.begin(Limits::LEDGER)?;
    if !ledger::exists(&mut tx)? {
        return Ok(None);
    }
    let reached = ledger::change::find(&mut tx, &plan.change)?.map_or(Phase::Declared, |record| record.phase);
    if reached > Phase::Declared {
        return Ok(Some(reached));
    }
    match ledger::step::all(&mut tx, &plan.change) {
        Ok(steps) if steps.values().all(|record| record.state == StepState::Undone) => Ok(None),
        Ok(_) => Ok(Some(reached)),
        // That the ledger is another role's is one of the things to be found.
        Err(error) if error.sqlstate() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a part of what leads to `phase` was done before: then this run goes on where that one stopped.
fn is_begun(run: &mut Run, phase: Phase) -> Result<bool> {
    let records = run.steps()?;
    let of_phase = run.plan.steps_to(phase).filter_map(|step| records.get(&step.id));
    if of_phase.into_iter().any(|record| record.state != StepState::Undone) {
        return Ok(true);
    }
    let change = run.change();
    match phase {
        Phase::Backfilled => {
            run.ledger("reading the ledger", |tx| Ok(ledger::segment::last_pass_of(tx, change)?.is_some()))
        }
        _ => Ok(false),
    }
}

/// Tells what was found, and fails where something blocks that was not overridden. Answers with what was.
fn judge(plan: &Plan, options: &Options, findings: Vec<Finding>) -> Result<Vec<Finding>> {
    let (mut blocking, mut overridden) = (Vec::new(), Vec::new());
    for finding in findings {
        match finding.severity {
            Severity::Informs => {}
            Severity::Warns => options.tell(Event::Finding(finding)),
            Severity::Blocks if options.overrides(&finding) => {
                options.tell(Event::Finding(finding.clone()));
                overridden.push(finding);
            }
            Severity::Blocks => blocking.push(finding),
        }
    }
    if blocking.is_empty() {
        return Ok(overridden);
    }
    Err(Error::InTheWay { change: plan.change.clone(), findings: blocking })
}
