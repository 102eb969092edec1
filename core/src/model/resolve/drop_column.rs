//! `drop`: a column goes.

use super::Resolution;
use crate::check::add_column::default_value;
use crate::check::conflicts::Claim;
use crate::check::dependents::{self, Touched};
use crate::check::{drop_column, lookup, written_column};
use crate::diagnostic::Errors;
use crate::model::DropColumn;
use crate::plan::Stage;
use crate::syntax;

impl Resolution<'_> {
    pub(super) fn drop_column(
        &self,
        tree: &syntax::DropColumn,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<DropColumn> {
        let (path, name) = (&tree.column, &tree.column.column);
        let table = lookup::table(&path.table, self.shape, &self.around, errors)?;
        if table.column(&name.text).is_none() && self.draft.stage == Stage::Contract {
            let gone = written_column(&table.name, &name.text);
            errors.push(self.finished(name.span, &gone, format!("`{gone}` is not there")));
            return None;
        }
        let column = lookup::column(table, name, self.shape, &self.around, errors)?;
        if !dependents::is_ordinary(table, path.table.table.span, self.shape, errors) {
            return None;
        }
        let touched = Touched {
            column: &column.name,
            span: name.span,
            fate: "dropped",
            in_place: false,
            table,
            shape: self.shape,
        };
        dependents::has_no_rules(table, path.table.table.span, self.shape, errors);
        dependents::keep_from_going(&touched, errors);
        if drop_column::is_no_key(tree, table, self.shape, errors) {
            drop_column::new_rows_have_a_value(tree, column, table, errors);
            drop_column::all_is_named(tree, table, self.shape, errors);
        }
        let default = match &tree.default {
            Some(literal) => Some(default_value(literal, "default", table, self.shape, self.server, errors)?),
            None => None,
        };
        claim.gone.push((table.name.clone(), name.text.clone(), name.span));
        Some(DropColumn { table: table.name.clone(), column: column.name.clone(), default })
    }
}
