//! `coexist up`: as far as the stage permits.

use std::time::Duration;

use coexist::plan::{Phase, Plan, Stage};
use coexist::{Limit, Pace, Runner, Throttle};

use super::Context;
use super::run::Work;
use crate::args::{self, Up};
use crate::failure::Result;
use crate::output::Outcome;

pub(crate) fn up(context: &Context, args: &Up) -> Result<Outcome> {
    let plans = context.plans(&args.changes)?;
    let mut work =
        Work::begin(context, &args.connection, &args.limits, &args.overrides, &args.metrics, args.pace.workers)?;
    let (target, pace) = (args.to.phase(), pace(&args.pace));
    let result = plans.into_iter().try_for_each(|plan| {
        let plan = with_batch(plan, &args.pace);
        let ((), phase) = work.on(&plan, |runner| take_to(runner, &plan, target, &pace))?;
        context.output.result(format_args!("{}: {}{}", plan.change, phase.name(), next(&plan, phase)))
    });
    Ok(work.end(result))
}

/// How fast to copy rows, and when to hold still.
pub(super) fn pace(args: &args::Pace) -> Pace {
    let mut pace = Pace::default()
        .batch(Duration::from_millis(args.target_ms))
        .rest(args.rest)
        .workers(args.workers)
        .limit(Throttle::ReplicaLag, Limit::above(args.max_lag.as_secs_f64()))
        .limit(Throttle::ArchiveBacklog, Limit::above(args.max_archive_backlog))
        .limit(Throttle::RetainedWal, Limit::above(args.max_retained_wal))
        .limit(Throttle::LockWaiters, Limit::above(args.max_waiters));
    for required in &args.require {
        pace = match required.throttle() {
            Some(throttle) => pace.require(throttle),
            None => pace.require_all(),
        };
    }
    if let Some(rate) = args.rate {
        pace = pace.rows_per_second(rate);
    }
    if let Some(rate) = args.wal_rate {
        pace = pace.wal_per_second(rate);
    }
    if let Some(growth) = args.growth {
        pace = pace.growth(growth);
    }
    if let Some(most) = args.max_transaction {
        pace = pace.limit(Throttle::LongTransactions, Limit::above(most.as_secs_f64()));
    }
    if let Some(most) = args.max_active {
        pace = pace.limit(Throttle::ActiveSessions, Limit::above(most));
    }
    if args.ignore_vacuum {
        pace = pace.without(Throttle::Vacuum);
    }
    if let Some(patience) = args.patience {
        pace = pace.patience(patience);
    }
    pace
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
