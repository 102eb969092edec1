//! `add table`, `drop table`, `rename table`.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, lookup, names, tables, written_table};
use crate::diagnostic::Errors;
use crate::ident::QualifiedName;
use crate::model::{AddTable, DropTable, RenameTable};
use crate::plan::Stage;
use crate::schema::ConstraintKind;
use crate::syntax;

/// The first major version whose views can read with the rights of who asks.
const SECURITY_INVOKER: u32 = 15;

impl Resolution<'_> {
    pub(super) fn add_table(
        &self,
        tree: &syntax::AddTable,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<AddTable> {
        let (table, statements) = tables::declared(tree, self.shape, errors)?;
        let shown = written_table(&table.name);
        if let (Some(found), Stage::Contract) = (self.shape.table(&table.name), self.draft.stage) {
            let found = format!("`{shown}` is there ({})", at_line(found.line, self.shape.schema()));
            errors.push(self.finished(tree.sql.span, &shown, found));
            return None;
        }
        let name = syntax::Name { text: table.name.name.clone(), span: tree.sql.span };
        if !names::is_free_table(&name, &table.name, self.shape, errors) {
            return None;
        }
        for constraint in &table.constraints {
            if let ConstraintKind::ForeignKey { references, referenced, .. } = &constraint.kind {
                claim.used.extend(referenced.iter().map(|column| (references.clone(), column.clone(), tree.sql.span)));
            }
        }
        claim.new_tables.push((table.name.clone(), tree.sql.span));
        Some(AddTable { table, statements })
    }

    pub(super) fn drop_table(
        &self,
        tree: &syntax::DropTable,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<DropTable> {
        let name = lookup::qualified(&tree.table);
        let span = tree.table.table.span;
        if self.shape.table(&name).is_none() && self.draft.stage == Stage::Contract {
            let gone = written_table(&name);
            errors.push(self.finished(span, &gone, format!("`{gone}` is not there")));
            return None;
        }
        let table = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        if dependents::is_ordinary(table, span, self.shape, errors) {
            tables::nothing_needs(table, span, self.shape, errors);
        }
        let columns = table.columns.iter().map(|column| (table.name.clone(), column.name.clone(), span));
        claim.gone.extend(columns);
        Some(DropTable { table: table.name.clone() })
    }

    pub(super) fn rename_table(
        &self,
        tree: &syntax::RenameTable,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<RenameTable> {
        let span = tree.table.table.span;
        let from = lookup::qualified(&tree.table);
        let to = QualifiedName::new(&from.schema, &tree.to.text);
        if let (None, Some(new)) = (self.shape.table(&from), self.shape.table(&to)) {
            let gone = written_table(&from);
            let place = at_line(new.line, self.shape.schema());
            let found = format!("`{}` is there ({place}), and `{gone}` is not", written_table(&to));
            errors.push(self.finished(span, &gone, found));
            return None;
        }
        let table = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        if dependents::is_ordinary(table, span, self.shape, errors) {
            tables::can_be_a_view(table, span, self.server >= SECURITY_INVOKER, self.shape, errors);
        }
        let to = QualifiedName::new(&table.name.schema, &tree.to.text);
        names::is_free_table(&tree.to, &to, self.shape, errors);
        let columns = table.columns.iter().map(|column| (table.name.clone(), column.name.clone(), span));
        claim.gone.extend(columns);
        claim.new_tables.push((to.clone(), tree.to.span));
        Some(RenameTable { from: table.name.clone(), to, security_invoker: self.server >= SECURITY_INVOKER })
    }
}
