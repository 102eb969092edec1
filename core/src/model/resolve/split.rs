//! `split`: columns move to a new 1:1 table.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, lookup, split, written_column, written_table};
use crate::diagnostic::Errors;
use crate::model::SplitChange;
use crate::syntax::{Name, Split};

impl Resolution<'_> {
    pub(super) fn split(&self, tree: &Split, claim: &mut Claim, errors: &mut Errors) -> Option<SplitChange> {
        let source = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        let target = lookup::qualified(&tree.into);
        let is_gone = |name: &Name| source.column(&name.text).is_none();
        if let (Some(table), Some(first), true) =
            (self.shape.table(&target), tree.moved.first(), tree.moved.iter().all(is_gone))
        {
            let gone = written_column(&source.name, &first.text);
            let place = at_line(table.line, self.shape.schema());
            let found = format!("`{}` is there ({place}), and `{gone}` is not", written_table(&target));
            errors.push(self.finished(first.span, &gone, found));
            return None;
        }
        let span = tree.table.table.span;
        if !dependents::is_ordinary(source, span, self.shape, errors) {
            return None;
        }
        dependents::has_no_rules(source, span, self.shape, errors);
        split::source_fits(tree, source, self.shape, errors);
        let key = split::key(tree, source, self.shape, errors);
        let moved = split::moved(tree, source, self.shape, &self.around, errors);
        let columns = moved.as_deref().unwrap_or_default();
        let names = tree.moved.iter().filter(|name| columns.iter().any(|column| column.name == name.text)).collect();
        let parting = split::Parting { names, keyword: tree.keyword, fate: "moved" };
        split::nothing_spans_both(&parting, source, self.shape, errors);
        split::dependents(tree, columns, source, self.shape, errors);
        split::target_is_free(tree, &target, columns, source, self.shape, errors);
        let (key, moved) = (key?, moved?.into_iter().map(|column| column.name.clone()).collect());
        claim.gone.extend(tree.moved.iter().map(|name| (source.name.clone(), name.text.clone(), name.span)));
        claim.used.extend(key.iter().map(|(from, _)| (source.name.clone(), from.clone(), tree.keyword)));
        claim.new_tables.push((target.clone(), tree.into.table.span));
        Some(SplitChange { source: source.name.clone(), target, key, moved, always: tree.always.is_some() })
    }
}
