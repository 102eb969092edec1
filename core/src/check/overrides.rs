//! Rust types: those that the declaration overrides, and those that a feature of the crate gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::{Change, Shape, TypeOverride};
use crate::schema::{Column, Schema, SqlType, Table};
use crate::syntax::{Declaration, Operation};

use super::lookup::{self, Surroundings};
use super::{at_line, types, written_column};

/// The overrides of columns that there are, in the schema or in the after shape of a change.
pub fn resolve(
    declaration: &Declaration,
    schema: &Arc<Schema>,
    changes: &[Change],
    errors: &mut Errors,
) -> Vec<TypeOverride> {
    let shape = Shape::of(Arc::clone(schema));
    let mut overrides: Vec<TypeOverride> = Vec::new();
    for tree in &declaration.types {
        let table = lookup::qualified(&tree.column.table);
        let column = &tree.column.column;
        let has = |shape: &Shape| shape.table(&table).is_some_and(|table| table.column(&column.text).is_some());
        let is_known = has(&shape) || changes.iter().any(|change| has(&change.after_shape));
        if !is_known {
            let around = Surroundings { declaration, name: "", lost: &[] };
            // A change with a mistake may be the one that makes it.
            if !around.is_made_by_a_change(&table, &column.text)
                && let Some(table) = lookup::table(&tree.column.table, &shape, &around, errors)
            {
                lookup::column(table, column, &shape, &around, errors);
            }
            continue;
        }
        if let Some(first) = overrides.iter().find(|known| known.table == table && known.column == column.text) {
            let name = written_column(&table, &column.text);
            errors.push(
                Diagnostic::new(column.span, format!("`{name}` has two Rust types"))
                    .note(format!("the first one is on line {}", first.span.start().line))
                    .help("leave one of them"),
            );
            continue;
        }
        overrides.push(TypeOverride { table, column: column.text.clone(), rust: tree.rust.clone(), span: tree.span });
    }
    overrides
}

/// A value of a type that Rust's own types do not have comes with a crate, and that with a feature. Leaves only the changes whose tables
/// have no such column.
pub fn features_are_on(
    changes: &mut Vec<Change>,
    declaration: &Declaration,
    overrides: &[TypeOverride],
    feature_off: &dyn Fn(&SqlType) -> Option<&'static str>,
    errors: &mut Errors,
) {
    let mut reported = BTreeSet::new();
    changes.retain(|change| {
        let schema = change.before.schema();
        let before = change.before_tables.iter().filter_map(|name| change.before.table(name));
        let after = change.after_tables.iter().filter_map(|name| change.after_shape.table(name));
        let mut is_good = true;
        for (table, column) in
            before.chain(after).flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        {
            let is_overridden = overrides.iter().any(|known| known.table == table.name && known.column == column.name);
            let Some(feature) = feature_off(types::base_type(&column.ty, schema)).filter(|_| !is_overridden) else {
                continue;
            };
            is_good = false;
            // Of several columns that need a feature, one tells enough.
            if reported.insert((table.name.clone(), feature)) {
                errors.push(needs_feature(change, declaration, table, column, feature));
            }
        }
        is_good
    });
}

fn needs_feature(
    change: &Change,
    declaration: &Declaration,
    table: &Table,
    column: &Column,
    feature: &str,
) -> Diagnostic {
    let tree = declaration.changes.iter().find(|tree| tree.name.text == change.name);
    let span = tree.and_then(|tree| tree.operations.first()).map_or(change.span, |operation| match operation {
        Operation::Rename(rename) => rename.column.table.table.span,
        Operation::Retype(retype) => retype.column.table.table.span,
        Operation::Regroup(regroup) => regroup.table.table.span,
        Operation::Split(split) => split.table.table.span,
        Operation::Extract(extract) => extract.table.table.span,
        Operation::Widen(widen) => widen.column.table.table.span,
        Operation::Merge(merge) => merge.table.table.span,
        Operation::AddColumn(add) => add.column.table.table.span,
        Operation::DropColumn(drop) => drop.column.table.table.span,
        Operation::Rule(rule) => rule.table_span(),
        Operation::AddTable(add) => add.sql.span,
        Operation::DropTable(drop) => drop.table.table.span,
        Operation::RenameTable(rename) => rename.table.table.span,
        Operation::CreateIndex(_) | Operation::DropIndex(_) | Operation::Enum(_) | Operation::Sql(_) => {
            operation.keyword()
        }
        Operation::Move(tree) => tree.column.table.table.span,
    });
    let name = written_column(&table.name, &column.name);
    let place = at_line(column.line, change.before.schema());
    Diagnostic::new(
        span,
        format!("`{name}` is of type `{}`, whose Rust type needs feature `{feature}` of coexist", column.ty),
    )
    .note(format!("{place}; the accessors of `{}` have all of its columns", super::written_table(&table.name)))
    .help(format!(
        "enable it: `cargo add coexist --features {feature}`; or name a Rust type of your own: `type {name} = …;`"
    ))
}
