//! Columns of partitioned tables. A trigger on the table is one on every partition, also on one that is attached later; what has to be built
//! for each partition is not carried, because the schema need not know all of them.

use proc_macro2::Span;

use super::dependents::{self, Touched};
use super::{at_line, written, written_column, written_table};
use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::QualifiedName;
use crate::model::apply::{constraint_columns, expression_columns, index_columns, target_columns};
use crate::model::{ColumnsChange, Conversion, OnFailure, Shape};
use crate::schema::{ConstraintKind, Table, TableKind};
use crate::sql::token;

/// Whether the columns of a table can become others in place: it is an ordinary one, or one with partitions.
pub fn has_rows_of_its_own_kind(table: &Table, span: Span, shape: &Shape, errors: &mut Errors) -> bool {
    let is_root = table.kind == TableKind::Partitioned && table.parents.is_empty();
    is_root || dependents::is_ordinary(table, span, shape, errors)
}

/// What hangs on a column of a partitioned table, and cannot be carried over.
pub fn check(touched: &Touched<'_>, errors: &mut Errors) {
    let table = touched.table;
    if table.kind != TableKind::Partitioned {
        return;
    }
    if let Some(key) = &table.partition_key {
        let named = expression_columns(key).iter().chain(&token::names(&key.text)).any(|name| name == touched.column);
        if named {
            let because = format!("`{}` is partitioned by {}", written_table(&table.name), key.text);
            errors.push(touched.hindrance(
                because,
                table.line,
                "PostgreSQL cannot change the key of a partitioned table",
            ));
        }
    }
    let parts = touched.shape.with_partitions(&table.name);
    // An index of the table is one of each partition: the first tells enough.
    if let Some((what, name, line)) = parts.iter().find_map(|part| objects_on(part, touched.column).into_iter().next())
    {
        errors.push(touched.hindrance(
            format!("{what} `{}` of the partitioned table stands on it", written(name)),
            line,
            "an index of a partitioned table cannot be built without blocking its writers, other than partition by partition",
        ));
    }
    for part in parts {
        let own_trigger = part.triggers.iter().find(|trigger| trigger.for_each_row && part.name != table.name);
        if let Some(trigger) = own_trigger {
            let because =
                format!("partition `{}` has the trigger `{}` of its own", written_table(&part.name), trigger.name);
            let why = "its effect on a row that moves to another partition cannot be foreseen";
            errors.push(touched.hindrance(because, trigger.line, why));
        }
    }
}

/// Indexes, keys and statistics that name a column.
fn objects_on<'t>(table: &'t Table, column: &str) -> Vec<(&'static str, &'t str, u32)> {
    let names = |columns: Vec<String>| columns.iter().any(|name| name == column);
    let constraints = table.constraints.iter().filter(|constraint| {
        !matches!(constraint.kind, ConstraintKind::Check { .. }) && names(constraint_columns(constraint))
    });
    let constraints = constraints.map(|constraint| ("constraint", constraint.name.as_str(), constraint.line));
    let indexes = table.indexes.iter().filter(|index| names(index_columns(index)));
    let indexes = indexes.map(|index| ("index", index.name.as_str(), index.line));
    let statistics = table.statistics.iter().filter(|statistics| names(target_columns(&statistics.on)));
    let statistics = statistics.map(|statistics| ("statistics", statistics.name.name.as_str(), statistics.line));
    constraints.chain(indexes).chain(statistics).collect()
}

/// A row that moves to another partition is deleted and inserted (H47). The trigger of that INSERT sees both shapes filled, and takes the
/// after shape as what was written: that must not change the before shape.
pub fn moves_lose_nothing(change: &ColumnsChange, span: Span, shape: &Shape, errors: &mut Errors) {
    let Some(table) = shape.table(&change.table).filter(|table| table.kind == TableKind::Partitioned) else { return };
    let exact = |conversion: &Conversion| {
        !conversion.lossy && matches!(conversion.on_failure, OnFailure::Never | OnFailure::Reject)
    };
    for mapping in &change.mappings {
        let forward = mapping.after.iter().map(|after| &after.forward);
        if !mapping.backward.is_empty() && forward.chain(&mapping.backward).all(exact) {
            continue;
        }
        let names: Vec<String> = mapping.before.iter().map(|name| written_column(&table.name, name)).collect();
        errors.push(
            Diagnostic::new(span, format!("`{}` cannot be converted with loss: its table is partitioned", names.join("`, `")))
                .note(format!(
                    "{}; a row that moves to another partition is inserted there anew, and what was lost on the way to the new shape would be lost in the old one",
                    at_line(table.line, shape.schema())
                ))
                .help("declare conversions that are exact both ways: without `lossy`, `irreversible`, and with `or reject` where a value may not convert"),
        );
    }
}

/// A partition follows its table.
pub fn root_of<'s>(table: &Table, shape: &'s Shape) -> Option<&'s QualifiedName> {
    let parent = shape.table(table.parents.first()?)?;
    match parent.kind {
        TableKind::Partitioned => root_of(parent, shape).or(Some(&parent.name)),
        _ => None,
    }
}
