//! `coexist retire`: the end of a change that is contracted and deleted from the declaration.

use super::Context;
use super::run::{Work, failure, unreadable};
use crate::args::{Metrics, Overrides, Retire};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::migrations;
use crate::output::Outcome;

pub(crate) fn retire(context: &Context, args: &Retire) -> Result<Outcome> {
    let name = &args.change;
    let folder = context.common.folder().join(name);
    if migrations::is_change(&folder) {
        let message = format!("change `{name}` is still in {}", context.common.folder().display());
        return Err(Failure::new(Exit::Refused, message).help(format!(
            "delete it from the declaration, and {} with it, and deploy that first: `coexist up` would begin it anew",
            folder.display()
        )));
    }
    let mut work = Work::begin(context, &args.connection, &args.limits, &Overrides::default(), &Metrics::default(), 1)?;
    let recorded = work.runner.recorded().map_err(failure)?.into_iter().find(|recorded| recorded.change == *name);
    let Some(recorded) = recorded else {
        context.output.result(format_args!("{name}: nothing is left of it here"))?;
        return Ok(Outcome::new(Exit::NothingToDo));
    };
    let plan = recorded.plan.ok_or_else(|| unreadable(name))?;
    if args.confirm.as_ref() != Some(name) {
        let message = format!("the retirement of change `{name}` must be confirmed with its name");
        return Err(Failure::new(Exit::Refused, message).help(format!(
            "programs that were built with it get no proofs of it any more; if none of them runs, add --confirm {name}"
        )));
    }
    let result = work.on(&plan, |runner| runner.retire(&plan));
    let result = result.and_then(|_| context.output.result(format_args!("{name}: retired")));
    Ok(work.end(result))
}
