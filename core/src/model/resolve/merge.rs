//! `merge`: the columns of a 1:1 table move into the table that it belongs to.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, lookup, merge, written_table};
use crate::diagnostic::Errors;
use crate::model::MergeChange;
use crate::syntax::Merge;

impl Resolution<'_> {
    pub(super) fn merge(&self, tree: &Merge, claim: &mut Claim, errors: &mut Errors) -> Option<MergeChange> {
        let (gone, into) = (lookup::qualified(&tree.table), lookup::qualified(&tree.into));
        if let (None, Some(target)) = (self.shape.table(&gone), self.shape.table(&into))
            && !tree.moved.is_empty()
            && tree.moved.iter().all(|moved| target.column(&moved.new_name().text).is_some())
        {
            let place = at_line(target.line, self.shape.schema());
            let found = format!(
                "`{}` has its columns ({place}), and `{}` is not there",
                written_table(&into),
                written_table(&gone)
            );
            errors.push(self.finished(tree.table.table.span, &written_table(&gone), found));
            return None;
        }
        let source = lookup::table(&tree.table, self.shape, &self.around, errors);
        let target = lookup::table(&tree.into, self.shape, &self.around, errors);
        let (source, target) = (source?, target?);
        if !merge::are_two(tree, source, errors) {
            return None;
        }
        for (table, path) in [(source, &tree.table), (target, &tree.into)] {
            if !dependents::is_ordinary(table, path.table.span, self.shape, errors) {
                return None;
            }
            dependents::has_no_rules(table, path.table.span, self.shape, errors);
        }
        let merging = merge::Merging { tree, source, target, shape: self.shape, server: self.server };
        merging.has_no_row_security(errors);
        let key = merging.key(errors);
        let moved = merging.moved(&self.around, errors);
        merging.dependents(errors);
        let (key, moved) = (key?, moved?);
        merging.nothing_is_lost(&self.around, errors);
        merging.carried(&moved, errors);
        let everything = source.columns.iter().map(|column| {
            let named = tree.moved.iter().map(|moved| &moved.column).chain(&tree.key).chain(&tree.dropped);
            let span = named.into_iter().find(|name| name.text == column.name).map_or(tree.keyword, |name| name.span);
            (source.name.clone(), column.name.clone(), span)
        });
        claim.gone.extend(everything);
        claim.used.extend(key.iter().map(|(to, _)| (target.name.clone(), to.clone(), tree.keyword)));
        claim.new.extend(tree.moved.iter().map(|moved| {
            let name = moved.new_name();
            (target.name.clone(), name.text.clone(), name.span)
        }));
        Some(MergeChange {
            source: source.name.clone(),
            target: target.name.clone(),
            key,
            moved,
            dropped: tree.dropped.iter().map(|name| name.text.clone()).collect(),
            always: tree.always.is_some(),
        })
    }
}
