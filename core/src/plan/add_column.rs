//! The plan of a column that comes.
//!
//! A default that is the same for all rows is kept in the catalog: PostgreSQL touches no row. Any other value has to be written into the rows,
//! in batches; a trigger fills what old code writes meanwhile.

use super::carry::{analyze_step, drop_constraint_if_exists, exclusive, lock_tables, validate_step};
use super::columns::key_columns;
use super::make::{Part, Planned, table_notes};
use super::sql::{self, Block};
use super::triggers::{
    Function, RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, pinned_search_path,
    restore_body,
};
use super::{Action, Backfill, Mode, Phase, Step};
use crate::ident::{derived_name, quote_ident};
use crate::model::AddColumn;
use crate::schema::Table;
use crate::sql::Expression;

pub(super) fn plan(part: &Part<'_>, add: &AddColumn) -> Option<Planned> {
    let table = part.before.table(&add.table)?;
    let parts = Parts { part, add, table };
    let way = match (&add.fill, &add.column.default) {
        (Some(_), _) => {
            "batches: a nullable column that a trigger and a backfill fill, NOT NULL at last, because PostgreSQL would write a value into every row at once"
        }
        (None, Some(_)) => {
            "in place: PostgreSQL keeps the value of the rows that are there in its catalog, and touches none of them"
        }
        (None, None) => "in place: a nullable column touches no row",
    };
    let mut planned = Planned::on(way, vec![add.table.clone()]);
    planned.steps.push(parts.add_step());
    match &add.fill {
        Some(fill) => parts.fill(fill, &mut planned),
        None => planned.steps.push(parts.contract_step(Vec::new())),
    }
    if let (None, Some(default)) = (&add.fill, &add.column.default) {
        planned.notes.push(format!(
            "the rows that are there get the value that {} has at the moment of step add_column",
            default.text
        ));
    }
    Some(planned)
}

struct Parts<'a> {
    part: &'a Part<'a>,
    add: &'a AddColumn,
    /// As it was.
    table: &'a Table,
}

impl Parts<'_> {
    fn table(&self) -> String {
        self.add.table.quoted()
    }

    fn column(&self) -> String {
        quote_ident(&self.add.column.name)
    }

    fn column_object(&self) -> String {
        format!("column {}.{}", self.table(), self.column())
    }

    fn add_step(&self) -> Step {
        let (table, column) = (self.table(), self.column());
        let definition = sql::column_definition(&self.add.column);
        let default = self.add.column.default.as_ref();
        let mut statements = Vec::new();
        match &self.add.fill {
            None => {
                let default = default.map(|default| format!(" default {}", default.text)).unwrap_or_default();
                let not_null = if self.add.column.not_null { " not null" } else { "" };
                statements.push(format!("alter table {table}\n  add column {definition}{default}{not_null}"));
            }
            Some(_) => {
                statements.push(format!("alter table {table}\n  add column {definition}"));
                // By itself, so that it is for rows that come, and none is written now.
                let set = default
                    .map(|default| format!("alter table {table} alter column {column} set default {}", default.text));
                statements.extend(set);
            }
        }
        statements.push(sql::mark(&self.column_object(), &self.part.change.name));
        let locks = vec![exclusive(&self.add.table)];
        Step {
            id: "add_column".to_owned(),
            title: format!("add {} to {}; no row is touched", self.add.column.name, self.add.table),
            phase: Phase::Expanded,
            action: Action { statements, mode: Mode::Transaction, locks: locks.clone() },
            undo: vec![Action {
                statements: vec![
                    sql::refuse_unless_marked(&self.add.table, Some(&self.add.column.name), &self.part.change.name),
                    format!("alter table if exists {table}\n  drop column if exists {column}"),
                ],
                mode: Mode::Transaction,
                locks,
            }],
            leftover: None,
        }
    }

    /// Everything that gives the rows a value.
    fn fill(&self, fill: &Expression, planned: &mut Planned) {
        let filler = Filler { parts: self, fill };
        planned.steps.push(filler.step());
        planned.backfill.push(Backfill::Update {
            operation: self.part.own.clone(),
            table: self.add.table.clone(),
            set: vec![(self.add.column.name.clone(), fill.replace_columns(|column| Some(quote_ident(&column.name))))],
            conversions: Vec::new(),
            pending: self.part.is_null(&self.add.column, &self.column()),
            key: key_columns(self.table),
        });
        planned.steps.push(analyze_step(&self.add.table, std::slice::from_ref(&self.add.column.name)));
        let what = format!("{} is not null", self.add.column.name);
        let check = filler.check();
        planned.steps.push(validate_step(
            &self.add.table,
            &check,
            &format!("{}_not_null", self.add.column.name),
            &what,
            Vec::new(),
        ));
        planned.notes.extend(table_notes(self.part.before, self.table, &[], &filler.trigger("fill")));
        planned.notes.push(format!(
            "until the contract a null that is written to {} is filled; from then on such a write fails",
            self.add.column.name
        ));
        planned.steps.push(self.contract_step(filler.contract_statements()));
    }

    fn contract_step(&self, mut statements: Vec<String>) -> Step {
        let locks = vec![exclusive(&self.add.table)];
        let title = match statements.is_empty() {
            true => format!("say that {} is here to stay", self.add.column.name),
            false => format!("make {} NOT NULL, and fill it no more", self.add.column.name),
        };
        statements.splice(0..0, lock_tables(&locks));
        statements.push(sql::comment(&self.column_object(), None));
        Step {
            id: "contract".to_owned(),
            title,
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }
}

