//! The plan that makes a column NOT NULL: a check that is not validated holds new rows, the backfill mends old ones, and the validated check
//! proves NOT NULL, so that no row is read under a strong lock (H53).

use super::mend::Mending;
use super::{constraint_object, lock, step};
use crate::ident::{derived_name, object_name, quote_ident};
use crate::model::rules::{BrokenWrites, RequireChange};
use crate::plan::carry::{exclusive, validate_step};
use crate::plan::columns::key_columns;
use crate::plan::make::{Part, Planned, table_notes};
use crate::plan::sql;
use crate::plan::{Action, LockLevel, Mode, Phase, Probe, Search, Step};
use crate::schema::{Column, Table};

pub(super) fn plan(part: &Part<'_>, require: &RequireChange) -> Option<Planned> {
    let table = part.before.table(&require.table)?;
    let column = table.column(&require.column)?;
    let is_null = |prefix: &str| part.is_null(column, &format!("{prefix}{}", quote_ident(&column.name)));
    let mending = Mending { part, table, policy: &require.policy, broken: Some(&is_null) };
    let guard = Guard::of(part, table, &require.column);
    let required = Required { part, require, table, column, mending: &mending, guard };
    let mut planned = Planned::on(required.way(), vec![table.name.clone()]);
    planned.steps.push(required.hold_step());
    let what = format!("{} is not null", require.column);
    planned.steps.push(validate_step(&table.name, required.guard.name(), "not_null", &what, Vec::new()));
    planned.steps.push(required.contract_step());
    planned.backfill.extend(mending.backfill(is_null("")));
    planned
        .reconcile
        .push(mending.reconcile(is_null("source."), format!("{} of {} is not null", require.column, table.name)));
    if require.policy.repairs.is_empty() {
        planned.probes.push(required.probe(is_null("source.")));
    } else {
        planned.notes.extend(table_notes(part.before, table, &[], &mending.first_trigger()));
        planned.notes.push("a rollback leaves the values that were filled in".to_owned());
    }
    planned.notes.push(required.note());
    Some(planned)
}

/// What holds new rows, and proves that all are good.
enum Guard {
    /// A check, which goes at the contract: `SET NOT NULL` takes it for a proof (12 and later).
    Check(String),
    /// NOT NULL itself, not validated (18 and later).
    NotNull(String),
}

impl Guard {
    fn of(part: &Part<'_>, table: &Table, column: &str) -> Self {
        // The name that PostgreSQL would give it, so that nobody can tell the column from one that was made NOT NULL.
        let name = object_name(&table.name.name, Some(column), "not_null");
        let is_free = table.constraints.iter().all(|constraint| constraint.name != name)
            && table.columns.iter().all(|column| column.not_null_name.as_ref() != Some(&name));
        match part.server >= 18 && is_free {
            true => Self::NotNull(name),
            false => Self::Check(derived_name(&[&part.own, column, "not_null"])),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Check(name) | Self::NotNull(name) => name,
        }
    }
}

struct Required<'a> {
    part: &'a Part<'a>,
    require: &'a RequireChange,
    table: &'a Table,
    column: &'a Column,
    mending: &'a Mending<'a>,
    guard: Guard,
}

impl Required<'_> {
    fn way(&self) -> &'static str {
        match self.guard {
            Guard::Check(_) => {
                "in place and validate: a check that is not valid holds new rows, and once it is validated it proves NOT NULL, so that no row is read under a strong lock"
            }
            Guard::NotNull(_) => {
                "in place and validate: NOT NULL that is not valid holds new rows, and is validated while the table is written (PostgreSQL 18)"
            }
        }
    }

    fn hold_step(&self) -> Step {
        let (table, name) = (&self.table.name, self.guard.name());
        let column = quote_ident(&self.require.column);
        let rule = match self.guard {
            Guard::Check(_) => format!("check ({}) not valid", self.part.is_not_null(self.column, &column)),
            Guard::NotNull(_) => format!("not null {column} not valid"),
        };
        // The strongest lock first; that the rule is there before what fills the column is nothing that anybody sees.
        let mut statements = vec![
            format!("alter table {} add constraint {} {rule}", table.quoted(), quote_ident(name)),
            sql::mark(&constraint_object(table, name), &self.part.change.name),
        ];
        statements.extend(self.mending.triggers().create());
        let mut undo = vec![sql::refuse_unless_marked_constraint(table, name, &self.part.change.name)];
        undo.extend(self.mending.triggers().undo());
        undo.push(crate::plan::carry::drop_constraint_if_exists(table, name));
        let title = match (self.mending.has_triggers(), self.require.policy.writes) {
            (true, BrokenWrites::Repaired) => format!("fill {} where a write leaves it null", self.require.column),
            _ => format!("let no write make {} null", self.require.column),
        };
        let undo = vec![Action { statements: undo, mode: Mode::Transaction, locks: vec![exclusive(table)] }];
        Step { undo, ..step("hold", title, Phase::DualWriting, statements, vec![exclusive(table)]) }
    }

    fn contract_step(&self) -> Step {
        let table = &self.table.name;
        let mut statements = self.mending.triggers().drop_statements();
        let lock = match &self.guard {
            Guard::Check(name) => {
                let alter = format!("alter table {}", table.quoted());
                // The validated check proves it: no row is read (12 and later).
                statements.push(format!("{alter} alter column {} set not null", quote_ident(&self.require.column)));
                statements.push(format!("{alter} drop constraint {}", quote_ident(name)));
                exclusive(table)
            }
            Guard::NotNull(name) => {
                statements.push(sql::comment(&constraint_object(table, name), None));
                if self.mending.has_triggers() {
                    exclusive(table)
                } else {
                    lock(table, LockLevel::ShareUpdateExclusive)
                }
            }
        };
        let title = format!("{} is NOT NULL", self.require.column);
        step("contract", title, Phase::Contracted, statements, vec![lock])
    }

    fn probe(&self, condition: String) -> Probe {
        let (table, column) = (&self.table.name, &self.require.column);
        Probe {
            id: format!("null_{column}"),
            title: format!("rows of {table} whose {column} is null"),
            remedy: format!("give them a value, or declare one: `require {}.{column} {{ fill \"…\" }}`", table),
            blocks: Phase::DualWriting,
            search: Search::Rows { table: table.clone(), key: key_columns(self.table), join: None, condition },
        }
    }

    fn note(&self) -> String {
        let column = &self.require.column;
        let from = Phase::DualWriting.name();
        match self.require.policy.writes {
            BrokenWrites::Repaired => {
                format!("from phase {from} on, a write that leaves {column} null is filled, in old code as well")
            }
            BrokenWrites::Rejected => {
                format!("from phase {from} on, a write that makes {column} null fails, in old code as well")
            }
        }
    }
}
