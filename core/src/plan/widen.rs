//! The plan that makes integer columns wider under their own names: a key, and every column that references it.
//!
//! Until the contract old and new code use the same column, which new code reads and writes through a cast; its values cannot be too wide for
//! old code. A wider column stands beside each, filled by a trigger and the backfill, with twins of everything that hangs on the narrower one. The contract
//! swaps all of them in one transaction: a key and its references never differ in type where somebody sees it.

use super::carry::{Carry, analyze_step, exclusive, lock_tables, validate_step};
use super::columns::{copy_column_privileges, key_columns};
use super::compare::any;
use super::make::{Part, Planned, table_notes};
use super::sql;
use super::take_over::TakeOver;
use super::widen_sync::Sync;
use super::{Action, Backfill, Lock, Mode, Phase, Reconcile, Step};
use crate::ident::{QualifiedName, derived_name, quote_ident};
use crate::model::WidenChange;
use crate::model::apply::widen::{beside, interim};
use crate::schema::{Column, Table};

/// Plans a widening by copying beside and swapping.
pub(super) fn plan(part: &Part<'_>, widen: &WidenChange) -> Option<Planned> {
    let beside = beside(part.before, widen, &part.own)?;
    let is_carried = |table: &QualifiedName, columns: &[String]| {
        columns.iter().any(|column| widen.columns_of(table).contains(column))
    };
    let mut tables = Vec::new();
    for widened in &widen.tables {
        let (table, columns) = (&widened.name, widened.columns.as_slice());
        let carry = Carry::to_shape(part, &beside, table, table, columns, &is_carried)?;
        let pairs = columns.iter().map(|name| {
            let before = carry.source.column(name)?;
            Some(Pair { before, beside: carry.target.column(&interim(&part.own, name))? })
        });
        tables.push(Widened { part, pairs: pairs.collect::<Option<_>>()?, carry });
    }
    let names: Vec<String> = widen.tables.iter().map(|widened| widened.name.to_string()).collect();
    let mut touched: Vec<QualifiedName> = Vec::new();
    for table in tables.iter().flat_map(|widened| widened.carry.tables()) {
        if !touched.contains(&table) {
            touched.push(table);
        }
    }
    let way = format!(
        "copy beside, and swap at the contract: a change of type in place would rewrite {} and keep everybody out meanwhile",
        names.join(", ")
    );
    let mut planned = Planned::on(way, touched);
    let each =
        |step: fn(&Widened<'_>) -> Vec<Step>| tables.iter().flat_map(move |widened| widened.number(step(widened)));
    planned.steps.extend(each(|widened| vec![widened.add_columns_step()]));
    planned.steps.extend(each(|widened| vec![widened.sync_step()]));
    planned.steps.extend(each(|widened| widened.build_steps()));
    planned.steps.extend(each(|widened| widened.rule_steps()));
    planned.steps.push(contract_step(&tables));
    for widened in &tables {
        planned.backfill.push(widened.backfill());
        planned.reconcile.push(widened.reconcile());
        planned.notes.extend(widened.carry.notes());
        planned.notes.extend(widened.notes());
    }
    Some(planned)
}

/// A column, and the wider one beside it.
pub(super) struct Pair<'a> {
    pub(super) before: &'a Column,
    pub(super) beside: &'a Column,
}

/// One table whose columns become wider.
pub(super) struct Widened<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) pairs: Vec<Pair<'a>>,
    carry: Carry<'a>,
}

