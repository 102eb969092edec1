//! `coexist generate`: writes `migrations/` from the declaration.

mod mistakes;

use std::fs;
use std::path::{Path, PathBuf};

use coexist_core::build::{self, GenerateError, Mode};
use coexist_core::compile::{Compiled, MIGRATIONS};
use coexist_core::plan::Plan;
use serde_json::Value;
use similar::TextDiff;

use super::Context;
use crate::args::Generate;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::migrations;
use crate::output::Outcome;

pub(crate) fn generate(context: &Context, args: &Generate) -> Result<Outcome> {
    let crate_folder = crate_folder(&args.source)?;
    let compiled = compile(&crate_folder, &args.source)?;
    if !compiled.diagnostics.is_empty() {
        return mistakes::report(context.output, &args.source, &compiled.diagnostics);
    }
    let folder = context.common.migrations.clone().unwrap_or_else(|| shortest(&crate_folder, MIGRATIONS));
    note_retired(context, &folder, &compiled);
    if args.check { check(context, &folder, &compiled.plans) } else { write(context, &folder, &compiled.plans) }
}

fn write(context: &Context, folder: &Path, plans: &[Plan]) -> Result<Outcome> {
    let changed = build::generate(folder, plans, Mode::Write).map_err(failure)?;
    for path in &changed {
        let what = if path.exists() { "wrote" } else { "removed" };
        context.output.result(format_args!("{what} {}", path.display()))?;
    }
    if changed.is_empty() {
        context.output.note(format_args!("{} is up to date", folder.display()));
        return Ok(outcome(Outcome::new(Exit::NothingToDo), &[]));
    }
    Ok(outcome(Outcome::new(Exit::Done), &changed))
}

fn check(context: &Context, folder: &Path, plans: &[Plan]) -> Result<Outcome> {
    let mut stale = Vec::new();
    for plan in plans {
        for difference in migrations::differences(&folder.join(&plan.change), plan)? {
            let [found, expected] =
                [&difference.found, &difference.expected].map(|text| text.as_deref().unwrap_or_default());
            let path = difference.path.display().to_string();
            let diff = TextDiff::from_lines(found, expected);
            context.output.result(diff.unified_diff().header(&path, &format!("{path}, as it should be")))?;
            stale.push(difference.path);
        }
    }
    if stale.is_empty() {
        context.output.note(format_args!("{} is up to date", folder.display()));
        return Ok(outcome(Outcome::new(Exit::Done), &[]));
    }
    let count = if stale.len() == 1 { "a file".to_owned() } else { format!("{} files", stale.len()) };
    let failure = Failure::new(
        Exit::Drift,
        format!("{count} of {} are not what the declaration makes of them", folder.display()),
    )
    .help("run `coexist generate` or `cargo build`, review the difference, and commit it");
    Ok(outcome(failure.into(), &stale))
}

fn outcome(outcome: Outcome, files: &[PathBuf]) -> Outcome {
    let files: Vec<Value> = files.iter().map(|path| path.display().to_string().into()).collect();
    outcome.with("files", files).with("mistakes", Value::Array(Vec::new()))
}

fn compile(crate_folder: &Path, source: &Path) -> Result<Compiled> {
    // The declaration's own paths begin at its crate's folder, the source's where the command runs.
    let source = std::path::absolute(source).map_err(|error| Failure::file(Exit::Failed, "find", source, &error))?;
    build::compile_source(crate_folder, &source).map_err(failure)
}

/// The folder of the Cargo.toml of the crate that a source belongs to.
fn crate_folder(source: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(source).map_err(|error| Failure::file(Exit::Failed, "find", source, &error))?;
    if let Err(error) = fs::metadata(&absolute) {
        return Err(Failure::file(Exit::Usage, "read the declaration", source, &error).help(
            "run this in the folder of the crate, or name the file that has `coexist::migrations!`: --source FILE",
        ));
    }
    let found = absolute.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    found.map(Path::to_owned).ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{} is in no crate: no folder above it has a Cargo.toml", source.display()))
    })
}

/// A path in the crate's folder, as it is written from here where that is shorter.
fn shortest(crate_folder: &Path, name: &str) -> PathBuf {
    let path = crate_folder.join(name);
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).map(Path::to_owned).ok()).unwrap_or(path)
}

/// Says which folders no change is declared for any more. They are not removed: a database may be in the middle of one.
fn note_retired(context: &Context, folder: &Path, compiled: &Compiled) {
    for migration in migrations::read(folder).unwrap_or_default() {
        if compiled.plans.iter().all(|plan| plan.change != migration.name) {
            context.output.note(format_args!(
                "{} belongs to no declared change; once that change is contracted everywhere, remove the folder",
                folder.join(&migration.name).display()
            ));
        }
    }
}

fn failure(error: GenerateError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
