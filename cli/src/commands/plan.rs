//! `coexist plan`: what runs, in order, with its locks, and with a database how long it takes.

mod estimate;
mod live;

use std::collections::BTreeMap;
use std::time::Duration;

use coexist::StepStatus;
use coexist::plan::{Action, Backfill, Lock, LockLevel, Phase, Plan, Reconcile, Step};
use serde_json::{Value, json};

use self::live::{Live, Size, TableSize};
use super::Context;
use crate::args;
use crate::connect;
use crate::exit::Exit;
use crate::failure::Result;
use crate::output::{GOOD, HEADING, Outcome, QUIET, WARNING, count, size, time};

pub(crate) fn plan(context: &Context, args: &args::Plan) -> Result<Outcome> {
    let plans = context.plans(&args.changes)?;
    let server = if args.offline { None } else { connect::named_server(&args.connection, context.environment)? };
    let live = match server {
        Some(server) => Some(live::look(context.output, server, &plans)?),
        None => None,
    };
    let mut changes = Vec::new();
    for (n, plan) in plans.iter().enumerate() {
        let live = live.as_ref().map(|live| &live[n]);
        context.output.result(text(plan, live))?;
        changes.push(document(plan, live));
    }
    if plans.is_empty() {
        context.output.note("no change is declared");
    }
    Ok(Outcome::new(Exit::Done).with("changes", changes))
}

/// The plan of a change, for people.
fn text(plan: &Plan, live: Option<&Live>) -> String {
    let mut text = Text::default();
    text.line(0, format!("{HEADING}{}{HEADING:#}", plan.change));
    plan.summary.lines().for_each(|line| text.line(1, line));
    text.line(1, &plan.way);
    text.line(1, format!("stage {}, PostgreSQL {} and newer", plan.stage.name(), plan.server));
    if !plan.after.is_empty() {
        text.line(1, format!("after {}", plan.after.join(", ")));
    }
    if let Some(live) = live {
        text.line(1, format!("the database is {}", live.status.phase.name()));
        live.tables.iter().for_each(|table| text.line(1, table_text(table)));
    }
    for note in &plan.notes {
        text.line(1, format!("{WARNING}note{WARNING:#}: {note}"));
    }
    if let Some(why) = &plan.irreversible {
        text.line(1, format!("{WARNING}irreversible{WARNING:#}: {why}"));
    }
    for phase in Phase::ALL {
        phase_text(&mut text, plan, phase, live);
    }
    text.0
}

fn phase_text(text: &mut Text, plan: &Plan, phase: Phase, live: Option<&Live>) {
    let mut heading = Some(format!("to {}", phase.name()));
    let mut head = |text: &mut Text| {
        if let Some(heading) = heading.take() {
            text.line(0, "");
            text.line(1, format!("{HEADING}{heading}{HEADING:#}"));
        }
    };
    for step in plan.steps_to(phase) {
        head(text);
        let record = live.and_then(|live| live.status.steps.iter().find(|status| status.id == step.id));
        step_text(text, step, record, live);
    }
    if phase == Phase::Backfilled {
        for backfill in &plan.backfill {
            head(text);
            backfill_text(text, backfill, live.and_then(|live| estimate::backfill(backfill, live)));
        }
    }
    if phase == Phase::Validated {
        for reconcile in &plan.reconcile {
            head(text);
            reconcile_text(text, reconcile, live.and_then(|live| estimate::reconcile(reconcile, live)));
        }
    }
}

fn step_text(text: &mut Text, step: &Step, status: Option<&StepStatus>, live: Option<&Live>) {
    let state = state(status).map(|state| format!(" {GOOD}[{state}]{GOOD:#}")).unwrap_or_default();
    text.line(2, format!("{HEADING}{}{HEADING:#}: {}{state}", step.id, step.title));
    action_text(text, 3, "", &step.action);
    estimate_text(text, live.and_then(|live| estimate::action(&step.action, live)));
    if step.undo.is_empty() {
        text.line(3, format!("{QUIET}no undo{QUIET:#}"));
    }
    for undo in &step.undo {
        action_text(text, 3, "undo, ", undo);
    }
}

fn action_text(text: &mut Text, depth: usize, what: &str, action: &Action) {
    text.line(depth, format!("{QUIET}{what}{}{}{QUIET:#}", action.mode.name(), locks_text(&action.locks)));
    for statement in &action.statements {
        statement.lines().for_each(|line| text.line(depth + 1, line));
    }
}

fn locks_text(locks: &[Lock]) -> String {
    let locks: Vec<String> = locks
        .iter()
        .map(|lock| {
            let scans = if lock.scans { " while the table is read once" } else { "" };
            let waiting: Vec<&str> = lock.level.waiting().collect();
            let (table, level, blocks) = (&lock.table, lock.level.name(), lock.level.blocks());
            format!("; locks {table} in {level} mode{scans}: {blocks} ({})", waiting.join(", "))
        })
        .collect();
    locks.concat()
}

/// How long it takes, as far as anybody can say beforehand.
fn estimate_text(text: &mut Text, takes: Option<Duration>) {
    if let Some(takes) = takes {
        text.line(3, format!("{QUIET}takes about {}{QUIET:#}", time(takes)));
    }
}