impl<'a> Widened<'a> {
    /// As it was.
    pub(super) fn table(&self) -> &'a Table {
        self.carry.source
    }

    pub(super) fn beside_names(&self) -> Vec<String> {
        self.pairs.iter().map(|pair| pair.beside.name.clone()).collect()
    }

    fn column_names(&self) -> String {
        let names: Vec<&str> = self.pairs.iter().map(|pair| pair.before.name.as_str()).collect();
        names.join(", ")
    }

    /// Tells the steps of one table from those of others.
    fn number(&self, mut steps: Vec<Step>) -> Vec<Step> {
        for step in &mut steps {
            step.id = format!("{}_{}", self.table().name, step.id);
        }
        steps
    }

    fn add_columns_step(&self) -> Step {
        let table = &self.table().name;
        let names = self.beside_names();
        let add: Vec<String> =
            self.pairs.iter().map(|pair| format!("add column {}", sql::column_definition(pair.beside))).collect();
        let drop: Vec<String> =
            names.iter().map(|name| format!("drop column if exists {}", quote_ident(name))).collect();
        let mut statements = vec![format!("alter table {}\n  {}", table.quoted(), add.join(",\n  "))];
        for pair in &self.pairs {
            statements.extend(sql::column_settings(table, pair.beside));
        }
        statements.extend(names.iter().map(|name| sql::mark(&column_object(table, name), &self.part.change.name)));
        Step {
            id: "add_columns".to_owned(),
            title: format!("add {} to {table}, empty; no row is touched", names.join(", ")),
            phase: Phase::Expanded,
            action: Action { statements, mode: Mode::Transaction, locks: vec![exclusive(table)] },
            undo: vec![Action {
                statements: names
                    .iter()
                    .map(|name| sql::refuse_unless_marked(table, Some(name), &self.part.change.name))
                    .chain([format!("alter table if exists {}\n  {}", table.quoted(), drop.join(",\n  "))])
                    .collect(),
                mode: Mode::Transaction,
                locks: vec![exclusive(table)],
            }],
            leftover: None,
        }
    }

    fn sync_step(&self) -> Step {
        Sync { widened: self }.step()
    }

    fn build_steps(&self) -> Vec<Step> {
        std::iter::once(analyze_step(&self.table().name, &self.beside_names()))
            .chain(self.carry.index_steps())
            .collect()
    }

    /// Behind the indexes of all tables: a foreign key needs that of the other table.
    fn rule_steps(&self) -> Vec<Step> {
        let not_null = self.not_null().map(|pair| {
            let what = format!("{} is not null", pair.before.name);
            let of = format!("{}_not_null", pair.before.name);
            validate_step(&self.table().name, &self.not_null_check(pair), &of, &what, Vec::new())
        });
        not_null.chain(self.carry.rule_steps()).collect()
    }

    /// The pairs whose column is NOT NULL.
    pub(super) fn not_null(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter().filter(|pair| pair.before.not_null)
    }

    /// The check that stands in for NOT NULL until the contract.
    pub(super) fn not_null_check(&self, pair: &Pair<'_>) -> String {
        derived_name(&[&self.part.own, &pair.before.name, "not_null"])
    }

    /// True for a row whose wider columns do not hold what the narrower ones do, over columns with this prefix.
    pub(super) fn differs(&self, prefix: &str) -> String {
        any(self.pairs.iter().map(|pair| {
            let (beside, before) = (quote_ident(&pair.beside.name), quote_ident(&pair.before.name));
            format!("{prefix}{beside} is distinct from {prefix}{before}")
        }))
    }

    fn backfill(&self) -> Backfill {
        let set = self.pairs.iter().map(|pair| (pair.beside.name.clone(), quote_ident(&pair.before.name)));
        Backfill::Update {
            operation: self.part.own.clone(),
            table: self.table().name.clone(),
            set: set.collect(),
            conversions: Vec::new(),
            pending: self.differs(""),
            key: key_columns(self.table()),
        }
    }

    fn reconcile(&self) -> Reconcile {
        let table = &self.table().name;
        Reconcile {
            table: table.clone(),
            key: key_columns(self.table()),
            join: None,
            mismatch: self.differs("source."),
            title: format!("{} and {} of {table}", self.column_names(), self.beside_names().join(", ")),
        }
    }

    fn notes(&self) -> Vec<String> {
        let gone: Vec<String> = self.pairs.iter().map(|pair| pair.before.name.clone()).collect();
        let mut notes = table_notes(self.part.before, self.table(), &gone, &Sync { widened: self }.first_trigger());
        notes.push(format!(
            "{} of {} stand behind the other columns after the contract: code that lists no columns finds them there",
            gone.join(", "),
            self.table().name
        ));
        notes
    }

    fn take_overs(&self) -> impl Iterator<Item = TakeOver<'_>> {
        let (part, table) = (self.part, &self.table().name);
        self.pairs.iter().map(move |pair| TakeOver {
            part,
            table,
            before: Some(pair.before),
            after: pair.beside,
            default_otherwise: None,
        })
    }

    /// While both columns are there: the wider one becomes what the narrower one is.
    fn take_over(&self) -> Vec<String> {
        let table = self.table().name.quoted();
        let mut statements = Vec::new();
        for pair in self.not_null() {
            // The validated check proves it: no row is read (12 and later).
            statements
                .push(format!("alter table {table} alter column {} set not null", quote_ident(&pair.beside.name)));
            statements.push(format!("alter table {table} drop constraint {}", quote_ident(&self.not_null_check(pair))));
        }
        statements.extend(self.take_overs().flat_map(|take_over| take_over.statements()));
        let name = &self.table().name;
        // Not at the expand: who may use a single column may have changed since.
        statements.extend(self.pairs.iter().map(|pair| {
            copy_column_privileges(name, std::slice::from_ref(&pair.before.name), name, &pair.beside.name)
        }));
        statements
    }

    fn swap(&self) -> Vec<String> {
        let table = &self.table().name;
        let drops: Vec<String> =
            self.pairs.iter().map(|pair| format!("drop column {}", quote_ident(&pair.before.name))).collect();
        let mut statements = vec![format!("alter table {}\n  {}", table.quoted(), drops.join(",\n  "))];
        statements.extend(self.take_overs().filter_map(|take_over| take_over.rename_sequence()));
        for (pair, take_over) in self.pairs.iter().zip(self.take_overs()) {
            statements.push(format!(
                "alter table {} rename column {} to {}",
                table.quoted(),
                quote_ident(&pair.beside.name),
                quote_ident(&pair.before.name)
            ));
            statements.extend(take_over.rename_not_null(&pair.before.name));
            statements.push(sql::comment(&column_object(table, &pair.before.name), pair.before.comment.as_deref()));
        }
        statements
    }
}

