//! What there is to say of each change: from the folder, and from the database.

use std::path::Path;
use std::time::{Duration, SystemTime};

use coexist::plan::{Phase, Stage};
use coexist::{Recorded, Runner, Status};

use super::attention::{self, Attention};
use crate::commands::run;
use crate::failure::Result;
use crate::migrations::{self, Migration};

/// For how long a change may stand still before somebody should ask why.
pub(crate) const STALE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Every change of the folder, and those that are under way without being there. One that stands still for longer than `stale` says so.
pub(crate) fn gather(folder: &Path, runner: &mut Runner, stale: Duration) -> Result<Vec<Change>> {
    let migrations = migrations::read(folder)?;
    let recorded = runner.recorded().map_err(run::failure)?;
    let mut changes = Vec::new();
    for migration in migrations {
        let recorded = recorded.iter().find(|recorded| recorded.change == migration.name);
        changes.push(declared(runner, migration, recorded, stale)?);
    }
    for recorded in &recorded {
        if !changes.iter().any(|change| change.name == recorded.change) {
            changes.extend(undeclared(runner, recorded, stale)?);
        }
    }
    Ok(changes)
}

/// A change as it is shown.
pub(crate) struct Change {
    pub name: String,
    /// What the source promises; `None` where the folder does not have the change, or has it in no state to be read.
    pub stage: Option<Stage>,
    /// What the ledger says; `None` where no plan tells what to look for.
    pub status: Option<Status>,
    pub attention: Vec<Attention>,
}

/// A change of the folder.
fn declared(runner: &mut Runner, migration: Migration, recorded: Option<&Recorded>, stale: Duration) -> Result<Change> {
    let name = migration.name;
    match migration.plan {
        Ok(plan) => {
            let status = runner.status(&plan).map_err(run::failure)?;
            let attention = attention::of_change(&plan, &status, &today(), stale);
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
fn undeclared(runner: &mut Runner, recorded: &Recorded, stale: Duration) -> Result<Option<Change>> {
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
    attention.extend(attention::of_change(plan, &status, &today(), stale));
    Ok(Some(Change { name, stage: None, status: Some(status), attention }))
}

/// As `contract_by` is written: `2027-02-01`.
#[expect(clippy::disallowed_methods, reason = "a date for people")]
fn today() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect()
}
