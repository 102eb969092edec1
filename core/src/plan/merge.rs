//! The plan of a merge: the columns of a 1:1 table move into the table that it belongs to.

use super::carry::{Carry, analyze_step, drop_constraint_if_exists, exclusive, lock_tables, validate_step};
use super::columns::{add_columns_step, column_object, copy_column_privileges, copy_privileges_to_column, key_columns};
use super::compare::{all, any};
use super::make::{Part, Planned, table_notes};
use super::pair_sync::{Pair, PairedColumn, PairedTable, Purpose};
use super::sql;
use super::triggers::{Triggers, one_owner};
use super::{Action, Backfill, Lock, LockLevel, Mode, Phase, Reconcile, Step};
use crate::ident::{derived_name, quote_ident};
use crate::model::MergeChange;
use crate::model::apply::{constraint_columns, index_columns};
use crate::schema::{Column, ConstraintKind, Table, TriggerTiming};

/// Plans a merge by copying.
pub(super) fn plan(part: &Part<'_>, merge: &MergeChange) -> Option<Planned> {
    let moved: Vec<String> = merge.moved.iter().map(|moved| moved.from.clone()).collect();
    let carry = Carry::of_table(part, &merge.source, &merge.target, &moved)?;
    let before = part.before.table(&merge.target)?;
    let pair = pair(part, merge, carry.source, before);
    let parts = Parts { part, merge, source: carry.source, before, after: carry.target, pair };
    let triggers = parts.pair.triggers();
    let mut planned = Planned::new(
        "copy: new columns in the table that stays, kept in step with the table that goes by triggers on both, because old and new code must both find their own",
        &carry,
    );
    // The one that stays comes first.
    planned.tables.sort_by_key(|table| *table != merge.target);
    planned.steps.push(parts.expand_step());
    planned.steps.push(parts.sync_step(&triggers));
    planned.steps.push(analyze_step(&merge.target, &parts.new_names()));
    planned.steps.extend(carry.validate_steps());
    planned.steps.extend(parts.not_null().map(|name| {
        let (check, what) = (parts.not_null_check(name), format!("{name} is not null"));
        validate_step(&merge.target, &check, &format!("{name}_not_null"), &what, Vec::new())
    }));
    planned.steps.push(parts.contract_step(&carry, &triggers));
    planned.backfill = parts.backfill();
    planned.reconcile.push(parts.reconcile());
    planned.notes.extend(carry.notes());
    planned.notes.extend(parts.what_goes());
    planned.notes.extend(table_notes(part.before, parts.source, &moved, &parts.pair.first_trigger()));
    planned.notes.extend(table_notes(part.before, before, &[], &parts.pair.first_trigger()));
    planned.notes.push(format!(
        "until the contract, code that writes {source} locks its row before that of {target}, and new code the other way round: two transactions that \
         write the same row at the same moment can deadlock, one of them gets 40P01 and can be tried again; the generated accessors of {source} lock {target} first",
        source = merge.source,
        target = merge.target
    ));
    Some(planned)
}

/// The two tables: the one that stays gets the columns, and the one that goes has nothing else that matters.
fn pair<'a>(part: &'a Part<'a>, merge: &'a MergeChange, source: &'a Table, target: &Table) -> Pair<'a> {
    let columns = merge.moved.iter().filter_map(|moved| {
        let absent = moved.absent.as_ref().map(|absent| format!("({})", absent.code()));
        Some(PairedColumn {
            wide: moved.to.clone(),
            narrow: moved.from.clone(),
            column: source.column(&moved.from)?,
            blank: absent.clone().unwrap_or_else(|| "null".to_owned()),
            absent,
        })
    });
    let key: Vec<&String> = merge.key.iter().map(|(_, own)| own).collect();
    let may_come_first = source.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { columns, references, .. } => {
            constraint.deferrable && *references == merge.target && columns.iter().all(|name| key.contains(&name))
        }
        _ => false,
    });
    let restores = target
        .triggers
        .iter()
        .any(|trigger| trigger.timing == TriggerTiming::Before && trigger.for_each_row && trigger.on_update);
    Pair {
        part,
        wide: PairedTable { name: merge.target.clone(), role: "target" },
        narrow: PairedTable { name: merge.source.clone(), role: "source" },
        key: merge.key.clone(),
        columns: columns.collect(),
        always: merge.always,
        purpose: Purpose::Merge { may_come_first, restores },
    }
}