/// One transaction for all tables: a swap of some of them is not a state that anybody could be left in.
fn contract_step(tables: &[Widened<'_>]) -> Step {
    let mut locks: Vec<Lock> = Vec::new();
    for lock in tables.iter().flat_map(|widened| widened.carry.contract_locks()) {
        if !locks.contains(&lock) {
            locks.push(lock);
        }
    }
    let mut statements = lock_tables(&locks);
    statements.extend(tables.iter().flat_map(|widened| Sync { widened }.triggers().drop_statements()));
    statements.extend(tables.iter().flat_map(|widened| widened.carry.foreign_key_drops()));
    statements.extend(tables.iter().flat_map(|widened| widened.carry.other_drops()));
    statements.extend(tables.iter().flat_map(Widened::take_over));
    statements.extend(tables.iter().flat_map(Widened::swap));
    statements.extend(tables.iter().flat_map(|widened| widened.carry.contract_renames()));
    let names: Vec<String> =
        tables.iter().map(|widened| format!("{} of {}", widened.column_names(), widened.table().name)).collect();
    Step {
        id: "contract".to_owned(),
        title: format!("swap in the wider columns: {}", names.join("; ")),
        phase: Phase::Contracted,
        action: Action { statements, mode: Mode::Transaction, locks },
        undo: Vec::new(),
        leftover: None,
    }
}

fn column_object(table: &QualifiedName, column: &str) -> String {
    format!("column {}.{}", table.quoted(), quote_ident(column))
}
