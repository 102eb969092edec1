//! From a change to its plan.

use std::collections::BTreeSet;

use super::carry::Carry;
use super::{
    Plan, Probe, Step, add_column, columns, custom, drop_column, expect, extract, in_place, indexes, merge,
    move_column, rules, split, tables, view, widen,
};
use crate::ident::{QualifiedName, derived_name};
use crate::model::{Change, Model, OperationKind, Shape, Way};
use crate::schema::{Table, Trigger, TriggerEnabled, TriggerTiming};

/// The oldest server that coexist supports.
pub const OLDEST_SERVER: u32 = 13;

/// The plan of one change of a model without mistakes.
///
/// `None` where the model does not have what the change names; the checks have said so.
pub fn make(model: &Model, change: &Change) -> Option<Plan> {
    let parts = Part::all(change, model.server);
    let planned = parts.iter().map(Part::plan).collect::<Option<Vec<_>>>()?;
    let planned = Planned::together(planned)?;
    let expected = expect::expected(&model.schema, &change.before, &planned);
    Some(Plan {
        change: change.name.clone(),
        summary: change.docs.join("\n").trim().to_owned(),
        stage: change.stage,
        way: planned.way,
        after: change.after.clone(),
        server: model.server,
        search_path: search_path(&planned.tables),
        expected,
        tables: planned.tables,
        steps: planned.steps,
        retire: planned.retire,
        probes: planned.probes,
        backfill: planned.backfill,
        reconcile: planned.reconcile,
        notes: planned.notes,
        irreversible: planned.irreversible,
        batch: change.batch,
        contract_by: change.contract_by.clone(),
    })
}

/// One operation of a change, as its planner sees it.
pub(super) struct Part<'a> {
    pub change: &'a Change,
    /// The oldest server that the SQL must work on.
    pub server: u32,
    pub kind: &'a OperationKind,
    /// The shape that the operation finds.
    pub before: &'a Shape,
    /// The shape that it leaves behind.
    pub after: &'a Shape,
    /// What the names of its own objects begin with: the change's name, and a number from the second operation on.
    pub own: String,
    /// Which of the change's operations it is.
    pub position: usize,
}

impl<'a> Part<'a> {
    fn all(change: &'a Change, server: u32) -> Vec<Self> {
        let parts = change.operations.iter().enumerate().map(|(n, operation)| Self {
            change,
            server,
            kind: &operation.kind,
            before: &operation.before,
            after: &operation.after,
            own: match n {
                0 => change.name.clone(),
                n => format!("{}_{}", change.name, n + 1),
            },
            position: n,
        });
        parts.collect()
    }

    fn plan(&self) -> Option<Planned> {
        match self.kind {
            OperationKind::Columns(columns) => match columns.way {
                Way::Copy => columns::plan(self, columns),
                Way::View => view::plan(self, columns),
                Way::ViewOfCopy => columns::plan_behind_view(self, columns),
                Way::InPlace => in_place::plan(self, columns),
            },
            OperationKind::Split(split) => split::plan(self, split),
            OperationKind::Extract(extract) => extract::plan(self, extract),
            OperationKind::Widen(widen) => widen::plan(self, widen),
            OperationKind::Merge(merge) => merge::plan(self, merge),
            OperationKind::AddColumn(add) => add_column::plan(self, add),
            OperationKind::DropColumn(drop) => drop_column::plan(self, drop),
            OperationKind::CreateIndex(create) => indexes::create(self, create),
            OperationKind::DropIndex(drop) => indexes::drop(self, drop),
            OperationKind::Rule(rule) => rules::plan(self, rule),
            OperationKind::AddTable(add) => tables::add(self, add),
            OperationKind::DropTable(drop) => tables::drop(self, drop),
            OperationKind::RenameTable(rename) => tables::rename(self, rename),
            OperationKind::AddLabel(add) => Some(custom::add_label(add)),
            OperationKind::Custom(declared) => Some(custom::custom(self, declared)),
            OperationKind::Move(change) => move_column::plan(self, change),
        }
    }

    /// A name of this operation's own, in the schema of `table`.
    pub(super) fn own_name(&self, table: &QualifiedName, purpose: &str) -> QualifiedName {
        QualifiedName::new(&table.schema, derived_name(&[&self.own, purpose]))
    }
}

