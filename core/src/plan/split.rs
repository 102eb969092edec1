//! The plan of a split: columns of a table move to a new 1:1 table.

use super::carry::{Carry, analyze_step, exclusive, foreign_key_steps, lock_tables};
use super::columns::key_columns;
use super::columns_sync::restore_not_null;
use super::compare::any;
use super::make::{Part, Planned, table_notes};
use super::new_table::NewTable;
use super::pair_sync::{Pair, PairedColumn, PairedTable, Purpose};
use super::sql;
use super::triggers::Triggers;
use super::{Action, Backfill, Lock, LockLevel, Mode, Phase, Reconcile, Step};
use crate::ident::quote_ident;
use crate::model::SplitChange;
use crate::schema::{Constraint, ConstraintKind, Table};

/// Plans a split by copying.
pub(super) fn plan(part: &Part<'_>, split: &SplitChange) -> Option<Planned> {
    let carry = Carry::new(part, &split.source, &split.target, &split.moved)?;
    let parts =
        Parts { part, split, source: carry.source, target: carry.target, pair: pair(part, split, carry.source) };
    let triggers = parts.pair.triggers();
    let mut planned = Planned::new(
        "copy: a new table beside the old columns, kept in step by triggers on both, because old and new code must both find their own",
        &carry,
    );
    planned.steps.push(parts.create_table_step());
    planned.steps.push(parts.sync_step(&triggers));
    planned.steps.push(analyze_step(&split.target, &parts.target_columns()));
    planned.steps.extend(carry.validate_steps());
    planned.steps.extend(parts.foreign_key_steps());
    planned.steps.push(parts.contract_step(&carry, &triggers));
    planned.backfill.push(parts.backfill());
    planned.reconcile.extend(parts.reconcile());
    planned.notes.extend(carry.notes());
    planned.notes.extend(table_notes(part.before, parts.source, &split.moved, &parts.pair.first_trigger()));
    planned.notes.push(format!(
        "once the foreign key of {} is there (phase {}), TRUNCATE of {} needs CASCADE",
        split.target,
        Phase::Validated.name(),
        split.source
    ));
    Some(planned)
}

fn pair<'a>(part: &'a Part<'a>, split: &'a SplitChange, source: &'a Table) -> Pair<'a> {
    let column = |name: &String| {
        let column = source.column(name)?;
        let blank = column.default.as_ref().map_or("null", |default| default.text.as_str()).to_owned();
        Some(PairedColumn { wide: name.clone(), narrow: name.clone(), column, absent: None, blank })
    };
    Pair {
        part,
        wide: PairedTable { name: split.source.clone(), role: "source" },
        narrow: PairedTable { name: split.target.clone(), role: "target" },
        key: split.key.clone(),
        columns: split.moved.iter().filter_map(column).collect(),
        always: split.always,
        purpose: Purpose::Split,
    }
}

/// What the pieces of this plan have in common.
struct Parts<'a> {
    part: &'a Part<'a>,
    split: &'a SplitChange,
    /// As it was.
    source: &'a Table,
    /// As it will be.
    target: &'a Table,
    pair: Pair<'a>,
}

