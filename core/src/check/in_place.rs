//! Whether the type of a column can be changed in the catalog alone, under a lock that is held for milliseconds.

use crate::model::Shape;
use crate::model::apply::index_columns;
use crate::schema::{Column, ConstraintKind, Index, IndexTarget, SqlType, Table, TableKind};
use crate::sql::Expression;
use crate::sql::storage::keeps_values;
use crate::syntax::{Conversion, Otherwise, Retype};

use super::{at_line, written_column};

/// Why it cannot: what PostgreSQL, or the declaration, would have done to rows or indexes. `None` where it can.
pub fn why_not(tree: &Retype, table: &Table, column: &Column, to: &SqlType, shape: &Shape) -> Option<String> {
    let schema = shape.schema();
    let has_children = shape.tables().any(|other| other.parents.contains(&table.name));
    if table.kind != TableKind::Ordinary || has_children {
        let name = super::written_table(&table.name);
        return Some(format!("`{name}` has partitions or children, and all of them would be locked at once"));
    }
    if !keeps_values(&column.ty, to, schema) {
        return Some(format!(
            "PostgreSQL writes every row of `{}` anew to make `{to}` of `{}`, and nobody could read it meanwhile",
            super::written_table(&table.name),
            column.ty
        ));
    }
    if let Some(index) = table.indexes.iter().find(|index| is_rebuilt(index, &column.name)) {
        return Some(format!(
            "PostgreSQL builds index `{}` ({}) anew, because it has an expression or a condition, and nobody could write meanwhile",
            index.name,
            at_line(index.line, schema)
        ));
    }
    let excludes = table.constraints.iter().find(|constraint| {
        matches!(&constraint.kind, ConstraintKind::Exclude { columns, .. } if columns.contains(&column.name))
    });
    if let Some(constraint) = excludes {
        return Some(format!(
            "PostgreSQL may build the index of exclusion constraint `{}` ({}) anew, and nobody could write meanwhile",
            constraint.name,
            at_line(constraint.line, schema)
        ));
    }
    let says = |keyword: &str, what: &str| {
        Some(format!(
            "`{keyword}` {what}, and in place `{}` only gets another type",
            written_column(&table.name, &column.name)
        ))
    };
    match (&tree.forward, &tree.backward, tree.irreversible) {
        (Some(forward), ..) if !is_plain(forward) => says("forward", "makes other values"),
        (_, Some(backward), _) if !is_plain(backward) => says("backward", "makes other values"),
        (.., Some(_)) => says("irreversible", "leaves the old values behind"),
        _ => None,
    }
}

/// PostgreSQL does not compare expressions and conditions, so it builds such an index anew. Others it keeps.
fn is_rebuilt(index: &Index, column: &str) -> bool {
    let has_expression =
        index.predicate.is_some() || index.keys.iter().any(|key| matches!(key.on, IndexTarget::Expression(_)));
    has_expression && index_columns(index).iter().any(|name| name == column)
}

/// A column or a cast of one, of which nothing gets lost without a word.
fn is_plain(conversion: &Conversion) -> bool {
    let is_cast = Expression::parse(&conversion.expression.value)
        .is_ok_and(|expression| expression.as_column().is_some() || expression.as_cast_of_column().is_some());
    let rejects = matches!(conversion.otherwise, None | Some(Otherwise::Reject(_)));
    is_cast && rejects && conversion.lossy.is_none()
}
