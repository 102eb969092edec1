//! The plans of an index that comes and of one that goes: both while the table is read and written.

use super::carry::build_index_step;
use super::duplicates::duplicates;
use super::make::{Part, Planned};
use super::sql;
use super::{Action, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, derived_name, quote_ident};
use crate::model::{CreateIndex, DropIndex};

/// Builds under a name of our own, so that an index that was there before is never taken for ours (H76).
pub(super) fn create(part: &Part<'_>, create: &CreateIndex) -> Option<Planned> {
    let table = part.before.table(&create.table)?;
    let index = &create.index;
    let interim = QualifiedName::new(&create.table.schema, derived_name(&[&part.own, &index.name]));
    let way = "in place: built concurrently, while the table is read and written";
    let mut planned = Planned::on(way, vec![create.table.clone()]);
    let title = format!("build {} while the table is written", index.name);
    planned.steps.push(build_index_step(&create.table, &interim, index, title));
    planned.steps.push(Step {
        id: "mark_indexes".to_owned(),
        title: "say on the new index that it belongs to this change".to_owned(),
        phase: Phase::Validated,
        action: Action {
            statements: vec![sql::mark(&format!("index {}", interim.quoted()), &part.change.name)],
            mode: Mode::Transaction,
            locks: Vec::new(),
        },
        undo: Vec::new(),
        leftover: None,
    });
    let name = QualifiedName::new(&create.table.schema, &index.name);
    planned.steps.push(Step {
        id: "contract".to_owned(),
        title: format!("give the index its name, {}", index.name),
        phase: Phase::Contracted,
        action: Action {
            statements: vec![
                format!("alter index {} rename to {}", interim.quoted(), quote_ident(&index.name)),
                sql::comment(&format!("index {}", name.quoted()), None),
            ],
            mode: Mode::Transaction,
            locks: Vec::new(),
        },
        undo: Vec::new(),
        leftover: None,
    });
    if index.unique {
        planned.probes.push(duplicates(part, table, index));
        planned.notes.push(format!(
            "from phase {} on, a write that makes {} not unique fails, in old code as well",
            Phase::Validated.name(),
            index.name
        ));
    }
    Some(planned)
}

/// An index that goes cannot come back without being built, so it goes with the contract.
pub(super) fn drop(part: &Part<'_>, drop: &DropIndex) -> Option<Planned> {
    let table = part.before.table(&drop.table)?;
    let name = QualifiedName::new(&table.name.schema, &drop.index);
    let way = "in place: dropped concurrently, while the table is read and written";
    let mut planned = Planned::on(way, vec![drop.table.clone()]);
    planned.steps.push(Step {
        id: "contract".to_owned(),
        title: format!("drop {}", drop.index),
        phase: Phase::Contracted,
        action: Action {
            statements: vec![format!("drop index concurrently if exists {}", name.quoted())],
            mode: Mode::Outside,
            locks: vec![Lock { table: drop.table.clone(), level: LockLevel::ShareUpdateExclusive, scans: false }],
        },
        undo: Vec::new(),
        leftover: None,
    });
    planned.notes.push(format!(
        "{} is in use until the contract: look at pg_stat_user_indexes whether queries still need it",
        drop.index
    ));
    Some(planned)
}