impl<'a> Parts<'a> {
    fn target_key(&self) -> Vec<&'a String> {
        self.split.key.iter().map(|(_, target)| target).collect()
    }

    fn target_columns(&self) -> Vec<String> {
        self.target.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The functions, then NOT NULL of moved columns gives way to a check at the end of the transaction, because new code inserts the row of
    /// the source first and that of the target after it; then the triggers.
    fn sync_step(&self, triggers: &Triggers<'_>) -> Step {
        let split = self.split;
        let mut statements = triggers.create_functions();
        let held: Vec<&PairedColumn<'_>> = self.pair.held().collect();
        for column in &held {
            let column = quote_ident(&column.wide);
            statements.push(format!("alter table {} alter column {column} drop not null", split.source.quoted()));
        }
        statements.extend(triggers.create_triggers());
        let level = if held.is_empty() { LockLevel::ShareRowExclusive } else { LockLevel::AccessExclusive };
        let mut undo: Vec<Action> =
            held.iter().flat_map(|column| restore_not_null(&split.source, &column.wide, &self.part.own)).collect();
        undo.push(Action {
            statements: triggers.undo(),
            mode: Mode::Transaction,
            locks: vec![exclusive(&split.source), exclusive(&split.target)],
        });
        Step {
            id: "sync".to_owned(),
            title: format!(
                "keep {} of {} and {} in step, whichever is written",
                split.moved.join(", "),
                split.source,
                split.target
            ),
            phase: Phase::DualWriting,
            action: Action {
                statements,
                mode: Mode::Transaction,
                locks: vec![
                    Lock { table: split.source.clone(), level, scans: false },
                    Lock { table: split.target.clone(), level: LockLevel::ShareRowExclusive, scans: false },
                ],
            },
            undo,
            leftover: None,
        }
    }

    fn create_table_step(&self) -> Step {
        let key = self.constraint(|kind| matches!(kind, ConstraintKind::PrimaryKey { .. }));
        let moved = self.split.moved.iter().map(|name| (vec![name.clone()], name.clone()));
        let keys = self.split.key.iter().map(|(from, to)| (vec![from.clone()], to.clone()));
        NewTable {
            part: self.part,
            like: &self.split.source,
            table: self.target,
            constraints: key.into_iter().collect(),
            indexes: Vec::new(),
            privileges: keys.chain(moved).collect(),
        }
        .create_step()
    }

    fn constraint(&self, is: impl Fn(&ConstraintKind) -> bool) -> Option<&'a Constraint> {
        self.target.constraints.iter().find(|constraint| is(&constraint.kind))
    }

    /// The new table's reference to the old one. It is no twin of anything, so it has its final name at once.
    fn foreign_key_steps(&self) -> Vec<Step> {
        self.own_foreign_key().map_or_else(Vec::new, |key| {
            // Accessors of the new table lock the source's row first, and write the source by the trigger last. Only from this level on does
            // the step wait for the first of these, holding nothing; else it would hold the source, and wait for the new table (H12).
            let referenced = LockLevel::Exclusive;
            foreign_key_steps(self.part, &self.split.target, &self.split.source, referenced, key, &key.name)
        })
    }

    fn own_foreign_key(&self) -> Option<&'a Constraint> {
        let target_key = self.target_key();
        self.constraint(|kind| match kind {
            ConstraintKind::ForeignKey { columns, references, .. } => {
                *references == self.split.source && columns.iter().eq(target_key.iter().copied())
            }
            _ => false,
        })
    }

    fn contract_step(&self, carry: &Carry<'_>, triggers: &Triggers<'_>) -> Step {
        let locks = carry.contract_locks();
        let mut statements = lock_tables(&locks);
        statements.extend(triggers.drop_statements());
        statements.extend(carry.contract_drops());
        let drops: Vec<String> =
            self.split.moved.iter().map(|name| format!("drop column {}", quote_ident(name))).collect();
        statements.push(format!("alter table {}\n  {}", self.split.source.quoted(), drops.join(",\n  ")));
        statements.extend(carry.contract_renames());
        let target = self.split.target.quoted();
        if let Some(key) = self.own_foreign_key() {
            statements.push(sql::comment(&format!("constraint {} on {target}", quote_ident(&key.name)), None));
        }
        statements.push(sql::comment(&format!("table {target}"), None));
        Step {
            id: "contract".to_owned(),
            title: format!("drop {} from {}", self.split.moved.join(", "), self.split.source),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    fn backfill(&self) -> Backfill {
        let key =
            self.split.key.iter().map(|(source, target)| (target.clone(), format!("source.{}", quote_ident(source))));
        let moved = self.split.moved.iter().map(|name| (name.clone(), format!("source.{}", quote_ident(name))));
        Backfill::Insert {
            operation: self.part.own.clone(),
            source: self.split.source.clone(),
            target: self.split.target.clone(),
            key: key_columns(self.source),
            columns: key.chain(moved).collect(),
            pending: self.pair.has_row("source."),
            target_key: self.target_key().into_iter().cloned().collect(),
        }
    }

    /// Every row of the source against its row in the target; and every row of the target has one in the source.
    fn reconcile(&self) -> Vec<Reconcile> {
        let first_key = self.split.key.first().map(|(_, target)| quote_ident(target)).unwrap_or_default();
        let missing = format!("(target.{first_key} is null and {})", self.pair.has_row("source."));
        let differs = format!("(target.{first_key} is not null and {})", any(self.pair.differs("source.", "target.")));
        let forward = Reconcile {
            table: self.split.source.clone(),
            key: key_columns(self.source),
            join: Some((self.split.target.clone(), self.pair.of_narrow("target.", "source."))),
            mismatch: any([missing, differs]),
            title: format!("{} of {} and {}", self.split.moved.join(", "), self.split.source, self.split.target),
        };
        let first_source_key = self.split.key.first().map(|(source, _)| quote_ident(source)).unwrap_or_default();
        let ghosts = Reconcile {
            table: self.split.target.clone(),
            key: key_columns(self.target),
            join: Some((self.split.source.clone(), self.pair.of_wide("target.", "source."))),
            mismatch: format!("target.{first_source_key} is null"),
            title: format!("rows of {} without one in {}", self.split.target, self.split.source),
        };
        vec![forward, ghosts]
    }
}
