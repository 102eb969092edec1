//! `rename`, `retype`: a column becomes another one of the same table.

use proc_macro2::Span;

use super::Resolution;
use crate::check::conflicts::{Claim, Viewed};
use crate::check::conversions;
use crate::check::dependents::{self, Touched};
use crate::check::inserts::Insert;
use crate::check::mapping::{Declared, New, Remapping};
use crate::check::{at_line, in_place, lookup, names, partitions, stand_in, types, view, written, written_column};
use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::quote_ident;
use crate::model::{AfterColumn, ColumnsChange, Conversion, Mapping, OnFailure, Way};
use crate::plan::Stage;
use crate::schema::{Column, SqlType, Table};
use crate::sql::Expression;
use crate::syntax::{self, ColumnPath, Name, Rename, Retype};

impl<'a> Resolution<'a> {
    pub(super) fn rename(&self, tree: &Rename, claim: &mut Claim, errors: &mut Errors) -> Option<ColumnsChange> {
        match tree.way {
            None | Some(syntax::Way::Copy(_)) => self.rename_by_copy(tree, claim, errors),
            Some(syntax::Way::View(span)) => self.rename_through_view(tree, span, claim, errors),
            Some(syntax::Way::InPlace(span)) => {
                errors.push(
                    Diagnostic::new(span, "a rename in place is not safe")
                        .note("old and new code run at the same time, and each must find the column under its own name")
                        .help("write `through view`, which copies nothing either; or leave `in place` out"),
                );
                None
            }
        }
    }

    fn rename_through_view(
        &self,
        tree: &Rename,
        way: Span,
        claim: &mut Claim,
        errors: &mut Errors,
    ) -> Option<ColumnsChange> {
        let (table, column) = self.column_of(&tree.column, &tree.to.text, errors)?;
        view::can_rename(table, tree.column.table.table.span, self.shape, errors)?;
        self.is_new_name(tree, column, errors)?;
        names::is_free_column(&tree.to, table, self.shape, errors);
        view::obeys_row_security(table, way, self.shape, self.server, "leave `through view` out", errors);
        names::is_free_schema(&self.draft.tree.name, self.shape, errors);
        if let Some(insert_nulls) = &tree.insert_nulls {
            errors.push(
                Diagnostic::new(insert_nulls.span, "`insert nulls` has nothing to decide here")
                    .note("through a view, old and new code write the same column")
                    .help("leave it out"),
            );
        }
        let after = AfterColumn {
            name: tree.to.text.clone(),
            ty: column.ty.clone(),
            not_null: column.not_null,
            forward: conversions::identity(&column.name)?,
        };
        let backward = conversions::identity(&after.name)?;
        claim.become_others(&table.name, [&tree.column.column], [&tree.to]);
        claim.viewed.push(Viewed { table: table.name.clone(), span: way, renames: true });
        claim.way = Way::View;
        let mapping = Mapping {
            before: vec![column.name.clone()],
            after: vec![after],
            backward: vec![backward],
            rename: true,
            insert_nulls: None,
        };
        Some(ColumnsChange { table: table.name.clone(), mappings: vec![mapping], way: Way::View })
    }

    fn is_new_name(&self, tree: &Rename, column: &Column, errors: &mut Errors) -> Option<()> {
        if tree.to.text != column.name {
            return Some(());
        }
        errors.push(
            Diagnostic::new(tree.to.span, "a rename to the same name does nothing")
                .help("write the new name behind `to`"),
        );
        None
    }

    fn rename_by_copy(&self, tree: &Rename, claim: &mut Claim, errors: &mut Errors) -> Option<ColumnsChange> {
        let (table, column) = self.column(&tree.column, &tree.to.text, errors)?;
        self.is_new_name(tree, column, errors)?;
        names::is_free_column(&tree.to, table, self.shape, errors);
        let touched = Touched {
            column: &column.name,
            span: tree.column.column.span,
            fate: "renamed",
            in_place: false,
            table,
            shape: self.shape,
        };
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
        Some(ColumnsChange { table: table.name.clone(), mappings: vec![mapping], way: Way::Copy })
    }

