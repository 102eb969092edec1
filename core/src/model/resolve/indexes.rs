//! `create index`, `drop index`.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, indexes, lookup, written, written_table};
use crate::diagnostic::Errors;
use crate::ident::QualifiedName;
use crate::model::apply::index_columns;
use crate::model::{CreateIndex, DropIndex};
use crate::plan::Stage;
use crate::syntax;

impl Resolution<'_> {
    pub(super) fn create_index(
        &self,
        tree: &syntax::CreateIndex,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<CreateIndex> {
        let table = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        if let (Some(name), Stage::Contract) = (&tree.name, self.draft.stage)
            && let Some(index) = table.indexes.iter().find(|index| index.name == name.text)
        {
            let found = format!("index `{}` is there ({})", name.text, at_line(index.line, self.shape.schema()));
            errors.push(self.finished(name.span, &name.text, found));
            return None;
        }
        if !dependents::is_ordinary(table, tree.table.table.span, self.shape, errors) {
            return None;
        }
        let index = indexes::declared(tree, table, self.shape, self.server, errors)?;
        indexes::reads_columns(tree, &index, table, self.shape, &self.around, errors)?;
        for column in index_columns(&index) {
            claim.used.push((table.name.clone(), column, tree.keys.span));
        }
        let span = tree.name.as_ref().map_or(tree.keyword, |name| name.span);
        claim.objects.push((QualifiedName::new(&table.name.schema, &index.name), span));
        Some(CreateIndex { table: table.name.clone(), index })
    }

    pub(super) fn drop_index(
        &self,
        tree: &syntax::DropIndex,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<DropIndex> {
        let name = lookup::qualified(&tree.index);
        let span = tree.index.table.span;
        let is_it = |schema: &str, index: &str| schema == name.schema && index == name.name;
        let found = self.shape.tables().find_map(|table| {
            let index = table.indexes.iter().find(|index| is_it(&table.name.schema, &index.name))?;
            Some((table, index))
        });
        let Some((table, index)) = found else {
            let gone = written_table(&name);
            if self.draft.stage == Stage::Contract && indexes::behind_constraint(&name, self.shape).is_none() {
                errors.push(self.finished(span, &written(&name.name), format!("index `{gone}` is not there")));
            } else {
                errors.push(indexes::no_such(&tree.index, &name, self.shape));
            }
            return None;
        };
        if !dependents::is_ordinary(table, span, self.shape, errors) {
            return None;
        }
        indexes::is_not_needed(span, index, table, self.shape, errors);
        claim.objects.push((name.clone(), span));
        Some(DropIndex { table: table.name.clone(), index: name.name })
    }
}
