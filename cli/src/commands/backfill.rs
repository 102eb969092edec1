//! `coexist backfill`: that phase alone.

use coexist::plan::Phase;

use super::Context;
use super::run::{Work, failure};
use super::up::{pace, with_batch};
use crate::args::Backfill;
use crate::failure::Result;
use crate::output::Outcome;

pub(crate) fn backfill(context: &Context, args: &Backfill) -> Result<Outcome> {
    let plans = context.plans(&args.changes)?;
    let mut work = Work::begin(context, &args.connection, &args.limits, &args.overrides, &args.metrics, 1)?;
    let pace = pace(&args.pace);
    let result = plans.into_iter().try_for_each(|plan| {
        let plan = with_batch(plan, &args.pace);
        // One that was named and cannot be filled is an error; among all of them, it is none of ours.
        if args.changes.is_empty() && work.runner.phase(&plan.change).map_err(failure)? != Phase::DualWriting {
            return Ok(());
        }
        let ((), phase) =
            work.on(&plan, |runner| if args.join { runner.join(&plan, &pace) } else { runner.backfill(&plan, &pace) })?;
        context.output.result(format_args!("{}: {}", plan.change, phase.name()))
    });
    Ok(work.end(result))
}
