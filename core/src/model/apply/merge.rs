//! The columns of a 1:1 table move into the table that it belongs to.

use super::carried::{Renaming, constraint_columns, index_columns, redirect_foreign_keys, target_columns};
use crate::ident::quote_ident;
use crate::model::{MergeChange, MergedColumn, Shape};
use crate::schema::{Column, Constraint, ConstraintKind, SqlText, Table};

pub(super) fn apply(before: &Shape, change: &MergeChange) -> Shape {
    let mut shape = before.clone();
    let (Some(source), Some(target)) = (before.table(&change.source), before.table(&change.target)) else {
        return shape;
    };
    let counterpart = |column: &str| {
        let key = change.key.iter().find(|(_, own)| own == column).map(|(to, _)| to);
        let moved = || change.moved.iter().find(|moved| moved.from == column).map(|moved| &moved.to);
        key.or_else(moved).cloned()
    };
    let rename = Renaming {
        columns: &|column| counterpart(column).map(|name| vec![name]),
        stand_in: &|column| counterpart(column).map(|name| quote_ident(&name)),
    };
    let moves = |names: Vec<String>| names.iter().any(|name| change.moved.iter().any(|moved| moved.from == *name));
    let mut merged = target.clone();
    merged.columns.extend(change.moved.iter().filter_map(|moved| column(source.column(&moved.from)?, moved)));
    let constraints = source.constraints.iter().filter(|constraint| moves(constraint_columns(constraint)));
    merged.constraints.extend(constraints.map(|constraint| carried(constraint, &rename, source, change)));
    let indexes = source.indexes.iter().filter(|index| moves(index_columns(index)));
    merged.indexes.extend(indexes.map(|index| rename.index(index)));
    let statistics = source.statistics.iter().filter(|statistics| moves(target_columns(&statistics.on)));
    merged.statistics.extend(statistics.map(|statistics| rename.statistics(statistics)));
    shape.put(merged);
    shape.remove(&change.source);
    redirect_foreign_keys(&mut shape, before, &change.source, &change.target, &rename);
    shape
}

/// A moved column, as its new table has it. Its default was for rows of its old table; a row of the new one has what stands for none.
fn column(column: &Column, moved: &MergedColumn) -> Option<Column> {
    let default = moved.absent.as_ref().map(|absent| SqlText { text: absent.code().to_owned(), line: column.line });
    Some(Column {
        name: moved.to.clone(),
        not_null: moved.absent.is_some(),
        not_null_name: None,
        default,
        identity: None,
        ..column.clone()
    })
}

fn carried(constraint: &Constraint, rename: &Renaming<'_>, source: &Table, change: &MergeChange) -> Constraint {
    let mut carried = rename.constraint(constraint, &source.name);
    match &mut carried.kind {
        ConstraintKind::ForeignKey { references, .. } if *references == source.name => {
            *references = change.target.clone();
        }
        // It held for the rows of its table, and holds for the rows that would have one there.
        ConstraintKind::Check { expression, .. } => {
            expression.text = format!("({}) or ({})", is_absent(change, ""), expression.text);
        }
        _ => {}
    }
    carried
}

/// True for a row of the target that has no row in the source but for one that says nothing, over columns with this prefix.
pub fn is_absent(change: &MergeChange, prefix: &str) -> String {
    let columns = change.moved.iter().map(|moved| {
        let name = format!("{prefix}{}", quote_ident(&moved.to));
        match &moved.absent {
            Some(absent) => format!("{name} is not distinct from ({})", absent.code()),
            None => format!("{name} is null"),
        }
    });
    columns.collect::<Vec<_>>().join(" and ")
}