/// What fills rows that are written without a value.
struct Filler<'a> {
    parts: &'a Parts<'a>,
    fill: &'a Expression,
}

impl Filler<'_> {
    /// The check that stands in for NOT NULL until the contract.
    fn check(&self) -> String {
        derived_name(&[&self.parts.part.own, &self.parts.add.column.name, "not_null"])
    }

    fn trigger(&self, name: &str) -> String {
        last_firing_name(&self.parts.part.own, name)
    }

    /// The functions and triggers.
    fn triggers(&self) -> Triggers<'_> {
        let (part, add) = (self.parts.part, self.parts.add);
        let made = |purpose, trigger, events, when, attributes, body| {
            let name = part.own_name(&add.table, purpose);
            let trigger = Trigger::before(self.trigger(trigger), &add.table, events, Some(when), name.clone());
            (Function { name, attributes, body }, trigger)
        };
        let restore = has_update_triggers(self.parts.table).then(|| {
            let body = restore_body([add.column.name.as_str()]);
            made("restore", RESTORE, "update", in_backfill(part, true), Vec::new(), body)
        });
        let is_null = part.is_null(&add.column, &format!("new.{}", self.parts.column()));
        let fill = made("fill", "fill", "insert or update", is_null, self.attributes(), self.fill_body());
        let (functions, triggers) = restore.into_iter().chain([fill]).unzip();
        Triggers::new(part, functions, triggers)
    }

    /// The functions, the triggers, and only then, in the same transaction, the rule that relies on them.
    fn step(&self) -> Step {
        let (table, column) = (self.parts.table(), self.parts.column());
        let (part, change) = (self.parts.part, &self.parts.part.change.name);
        let mut statements = self.triggers().create();
        let check = quote_ident(&self.check());
        let is_not_null = part.is_not_null(&self.parts.add.column, &column);
        statements.push(format!("alter table {table} add constraint {check} check ({is_not_null}) not valid"));
        statements.push(sql::mark(&format!("constraint {check} on {table}"), change));
        let locks = vec![exclusive(&self.parts.add.table)];
        // The stronger lock first: asking for it later, with the weaker one held, can deadlock with a reader that goes on to write.
        statements.splice(0..0, lock_tables(&locks));
        Step {
            id: "fill".to_owned(),
            title: format!("fill {} in every row that is written without it", self.parts.add.column.name),
            phase: Phase::DualWriting,
            action: Action { statements, mode: Mode::Transaction, locks: locks.clone() },
            undo: vec![Action { statements: self.undo_statements(), mode: Mode::Transaction, locks }],
            leftover: None,
        }
    }

    fn undo_statements(&self) -> Vec<String> {
        let triggers = self.triggers();
        let mut statements = triggers.undo_triggers();
        statements.push(drop_constraint_if_exists(&self.parts.add.table, &self.check()));
        statements.extend(triggers.undo_functions());
        statements
    }

    fn contract_statements(&self) -> Vec<String> {
        let (table, column) = (self.parts.table(), self.parts.column());
        let mut statements = self.triggers().drop_statements();
        // The validated check proves it: no row is read (12 and later).
        statements.push(format!("alter table {table} alter column {column} set not null"));
        statements.push(format!("alter table {table} drop constraint {}", quote_ident(&self.check())));
        statements
    }

    /// Where a name could be looked up in the wrong place, the path is pinned.
    fn attributes(&self) -> Vec<String> {
        let own_types = self.fill.casts().iter().any(|cast| cast.target.schema.is_some());
        let plain = self.fill.functions().is_empty() && !own_types;
        if plain { Vec::new() } else { vec![pinned_search_path(&self.parts.add.table)] }
    }

    fn fill_body(&self) -> Block {
        let value = self.fill.replace_columns(|column| Some(format!("new.{}", quote_ident(&column.name))));
        let mut body = Block::default();
        body.open("begin");
        body.line(format!("new.{} := {value};", self.parts.column()));
        body.line("return new;");
        body.close("end");
        body
    }
}
