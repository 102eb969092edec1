//! `coexist verify`: compares both shapes now.

use coexist::ledger::Reconciliation;
use coexist::plan::Phase;
use serde_json::{Value, json};

use super::Context;
use super::run::{Work, failure};
use crate::args::{Metrics, Overrides, Verify};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{BAD, GOOD, Outcome, count, differing};

pub(crate) fn verify(context: &Context, args: &Verify) -> Result<Outcome> {
    let plans = context.plans(&args.changes)?;
    let mut work = Work::begin(
        context,
        &args.connection,
        &args.limits,
        &Overrides::default(),
        &Metrics::default(),
        args.readers.workers,
    )?;
    let mut found = Vec::new();
    let result = plans.into_iter().try_for_each(|plan| {
        let phase = work.runner.phase(&plan.change).map_err(failure)?;
        if args.changes.is_empty() && !(Phase::Backfilled..=Phase::Validated).contains(&phase) {
            return Ok(());
        }
        let (comparison, _) = work.on(&plan, |runner| runner.verify(&plan))?;
        show(context, &plan.change, &comparison)?;
        found.push((plan.change, comparison));
        Ok(())
    });
    let outcome = match result.and_then(|()| without_differences(&found)) {
        Ok(()) if found.is_empty() => Outcome::new(Exit::NothingToDo),
        Ok(()) => Outcome::new(Exit::Done),
        Err(failure) => Outcome::from(failure),
    };
    Ok(outcome.with("comparisons", found.iter().map(comparison).collect::<Vec<_>>()))
}

fn without_differences(found: &[(String, Reconciliation)]) -> Result<()> {
    let different: Vec<String> =
        found.iter().filter(|(_, found)| !found.is_clean()).map(|(change, _)| format!("`{change}`")).collect();
    if different.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Drift, format!("the two shapes differ: change {}", different.join(", ")))
        .help("a writer goes around the triggers, or a value did not convert: mend these rows through one shape, then verify again"))
}

fn show(context: &Context, change: &str, found: &Reconciliation) -> Result<()> {
    let verdict = differing(found.mismatches, found.rows);
    let style = if found.is_clean() { GOOD } else { BAD };
    context.output.result(format_args!("{change}: {style}{verdict}{style:#}"))?;
    for sample in &found.samples {
        context.output.result(format_args!("  {sample}"))?;
    }
    let more = found.mismatches - i64::try_from(found.samples.len()).unwrap_or(i64::MAX);
    if more > 0 { context.output.result(format_args!("  and {} more", count(more))) } else { Ok(()) }
}

fn comparison((change, found): &(String, Reconciliation)) -> Value {
    json!({ "change": change, "rows": found.rows, "mismatches": found.mismatches, "samples": found.samples })
}
