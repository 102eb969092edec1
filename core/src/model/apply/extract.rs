//! Repeated values become a table of their own.

use super::carried::{Renaming, constraint_columns, index_columns, target_columns};
use crate::ident::{object_name, quote_ident};
use crate::model::{ExtractChange, Shape};
use crate::schema::{
    Column, Constraint, ConstraintKind, Identity, Index, IndexKey, IndexTarget, ReferentialAction, SqlText, Table,
};

/// What the primary key of the new table is called.
pub fn primary_key_name(change: &ExtractChange) -> String {
    object_name(&change.target.name, None, "pkey")
}

/// What the unique key over the values is called.
pub fn values_key_name(change: &ExtractChange) -> String {
    let columns: Vec<&str> = change.columns.iter().map(|(_, to)| to.as_str()).collect();
    object_name(&change.target.name, Some(&columns.join("_")), "key")
}

/// What the foreign key of the reference is called.
pub fn foreign_key_name(change: &ExtractChange) -> String {
    object_name(&change.source.name, Some(&change.reference), "fkey")
}

/// What the index of the reference is called.
pub fn reference_index_name(change: &ExtractChange) -> String {
    object_name(&change.source.name, Some(&change.reference), "idx")
}

/// What the check is called that a row has a value at all.
pub fn any_value_name(change: &ExtractChange) -> String {
    object_name(&change.target.name, None, "check")
}

pub(super) fn apply(before: &Shape, change: &ExtractChange) -> Shape {
    let mut shape = before.clone();
    let Some(source) = before.table(&change.source) else { return shape };
    let goes = |columns: Vec<String>| columns.iter().any(|name| change.columns.iter().any(|(from, _)| from == name));
    let mut referring = source.clone();
    referring.columns.retain(|column| !goes(vec![column.name.clone()]));
    referring.columns.push(reference(change, source));
    referring.constraints.retain(|constraint| !goes(constraint_columns(constraint)));
    referring.constraints.push(foreign_key(change, source));
    referring.indexes.retain(|index| !goes(index_columns(index)));
    let on_reference = index(reference_index_name(change), IndexTarget::Column(change.reference.clone()), source.line);
    referring.indexes.push(on_reference);
    referring.statistics.retain(|statistics| !goes(target_columns(&statistics.on)));
    shape.put(referring);
    shape.put(target(change, source, &goes));
    shape
}

fn target(change: &ExtractChange, source: &Table, goes: &dyn Fn(Vec<String>) -> bool) -> Table {
    let new_name = |column: &str| change.columns.iter().find(|(from, _)| from == column).map(|(_, to)| to.clone());
    let renaming = Renaming {
        columns: &|column| Some(vec![new_name(column)?]),
        stand_in: &|column| Some(quote_ident(&new_name(column)?)),
    };
    let constraints = source.constraints.iter().filter(|constraint| goes(constraint_columns(constraint)));
    let carried = constraints.map(|constraint| renaming.constraint(constraint, &change.source));
    let indexes = source.indexes.iter().filter(|index| goes(index_columns(index))).map(|index| renaming.index(index));
    let statistics = source.statistics.iter().filter(|statistics| goes(target_columns(&statistics.on)));
    let (key, key_index) = values_key(change, source);
    Table {
        name: change.target.clone(),
        columns: std::iter::once(key_column(change, source)).chain(value_columns(change, source)).collect(),
        constraints: std::iter::once(primary_key(change, source))
            .chain(key)
            .chain(change.may_be_empty(source).then(|| any_value(change, source)))
            .chain(carried)
            .collect(),
        indexes: key_index.into_iter().chain(indexes).collect(),
        statistics: statistics.map(|statistics| renaming.statistics(statistics)).collect(),
        triggers: Vec::new(),
        policies: Vec::new(),
        rules: Vec::new(),
        row_security: false,
        force_row_security: false,
        replica_identity: None,
        comment: None,
        ..source.clone()
    }
}

