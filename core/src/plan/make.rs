//! From a change to its plan.

use super::carry::Carry;
use super::{Plan, Step, columns, split};
use crate::ident::{QualifiedName, derived_name};
use crate::model::{Change, ChangeKind, Model, Shape};
use crate::schema::{Table, Trigger, TriggerEnabled, TriggerTiming};

/// The oldest server that coexist supports.
pub const OLDEST_SERVER: u32 = 13;

/// The plan of one change of a model without mistakes.
///
/// `None` where the model does not have what the change names; the checks have said so.
pub fn make(model: &Model, change: &Change) -> Option<Plan> {
    let planned = match &change.kind {
        ChangeKind::Columns(columns) => columns::plan(model, change, columns)?,
        ChangeKind::Split(split) => split::plan(change, split)?,
    };
    Some(Plan {
        change: change.name.clone(),
        summary: change.docs.join("\n").trim().to_owned(),
        stage: change.stage,
        way: planned.way,
        after: change.after.clone(),
        server: model.server,
        search_path: search_path(&planned.tables),
        tables: planned.tables,
        steps: planned.steps,
        backfill: planned.backfill,
        reconcile: planned.reconcile,
        notes: planned.notes,
        irreversible: planned.irreversible,
        batch: change.batch,
        contract_by: change.contract_by.clone(),
    })
}

/// What the planner of one kind of change makes.
pub(super) struct Planned {
    pub way: String,
    pub tables: Vec<QualifiedName>,
    pub steps: Vec<Step>,
    pub backfill: Vec<super::Backfill>,
    pub reconcile: Vec<super::Reconcile>,
    pub notes: Vec<String>,
    pub irreversible: Option<String>,
}

/// Where names in the declared expressions are looked up: the schemas of the tables, and `public`, whatever a session has set.
fn search_path(tables: &[QualifiedName]) -> Vec<String> {
    let mut path = vec!["pg_catalog".to_owned()];
    for schema in tables.iter().map(|table| table.schema.as_str()).chain(["public"]) {
        if !path.iter().any(|known| known == schema) {
            path.push(schema.to_owned());
        }
    }
    path.push("pg_temp".to_owned());
    path
}

/// A name of this change's own, in the schema of `table`.
pub(super) fn own_name(table: &QualifiedName, change: &Change, purpose: &str) -> QualifiedName {
    QualifiedName::new(&table.schema, derived_name(&[&change.name, purpose]))
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

fn names_word(text: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(part_of_word) && !text[start + word.len()..].starts_with(part_of_word)
    })
}

impl Planned {
    /// Starts with what is carried over.
    pub(super) fn new(way: impl Into<String>, carry: &Carry<'_>) -> Self {
        Self {
            way: way.into(),
            tables: carry.tables(),
            steps: Vec::new(),
            backfill: Vec::new(),
            reconcile: Vec::new(),
            notes: Vec::new(),
            irreversible: None,
        }
    }
}
