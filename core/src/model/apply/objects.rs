//! Columns and indexes that come and go.

use super::carried::{constraint_columns, index_columns, target_columns};
use crate::ident::QualifiedName;
use crate::model::{AddColumn, CreateIndex, DropColumn, DropIndex, Shape};
use crate::schema::Table;

pub(super) fn add_column(before: &Shape, change: &AddColumn) -> Shape {
    changed(before, &change.table, |table| {
        if table.column(&change.column.name).is_none() {
            table.columns.push(change.column.clone());
        }
    })
}

/// PostgreSQL drops with a column every constraint, index and statistics that names it, whatever else it names.
pub(super) fn drop_column(before: &Shape, change: &DropColumn) -> Shape {
    let names = |columns: Vec<String>| columns.contains(&change.column);
    changed(before, &change.table, |table| {
        table.columns.retain(|column| column.name != change.column);
        table.constraints.retain(|constraint| !names(constraint_columns(constraint)));
        table.indexes.retain(|index| !names(index_columns(index)));
        table.statistics.retain(|statistics| !names(target_columns(&statistics.on)));
        for grant in &mut table.grants {
            grant.columns.retain(|column| *column != change.column);
        }
    })
}

pub(super) fn create_index(before: &Shape, change: &CreateIndex) -> Shape {
    changed(before, &change.table, |table| table.indexes.push(change.index.clone()))
}

pub(super) fn drop_index(before: &Shape, change: &DropIndex) -> Shape {
    changed(before, &change.table, |table| table.indexes.retain(|index| index.name != change.index))
}

fn changed(before: &Shape, table: &QualifiedName, change: impl FnOnce(&mut Table)) -> Shape {
    let mut shape = before.clone();
    if let Some(mut table) = before.table(table).cloned() {
        change(&mut table);
        shape.put(table);
    }
    shape
}