    pub(super) fn retype(&self, tree: &Retype, claim: &mut Claim, errors: &mut Errors) -> Option<ColumnsChange> {
        let (table, column) = self.column(&tree.column, &tree.new_name().text, errors)?;
        let ty = types::declared(&tree.ty, self.shape, errors);
        if let Some(to) = &tree.to {
            self.can_have_another_name(tree, to, table, column, errors)?;
        } else if self.draft.stage == Stage::Contract && ty.as_ref() == Some(&column.ty) {
            let name = written_column(&table.name, &column.name);
            let found = format!("`{name}` is of type `{}` ({})", column.ty, at_line(column.line, self.shape.schema()));
            errors.push(self.finished(tree.column.column.span, &name, found));
            return None;
        }
        let why_not_in_place = ty.as_ref().map(|ty| in_place::why_not(tree, table, column, ty, self.shape));
        let way = way(tree, table, column, why_not_in_place.flatten().as_deref(), errors)?;
        let touched = Touched {
            column: &column.name,
            span: tree.column.column.span,
            fate: "retyped",
            in_place: way == Way::InPlace,
            table,
            shape: self.shape,
        };
        self.can_go(&touched, tree.column.table.table.span, errors);
        if let Some(ty) = &ty {
            self.type_fits(tree, &touched, column, ty, errors);
        }
        claim.become_others(&table.name, [&tree.column.column], [tree.new_name()]);
        claim.way = way;
        if way == Way::InPlace {
            return self.retype_in_place(tree, table, column, ty?, errors);
        }
        if way == Way::ViewOfCopy {
            let span = tree.way.map_or(tree.keyword, syntax::Way::span);
            let instead = format!("give the new column a name of its own: `to <new_name>: {}`", tree.ty.text);
            view::obeys_row_security(table, span, self.shape, self.server, &instead, errors);
            names::is_free_schema(&self.draft.tree.name, self.shape, errors);
            claim.viewed.push(Viewed { table: table.name.clone(), span, renames: false });
        }
        let to = tree.new_name();
        let declared = |conversion| Declared { target: None, conversion };
        let remapping = Remapping {
            keyword: tree.keyword,
            table,
            before: vec![column],
            after: vec![New { name: &to.text, ty: ty.as_ref(), not_null: column.not_null }],
            forward: tree.forward.iter().map(declared).collect(),
            backward: tree.backward.iter().map(declared).collect(),
            irreversible: tree.irreversible,
            shape: self.shape,
            server: self.server,
        };
        let (forward, backward) = (remapping.forward(errors), remapping.backward(errors));
        let (ty, forward, backward) = (ty?, forward?.pop()?, backward?);
        let after = AfterColumn { name: to.text.clone(), ty, not_null: column.not_null, forward };
        let insert = Insert { table, before: &[column], after: std::slice::from_ref(&after), shape: self.shape };
        let insert_nulls = insert.meaning(tree.insert_nulls.as_ref(), to.span, str::to_owned, errors).ok()?;
        let mapping =
            Mapping { before: vec![column.name.clone()], after: vec![after], backward, rename: false, insert_nulls };
        let change = ColumnsChange { table: table.name.clone(), mappings: vec![mapping], way };
        partitions::moves_lose_nothing(&change, tree.column.column.span, self.shape, errors);
        stand_in::follows(&touched, &change, self.server, errors);
        Some(change)
    }

    fn can_have_another_name(
        &self,
        tree: &Retype,
        to: &Name,
        table: &Table,
        column: &Column,
        errors: &mut Errors,
    ) -> Option<()> {
        if to.text != column.name {
            names::is_free_column(to, table, self.shape, errors);
            return Some(());
        }
        errors.push(
            Diagnostic::new(to.span, format!("`{}` is the old name", to.text))
                .note("a column that keeps its name is retyped without naming it a second time")
                .help(format!("write `retype {} to {} …`", written_column(&table.name, &column.name), tree.ty.text)),
        );
        None
    }

