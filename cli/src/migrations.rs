//! The folder `migrations/`: what a build wrote, read back, and only trusted where it is still what was written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use coexist_core::diagnostic::nearest;
use coexist_core::plan::Plan;
use coexist_core::render::files;
use coexist_core::render::plan_file::from_toml;

use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// The file that makes a folder the folder of a change.
const PLAN_FILE: &str = "change.toml";

/// A change in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Migration {
    /// Its name, which is the name of its folder.
    pub name: String,
    /// Its plan; an error where what is in the folder is not what a build writes.
    pub plan: Result<Plan>,
}

/// Every change of the folder, those first that others build on, otherwise by name.
///
/// # Errors
///
/// The folder cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Vec<Migration>> {
    let mut migrations = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| no_folder(folder, &error))? {
        let entry = entry.map_err(|error| no_folder(folder, &error))?;
        // Other files and folders are none of ours.
        if is_change(&entry.path()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            migrations.push(Migration { plan: plan(&entry.path(), &name), name });
        }
    }
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(in_order(migrations))
}

/// Whether a folder is that of a change.
pub(crate) fn is_change(folder: &Path) -> bool {
    files::NAMES.iter().any(|name| folder.join(name).exists())
}

/// The plans of the changes of these names, in the order of `all`; of all of them where none is named.
///
/// # Errors
///
/// There is no change of a name, or one of these changes cannot be trusted.
pub(crate) fn select(all: Vec<Migration>, names: &[String], folder: &Path) -> Result<Vec<Plan>> {
    for name in names {
        if !all.iter().any(|migration| migration.name == *name) {
            return Err(unknown(name, &all, folder));
        }
    }
    let wanted = |migration: &Migration| names.is_empty() || names.contains(&migration.name);
    all.into_iter().filter(wanted).map(|migration| migration.plan).collect()
}

fn plan(folder: &Path, name: &str) -> Result<Plan> {
    let path = folder.join(PLAN_FILE);
    let text = fs::read_to_string(&path).map_err(|error| Failure::file(Exit::Refused, "read", &path, &error))?;
    let plan = from_toml(&text).map_err(|error| {
        let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
        refused(format!("{}{line}: {}", path.display(), error.message))
    })?;
    if plan.change != name {
        let message =
            format!("{} is the plan of change `{}`, in a folder of another name", path.display(), plan.change);
        return Err(refused(message));
    }
    same_files(folder, &plan)?;
    Ok(plan)
}

/// People review the SQL files, and the plan is what runs: they must say the same.
fn same_files(folder: &Path, plan: &Plan) -> Result<()> {
    let Some(difference) = differences(folder, plan)?.into_iter().next() else { return Ok(()) };
    let path = difference.path.display();
    Err(refused(match (difference.expected, difference.found) {
        (Some(expected), Some(found)) => {
            let line = 1 + expected.lines().zip(found.lines()).take_while(|(a, b)| a == b).count();
            format!(
                "{path} was edited by hand, or written by another version of coexist: line {line} is not what the plan says"
            )
        }
        (Some(_), None) => format!("{path} is missing"),
        (None, _) => format!("{path} is there, and the plan of the change has none"),
    }))
}

/// A file that is not what the plan makes of it.
pub(crate) struct Difference {
    pub path: PathBuf,
    /// As it should be; `None` where there should be none.
    pub expected: Option<String>,
    /// As it is; `None` where there is none.
    pub found: Option<String>,
}

/// The files of the folder of a change that are not what its plan makes of them.
///
/// # Errors
///
/// A file cannot be read.
pub(crate) fn differences(folder: &Path, plan: &Plan) -> Result<Vec<Difference>> {
    let files = files::files(plan);
    let mut differences = Vec::new();
    for name in files::NAMES {
        let path = folder.join(name);
        let found = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::file(Exit::Refused, "read", &path, &error)),
        };
        let expected = files.iter().find(|file| file.name == name).map(|file| file.text.clone());
        if expected != found {
            differences.push(Difference { path, expected, found });
        }
    }
    Ok(differences)
}

/// Those first that others build on.
fn in_order(mut waiting: Vec<Migration>) -> Vec<Migration> {
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let waits = |candidate: &Migration| {
            let builds_on = candidate.plan.as_ref().map(|plan| plan.after.as_slice()).unwrap_or_default();
            waiting.iter().any(|other| builds_on.contains(&other.name))
        };
        // The compiler admits no cycle, and edited files that have one are refused when they run.
        let next = waiting.iter().position(|candidate| !waits(candidate)).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    ordered
}

fn unknown(name: &str, all: &[Migration], folder: &Path) -> Failure {
    let failure = Failure::new(Exit::Usage, format!("there is no change `{name}` in {}", folder.display()));
    match nearest(name, all.iter().map(|migration| migration.name.as_str())) {
        Some(near) => failure.help(format!("is `{near}` meant?")),
        None => failure.help("`coexist status` lists the changes"),
    }
}

fn refused(message: impl Into<String>) -> Failure {
    Failure::new(Exit::Refused, message)
        .help("change the declaration instead, and write the folder anew: `cargo build` or `coexist generate`")
}

fn no_folder(folder: &Path, error: &io::Error) -> Failure {
    Failure::file(Exit::Refused, "read the folder", folder, error)
        .help("run this in the folder of the crate that declares the changes, or name the folder: --migrations DIR; `cargo build` writes it")
}
