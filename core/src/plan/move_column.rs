//! The plan of a move: a column moves to a table that is related by a foreign key.

use super::carry::{
    Carry, analyze_step, drop_constraint_if_exists, exclusive, lock_before, lock_tables, validate_step,
};
use super::columns::{add_columns_step, column_object, copy_column_privileges, copy_privileges_to_column, key_columns};
use super::columns_sync::restore_not_null;
use super::make::{Part, Planned, table_notes};
use super::move_sync::Sync;
use super::sql;
use super::triggers::{Triggers, one_owner};
use super::{Action, Backfill, Combined, Lock, LockLevel, Mode, Phase, Probe, Reconcile, Search, Step};
use crate::ident::{derived_name, quote_ident, quote_literal};
use crate::model::MoveChange;
use crate::schema::{Column, Table};

/// Plans a move by copying.
pub(super) fn plan(part: &Part<'_>, change: &MoveChange) -> Option<Planned> {
    let carry = Carry::new(part, &change.from, &change.to, std::slice::from_ref(&change.column))?;
    let column = carry.source.column(&change.column)?;
    let new = carry.target.column(&change.new_column)?;
    let to = part.before.table(&change.to)?;
    let (many, one) = if change.upwards { (carry.source, to) } else { (to, carry.source) };
    let parts = Parts { part, change, from: carry.source, to, many, one, column, new };
    let sync = Sync::new(&parts);
    let triggers = sync.triggers();
    let mut planned = Planned::new(
        "copy: a new column in the related table, kept in step with the old one by triggers on both, because old and new code must both find their own",
        &carry,
    );
    planned.steps.push(parts.expand_step());
    planned.steps.push(parts.sync_step(&triggers));
    planned.steps.push(analyze_step(&change.to, std::slice::from_ref(&change.new_column)));
    planned.steps.extend(carry.validate_steps());
    if new.not_null {
        let (check, what) = (parts.not_null_check(), format!("{} is not null", new.name));
        planned.steps.push(validate_step(&change.to, &check, &format!("{}_not_null", new.name), &what, Vec::new()));
    }
    planned.steps.push(parts.contract_step(&carry, &triggers));
    planned.backfill.push(parts.backfill());
    planned.reconcile.push(parts.reconcile());
    planned.probes = parts.probes();
    planned.notes.extend(carry.notes());
    let gone = std::slice::from_ref(&change.column);
    planned.notes.extend(table_notes(part.before, parts.from, gone, &sync.first_trigger()));
    planned.notes.extend(table_notes(part.before, to, &[], &sync.first_trigger()));
    planned.notes.extend(parts.notes());
    Some(planned)
}

/// What the pieces of this plan have in common.
pub(super) struct Parts<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) change: &'a MoveChange,
    /// The table that has the column.
    pub(super) from: &'a Table,
    /// The table that it moves to, as it was.
    pub(super) to: &'a Table,
    /// The table that references the other one, as it was.
    pub(super) many: &'a Table,
    /// The table that is referenced, as it was.
    pub(super) one: &'a Table,
    /// The column as it was.
    pub(super) column: &'a Column,
    /// The column as it will be.
    pub(super) new: &'a Column,
}

