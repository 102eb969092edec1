//! Whether the plan in hand is the one that the change was begun with.

use coexist_core::plan::{Phase, Plan, Step};
use coexist_core::render::plan_file;

use super::run::Run;
use crate::error::{Error, Result};
use crate::ledger::{self, Direction, StepState};

/// Takes over the plan's words and stage, and all of it where nothing was done yet; refuses a plan that does something else than what was
/// begun.
pub(crate) fn adopt(run: &mut Run) -> Result<()> {
    check(run)?;
    let (plan, runner) = (run.plan, run.runner);
    run.ledger("recording the plan", |tx| ledger::change::adopt(tx, plan, runner))
}

/// Refuses a plan that does something else than what was begun.
pub(crate) fn check(run: &mut Run) -> Result<()> {
    let record = run.record()?;
    let plan = run.plan;
    let begun = record.phase != Phase::Declared
        || record.direction == Direction::RollingBack
        || run.steps()?.values().any(|step| step.state != StepState::Undone);
    if begun && record.fingerprint != plan.fingerprint() {
        return Err(Error::PlanChanged {
            change: plan.change.clone(),
            differences: match plan_file::from_toml(&record.plan) {
                Ok(earlier) => differences(&earlier, plan),
                Err(_) => {
                    vec!["the ledger's copy of the earlier plan was written by another release of coexist".into()]
                }
            },
        });
    }
    Ok(())
}

/// What `now` does otherwise than `earlier`, one difference a line.
fn differences(earlier: &Plan, now: &Plan) -> Vec<String> {
    let mut differences = Vec::new();
    let find = |steps: &[Step], id: &str| steps.iter().position(|step| step.id == id);
    for step in &earlier.steps {
        let id = &step.id;
        match find(&now.steps, id).map(|n| &now.steps[n]) {
            None => differences.push(format!("step `{id}` is gone")),
            Some(other) if other.action != step.action => differences.push(format!("step `{id}` does something else")),
            Some(other) if other.undo != step.undo => {
                differences.push(format!("step `{id}` is taken back in another way"))
            }
            Some(other) if other.phase != step.phase || other.leftover != step.leftover => {
                differences.push(format!("step `{id}` is carried out in another way"));
            }
            Some(_) => {}
        }
    }
    let added = now.steps.iter().filter(|step| find(&earlier.steps, &step.id).is_none());
    differences.extend(added.map(|step| format!("step `{}` is new", step.id)));
    if differences.is_empty() && earlier.steps.iter().map(|s| &s.id).ne(now.steps.iter().map(|s| &s.id)) {
        differences.push("the steps come in another order".into());
    }
    if earlier.backfill != now.backfill {
        differences.push("the backfill fills in something else".into());
    }
    let compared = |plan: &Plan| -> Vec<_> {
        plan.reconcile.iter().map(|r| (r.table.clone(), r.join.clone(), r.mismatch.clone(), r.key.clone())).collect()
    };
    if compared(earlier) != compared(now) {
        differences.push("the comparison of the shapes is another".into());
    }
    if differences.is_empty() {
        differences.push("its tables, its server version, what it builds on, or its way back".into());
    }
    differences
}