fn key_column(change: &ExtractChange, source: &Table) -> Column {
    let is_uuid = change.key_type.is("uuid");
    Column {
        default: is_uuid.then(|| SqlText { text: "gen_random_uuid()".to_owned(), line: source.line }),
        identity: (!is_uuid).then_some(Identity { always: false, sequence: None }),
        not_null: true,
        ..reference_to(change.key.clone(), change, source)
    }
}

fn reference(change: &ExtractChange, source: &Table) -> Column {
    Column { not_null: change.refers_always(source), ..reference_to(change.reference.clone(), change, source) }
}

/// A column of the key's type.
fn reference_to(name: String, change: &ExtractChange, source: &Table) -> Column {
    Column {
        name,
        ty: change.key_type.clone(),
        not_null: false,
        not_null_name: None,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        comment: None,
        statistics_target: None,
        storage: None,
        compression: None,
        options: Vec::new(),
        line: source.line,
    }
}

fn value_columns<'a>(change: &'a ExtractChange, source: &'a Table) -> impl Iterator<Item = Column> + 'a {
    change.columns.iter().filter_map(|(from, to)| {
        let column = source.column(from)?;
        Some(Column {
            name: to.clone(),
            not_null: change.is_not_null(column),
            not_null_name: None,
            // A value that nobody gives is a row's that refers to none.
            default: None,
            ..column.clone()
        })
    })
}

fn primary_key(change: &ExtractChange, source: &Table) -> Constraint {
    let kind = ConstraintKind::PrimaryKey { columns: vec![change.key.clone()], include: Vec::new(), with: Vec::new() };
    constraint(primary_key_name(change), kind, source)
}

/// Each combination of values occurs once: a unique constraint, or, where values may be null beside others, a unique index.
fn values_key(change: &ExtractChange, source: &Table) -> (Option<Constraint>, Option<Index>) {
    let values = change.values(source);
    let name = values_key_name(change);
    if values.nulls {
        let text = SqlText { text: values.own(""), line: source.line };
        let index = index(name, IndexTarget::Expression(text), source.line);
        return (None, Some(Index { unique: true, ..index }));
    }
    let columns = change.columns.iter().map(|(_, to)| to.clone()).collect();
    let kind = ConstraintKind::Unique { columns, include: Vec::new(), nulls_not_distinct: false, with: Vec::new() };
    (Some(constraint(name, kind, source)), None)
}

fn any_value(change: &ExtractChange, source: &Table) -> Constraint {
    let columns: Vec<String> = change.columns.iter().map(|(_, to)| quote_ident(to)).collect();
    let text = format!("num_nonnulls({}) > 0", columns.join(", "));
    let kind = ConstraintKind::Check { expression: SqlText { text, line: source.line }, no_inherit: false };
    constraint(any_value_name(change), kind, source)
}

fn foreign_key(change: &ExtractChange, source: &Table) -> Constraint {
    let kind = ConstraintKind::ForeignKey {
        columns: vec![change.reference.clone()],
        references: change.target.clone(),
        referenced: vec![change.key.clone()],
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::NoAction,
        on_delete_columns: Vec::new(),
        match_full: false,
    };
    constraint(foreign_key_name(change), kind, source)
}

fn constraint(name: String, kind: ConstraintKind, source: &Table) -> Constraint {
    Constraint {
        name,
        kind,
        deferrable: false,
        initially_deferred: false,
        not_valid: false,
        not_enforced: false,
        tablespace: None,
        clustered: false,
        attached_to: None,
        comment: None,
        index_comment: None,
        line: source.line,
    }
}

fn index(name: String, on: IndexTarget, line: u32) -> Index {
    let key = IndexKey {
        on,
        collation: None,
        operator_class: None,
        descending: false,
        nulls_first: None,
        statistics_target: None,
    };
    Index {
        name,
        unique: false,
        method: "btree".to_owned(),
        keys: vec![key],
        include: Vec::new(),
        nulls_not_distinct: false,
        predicate: None,
        with: Vec::new(),
        tablespace: None,
        clustered: false,
        attached_to: None,
        comment: None,
        line,
    }
}
