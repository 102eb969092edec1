//! `add`: a column comes.

use super::Resolution;
use crate::check::add_column::{Adding, is_no_serial};
use crate::check::conflicts::Claim;
use crate::check::{at_line, dependents, lookup, types, written_column};
use crate::diagnostic::Errors;
use crate::model::AddColumn;
use crate::plan::Stage;
use crate::schema::{Column, SqlText};
use crate::syntax;

impl Resolution<'_> {
    pub(super) fn add_column(
        &self,
        tree: &syntax::AddColumn,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<AddColumn> {
        let path = &tree.column;
        let table = lookup::table(&path.table, self.shape, &self.around, errors)?;
        let name = written_column(&table.name, &path.column.text);
        if let (Some(column), Stage::Contract) = (table.column(&path.column.text), self.draft.stage) {
            let found = format!("`{name}` is there ({})", at_line(column.line, self.shape.schema()));
            errors.push(self.finished(path.column.span, &name, found));
            return None;
        }
        if !dependents::is_ordinary(table, path.table.table.span, self.shape, errors) {
            return None;
        }
        let adding = Adding { tree, table, shape: self.shape, server: self.server };
        let is_free = adding.name_is_free(errors);
        let is_plain = is_no_serial(&tree.ty, &name, errors);
        let ty = is_plain.then(|| types::declared(&tree.ty, self.shape, errors)).flatten();
        if let Some(ty) = &ty {
            let new = format!("the new column `{name}`");
            let help = format!("add `{name}: <base>`, with a check constraint that says what the domain says");
            types::is_no_constrained_domain(ty, tree.ty.span, &new, &help, self.shape.schema(), errors);
        }
        let (default, fill) = (adding.default(errors), adding.fill(ty.as_ref(), errors));
        let (default, fill) = (default.ok()?, fill.ok()?);
        let has_value = adding.rows_have_a_value(default.as_ref(), errors);
        let ty = ty.filter(|_| is_free && has_value)?;
        let volatile = default.as_ref().filter(|(_, volatile)| *volatile).map(|(default, _)| default.clone());
        let fill = fill.or(volatile);
        if let Some(fill) = &fill {
            dependents::has_no_rules(table, path.table.table.span, self.shape, errors);
            let reads = fill.columns().iter().map(|column| column.name.clone());
            claim.used.extend(reads.map(|column| (table.name.clone(), column, tree.keyword)));
        }
        claim.new.push((table.name.clone(), path.column.text.clone(), path.column.span));
        let column = Column {
            not_null: tree.not_null.is_some(),
            default: default.map(|(default, _)| SqlText { text: default.text().to_owned(), line: table.line }),
            line: table.line,
            ..Column::new(&path.column.text, ty)
        };
        Some(AddColumn { table: table.name.clone(), column, fill })
    }
}
