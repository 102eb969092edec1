//! The plan of a column whose type the contract changes in the catalog alone. Until then there is nothing to do: what is of the new type and
//! not of the old one is refused, because old code could not read it.

use super::carry::{analyze_step, exclusive, lock_tables, validate_step};
use super::make::{Part, Planned};
use super::sql::{self, constraint_definition};
use super::{Action, Lock, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::ColumnsChange;
use crate::model::apply::constraint_columns;
use crate::schema::{Constraint, ConstraintKind, Table};

/// Plans such a change.
pub(super) fn plan(part: &Part<'_>, columns: &ColumnsChange) -> Option<Planned> {
    let parts = Parts {
        part,
        table: part.before.table(&columns.table)?,
        after: part.after.table(&columns.table)?,
        names: columns.before_names(),
    };
    let mut planned = Planned::on(
        "in place: the contract changes the type in the catalog alone, and PostgreSQL writes no row and builds no index; a copy would fill a \
         new column in every row",
        parts.tables(),
    );
    planned.steps.push(parts.contract_step());
    planned.steps.extend(parts.validate_steps());
    planned.steps.push(Step { phase: Phase::Contracted, ..analyze_step(&columns.table, &parts.names) });
    planned.notes = parts.notes();
    Some(planned)
}

struct Parts<'a> {
    part: &'a Part<'a>,
    table: &'a Table,
    /// As it will be.
    after: &'a Table,
    /// The columns whose type changes.
    names: Vec<String>,
}

impl<'a> Parts<'a> {
    fn is_touched(&self, columns: &[String]) -> bool {
        columns.iter().any(|column| self.names.contains(column))
    }

    /// The table, and those at the other end of its foreign keys: PostgreSQL makes these anew, without looking at rows.
    fn tables(&self) -> Vec<QualifiedName> {
        let mut tables = vec![self.table.name.clone()];
        for (table, foreign_key) in self.part.before.tables().flat_map(|t| t.constraints.iter().map(move |c| (t, c))) {
            let ConstraintKind::ForeignKey { columns, references, referenced, .. } = &foreign_key.kind else {
                continue;
            };
            let points_here = *references == self.table.name && self.is_touched(referenced);
            let points_away = table.name == self.table.name && self.is_touched(columns);
            for other in [&table.name, references].into_iter().filter(|_| points_here || points_away) {
                if !tables.contains(other) {
                    tables.push(other.clone());
                }
            }
        }
        tables
    }

    /// Referenced tables before referencing ones, as code that writes both does.
    fn locks(&self) -> Vec<Lock> {
        let is_referenced = |name: &QualifiedName| {
            self.table.constraints.iter().any(|constraint| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if references == name)
            })
        };
        let tables = self.tables();
        let (mut first, rest): (Vec<_>, Vec<_>) =
            tables.into_iter().partition(|name| *name != self.table.name && is_referenced(name));
        first.extend(rest);
        first.iter().map(exclusive).collect()
    }

    /// PostgreSQL would read the whole table again for them, with nobody else at it.
    fn checks(&self) -> impl Iterator<Item = &'a Constraint> {
        self.table.constraints.iter().filter(|constraint| {
            matches!(constraint.kind, ConstraintKind::Check { .. }) && self.is_touched(&constraint_columns(constraint))
        })
    }

    fn contract_step(&self) -> Step {
        let table = self.table.name.quoted();
        let locks = self.locks();
        let mut statements = lock_tables(&locks);
        let drop = |check: &Constraint| format!("alter table {table} drop constraint {}", quote_ident(&check.name));
        statements.extend(self.checks().map(drop));
        for column in self.names.iter().filter_map(|name| self.after.column(name)) {
            let collation =
                column.collation.as_ref().map(|name| format!(" collate {}", name.quoted())).unwrap_or_default();
            statements.push(format!(
                "alter table {table} alter column {} type {}{collation}",
                quote_ident(&column.name),
                column.ty
            ));
            // With another type, PostgreSQL forgets how the old one was to be stored.
            statements.extend(sql::column_settings(&self.table.name, column));
        }
        for check in self.checks() {
            let how = if check.not_enforced { "not enforced" } else { "not valid" };
            let name = quote_ident(&check.name);
            statements
                .push(format!("alter table {table} add constraint {name} {} {how}", constraint_definition(check)));
            if let Some(comment) = &check.comment {
                statements.push(sql::comment(&format!("constraint {name} on {table}"), Some(comment)));
            }
        }
        Step {
            id: "contract".to_owned(),
            title: format!("change the type of {} of {}; no row is touched", self.names.join(", "), self.table.name),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    fn validate_steps(&self) -> impl Iterator<Item = Step> {
        let checks = self.checks().filter(|check| !check.not_valid && !check.not_enforced);
        checks.map(|check| {
            let step = validate_step(&self.table.name, &check.name, &check.name, &check.name, Vec::new());
            Step { phase: Phase::Contracted, ..step }
        })
    }

    fn notes(&self) -> Vec<String> {
        let table = &self.table.name;
        let columns = self.names.iter().filter_map(|name| self.table.column(name));
        let mut notes: Vec<String> = columns
            .map(|column| {
                format!(
                    "until the contract, {} of {table} takes values of {} only: what does not fit is refused",
                    column.name, column.ty
                )
            })
            .collect();
        notes.push(format!(
            "at the contract, sessions that have prepared a statement which gives back {} get the error 0A000 (cached plan must not change result type) for it once: open connections anew, or prepare again",
            self.names.join(" or ")
        ));
        let others: Vec<String> = self.tables().iter().skip(1).map(ToString::to_string).collect();
        if !others.is_empty() {
            notes.push(format!(
                "PostgreSQL makes the foreign keys between {table} and {} anew at the contract, without reading a row; it locks both for that",
                others.join(", ")
            ));
        }
        notes
    }
}