/// What the pieces of this plan have in common.
struct Parts<'a> {
    part: &'a Part<'a>,
    merge: &'a MergeChange,
    /// The table that goes.
    source: &'a Table,
    /// The table that stays, as it was.
    before: &'a Table,
    /// The same, as it will be.
    after: &'a Table,
    pair: Pair<'a>,
}

impl<'a> Parts<'a> {
    fn new_columns(&self) -> impl Iterator<Item = &'a Column> {
        let after = self.after;
        self.merge.moved.iter().filter_map(move |moved| after.column(&moved.to))
    }

    fn new_names(&self) -> Vec<String> {
        self.merge.moved.iter().map(|moved| moved.to.clone()).collect()
    }

    /// The new columns that are NOT NULL in the end.
    fn not_null(&self) -> impl Iterator<Item = &'a String> {
        self.merge.moved.iter().filter(|moved| moved.absent.is_some()).map(|moved| &moved.to)
    }

    /// The check that stands in for NOT NULL until the contract.
    fn not_null_check(&self, column: &str) -> String {
        derived_name(&[&self.part.own, column, "not_null"])
    }

    fn expand_step(&self) -> Step {
        let (source, target) = (&self.merge.source, &self.merge.target);
        let privileges = self.merge.moved.iter().flat_map(|moved| {
            [
                copy_privileges_to_column(source, target, &moved.to),
                copy_column_privileges(source, std::slice::from_ref(&moved.from), target, &moved.to),
            ]
        });
        let columns: Vec<&Column> = self.new_columns().collect();
        let mut step = add_columns_step(self.part, target, &columns, &[], privileges.collect());
        step.action.statements.insert(0, one_owner(source, target));
        step
    }

    /// The functions, the triggers, and only then, in the same transaction, the rules that rely on them.
    fn sync_step(&self, triggers: &Triggers<'_>) -> Step {
        let (source, target) = (&self.merge.source, &self.merge.target);
        let table = target.quoted();
        let mut statements = triggers.create_functions();
        for column in self.new_columns().filter(|column| column.not_null) {
            let check = quote_ident(&self.not_null_check(&column.name));
            let is_not_null = self.part.is_not_null(column, &quote_ident(&column.name));
            statements.push(format!("alter table {table} add constraint {check} check ({is_not_null}) not valid"));
            statements.push(sql::mark(&format!("constraint {check} on {table}"), &self.part.change.name));
        }
        statements.extend(triggers.create_triggers());
        let checks = self.not_null().map(|column| drop_constraint_if_exists(target, &self.not_null_check(column)));
        let undo = Action {
            statements: triggers.undo().into_iter().chain(checks).collect(),
            mode: Mode::Transaction,
            locks: vec![exclusive(target), exclusive(source)],
        };
        // The stronger lock first: asking for it later, with the weaker one held, can deadlock with a reader that goes on to write.
        let level = match self.not_null().next() {
            Some(_) => LockLevel::AccessExclusive,
            None => LockLevel::ShareRowExclusive,
        };
        let locks = vec![
            Lock { table: target.clone(), level, scans: false },
            Lock { table: source.clone(), level: LockLevel::ShareRowExclusive, scans: false },
        ];
        Step {
            id: "sync".to_owned(),
            title: format!(
                "keep {} of {target} and {source} in step, whichever is written",
                self.new_names().join(", ")
            ),
            phase: Phase::DualWriting,
            action: Action {
                statements: lock_tables(&locks).into_iter().chain(statements).collect(),
                mode: Mode::Transaction,
                locks,
            },
            undo: vec![undo],
            leftover: None,
        }
    }

    /// Rows with a partner get its values, and only then are those that still have none taken for rows without.
    fn backfill(&self) -> Vec<Backfill> {
        let source = |name: &str| format!("source.{}", quote_ident(name));
        let mut backfills = vec![Backfill::UpdateFrom {
            operation: self.part.own.clone(),
            table: self.merge.target.clone(),
            key: key_columns(self.before),
            source: self.merge.source.clone(),
            source_key: self.merge.key.iter().map(|(_, own)| own.clone()).collect(),
            on: self.pair.of_narrow("source.", "target."),
            combined: None,
            set: self.merge.moved.iter().map(|moved| (moved.to.clone(), source(&moved.from))).collect(),
            pending: all([self.pair.is_unfilled("target."), any(self.pair.differs("target.", "source."))]),
        }];
        let absent = self
            .merge
            .moved
            .iter()
            .filter_map(|moved| Some((moved.to.clone(), moved.absent.as_ref()?.code().to_owned())));
        let absent: Vec<(String, String)> = absent.collect();
        if !absent.is_empty() {
            backfills.push(Backfill::Update {
                operation: self.part.own.clone(),
                table: self.merge.target.clone(),
                set: absent,
                conversions: Vec::new(),
                pending: self.pair.is_unfilled(""),
                key: key_columns(self.before),
            });
        }
        backfills
    }

    /// Every row against its partner. A partner without a row cannot be: its foreign key says so.
    fn reconcile(&self) -> Reconcile {
        let first_key = self.merge.key.first().map(|(_, own)| quote_ident(own)).unwrap_or_default();
        let alone = format!("(target.{first_key} is null and {})", self.pair.is_present("source.", true));
        let differs = format!("(target.{first_key} is not null and {})", any(self.pair.differs("source.", "target.")));
        Reconcile {
            table: self.merge.target.clone(),
            key: key_columns(self.before),
            join: Some((self.merge.source.clone(), self.pair.of_narrow("target.", "source."))),
            mismatch: any([alone, differs]),
            title: format!("{} of {} and {}", self.new_names().join(", "), self.merge.target, self.merge.source),
        }
    }

    fn contract_step(&self, carry: &Carry<'_>, triggers: &Triggers<'_>) -> Step {
        let (source, target) = (&self.merge.source, &self.merge.target);
        let table = target.quoted();
        let mut locks = carry.contract_locks();
        // It is referenced by the one that goes.
        locks.retain(|lock| lock.table != *target);
        let at = locks.iter().position(|lock| lock.table == *source).unwrap_or(0);
        locks.insert(at, exclusive(target));
        let mut statements = lock_tables(&locks);
        statements.extend(triggers.drop_statements());
        statements.extend(carry.contract_drops());
        statements.push(format!("drop table {}", source.quoted()));
        for column in self.new_columns().filter(|column| column.not_null) {
            let name = quote_ident(&column.name);
            // The validated check proves it: no row is read (12 and later).
            statements.push(format!("alter table {table} alter column {name} set not null"));
            let check = quote_ident(&self.not_null_check(&column.name));
            statements.push(format!("alter table {table} drop constraint {check}"));
        }
        for column in self.new_columns() {
            if let Some(default) = &column.default {
                let name = quote_ident(&column.name);
                statements.push(format!("alter table {table} alter column {name} set default {}", default.text));
            }
        }
        statements.extend(carry.contract_renames());
        statements.extend(
            self.new_columns()
                .map(|column| sql::comment(&column_object(target, &column.name), column.comment.as_deref())),
        );
        Step {
            id: "contract".to_owned(),
            title: format!("drop {source}, and give the new columns of {target} their final rules"),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    /// What is not carried, because it belongs to the table that goes.
    fn what_goes(&self) -> Vec<String> {
        let source = self.source;
        let moves =
            |names: &[String]| names.iter().any(|name| self.merge.moved.iter().any(|moved| moved.from == *name));
        let constraints = source.constraints.iter().filter(|constraint| !moves(&constraint_columns(constraint)));
        let constraints = constraints.map(|constraint| format!("constraint {}", constraint.name));
        let indexes = source.indexes.iter().filter(|index| !moves(&index_columns(index)));
        let indexes = indexes.map(|index| format!("index {}", index.name));
        let triggers = source.triggers.iter().map(|trigger| format!("trigger {}", trigger.name));
        let columns = self.merge.dropped.iter().map(|name| format!("column {name}"));
        let defaults = self
            .merge
            .moved
            .iter()
            .filter(|moved| source.column(&moved.from).is_some_and(|column| column.default.is_some()));
        let defaults = defaults.map(|moved| format!("the default of {}", moved.from));
        let goes: Vec<String> = columns.chain(constraints).chain(indexes).chain(triggers).chain(defaults).collect();
        let publications: Vec<String> = self
            .part
            .before
            .schema()
            .publications
            .iter()
            .filter(|publication| publication.tables.iter().any(|(name, ..)| *name == source.name))
            .map(|publication| format!("publication {} no longer sends {}", publication.name, source.name))
            .collect();
        let mut notes = vec![format!("goes with {} at the contract: {}", source.name, goes.join(", "))];
        notes.extend(publications);
        notes.push(format!(
            "who may read all of {} may read the new columns as well, whether or not they may read {}",
            self.merge.target, source.name
        ));
        for (table, foreign_key) in self.part.before.foreign_keys_to(&source.name) {
            notes.push(format!(
                "until the contract, a row of {} needs a row of {} and not only of {}: foreign key {} says so",
                table.name, source.name, self.merge.target, foreign_key.name
            ));
        }
        notes
    }
}