fn backfill_text(text: &mut Text, backfill: &Backfill, takes: Option<Duration>) {
    let row_lock = LockLevel::RowExclusive;
    let table = backfill.target();
    let what = match backfill {
        Backfill::Update { table, .. } => format!("fills {table}"),
        Backfill::Insert { source, target, .. } => format!("copies rows of {source} into {target}"),
        Backfill::UpdateFrom { table, source, .. } => format!("fills {table} from {source}"),
        Backfill::Refer { table, values, .. } => {
            format!("makes rows of {0} of the values of {table}, and lets {table} refer to them", values.table)
        }
    };
    text.line(2, format!("{HEADING}backfill{HEADING:#}: {what}, in batches that commit as they go"));
    text.line(3, format!("{QUIET}locks {table} in {} mode, and the rows of a batch{QUIET:#}", row_lock.name()));
    for (column, expression) in backfill.columns() {
        text.line(4, format!("{column} := {expression}"));
    }
    text.line(4, format!("where {}", backfill.pending()));
    estimate_text(text, takes);
}

fn reconcile_text(text: &mut Text, reconcile: &Reconcile, takes: Option<Duration>) {
    text.line(2, format!("{HEADING}compare{HEADING:#}: {}, every row, in pieces", reconcile.title));
    text.line(3, format!("{QUIET}locks {} in ACCESS SHARE mode{QUIET:#}", reconcile.table));
    text.line(4, format!("a row differs where {}", reconcile.mismatch));
    estimate_text(text, takes);
}

fn table_text(table: &TableSize) -> String {
    let name = &table.table;
    match table.size {
        None => format!("{name} does not exist yet"),
        Some(Size { bytes, rows: None, .. }) => format!("{name} has {}, and was never analyzed", size(bytes)),
        Some(Size { bytes, rows: Some(rows), .. }) => format!("{name} has about {} rows, {}", count(rows), size(bytes)),
    }
}

/// What the ledger says of a step; `None` where it was never begun.
fn state(status: Option<&StepStatus>) -> Option<&'static str> {
    status.and_then(|status| status.record.as_ref()).map(|record| record.state.name())
}

/// Lines, each as far to the right as it is deep.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, depth: usize, line: impl std::fmt::Display) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        let line = line.to_string();
        if !line.is_empty() {
            self.0.push_str(&"  ".repeat(depth));
            self.0.push_str(&line);
        }
    }
}

fn document(plan: &Plan, live: Option<&Live>) -> Value {
    let status = |step: &Step| live.and_then(|live| live.status.steps.iter().find(|status| status.id == step.id));
    let steps: Vec<Value> = plan.steps.iter().map(|step| step_document(step, status(step), live)).collect();
    json!({
        "change": plan.change,
        "summary": plan.summary,
        "stage": plan.stage.name(),
        "way": plan.way,
        "after": plan.after,
        "server": plan.server,
        "fingerprint": plan.fingerprint(),
        "notes": plan.notes,
        "irreversible": plan.irreversible,
        "phase": live.map(|live| live.status.phase.name()),
        "tables": plan.tables.iter().enumerate().map(|(n, table)| {
            let size = live.and_then(|live| live.tables[n].size);
            json!({
                "table": table.to_string(),
                "bytes": size.map(|size| size.bytes),
                "rows": size.and_then(|size| size.rows),
                "rows_per_second": size.and_then(|size| size.rows_per_second),
            })
        }).collect::<Vec<_>>(),
        "steps": steps,
        "backfill": plan.backfill.iter().map(|backfill| backfill_document(backfill, live)).collect::<Vec<_>>(),
        "compare": plan.reconcile.iter().map(|reconcile| json!({
            "table": reconcile.table.to_string(),
            "title": reconcile.title,
            "mismatch": reconcile.mismatch,
            "estimate_ms": milliseconds(live.and_then(|live| estimate::reconcile(reconcile, live))),
        })).collect::<Vec<_>>(),
    })
}

fn step_document(step: &Step, status: Option<&StepStatus>, live: Option<&Live>) -> Value {
    json!({
        "id": step.id,
        "title": step.title,
        "phase": step.phase.name(),
        "state": state(status),
        "estimate_ms": milliseconds(live.and_then(|live| estimate::action(&step.action, live))),
        "action": action_document(&step.action),
        "undo": step.undo.iter().map(action_document).collect::<Vec<_>>(),
    })
}

fn milliseconds(takes: Option<Duration>) -> Option<u64> {
    takes.map(|takes| u64::try_from(takes.as_millis()).unwrap_or(u64::MAX))
}

fn action_document(action: &Action) -> Value {
    let locks = action.locks.iter().map(|lock| {
        json!({
            "table": lock.table.to_string(),
            "level": lock.level.name(),
            "scans": lock.scans,
            "blocks": lock.level.blocks(),
            "waiting": lock.level.waiting().collect::<Vec<_>>(),
        })
    });
    json!({ "mode": action.mode.name(), "locks": locks.collect::<Vec<_>>(), "statements": action.statements })
}

fn backfill_document(backfill: &Backfill, live: Option<&Live>) -> Value {
    let columns: BTreeMap<&str, &str> =
        backfill.columns().iter().map(|(column, expression)| (column.as_str(), expression.as_str())).collect();
    json!({
        "source": backfill.source().to_string(),
        "target": backfill.target().to_string(),
        "columns": columns,
        "pending": backfill.pending(),
        "estimate_ms": milliseconds(live.and_then(|live| estimate::backfill(backfill, live))),
    })
}