impl Parts<'_> {
    /// True for a row of the one table and one that references it.
    pub(super) fn refers(&self, many: &str, one: &str) -> String {
        let pair =
            |(own, other): &(String, String)| format!("{many}{} = {one}{}", quote_ident(own), quote_ident(other));
        super::compare::all(self.change.reference.iter().map(pair))
    }

    /// True where two values of the column differ.
    pub(super) fn distinct(&self, a: &str, b: &str) -> String {
        self.part.distinct(self.column, a, b)
    }

    /// True where a value of the column is null.
    pub(super) fn is_null(&self, a: &str) -> String {
        self.part.is_null(self.column, a)
    }

    /// True where a value of the column is not null.
    pub(super) fn is_not_null(&self, a: &str) -> String {
        self.part.is_not_null(self.column, a)
    }

    /// The column of the many, and that of the one, quoted.
    pub(super) fn values(&self) -> (String, String) {
        (quote_ident(self.change.many().1), quote_ident(self.change.one().1))
    }

    /// The check that stands in for NOT NULL until the contract.
    fn not_null_check(&self) -> String {
        derived_name(&[&self.part.own, &self.new.name, "not_null"])
    }

    /// The old column is NOT NULL, new code does not know it, and nothing gives it a value but the other table, whose row comes later.
    pub(super) fn is_held(&self) -> bool {
        !self.change.upwards && self.column.not_null && self.column.default.is_none()
    }

    fn expand_step(&self) -> Step {
        let change = self.change;
        let privileges = vec![
            copy_privileges_to_column(&change.from, &change.to, &change.new_column),
            copy_column_privileges(&change.from, std::slice::from_ref(&change.column), &change.to, &change.new_column),
        ];
        let mut step = add_columns_step(self.part, &change.to, &[self.new], &[], privileges);
        step.action.statements.insert(0, one_owner(&change.from, &change.to));
        step
    }

    fn sync_step(&self, triggers: &Triggers<'_>) -> Step {
        let change = self.change;
        let (from, to) = (change.from.quoted(), change.to.quoted());
        let mut statements = triggers.create_functions();
        let mut checks = Vec::new();
        if self.new.not_null {
            let check = quote_ident(&self.not_null_check());
            let is_not_null = self.is_not_null(&quote_ident(&self.new.name));
            statements.push(format!("alter table {to} add constraint {check} check ({is_not_null}) not valid"));
            statements.push(sql::mark(&format!("constraint {check} on {to}"), &self.part.change.name));
            checks.push(drop_constraint_if_exists(&change.to, &self.not_null_check()));
        }
        let mut undo = Vec::new();
        if self.is_held() {
            statements.push(format!("alter table {from} alter column {} drop not null", quote_ident(&change.column)));
            undo.extend(restore_not_null(&change.from, &change.column, &self.part.own));
        }
        statements.extend(triggers.create_triggers());
        let level = |needs_exclusive| match needs_exclusive {
            true => LockLevel::AccessExclusive,
            false => LockLevel::ShareRowExclusive,
        };
        let of_from = Lock { table: change.from.clone(), level: level(self.is_held()), scans: false };
        let of_to = Lock { table: change.to.clone(), level: level(self.new.not_null), scans: false };
        // Code that writes both begins with the one that is referenced.
        let locks = if change.upwards { vec![of_to, of_from] } else { vec![of_from, of_to] };
        let undo_locks: Vec<Lock> = locks.iter().map(|lock| exclusive(&lock.table)).collect();
        undo.push(Action {
            statements: lock_tables(&undo_locks).into_iter().chain(triggers.undo()).chain(checks).collect(),
            mode: Mode::Transaction,
            locks: undo_locks,
        });
        Step {
            id: "sync".to_owned(),
            title: format!(
                "keep {} of {} and {} of {} in step, whichever is written",
                change.column, change.from, change.new_column, change.to
            ),
            phase: Phase::DualWriting,
            action: Action {
                statements: lock_tables(&locks).into_iter().chain(statements).collect(),
                mode: Mode::Transaction,
                locks,
            },
            undo,
            leftover: None,
        }
    }

    fn backfill(&self) -> Backfill {
        let change = self.change;
        let (old, new) = (quote_ident(&change.column), quote_ident(&change.new_column));
        let value = format!("source.{old}");
        let combined = change.upwards.then(|| Combined {
            by: change.reference.iter().map(|(own, _)| own.clone()).collect(),
            columns: vec![(
                change.column.clone(),
                match &change.take {
                    Some(take) => take.replace_columns(|_| Some(value.clone())),
                    // They agree.
                    None => format!("(array_agg({value}))[1]"),
                },
            )],
        });
        let (many, one) = if change.upwards { ("source.", "target.") } else { ("target.", "source.") };
        Backfill::UpdateFrom {
            operation: self.part.own.clone(),
            table: change.to.clone(),
            key: key_columns(self.to),
            source: change.from.clone(),
            source_key: self.from.primary_key().to_vec(),
            on: self.refers(many, one),
            combined,
            pending: self.distinct(&format!("target.{new}"), &value),
            set: vec![(change.new_column.clone(), value)],
        }
    }

    /// Every row that references another, against that one.
    fn reconcile(&self) -> Reconcile {
        let (many, one) = self.values();
        let change = self.change;
        let first = change.reference.first().map(|(_, other)| quote_ident(other)).unwrap_or_default();
        let differs = self.distinct(&format!("source.{many}"), &format!("target.{one}"));
        Reconcile {
            table: self.many.name.clone(),
            key: key_columns(self.many),
            join: Some((self.one.name.clone(), self.refers("source.", "target."))),
            mismatch: format!("(target.{first} is not null and {differs})"),
            title: format!("{} of {} and {} of {}", change.column, change.from, change.new_column, change.to),
        }
    }

    fn probes(&self) -> Vec<Probe> {
        let change = self.change;
        let value = format!("source.{}", quote_ident(&change.column));
        let mut probes = Vec::new();
        if change.upwards && !change.one_to_one && change.take.is_none() {
            let by: Vec<String> =
                change.reference.iter().map(|(own, _)| format!("source.{}", quote_ident(own))).collect();
            let shown = change
                .reference
                .iter()
                .zip(&by)
                .map(|((own, _), by)| format!("{} || {by}::text", quote_literal(&format!("{own} = "))));
            let not_null: Vec<String> = by.iter().map(|by| format!("{by} is not null")).collect();
            probes.push(Probe {
                id: format!("conflicting_{}", change.column),
                title: format!(
                    "rows of {} that share a row of {} and differ in {}",
                    change.from, change.to, change.column
                ),
                remedy: format!("make {} the same in each group, or declare `conflicting rows take …`", change.column),
                blocks: Phase::Backfilled,
                search: Search::Groups {
                    table: change.from.clone(),
                    query: format!(
                        "select {} || ' (' || count(*) || ' rows)'\nfrom {} as source\nwhere {}\ngroup by {}\n\
                         having count(distinct {value}::text) > 1 or count({value}) not in (0, count(*))",
                        shown.collect::<Vec<_>>().join(" || ', ' || "),
                        change.from.quoted(),
                        not_null.join(" and "),
                        by.join(", ")
                    ),
                },
            });
        }
        if !change.discard {
            let (many, one) = if change.upwards { ("source.", "target.") } else { ("target.", "source.") };
            let first = change.reference.first().map(|(own, other)| if change.upwards { other } else { own });
            let first = first.map(|name| quote_ident(name)).unwrap_or_default();
            probes.push(Probe {
                id: format!("unmatched_{}", change.column),
                title: format!(
                    "rows of {} with a value of {} and no row of {} that it could go to",
                    change.from, change.column, change.to
                ),
                remedy: format!("give them a row of {}, empty the value, or declare `unmatched discard`", change.to),
                blocks: Phase::Contracted,
                search: Search::Rows {
                    table: change.from.clone(),
                    key: key_columns(self.from),
                    join: Some((change.to.clone(), self.refers(many, one))),
                    condition: format!("{} and target.{first} is null", self.is_not_null(&value)),
                },
            });
        }
        probes
    }

    fn contract_step(&self, carry: &Carry<'_>, triggers: &Triggers<'_>) -> Step {
        let change = self.change;
        let to = change.to.quoted();
        let mut locks = carry.contract_locks();
        lock_before(&mut locks, &self.one.name, &self.many.name);
        let mut statements = lock_tables(&locks);
        statements.extend(triggers.drop_statements());
        statements.extend(carry.contract_drops());
        statements.push(format!("alter table {} drop column {}", change.from.quoted(), quote_ident(&change.column)));
        let name = quote_ident(&change.new_column);
        if self.new.not_null {
            // The validated check proves it: no row is read (12 and later).
            statements.push(format!("alter table {to} alter column {name} set not null"));
            statements.push(format!("alter table {to} drop constraint {}", quote_ident(&self.not_null_check())));
        }
        if let Some(default) = &self.new.default {
            statements.push(format!("alter table {to} alter column {name} set default {}", default.text));
        }
        statements.extend(carry.contract_renames());
        statements.push(sql::comment(&column_object(&change.to, &change.new_column), self.new.comment.as_deref()));
        Step {
            id: "contract".to_owned(),
            title: format!(
                "drop {} of {}, and give {} of {} its final rules",
                change.column, change.from, change.new_column, change.to
            ),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    fn notes(&self) -> Vec<String> {
        let change = self.change;
        let (many, one) = (&self.many.name, &self.one.name);
        let mut notes = Vec::new();
        if !change.one_to_one {
            notes.push(format!(
                "until the contract, all rows of {many} that reference one row of {one} share one value: a write of one of them reaches the others, and two \
                 transactions that write two of them at the same moment can deadlock, one of them gets 40P01 and can be tried again; the generated accessors of {many} \
                 lock {one} first"
            ));
        }
        if change.discard {
            notes.push(format!(
                "values of {} in rows of {} that have no row of {} go with the contract, as declared",
                change.column, change.from, change.to
            ));
        }
        notes.push(format!(
            "who may read all of {} may read the new column as well, whether or not they may read {}",
            change.to, change.from
        ));
        notes
    }
}
