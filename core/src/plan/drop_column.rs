//! The plan of a column that goes: until the contract new code does without it, and nothing is lost.

use super::carry::{exclusive, lock_tables};
use super::make::{Part, Planned, table_notes};
use super::{Action, Lock, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::DropColumn;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::schema::{Column, Constraint, ConstraintKind, Table};

pub(super) fn plan(part: &Part<'_>, drop: &DropColumn) -> Option<Planned> {
    let table = part.before.table(&drop.table)?;
    let parts = Parts { drop, table, column: table.column(&drop.column)? };
    let way = "in place: new code leaves the column out, and it stays as it is until the contract";
    let mut planned = Planned::on(way, parts.tables());
    planned.steps.extend(parts.default_step());
    planned.steps.push(parts.contract_step());
    planned.notes.extend(parts.notes());
    planned.notes.extend(table_notes(part.before, table, std::slice::from_ref(&drop.column), ""));
    Some(planned)
}

struct Parts<'a> {
    drop: &'a DropColumn,
    /// As it was.
    table: &'a Table,
    column: &'a Column,
}

impl<'a> Parts<'a> {
    fn constraints(&self) -> impl Iterator<Item = &'a Constraint> {
        let (table, column) = (self.table, &self.column.name);
        table.constraints.iter().filter(move |constraint| constraint_columns(constraint).contains(column))
    }

    /// The tables that foreign keys on the column reference.
    fn referenced(&self) -> impl Iterator<Item = &'a QualifiedName> {
        self.constraints().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { references, .. } => Some(references),
            _ => None,
        })
    }

    fn tables(&self) -> Vec<QualifiedName> {
        let mut tables = vec![self.drop.table.clone()];
        for table in self.referenced() {
            if !tables.contains(table) {
                tables.push(table.clone());
            }
        }
        tables
    }

    /// What old code reads in rows that new code inserts.
    fn default_step(&self) -> Option<Step> {
        let default = self.drop.default.as_ref()?;
        let alter = format!("alter table {} alter column {}", self.table.name.quoted(), quote_ident(&self.column.name));
        let back = match &self.column.default {
            Some(before) => format!("{alter} set default {}", before.text),
            None => format!("{alter} drop default"),
        };
        let locks = vec![exclusive(&self.table.name)];
        Some(Step {
            id: "default".to_owned(),
            title: format!("give {} a value in rows that are inserted without it", self.column.name),
            phase: Phase::Expanded,
            action: Action {
                statements: vec![format!("{alter} set default {}", default.text())],
                mode: Mode::Transaction,
                locks: locks.clone(),
            },
            undo: vec![Action { statements: vec![back], mode: Mode::Transaction, locks }],
            leftover: None,
        })
    }

    /// What hangs on the column goes by name first: what nobody named stays in the way of nothing, and shows in the review.
    fn contract_step(&self) -> Step {
        let mut locks: Vec<Lock> = Vec::new();
        for table in self.referenced().chain([&self.table.name]) {
            if !locks.iter().any(|lock| lock.table == *table) {
                locks.push(exclusive(table));
            }
        }
        let table = self.table.name.quoted();
        let goes = |columns: Vec<String>| columns.contains(&self.column.name);
        let mut statements = lock_tables(&locks);
        statements.extend(
            self.constraints()
                .map(|constraint| format!("alter table {table} drop constraint {}", quote_ident(&constraint.name))),
        );
        let indexes = self.table.indexes.iter().filter(|index| goes(index_columns(index)));
        statements.extend(
            indexes.map(|index| {
                format!("drop index {}", QualifiedName::new(&self.table.name.schema, &index.name).quoted())
            }),
        );
        let statistics = self.table.statistics.iter().filter(|statistics| goes(target_columns(&statistics.on)));
        statements.extend(statistics.map(|statistics| format!("drop statistics {}", statistics.name.quoted())));
        statements.push(format!("alter table {table} drop column {}", quote_ident(&self.column.name)));
        Step {
            id: "contract".to_owned(),
            title: format!("drop {} from {}", self.column.name, self.table.name),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let checked = self.constraints().filter(|constraint| matches!(constraint.kind, ConstraintKind::Check { .. }));
        for check in checked {
            notes.push(format!(
                "until the contract, rows that new code inserts are held to {} of {} with the value that {} has by default",
                check.name, self.table.name, self.column.name
            ));
        }
        if self.drop.default.is_none()
            && self.column.default.is_none()
            && self.column.identity.is_none()
            && self.column.generated.is_none()
        {
            notes.push(format!("old code reads null in {} of rows that new code inserts", self.column.name));
        }
        notes
    }
}
