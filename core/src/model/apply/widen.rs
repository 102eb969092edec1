//! Integer columns become wider under their own names.

use super::columns;
use crate::ident::{QualifiedName, derived_name, quote_ident};
use crate::model::{AfterColumn, ColumnsChange, Conversion, Mapping, OnFailure, Shape, Way, WidenChange, WidenedTable};
use crate::schema::{ConstraintKind, SqlType};
use crate::sql::expression::Expression;

pub(super) fn apply(before: &Shape, change: &WidenChange) -> Shape {
    let mut shape = before.clone();
    for widened in &change.tables {
        let Some(mut table) = before.table(&widened.name).cloned() else { continue };
        for column in table.columns.iter_mut().filter(|column| widened.columns.contains(&column.name)) {
            column.ty = change.ty.clone();
        }
        shape.put(table);
    }
    shape
}

/// The shape until the contract, in which wider columns under names of their own have taken the place of the narrower ones: what is built
/// beside the old objects is built for these.
pub fn beside(before: &Shape, change: &WidenChange, own: &str) -> Option<Shape> {
    change.tables.iter().try_fold(before.clone(), |shape, widened| {
        let table = before.table(&widened.name)?;
        let mappings = widened.columns.iter().map(|name| {
            let after = AfterColumn {
                name: interim(own, name),
                ty: change.ty.clone(),
                not_null: table.column(name)?.not_null,
                forward: identity(name)?,
            };
            let backward = identity(&after.name)?;
            Some(Mapping {
                before: vec![name.clone()],
                after: vec![after],
                backward: vec![backward],
                rename: true,
                insert_nulls: None,
            })
        });
        let columns =
            ColumnsChange { table: widened.name.clone(), mappings: mappings.collect::<Option<_>>()?, way: Way::Copy };
        Some(columns::apply(&shape, &columns))
    })
}

/// The name of the wider column until the contract.
pub fn interim(own: &str, column: &str) -> String {
    derived_name(&[own, column])
}

fn identity(column: &str) -> Option<Conversion> {
    let expression = Expression::parse(&quote_ident(column)).ok()?;
    Some(Conversion { expression, lossy: false, on_failure: OnFailure::Never })
}

/// A column, and all narrower ones that reference it, directly or through others.
pub fn closure(shape: &Shape, table: &QualifiedName, column: &str, ty: &SqlType) -> Vec<WidenedTable> {
    let mut tables = vec![WidenedTable { name: table.clone(), columns: vec![column.to_owned()] }];
    let mut pending = vec![(table.clone(), column.to_owned())];
    while let Some((referenced_table, referenced_column)) = pending.pop() {
        for (referencing, constraint) in shape.foreign_keys_to(&referenced_table) {
            let ConstraintKind::ForeignKey { columns, referenced, .. } = &constraint.kind else { continue };
            let pairs = columns.iter().zip(referenced).filter(|(_, to)| **to == referenced_column);
            for (from, _) in pairs {
                let narrower = referencing.column(from).is_some_and(|column| is_wider(ty, &column.ty));
                if narrower && include(&mut tables, &referencing.name, from) {
                    pending.push((referencing.name.clone(), from.clone()));
                }
            }
        }
    }
    tables
}

/// Adds a column; `false` if it was there.
fn include(tables: &mut Vec<WidenedTable>, name: &QualifiedName, column: &str) -> bool {
    match tables.iter_mut().find(|table| table.name == *name) {
        Some(table) if table.columns.iter().any(|known| known == column) => false,
        Some(table) => {
            table.columns.push(column.to_owned());
            true
        }
        None => {
            tables.push(WidenedTable { name: name.clone(), columns: vec![column.to_owned()] });
            true
        }
    }
}

/// Whether a type of integers holds all values of another one, and more.
pub fn is_wider(wide: &SqlType, narrow: &SqlType) -> bool {
    matches!((width(wide), width(narrow)), (Some(wide), Some(narrow)) if wide > narrow)
}

/// Bytes of a type of integers.
pub fn width(ty: &SqlType) -> Option<u8> {
    let widths = [("smallint", 2), ("integer", 4), ("bigint", 8)];
    widths.into_iter().find(|(name, _)| ty.is(name)).map(|(_, width)| width)
}
