//! `coexist rollback`: back to where nothing of a change is left.

use coexist::Recorded;
use coexist_core::plan::Plan;

use super::Context;
use super::run::{Work, failure, unreadable};
use crate::args::{Metrics, Rollback};
use crate::exit::Exit;
use crate::failure::Result;
use crate::migrations;
use crate::output::Outcome;

pub(crate) fn rollback(context: &Context, args: &Rollback) -> Result<Outcome> {
    let name = &args.change;
    let migrations = migrations::read(context.common.folder())?;
    let mut work = Work::begin(context, &args.connection, &args.limits, &args.overrides, &Metrics::default(), 1)?;
    let recorded = work.runner.recorded().map_err(failure)?.into_iter().find(|recorded| recorded.change == *name);
    let is_declared = migrations.iter().any(|migration| migration.name == *name);
    let declared = if is_declared || recorded.is_none() {
        context.plans(std::slice::from_ref(name))?.pop()
    } else {
        context.output.note(format_args!("{name} is not in the folder: the plan in the ledger is taken back"));
        None
    };
    let Some(recorded) = recorded else {
        context.output.result(format_args!("{name}: never begun here"))?;
        return Ok(Outcome::new(Exit::NothingToDo));
    };
    let plan = begun_with(context, recorded, declared)?;
    let result = work.on(&plan, |runner| runner.rollback(&plan, args.confirm.as_deref()));
    let result = result.and_then(|_| context.output.result(format_args!("{name}: taken back")));
    Ok(work.end(result))
}

/// The plan that the change was begun with: what is in the database is what that one made.
fn begun_with(context: &Context, recorded: Recorded, declared: Option<Plan>) -> Result<Plan> {
    match (recorded.plan, declared) {
        (Some(begun), Some(declared)) if begun.fingerprint() == declared.fingerprint() => Ok(declared),
        (Some(begun), Some(_)) => {
            context.output.note(format_args!(
                "{} was begun with another plan than the one in the folder: that one is taken back",
                recorded.change
            ));
            Ok(begun)
        }
        (Some(begun), None) => Ok(begun),
        (None, Some(declared)) => Ok(declared),
        (None, None) => Err(unreadable(&recorded.change)),
    }
}
