//! What a shape becomes by an operation: the touched tables with their after columns, and with everything that hangs on the before columns
//! carried over. The planner renders what this says; nothing else decides how an object is carried.

mod carried;
mod columns;
pub mod extract;
mod merge;
mod move_column;
mod objects;
mod rules;
mod split;
mod tables;
pub mod widen;

use super::{OperationKind, Shape};

pub use carried::{constraint_columns, expression_columns, index_columns, target_columns};
pub use columns::{StandIn, is_sequence_default, of_defaults, stand_in};

/// The shape after `kind`. What the operation names and the shape does not have is left as it is: the checks speak of it.
pub fn apply(before: &Shape, kind: &OperationKind) -> Shape {
    match kind {
        OperationKind::Columns(change) => columns::apply(before, change),
        OperationKind::Split(change) => split::apply(before, change),
        OperationKind::Extract(change) => extract::apply(before, change),
        OperationKind::Widen(change) => widen::apply(before, change),
        OperationKind::Merge(change) => merge::apply(before, change),
        OperationKind::AddColumn(change) => objects::add_column(before, change),
        OperationKind::DropColumn(change) => objects::drop_column(before, change),
        OperationKind::CreateIndex(change) => objects::create_index(before, change),
        OperationKind::DropIndex(change) => objects::drop_index(before, change),
        OperationKind::Rule(change) => rules::apply(before, change),
        OperationKind::AddTable(change) => tables::add_table(before, change),
        OperationKind::DropTable(change) => tables::drop_table(before, change),
        OperationKind::RenameTable(change) => tables::rename_table(before, change),
        // No row looks different.
        OperationKind::AddLabel(_) | OperationKind::Custom(_) => before.clone(),
        OperationKind::Move(change) => move_column::apply(before, change),
    }
}
