//! `widen`: an integer column becomes wider under its own name, and with it every column that references it.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::dependents::{self, Touched};
use crate::check::{lookup, types, widen};
use crate::diagnostic::Errors;
use crate::model::WidenChange;
use crate::model::apply::widen::closure;
use crate::plan::Stage;
use crate::syntax::Widen;

impl Resolution<'_> {
    pub(super) fn widen(&self, tree: &Widen, claim: &mut Claim, errors: &mut Errors) -> Option<WidenChange> {
        let span = tree.column.column.span;
        let table = lookup::table(&tree.column.table, self.shape, &self.around, errors)?;
        let column = lookup::column(table, &tree.column.column, self.shape, &self.around, errors)?;
        let ty = types::declared(&tree.ty, self.shape, errors)?;
        if self.draft.stage == Stage::Contract && column.ty == ty {
            let name = crate::check::written_column(&table.name, &column.name);
            let place = crate::check::at_line(column.line, self.shape.schema());
            errors.push(self.finished(span, &name, format!("`{name}` is of type `{ty}` ({place})")));
            return None;
        }
        if !widen::is_a_wider_type(table, column, &ty, tree, self.shape, errors) {
            return None;
        }
        widen::begins_at_the_key(table, column, &ty, span, self.shape, errors);
        let tables = closure(self.shape, &table.name, &column.name, &ty);
        for widened in &tables {
            let Some(table) = self.shape.table(&widened.name) else { continue };
            if !dependents::is_ordinary(table, span, self.shape, errors) {
                continue;
            }
            dependents::has_no_rules(table, span, self.shape, errors);
            for column in &widened.columns {
                dependents::check(
                    &Touched { column, span, fate: "widened", in_place: false, table, shape: self.shape },
                    errors,
                );
                claim.gone.push((widened.name.clone(), column.clone(), span));
            }
        }
        Some(WidenChange { tables, ty })
    }
}
