//! Schemas, read from SQL: one module per kind of object.

// What is allowed in tests is not seen to be one in their helpers.
#![allow(clippy::panic, clippy::unwrap_used)]

mod alterations;
mod comments;
mod constraints;
mod errors;
mod files;
mod functions;
mod indexes;
mod names;
mod partitions;
mod privileges;
mod publications;
mod robustness;
mod sequences;
mod source;
mod statistics;
mod tables;
mod triggers;
mod types;
mod views;

use coexist_core::ident::QualifiedName;
use coexist_core::schema::load::load;
use coexist_core::schema::{Column, Constraint, ConstraintKind, Index, IndexTarget, Schema, Table};

/// Reads SQL that is right.
fn schema(sql: &str) -> Schema {
    load("test.sql", sql).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// `schema.name`, or a name in `public`.
fn name(text: &str) -> QualifiedName {
    let (schema, name) = text.split_once('.').unwrap_or(("public", text));
    QualifiedName::new(schema, name)
}

fn table<'s>(schema: &'s Schema, table: &str) -> &'s Table {
    schema.tables.get(&name(table)).unwrap_or_else(|| panic!("no table {table}"))
}

fn column<'s>(schema: &'s Schema, of: &str, column: &str) -> &'s Column {
    table(schema, of).column(column).unwrap_or_else(|| panic!("no column {column}"))
}

fn constraint<'s>(schema: &'s Schema, of: &str, name: &str) -> &'s Constraint {
    let found = table(schema, of).constraints.iter().find(|constraint| constraint.name == name);
    found.unwrap_or_else(|| panic!("no constraint {name}"))
}

fn index<'s>(schema: &'s Schema, of: &str, name: &str) -> &'s Index {
    let found = table(schema, of).indexes.iter().find(|index| index.name == name);
    found.unwrap_or_else(|| panic!("no index {name}"))
}

fn column_names(table: &Table) -> Vec<&str> {
    table.columns.iter().map(|column| column.name.as_str()).collect()
}

fn constraint_names(table: &Table) -> Vec<&str> {
    table.constraints.iter().map(|constraint| constraint.name.as_str()).collect()
}

fn index_names(table: &Table) -> Vec<&str> {
    table.indexes.iter().map(|index| index.name.as_str()).collect()
}

/// The expression of a check.
fn check(constraint: &Constraint) -> &str {
    match &constraint.kind {
        ConstraintKind::Check { expression, .. } => &expression.text,
        kind => panic!("not a check: {kind:?}"),
    }
}

/// A key of an index or of statistics, as text.
fn target(target: &IndexTarget) -> String {
    match target {
        IndexTarget::Column(name) => name.clone(),
        IndexTarget::Expression(sql) => format!("({})", sql.text),
    }
}