    /// Until the contract nothing happens, and what the old type does not take is refused.
    fn retype_in_place(
        &self,
        tree: &Retype,
        table: &Table,
        column: &Column,
        ty: SqlType,
        errors: &mut Errors,
    ) -> Option<ColumnsChange> {
        if let Some(insert_nulls) = &tree.insert_nulls {
            errors.push(
                Diagnostic::new(insert_nulls.span, "`insert nulls` has nothing to decide here")
                    .note("in place, old and new code write the same column")
                    .help("leave it out"),
            );
        }
        let cast = |ty: &SqlType| Expression::parse(&format!("{}::{ty}", quote_ident(&column.name))).ok();
        let forward = Conversion { expression: cast(&ty)?, lossy: false, on_failure: OnFailure::Never };
        let backward = Conversion { expression: cast(&column.ty)?, lossy: false, on_failure: OnFailure::Reject };
        let mapping = Mapping {
            before: vec![column.name.clone()],
            after: vec![AfterColumn { name: column.name.clone(), ty, not_null: column.not_null, forward }],
            backward: vec![backward],
            rename: false,
            insert_nulls: None,
        };
        Some(ColumnsChange { table: table.name.clone(), mappings: vec![mapping], way: Way::InPlace })
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
                    .help(match &tree.to {
                        Some(to) => {
                            format!(
                                "for another name alone, write `rename {} to {};`",
                                touched.name(),
                                written(&to.text)
                            )
                        }
                        None => "leave the change out".to_owned(),
                    }),
            );
            return;
        }
        let new = format!("the new column `{}`", tree.new_name().text);
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

    /// The column that a rename or a retype takes away, with its table, which is of a kind whose columns can be copied.
    fn column(&self, path: &ColumnPath, to: &str, errors: &mut Errors) -> Option<(&'a Table, &'a Column)> {
        let (table, column) = self.column_of(path, to, errors)?;
        let span = path.table.table.span;
        partitions::has_rows_of_its_own_kind(table, span, self.shape, errors).then_some((table, column))
    }

    /// The same, whatever the table is.
    fn column_of(&self, path: &ColumnPath, to: &str, errors: &mut Errors) -> Option<(&'a Table, &'a Column)> {
        let table = lookup::table(&path.table, self.shape, &self.around, errors)?;
        if let (None, Some(new)) = (table.column(&path.column.text), table.column(to)) {
            let gone = written_column(&table.name, &path.column.text);
            let place = at_line(new.line, self.shape.schema());
            let found = format!("`{}` is there ({place}), and `{gone}` is not", written_column(&table.name, to));
            errors.push(self.finished(path.column.span, &gone, found));
            return None;
        }
        let column = lookup::column(table, &path.column, self.shape, &self.around, errors)?;
        Some((table, column))
    }

    /// Whether nothing keeps the column from going away.
    fn can_go(&self, touched: &Touched<'_>, table_span: Span, errors: &mut Errors) {
        dependents::has_no_rules(touched.table, table_span, self.shape, errors);
        dependents::check(touched, errors);
    }
}

/// The cheapest way that is safe, or the one that the declaration wants, if it is.
fn way(
    tree: &Retype,
    table: &Table,
    column: &Column,
    why_not_in_place: Option<&str>,
    errors: &mut Errors,
) -> Option<Way> {
    let name = written_column(&table.name, &column.name);
    let diagnostic = match (tree.way, &tree.to, why_not_in_place) {
        (None | Some(syntax::Way::Copy(_)), Some(_), _) => return Some(Way::Copy),
        (None | Some(syntax::Way::InPlace(_)), None, None) => return Some(Way::InPlace),
        (None | Some(syntax::Way::View(_)), None, _) => return Some(Way::ViewOfCopy),
        (Some(syntax::Way::InPlace(span)), Some(to), _) => {
            Diagnostic::new(span, "a retype in place keeps the name")
                .note("old and new code run at the same time, and each must find the column under its own name")
                .help(format!("write `retype {name} to {} in place`; or leave `in place` out, to make `{}` by copying", tree.ty.text, to.text))
        }
        (Some(syntax::Way::View(span)), Some(to), _) => {
            Diagnostic::new(span, format!("a view cannot show `{name}` as `{}`", to.text))
                .note("a view shows a column as it is; what it converts, nobody can write to")
                .help("leave `through view` out, to make a new column by copying")
        }
        (Some(syntax::Way::InPlace(span)), None, Some(why)) => {
            Diagnostic::new(span, format!("`{name}` cannot be retyped in place")).note(why).help(
                "leave `in place` out: the new column is filled beside the old one, and a view shows it under this name",
            )
        }
        (Some(syntax::Way::Copy(span)), None, _) => {
            Diagnostic::new(span, "a copy needs a name of its own")
                .note("a table has no room for two columns of one name, and old and new code each need theirs")
                .help(format!("give it one: `retype {name} to <new_name>: {} by copy`; or leave `by copy` out: a view shows the copy under the old name", tree.ty.text))
        }
    };
    errors.push(diagnostic);
    None
}

/// Whether a retype makes other values, whatever their type is.
fn converts(tree: &Retype) -> bool {
    let expression = tree.forward.as_ref().map(|forward| Expression::parse(&forward.expression.value));
    expression.is_some_and(|expression| expression.is_ok_and(|expression| expression.as_column().is_none()))
}
