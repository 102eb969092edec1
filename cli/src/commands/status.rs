//! `coexist status`: how far each change is, and what needs somebody's attention.

mod attention;
mod details;
mod document;
mod gather;
mod watch;

use coexist::Status;
use coexist::plan::{Phase, Stage};
use serde_json::Value;

use super::{Context, run};
use crate::args;
use crate::connect;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::metrics::Exporter;
use crate::output::{BAD, BUSY, GOOD, HEADING, Outcome, QUIET, WARNING, count, differing, time};
use crate::table::{self, Cell};

pub(crate) use self::gather::{Change, STALE, gather};

const NOTHING: &str = "no change is declared, and none is under way";

pub(crate) fn status(context: &Context, args: &args::Status) -> Result<Outcome> {
    let server = connect::server(&args.connection, context.environment)?;
    run::warn(context.output, &server);
    let _exporter = Exporter::start(context, &server, &args.metrics)?;
    let mut runner = run::looking(server)?;
    if let Some(every) = args.watch {
        return watch::watch(context, &mut runner, every);
    }
    let changes = gather(context.common.folder(), &mut runner, args.max_age.unwrap_or(STALE))?;
    if changes.is_empty() {
        context.output.note(NOTHING);
    } else {
        lines(&changes).iter().try_for_each(|line| context.output.result(line))?;
    }
    let outcome = match args.max_age.and_then(|_| stale(&changes)) {
        Some(failure) => Outcome::from(failure),
        None => Outcome::new(Exit::Done),
    };
    Ok(outcome.with("changes", documents(&changes)))
}

fn documents(changes: &[Change]) -> Vec<Value> {
    changes.iter().map(document::document).collect()
}

/// That some changes stand still for too long.
fn stale(changes: &[Change]) -> Option<Failure> {
    let names: Vec<&str> = (changes.iter())
        .filter(|change| change.attention.iter().any(|attention| attention.kind == attention::STALE))
        .map(|change| change.name.as_str())
        .collect();
    (!names.is_empty()).then(|| {
        Failure::new(Exit::Stale, format!("standing still for longer than --max-age: {}", names.join(", ")))
            .help("go on with each, or take it back: see above")
    })
}

/// The table of all changes, with what there is to say of each below its line.
fn lines(changes: &[Change]) -> Vec<String> {
    let heading = ["change", "database", "source", "since", "backfill", "verified"];
    let mut rows = vec![heading.map(|title| Cell::new(title, HEADING)).to_vec()];
    rows.extend(changes.iter().map(row));
    let mut lines = Vec::new();
    for (n, line) in table::lines(&rows).into_iter().enumerate() {
        lines.push(line);
        // The first line is the heading.
        let Some(change) = n.checked_sub(1).and_then(|n| changes.get(n)) else { continue };
        let details = change.status.as_ref().map(details::lines).unwrap_or_default();
        lines.extend(details.into_iter().map(|detail| format!("  {detail}")));
        for attention in &change.attention {
            lines.push(format!("  {WARNING}!{WARNING:#} {}", attention.message));
            lines.extend(attention.help.as_ref().map(|help| format!("    {QUIET}{help}{QUIET:#}")));
        }
    }
    lines
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
