//! A column moves to a table that is related by a foreign key.

use super::carried::{Renaming, constraint_columns, index_columns, redirect_foreign_keys, target_columns};
use crate::ident::quote_ident;
use crate::model::{MoveChange, Shape};
use crate::schema::{Column, ConstraintKind};

pub(super) fn apply(before: &Shape, change: &MoveChange) -> Shape {
    let mut shape = before.clone();
    let (Some(from), Some(to)) = (before.table(&change.from), before.table(&change.to)) else { return shape };
    let Some(column) = from.column(&change.column) else { return shape };
    let is_this = |name: &str| name == change.column;
    let names_it = |names: Vec<String>| names.iter().any(|name| is_this(name));
    let rename = Renaming {
        columns: &|name| is_this(name).then(|| vec![change.new_column.clone()]),
        stand_in: &|name| is_this(name).then(|| quote_ident(&change.new_column)),
    };
    // A row of the other table need not have a row here, and then it has no value.
    let has_reference = change.reference.iter().all(|(own, _)| to.column(own).is_some_and(|own| own.not_null));
    let not_null = column.not_null && !change.upwards && has_reference;
    let mut target = to.clone();
    target.columns.push(Column {
        name: change.new_column.clone(),
        not_null,
        not_null_name: None,
        default: column.default.clone().filter(|_| !change.upwards),
        identity: None,
        ..column.clone()
    });
    for constraint in from.constraints.iter().filter(|constraint| names_it(constraint_columns(constraint))) {
        let mut carried = rename.constraint(constraint, &from.name);
        if let ConstraintKind::Check { expression, .. } = &mut carried.kind
            && !not_null
        {
            expression.text = format!("({} is null) or ({})", quote_ident(&change.new_column), expression.text);
        }
        target.constraints.push(carried);
    }
    let indexes = from.indexes.iter().filter(|index| names_it(index_columns(index)));
    target.indexes.extend(indexes.map(|index| rename.index(index)));
    let statistics = from.statistics.iter().filter(|statistics| names_it(target_columns(&statistics.on)));
    target.statistics.extend(statistics.map(|statistics| rename.statistics(statistics)));
    let mut source = from.clone();
    source.columns.retain(|column| !is_this(&column.name));
    source.constraints.retain(|constraint| !names_it(constraint_columns(constraint)));
    source.indexes.retain(|index| !names_it(index_columns(index)));
    source.statistics.retain(|statistics| !names_it(target_columns(&statistics.on)));
    shape.put(source);
    shape.put(target);
    redirect_foreign_keys(&mut shape, before, &change.from, &change.to, &rename);
    shape
}
