//! Columns of a table become other columns of the same table.

use super::carried::{Renaming, redirect_foreign_keys};
use crate::ident::quote_ident;
use crate::model::{ColumnsChange, Shape};
use crate::schema::{Column, SqlText, SqlType, Table};
use crate::sql::expression::Expression;

/// The expression that stands for a before column in everything that is carried, as SQL.
///
/// Where old and new values behave alike (a rename, or types of one family) that is the after column. Elsewhere it is the backward
/// expression: a check or a predicate then says about the row what it said before, whatever the conversion does.
pub fn stand_in(change: &ColumnsChange, before: &Table, column: &str) -> Option<String> {
    let position = change.before.iter().position(|name| name == column)?;
    if let Some(name) = counterpart(change, before, column) {
        return Some(quote_ident(name));
    }
    let backward = change.backward.get(position)?;
    let over_after = backward.expression.replace_columns(|column| Some(quote_ident(&column.name)));
    Some(format!("({over_after})"))
}

/// The after column that holds the same values as a before column, so that it takes its place in checks and predicates.
fn counterpart<'a>(change: &'a ColumnsChange, before: &Table, column: &str) -> Option<&'a str> {
    let position = change.before.iter().position(|name| name == column)?;
    let after = change.after.get(position)?;
    let alike = change.rename
        || change.before.len() == 1
            && change.after.len() == 1
            && (change.backward.is_empty()
                || before.column(column).is_some_and(|column| same_family(&column.ty, &after.ty))
                    && converts_by_cast(&after.forward.expression)
                    && change.backward.iter().all(|backward| converts_by_cast(&backward.expression)));
    alike.then_some(after.name.as_str())
}

fn converts_by_cast(expression: &Expression) -> bool {
    expression.as_column().is_some() || expression.as_cast_of_column().is_some()
}

/// Types whose values compare with each other and with the same constants.
fn same_family(a: &SqlType, b: &SqlType) -> bool {
    const FAMILIES: [&[&str]; 2] =
        [&["smallint", "integer", "bigint", "numeric", "real", "double precision"], &["text", "character varying"]];
    a == b || FAMILIES.iter().any(|family| family.iter().any(|t| a.is(t)) && family.iter().any(|t| b.is(t)))
}

pub(super) fn apply(before: &Shape, change: &ColumnsChange) -> Shape {
    let mut shape = before.clone();
    let Some(table) = before.table(&change.table) else { return shape };
    let rename = Renaming {
        // In keys and lists a column stands by name: its place is taken by the after column at the same position.
        name: &|column| {
            let position = change.before.iter().position(|name| name == column)?;
            change.after.get(position).map(|after| after.name.clone())
        },
        stand_in: &|column| stand_in(change, table, column),
    };
    let mut after = table.clone();
    after.columns = after_columns(table, change);
    after.constraints = table.constraints.iter().map(|c| rename.constraint(c, &change.table)).collect();
    after.indexes = table.indexes.iter().map(|index| rename.index(index)).collect();
    after.statistics = table.statistics.iter().map(|statistics| rename.statistics(statistics)).collect();
    for grant in &mut after.grants {
        grant.columns = rename.names(&grant.columns);
    }
    shape.put(after);
    redirect_foreign_keys(&mut shape, before, &change.table, &change.table, &rename);
    shape
}

fn after_columns(table: &Table, change: &ColumnsChange) -> Vec<Column> {
    let mut columns = Vec::with_capacity(table.columns.len());
    let mut placed = false;
    for column in &table.columns {
        if !change.before.contains(&column.name) {
            columns.push(column.clone());
        } else if !placed {
            placed = true;
            columns.extend(change.after.iter().enumerate().map(|(i, _)| after_column(table, change, i)));
        }
    }
    columns
}

/// The after column at position `i`, with what it inherits from the before column that it stands for.
fn after_column(table: &Table, change: &ColumnsChange, i: usize) -> Column {
    let after = &change.after[i];
    let origin = change.before.get(i).and_then(|name| table.column(name));
    let keeps_type = origin.is_some_and(|origin| origin.ty == after.ty);
    Column {
        name: after.name.clone(),
        ty: after.ty.clone(),
        not_null: after.not_null,
        // PostgreSQL 18 names it after the column, as it does for everybody.
        not_null_name: None,
        default: default_after(table, change, i),
        identity: origin.and_then(|origin| origin.identity.clone()),
        generated: None,
        collation: origin.filter(|_| is_collatable(&after.ty)).and_then(|origin| origin.collation.clone()),
        comment: origin.and_then(|origin| origin.comment.clone()),
        statistics_target: origin.and_then(|origin| origin.statistics_target),
        storage: origin.filter(|_| keeps_type).and_then(|origin| origin.storage.clone()),
        compression: origin.filter(|_| keeps_type).and_then(|origin| origin.compression.clone()),
        options: origin.map(|origin| origin.options.clone()).unwrap_or_default(),
        line: origin.map_or(0, |origin| origin.line),
    }
}

/// The before column's default, converted: `0` becomes `(0)::bigint`. A sequence's default goes on as it is.
fn default_after(table: &Table, change: &ColumnsChange, i: usize) -> Option<SqlText> {
    let after = change.after.get(i)?;
    let reads: Vec<&str> = after.forward.expression.columns().iter().map(|column| column.name.as_str()).collect();
    let origin = match reads.as_slice() {
        [first, rest @ ..] if rest.iter().all(|name| name == first) => table.column(first)?,
        _ => return None,
    };
    let default = origin.default.as_ref()?;
    if change.rename || is_sequence_default(&default.text) {
        return Some(default.clone());
    }
    let text = after.forward.expression.replace_columns(|_| Some(format!("({})", default.text)));
    Some(SqlText { text, line: default.line })
}

/// Whether a default takes the next value of a sequence.
pub fn is_sequence_default(default: &str) -> bool {
    default.trim_start().to_ascii_lowercase().starts_with("nextval(")
}

fn is_collatable(ty: &SqlType) -> bool {
    ["text", "character varying", "character", "name"].iter().any(|name| ty.schema.is_none() && ty.name == *name)
}
