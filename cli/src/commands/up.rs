//! `coexist up`: as far as the stage permits.

use std::time::Duration;

use coexist::plan::{Phase, Plan, Stage};
use coexist::{Pace, Runner};

use super::Context;
use super::run::Work;
use crate::args::{self, Up};
use crate::failure::Result;
use crate::output::Outcome;

pub(crate) fn up(context: &Context, args: &Up) -> Result<Outcome> {
    let plans = context.plans(&args.changes)?;
    let mut work = Work::begin(context, &args.connection, &args.limits, &args.overrides)?;
    let (target, pace) = (args.to.phase(), pace(&args.pace));
    let result = plans.into_iter().try_for_each(|plan| {
        let plan = with_batch(plan, &args.pace);
        let ((), phase) = work.on(&plan, |runner| take_to(runner, &plan, target, &pace))?;
        context.output.result(format_args!("{}: {}{}", plan.change, phase.name(), next(&plan, phase)))
    });
    Ok(work.end(result))
}

/// How fast to copy rows.
pub(super) fn pace(args: &args::Pace) -> Pace {
    Pace::default().batch(Duration::from_millis(args.target_ms))
}

/// The plan, with the first batch as the command line wants it. The pace is no part of what a plan does.
pub(super) fn with_batch(plan: Plan, args: &args::Pace) -> Plan {
    Plan { batch: args.batch.or(plan.batch), ..plan }
}

fn take_to(runner: &mut Runner, plan: &Plan, target: Phase, pace: &Pace) -> coexist::Result<()> {
    if target == Phase::Validated {
        return runner.up(plan, pace);
    }
    runner.expand(plan)?;
    if target >= Phase::DualWriting {
        runner.dual_write(plan)?;
    }
    if target >= Phase::Backfilled {
        runner.backfill(plan, pace)?;
    }
    Ok(())
}

/// What comes after `phase`, for people.
fn next(plan: &Plan, phase: Phase) -> String {
    match (phase, plan.stage) {
        (Phase::Validated, Stage::Contract) => {
            format!("; to remove the before shape: coexist contract {0} --confirm {0}", plan.change)
        }
        (Phase::Validated, Stage::Migrate) => {
            "; when no code uses the before shape any more: `stage contract;`".to_owned()
        }
        (Phase::Validated, Stage::Expand) => "; code may move to the after shape: `stage migrate;`".to_owned(),
        _ => String::new(),
    }
}
