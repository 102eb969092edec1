//! Tables that come, go, and change their names.

use crate::model::{AddTable, DropTable, RenameTable, Shape};
use crate::schema::{ConstraintKind, Table};

pub(super) fn add_table(before: &Shape, change: &AddTable) -> Shape {
    let mut shape = before.clone();
    shape.put(change.table.clone());
    shape
}

pub(super) fn drop_table(before: &Shape, change: &DropTable) -> Shape {
    let mut shape = before.clone();
    shape.remove(&change.table);
    shape
}

/// Constraints, indexes and sequences keep their names; foreign keys follow.
pub(super) fn rename_table(before: &Shape, change: &RenameTable) -> Shape {
    let mut shape = before.clone();
    let Some(table) = before.table(&change.from) else { return shape };
    shape.remove(&change.from);
    shape.put(Table { name: change.to.clone(), ..table.clone() });
    let referencing: Vec<Table> = shape.foreign_keys_to(&change.from).map(|(table, _)| table.clone()).collect();
    for mut table in referencing {
        for constraint in &mut table.constraints {
            if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind
                && *references == change.from
            {
                *references = change.to.clone();
            }
        }
        shape.put(table);
    }
    shape
}
