//! `coexist status`: how far each change is, and what needs somebody's attention.

mod attention;

use std::time::{Duration, SystemTime};

use coexist::plan::{Phase, Stage};
use coexist::{Recorded, Runner, Status};
use serde_json::{Value, json};

use self::attention::Attention;
use super::{Context, run};
use crate::args;
use crate::connect;
use crate::exit::Exit;
use crate::failure::Result;
use crate::migrations::{self, Migration};
use crate::output::{BAD, BUSY, GOOD, HEADING, Outcome, Output, QUIET, WARNING, count, differing, time};
use crate::table::{self, Cell};

pub(crate) fn status(context: &Context, args: &args::Status) -> Result<Outcome> {
    let migrations = migrations::read(context.common.folder())?;
    let server = connect::server(&args.connection, context.environment)?;
    run::warn(context.output, &server);
    let mut runner = run::looking(server)?;
    let recorded = runner.recorded().map_err(run::failure)?;
    let mut changes = Vec::new();
    for migration in migrations {
        let recorded = recorded.iter().find(|recorded| recorded.change == migration.name);
        changes.push(declared(&mut runner, migration, recorded)?);
    }
    for recorded in &recorded {
        if !changes.iter().any(|change| change.name == recorded.change) {
            changes.extend(undeclared(&mut runner, recorded)?);
        }
    }
    show(context.output, &changes)?;
    Ok(Outcome::new(Exit::Done).with("changes", changes.iter().map(document).collect::<Vec<_>>()))
}

/// A change as it is shown.
struct Change {
    name: String,
    /// What the source promises; `None` where the folder does not have the change, or has it in no state to be read.
    stage: Option<Stage>,
    /// What the ledger says; `None` where no plan tells what to look for.
    status: Option<Status>,
    attention: Vec<Attention>,
}

/// A change of the folder.
fn declared(runner: &mut Runner, migration: Migration, recorded: Option<&Recorded>) -> Result<Change> {
    let name = migration.name;
    match migration.plan {
        Ok(plan) => {
            let status = runner.status(&plan).map_err(run::failure)?;
            let attention = attention::of_change(&plan, &status, &today());
            Ok(Change { name, stage: Some(plan.stage), status: Some(status), attention })
        }
        Err(failure) => {
            let status = match recorded.and_then(|recorded| recorded.plan.as_ref()) {
                Some(plan) => Some(runner.status(plan).map_err(run::failure)?),
                None => None,
            };
            Ok(Change { name, stage: None, status, attention: vec![Attention::files(failure)] })
        }
    }
}

/// A change that the folder does not have; `None` where it is complete, or taken back: then it may be forgotten.
fn undeclared(runner: &mut Runner, recorded: &Recorded) -> Result<Option<Change>> {
    let name = recorded.change.clone();
    let Some(plan) = &recorded.plan else {
        let attention = vec![Attention::undeclared(&name)];
        return Ok(Some(Change { name, stage: None, status: None, attention }));
    };
    let status = runner.status(plan).map_err(run::failure)?;
    if status.phase == Phase::Contracted || !attention::is_begun(&status) {
        return Ok(None);
    }
    let mut attention = vec![Attention::undeclared(&name)];
    attention.extend(attention::of_change(plan, &status, &today()));
    Ok(Some(Change { name, stage: None, status: Some(status), attention }))
}

/// As `contract_by` is written: `2027-02-01`.
fn today() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect()
}

fn show(output: Output, changes: &[Change]) -> Result<()> {
    if changes.is_empty() {
        output.note("no change is declared, and none is under way");
        return Ok(());
    }
    let heading = ["change", "database", "source", "since", "backfill", "verified"];
    let mut rows = vec![heading.map(|title| Cell::new(title, HEADING)).to_vec()];
    rows.extend(changes.iter().map(row));
    for (n, line) in table::lines(&rows).into_iter().enumerate() {
        output.result(line)?;
        // The first line is the heading.
        for attention in n.checked_sub(1).map(|n| changes[n].attention.as_slice()).unwrap_or_default() {
            output.result(format_args!("  {WARNING}!{WARNING:#} {}", attention.message))?;
            if let Some(help) = &attention.help {
                output.result(format_args!("    {QUIET}{help}{QUIET:#}"))?;
            }
        }
    }
    Ok(())
}

fn row(change: &Change) -> Vec<Cell> {
    let stage = change.stage.map_or("-", Stage::name).into();
    let Some(status) = &change.status else {
        return vec![change.name.as_str().into(), "-".into(), stage, "-".into(), "-".into(), "-".into()];
    };
    vec![
        change.name.as_str().into(),
        phase(status),
        stage,
        status.since.map_or("-".to_owned(), time).into(),
        backfill(status).into(),
        verified(status),
    ]
}

fn phase(status: &Status) -> Cell {
    let name = status.phase.name();
    match (attention::direction(status), status.phase) {
        (Some(direction), _) => Cell::new(format!("{name}, {direction}"), WARNING),
        (None, _) if status.paused => Cell::new(format!("{name}, paused"), WARNING),
        (None, _) if status.runner.is_some() => Cell::new(format!("{name}, running"), BUSY),
        (None, Phase::Validated | Phase::Contracted) => Cell::new(name, GOOD),
        (None, _) => name.into(),
    }
}

fn backfill(status: &Status) -> String {
    match &status.progress {
        Some(progress) if status.phase < Phase::Backfilled => {
            format!("{:.0} %, {} rows", progress.done * 100.0, count(progress.rows))
        }
        Some(progress) => format!("{} rows", count(progress.rows)),
        None => "-".to_owned(),
    }
}

fn verified(status: &Status) -> Cell {
    let Some(found) = &status.reconciliation else { return "-".into() };
    let ago = format!("{} ago", time(found.age));
    if found.is_clean() {
        return format!("{ago}, {} rows", count(found.rows)).into();
    }
    Cell::new(format!("{ago}, {}", differing(found.mismatches, found.rows)), BAD)
}

fn document(change: &Change) -> Value {
    let seconds = |duration: Duration| duration.as_secs_f64();
    let status = change.status.as_ref();
    let attention: Vec<Value> = change.attention.iter().map(Attention::document).collect();
    json!({
        "change": change.name,
        "phase": status.map(|status| status.phase.name()),
        "stage": change.stage.map(Stage::name),
        "direction": status.map(|status| status.direction.name()),
        "since_seconds": status.and_then(|status| status.since).map(seconds),
        "paused": status.map(|status| status.paused),
        "runner": status.and_then(|status| status.runner.as_deref()),
        "backfill": status.and_then(|status| status.progress.as_ref()).map(|progress| {
            json!({ "pass": progress.pass, "rows": progress.rows, "done": progress.done })
        }),
        "verified": status.and_then(|status| status.reconciliation.as_ref()).map(|found| json!({
            "age_seconds": seconds(found.age),
            "rows": found.rows,
            "mismatches": found.mismatches,
            "samples": found.samples,
        })),
        "quarantine": status.map(|status| status.quarantine.iter().map(|held| {
            json!({ "table": held.table, "column": held.column, "rows": held.rows })
        }).collect::<Vec<_>>()),
        "conflicts": status.map(|status| status.conflicts),
        "attention": attention,
    })
}
