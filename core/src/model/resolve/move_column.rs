//! `move`: a column moves to a table that is related by a foreign key.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, lookup, move_column, written_column};
use crate::diagnostic::Errors;
use crate::model::MoveChange;
use crate::syntax::Move;

impl Resolution<'_> {
    pub(super) fn move_column(&self, tree: &Move, claim: &mut Claim, errors: &mut Errors) -> Option<MoveChange> {
        let from = lookup::table(&tree.column.table, self.shape, &self.around, errors);
        let to = lookup::table(&tree.to.table, self.shape, &self.around, errors);
        let (from, to) = (from?, to?);
        if let (None, Some(new)) = (from.column(&tree.column.column.text), to.column(&tree.to.column.text)) {
            let gone = written_column(&from.name, &tree.column.column.text);
            let place = at_line(new.line, self.shape.schema());
            let found = format!("`{}` is there ({place}), and `{gone}` is not", written_column(&to.name, &new.name));
            errors.push(self.finished(tree.column.column.span, &gone, found));
            return None;
        }
        let column = lookup::column(from, &tree.column.column, self.shape, &self.around, errors)?;
        for (table, path) in [(from, &tree.column.table), (to, &tree.to.table)] {
            if !dependents::is_ordinary(table, path.table.span, self.shape, errors) {
                return None;
            }
            dependents::has_no_rules(table, path.table.span, self.shape, errors);
        }
        let moving = move_column::Moving { tree, from, to, column, shape: self.shape };
        let via = moving.via(errors)?;
        moving.column_can_go(&via, errors);
        let take = moving.take(&via, errors)?;
        for (own, referenced) in &via.pairs {
            let (many, one) = if via.upwards { (from, to) } else { (to, from) };
            claim.used.push((many.name.clone(), own.clone(), tree.keyword));
            claim.used.push((one.name.clone(), referenced.clone(), tree.keyword));
        }
        claim.gone.push((from.name.clone(), column.name.clone(), tree.column.column.span));
        claim.new.push((to.name.clone(), tree.to.column.text.clone(), tree.to.column.span));
        Some(MoveChange {
            from: from.name.clone(),
            column: column.name.clone(),
            to: to.name.clone(),
            new_column: tree.to.column.text.clone(),
            upwards: via.upwards,
            reference: via.pairs,
            one_to_one: via.one_to_one,
            take,
            discard: tree.unmatched.as_ref().is_some_and(|unmatched| unmatched.discard),
        })
    }
}
