//! `coexist check`: what stands in the way of changes, before anything is touched.

use coexist::{Finding, Severity};
use serde_json::{Value, json};

use super::{Context, run};
use crate::args;
use crate::connect;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{BAD, BUSY, GOOD, HEADING, Outcome, QUIET, WARNING};

pub(crate) fn check(context: &Context, args: &args::Check) -> Result<Outcome> {
    let plans = context.plans(&args.changes)?;
    let server = connect::server(&args.connection, context.environment)?;
    run::warn(context.output, &server);
    let mut runner = run::looking(server)?;
    let (mut changes, mut blocking) = (Vec::new(), Vec::new());
    for plan in &plans {
        let found = runner.check(plan).map_err(run::failure)?;
        show(context, &plan.change, &found)?;
        changes.push(summary(&plan.change, &found));
        blocking.extend(found.into_iter().filter(|finding| finding.severity == Severity::Blocks));
    }
    if plans.is_empty() {
        context.output.note("no change is declared");
    }
    let outcome = match blocked(&blocking) {
        Some(failure) => Outcome::from(failure),
        None => Outcome::new(Exit::Done),
    };
    Ok(outcome.with("changes", changes))
}

fn show(context: &Context, change: &str, found: &[Finding]) -> Result<()> {
    let output = context.output;
    if output.json {
        return found.iter().try_for_each(|finding| output.document(&document(change, finding)));
    }
    let counted = match counts(found).as_slice() {
        [] => format!("{GOOD}nothing in the way{GOOD:#}"),
        counts => counts.join(", "),
    };
    output.result(format_args!("{HEADING}{change}{HEADING:#}: {counted}"))?;
    for finding in found.iter().filter(|finding| !output.quiet || finding.severity == Severity::Blocks) {
        let style = match finding.severity {
            Severity::Blocks => BAD,
            Severity::Warns => WARNING,
            Severity::Informs => BUSY,
        };
        let severity = finding.severity.name();
        output.result(format_args!("  {style}{severity:8}{style:#}{} {}", finding.kind.id(), finding.object))?;
        for text in finding.reason.lines() {
            output.result(format_args!("          {text}"))?;
        }
        output.result(format_args!("          {QUIET}{}{QUIET:#}", finding.remedy))?;
    }
    Ok(())
}

/// `1 blocks`, `2 warns`.
fn counts(found: &[Finding]) -> Vec<String> {
    [Severity::Blocks, Severity::Warns, Severity::Informs]
        .into_iter()
        .map(|severity| (severity, number(found, severity)))
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| format!("{number} {}", severity.name()))
        .collect()
}

fn number(found: &[Finding], severity: Severity) -> usize {
    found.iter().filter(|finding| finding.severity == severity).count()
}

fn blocked(blocking: &[Finding]) -> Option<Failure> {
    let first = blocking.first()?;
    let drift = blocking.iter().any(|finding| finding.kind.is_drift());
    let more = match blocking.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let failure = Failure::new(
        if drift { Exit::Drift } else { Exit::Refused },
        format!("something stands in the way: {} {}{more}", first.kind.id(), first.object),
    );
    Some(failure.help("mend what blocks, then check again; `coexist up` refuses as long"))
}

/// A finding, for programs.
pub(crate) fn document(change: &str, finding: &Finding) -> Value {
    json!({
        "event": "finding",
        "change": change,
        "id": finding.kind.id(),
        "severity": finding.severity.name(),
        "object": finding.object,
        "phase": finding.phase.map(|phase| phase.name()),
        "drift": finding.kind.is_drift(),
        "overridable": finding.kind.can_be_overridden(),
        "reason": finding.reason,
        "remedy": finding.remedy,
    })
}

fn summary(change: &str, found: &[Finding]) -> Value {
    json!({
        "change": change,
        "blocks": number(found, Severity::Blocks),
        "warns": number(found, Severity::Warns),
        "informs": number(found, Severity::Informs),
    })
}