/// What the planner of one operation makes.
pub(super) struct Planned {
    pub way: String,
    pub tables: Vec<QualifiedName>,
    pub steps: Vec<Step>,
    pub retire: Vec<Step>,
    pub probes: Vec<Probe>,
    pub backfill: Vec<super::Backfill>,
    pub reconcile: Vec<super::Reconcile>,
    pub notes: Vec<String>,
    pub irreversible: Option<String>,
}

/// Where names in the declared expressions are looked up: the schemas of the tables, and `public`, whatever a session has set.
pub(super) fn search_path(tables: &[QualifiedName]) -> Vec<String> {
    let mut path = vec!["pg_catalog".to_owned()];
    for schema in tables.iter().map(|table| table.schema.as_str()).chain(["public"]) {
        if !path.iter().any(|known| known == schema) {
            path.push(schema.to_owned());
        }
    }
    path.push("pg_temp".to_owned());
    path
}

/// What else must be known about a table before its rows are written by us.
pub(super) fn table_notes(shape: &Shape, table: &Table, gone: &[String], our_triggers: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let fires = |trigger: &&Trigger| trigger.for_each_row && trigger.enabled != TriggerEnabled::Disabled;
    for trigger in table.triggers.iter().filter(fires) {
        let before = trigger.timing == TriggerTiming::Before;
        if before && trigger.name.as_str() > our_triggers && (trigger.on_insert || trigger.on_update) {
            notes.push(format!(
                "trigger {} of {} fires after the sync triggers: what it changes in the touched columns is not carried over",
                trigger.name, table.name
            ));
        }
        if !before && trigger.on_update {
            notes.push(format!(
                "trigger {} of {} fires for every row that the backfill updates",
                trigger.name, table.name
            ));
        }
    }
    notes.extend(function_notes(shape, table, gone));
    notes
}

/// Functions whose text names a column that gets another name, or goes.
pub(super) fn function_notes(shape: &Shape, table: &Table, gone: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    for function in &shape.schema().functions {
        if let Some(column) = gone.iter().find(|column| names_word(&function.body, column))
            && names_word(&function.body, &table.name.name)
        {
            notes.push(format!(
                "function {} (line {}) names {column} and {} in its text: if it means this column, it fails after the contract",
                function.name, function.line, table.name
            ));
        }
    }
    notes
}

pub(super) fn names_word(text: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(part_of_word) && !text[start + word.len()..].starts_with(part_of_word)
    })
}

impl Planned {
    /// Starts with what is carried over.
    pub(super) fn new(way: impl Into<String>, carry: &Carry<'_>) -> Self {
        Self::on(way, carry.tables())
    }

    /// Nothing yet, on these tables.
    pub(super) fn on(way: impl Into<String>, tables: Vec<QualifiedName>) -> Self {
        Self {
            way: way.into(),
            tables,
            steps: Vec::new(),
            retire: Vec::new(),
            probes: Vec::new(),
            backfill: Vec::new(),
            reconcile: Vec::new(),
            notes: Vec::new(),
            irreversible: None,
        }
    }

    /// The operations of one change, phase by phase; within a phase in the order of the source.
    fn together(parts: Vec<Self>) -> Option<Self> {
        let several = parts.len() > 1;
        let numbered = parts.into_iter().enumerate().map(|(n, mut part)| {
            if several {
                part.number(n + 1);
            }
            part
        });
        let mut all = numbered.reduce(|mut all, part| {
            all.way = format!("{}; {}", all.way, part.way);
            all.tables.extend(part.tables);
            all.steps.extend(part.steps);
            all.retire.splice(0..0, part.retire);
            all.probes.extend(part.probes);
            all.backfill.extend(part.backfill);
            all.reconcile.extend(part.reconcile);
            all.notes.extend(part.notes);
            all.irreversible = match (all.irreversible, part.irreversible) {
                (Some(a), Some(b)) => Some(format!("{a}; {b}")),
                (a, b) => a.or(b),
            };
            all
        })?;
        all.steps.sort_by_key(|step| step.phase);
        let mut seen = BTreeSet::new();
        all.tables.retain(|table| seen.insert(table.clone()));
        Some(all)
    }

    /// Tells the steps of this operation from those of others.
    fn number(&mut self, n: usize) {
        let steps = self.steps.iter_mut().chain(&mut self.retire).map(|step| &mut step.id);
        for id in steps.chain(self.probes.iter_mut().map(|probe| &mut probe.id)) {
            *id = format!("{n}_{id}");
        }
    }
}
