//! `extract`: repeated values become a table of their own.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, extract, lookup, written_column, written_table};
use crate::diagnostic::Errors;
use crate::model::ExtractChange;
use crate::syntax::Extract;

impl Resolution<'_> {
    pub(super) fn extract(&self, tree: &Extract, claim: &mut Claim, errors: &mut Errors) -> Option<ExtractChange> {
        let source = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        let target = lookup::qualified(&tree.into);
        let all_gone = tree.columns.iter().all(|of| source.column(&of.column.text).is_none());
        if let (Some(table), Some(first), true) = (self.shape.table(&target), tree.columns.first(), all_gone) {
            let gone = written_column(&source.name, &first.column.text);
            let place = at_line(table.line, self.shape.schema());
            let found = format!("`{}` is there ({place}), and `{gone}` is not", written_table(&target));
            errors.push(self.finished(first.column.span, &gone, found));
            return None;
        }
        let span = tree.table.table.span;
        if !dependents::is_ordinary(source, span, self.shape, errors) {
            return None;
        }
        dependents::has_no_rules(source, span, self.shape, errors);
        let extraction = extract::Extraction { tree, source, shape: self.shape };
        extraction.source_fits(errors);
        let key = extraction.key(errors);
        let reference = extraction.reference(errors);
        let columns = extraction.columns(&self.around, errors);
        let (key, reference, columns) = (key?, reference?, columns?);
        let change = ExtractChange {
            source: source.name.clone(),
            target,
            key: key.0,
            key_type: key.1,
            reference: reference.text.clone(),
            columns,
            always: tree.always.is_some(),
        };
        extraction.fits(&change, errors);
        let gone = tree.columns.iter().map(|of| (source.name.clone(), of.column.text.clone(), of.column.span));
        claim.gone.extend(gone);
        claim.new.push((source.name.clone(), reference.text.clone(), reference.span));
        claim.new_tables.push((change.target.clone(), tree.into.table.span));
        Some(change)
    }
}
