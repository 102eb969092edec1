//! What a table says of its rows.

use crate::ident::QualifiedName;
use crate::model::Shape;
use crate::model::rules::RuleChange;
use crate::schema::{Column, Table};

pub(super) fn apply(before: &Shape, change: &RuleChange) -> Shape {
    match change {
        RuleChange::Require(require) => with_column(before, &require.table, &require.column, |column| {
            column.not_null = true;
        }),
        RuleChange::Relax(relax) => with_column(before, &relax.table, &relax.column, |column| {
            column.not_null = false;
            column.not_null_name = None;
        }),
        RuleChange::Constrain(constrain) => with_table(before, &constrain.table, |table| {
            table.constraints.push(constrain.constraint.clone());
        }),
        RuleChange::Unconstrain(unconstrain) => with_table(before, &unconstrain.table, |table| {
            table.constraints.retain(|constraint| constraint.name != unconstrain.constraint.name);
        }),
        RuleChange::Default(default) => with_column(before, &default.table, &default.column, |column| {
            column.default.clone_from(&default.after);
        }),
        RuleChange::Comment(comment) => match &comment.column {
            Some(column) => with_column(before, &comment.table, column, |column| {
                column.comment.clone_from(&comment.comment);
            }),
            None => with_table(before, &comment.table, |table| table.comment.clone_from(&comment.comment)),
        },
    }
}

fn with_table(before: &Shape, name: &QualifiedName, change: impl FnOnce(&mut Table)) -> Shape {
    let mut shape = before.clone();
    if let Some(mut table) = before.table(name).cloned() {
        change(&mut table);
        shape.put(table);
    }
    shape
}

fn with_column(before: &Shape, table: &QualifiedName, name: &str, change: impl FnOnce(&mut Column)) -> Shape {
    with_table(before, table, |table| {
        if let Some(column) = table.columns.iter_mut().find(|column| column.name == name) {
            change(column);
        }
    })
}
