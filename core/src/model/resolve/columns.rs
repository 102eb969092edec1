//! `rename`, `retype`: a column becomes another one of the same table.

use proc_macro2::Span;

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::conversions;
use crate::check::dependents::{self, Touched};
use crate::check::inserts::Insert;
use crate::check::mapping::{Declared, New, Remapping};
use crate::check::{at_line, lookup, names, partitions, types, written, written_column};
use crate::diagnostic::{Diagnostic, Errors};
use crate::model::{AfterColumn, ColumnsChange, Mapping};
use crate::schema::{Column, SqlType, Table};
use crate::sql::Expression;
use crate::syntax::{ColumnPath, Rename, Retype};

impl<'a> Resolution<'a> {
    pub(super) fn rename(&self, tree: &Rename, claim: &mut Claim, errors: &mut Errors) -> Option<ColumnsChange> {
        let (table, column) = self.column(&tree.column, &tree.to.text, errors)?;
        if tree.to.text == column.name {
            errors.push(
                Diagnostic::new(tree.to.span, "a rename to the same name does nothing")
                    .help("write the new name behind `to`"),
            );
            return None;
        }
        names::is_free_column(&tree.to, table, self.shape, errors);
        let touched =
            Touched { column: &column.name, span: tree.column.column.span, fate: "renamed", table, shape: self.shape };
        self.can_go(&touched, tree.column.table.table.span, errors);
        let base = format!(
            "`retype {} to {}: <base> {{ … }}`, with a check constraint that says what the domain says",
            written_column(&table.name, &column.name),
            written(&tree.to.text)
        );
        let new = format!("the new column `{}`", tree.to.text);
        types::is_no_constrained_domain(&column.ty, tree.to.span, &new, &base, self.shape.schema(), errors);
        let after = AfterColumn {
            name: tree.to.text.clone(),
            ty: column.ty.clone(),
            not_null: column.not_null,
            forward: conversions::identity(&column.name)?,
        };
        let insert = Insert { table, before: &[column], after: std::slice::from_ref(&after), shape: self.shape };
        let block = |words: &str| format!("{{ {words} }}");
        let insert_nulls = insert.meaning(tree.insert_nulls.as_ref(), tree.to.span, block, errors).ok()?;
        let backward = conversions::identity(&after.name)?;
        claim.become_others(&table.name, [&tree.column.column], [&tree.to]);
        let mapping = Mapping {
            before: vec![column.name.clone()],
            after: vec![after],
            backward: vec![backward],
            rename: true,
            insert_nulls,
        };
        Some(ColumnsChange { table: table.name.clone(), mappings: vec![mapping] })
    }

    pub(super) fn retype(&self, tree: &Retype, claim: &mut Claim, errors: &mut Errors) -> Option<ColumnsChange> {
        let (table, column) = self.column(&tree.column, &tree.to.text, errors)?;
        if tree.to.text == column.name {
            errors.push(
                Diagnostic::new(tree.to.span, format!("`{}` cannot keep its name", tree.to.text))
                    .note("the old and the new column stand side by side until the contract")
                    .help(format!(
                        "write, for example, `to {}_new`; another `rename` can give it the old name later",
                        tree.to.text
                    )),
            );
        } else {
            names::is_free_column(&tree.to, table, self.shape, errors);
        }
        let touched =
            Touched { column: &column.name, span: tree.column.column.span, fate: "retyped", table, shape: self.shape };
        self.can_go(&touched, tree.column.table.table.span, errors);
        let ty = types::declared(&tree.ty, self.shape, errors);
        if let Some(ty) = &ty {
            self.type_fits(tree, &touched, column, ty, errors);
        }
        let declared = |conversion| Declared { target: None, conversion };
        let remapping = Remapping {
            keyword: tree.keyword,
            table,
            before: vec![column],
            after: vec![New { name: &tree.to.text, ty: ty.as_ref(), not_null: column.not_null }],
            forward: tree.forward.iter().map(declared).collect(),
            backward: tree.backward.iter().map(declared).collect(),
            irreversible: tree.irreversible,
            shape: self.shape,
            server: self.server,
        };
        let (forward, backward) = (remapping.forward(errors), remapping.backward(errors));
        let (ty, forward, backward) = (ty?, forward?.pop()?, backward?);
        let after = AfterColumn { name: tree.to.text.clone(), ty, not_null: column.not_null, forward };
        let insert = Insert { table, before: &[column], after: std::slice::from_ref(&after), shape: self.shape };
        let insert_nulls = insert.meaning(tree.insert_nulls.as_ref(), tree.to.span, str::to_owned, errors).ok()?;
        claim.become_others(&table.name, [&tree.column.column], [&tree.to]);
        let mapping =
            Mapping { before: vec![column.name.clone()], after: vec![after], backward, rename: false, insert_nulls };
        let change = ColumnsChange { table: table.name.clone(), mappings: vec![mapping] };
        partitions::moves_lose_nothing(&change, tree.column.column.span, self.shape, errors);
        Some(change)
    }

    /// Whether the new type can take the place of the old one in what hangs on the column.
    fn type_fits(&self, tree: &Retype, touched: &Touched<'_>, column: &Column, ty: &SqlType, errors: &mut Errors) {
        if *ty == column.ty && !converts(tree) {
            errors.push(
                Diagnostic::new(tree.ty.span, format!("`{}` is of type `{ty}` already", touched.name()))
                    .note(format!(
                        "{}; without another type, `forward` has to make other values",
                        at_line(column.line, self.shape.schema())
                    ))
                    .help(format!(
                        "for another name alone, write `rename {} to {};`",
                        touched.name(),
                        written(&tree.to.text)
                    )),
            );
            return;
        }
        let new = format!("the new column `{}`", tree.to.text);
        types::is_no_constrained_domain(
            ty,
            tree.ty.span,
            &new,
            "retype to `<base>`, with a check constraint that says what the domain says",
            self.shape.schema(),
            errors,
        );
        dependents::foreign_keys_stay_comparable(touched, ty, errors);
        dependents::indexes_fit(touched, &column.ty, ty, errors);
        dependents::sequences_fit(touched, ty, errors);
    }

    /// The column that a rename or a retype takes away, with its table.
    fn column(&self, path: &ColumnPath, to: &str, errors: &mut Errors) -> Option<(&'a Table, &'a Column)> {
        let table = lookup::table(&path.table, self.shape, &self.around, errors)?;
        if let (None, Some(new)) = (table.column(&path.column.text), table.column(to)) {
            let gone = written_column(&table.name, &path.column.text);
            let place = at_line(new.line, self.shape.schema());
            let found = format!("`{}` is there ({place}), and `{gone}` is not", written_column(&table.name, to));
            errors.push(self.finished(path.column.span, &gone, found));
            return None;
        }
        let column = lookup::column(table, &path.column, self.shape, &self.around, errors)?;
        let span = path.table.table.span;
        partitions::has_rows_of_its_own_kind(table, span, self.shape, errors).then_some((table, column))
    }

    /// Whether nothing keeps the column from going away.
    fn can_go(&self, touched: &Touched<'_>, table_span: Span, errors: &mut Errors) {
        dependents::has_no_rules(touched.table, table_span, self.shape, errors);
        dependents::check(touched, errors);
    }
}

/// Whether a retype makes other values, whatever their type is.
fn converts(tree: &Retype) -> bool {
    let expression = tree.forward.as_ref().map(|forward| Expression::parse(&forward.expression.value));
    expression.is_some_and(|expression| expression.is_ok_and(|expression| expression.as_column().is_none()))
}
