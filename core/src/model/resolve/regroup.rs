//! `divide`, `combine`: columns become others of the same table, in another number.

use super::Resolution;
use crate::check::conflicts::Claim;
use crate::check::dependents;
use crate::check::inserts::Insert;
use crate::check::mapping::{Declared, New, Remapping};
use crate::check::regroup::{self, Group};
use crate::check::{lookup, names, partitions, types};
use crate::diagnostic::Errors;
use crate::model::{AfterColumn, ColumnsChange, Mapping, Way};
use crate::schema::{Column, SqlType, Table};
use crate::syntax::{Regroup, TargetedConversion};

impl Resolution<'_> {
    pub(super) fn regroup(&self, tree: &Regroup, claim: &mut Claim, errors: &mut Errors) -> Option<ColumnsChange> {
        if !regroup::numbers_fit(tree, errors) || !regroup::names_differ(tree, errors) {
            return None;
        }
        let table = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        if let Some((gone, found)) = regroup::is_finished(tree, table, self.shape) {
            let span = tree.columns.first().map_or(tree.keyword, |name| name.span);
            errors.push(self.finished(span, &gone, found));
            return None;
        }
        let before = tree.columns.iter().map(|name| lookup::column(table, name, self.shape, &self.around, errors));
        let before: Vec<&Column> = before.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
        if !partitions::has_rows_of_its_own_kind(table, tree.table.table.span, self.shape, errors) {
            return None;
        }
        dependents::has_no_rules(table, tree.table.table.span, self.shape, errors);
        let fate = if tree.word == "divide" { "divided" } else { "combined" };
        let group = Group { tree, table, before: &before, shape: self.shape, fate };
        for column in &before {
            dependents::check(&group.touched(&column.name), errors);
        }
        group.no_sequences(errors);
        let types = self.new_types(tree, table, errors);
        let remapping = Remapping {
            keyword: tree.keyword,
            table,
            before: before.clone(),
            after: std::iter::zip(&tree.into, &types)
                .map(|(new, ty)| New { name: &new.name.text, ty: ty.as_ref(), not_null: new.not_null })
                .collect(),
            forward: tree.forward.iter().map(declared).collect(),
            backward: tree.backward.iter().map(declared).collect(),
            irreversible: tree.irreversible,
            shape: self.shape,
            server: self.server,
        };
        let (forward, backward) = (remapping.forward(errors), remapping.backward(errors));
        let (types, forward, backward) = (types.into_iter().collect::<Option<Vec<_>>>()?, forward?, backward?);
        let after = std::iter::zip(&tree.into, types).zip(forward).map(|((new, ty), forward)| AfterColumn {
            name: new.name.text.clone(),
            ty,
            not_null: new.not_null,
            forward,
        });
        let after: Vec<AfterColumn> = after.collect();
        let insert = Insert { table, before: &before, after: &after, shape: self.shape };
        let insert_nulls = insert.meaning(tree.insert_nulls.as_ref(), tree.keyword, str::to_owned, errors).ok()?;
        let names = before.iter().map(|column| column.name.clone()).collect();
        let mapping = Mapping { before: names, after, backward, rename: false, insert_nulls };
        group.dependents(&mapping, errors);
        claim.become_others(&table.name, &tree.columns, tree.into.iter().map(|column| &column.name));
        let change = ColumnsChange { table: table.name.clone(), mappings: vec![mapping], way: Way::Copy };
        partitions::moves_lose_nothing(&change, tree.keyword, self.shape, errors);
        Some(change)
    }

    /// The types of the columns that come, whose names are free.
    fn new_types(&self, tree: &Regroup, table: &Table, errors: &mut Errors) -> Vec<Option<SqlType>> {
        let types = tree.into.iter().map(|new| {
            names::is_free_column(&new.name, table, self.shape, errors);
            let ty = types::declared(&new.ty, self.shape, errors)?;
            let what = format!("the new column `{}`", new.name.text);
            let help =
                "declare it as `<base>`, with a check constraint that says what the domain says after the contract";
            types::is_no_constrained_domain(&ty, new.ty.span, &what, help, self.shape.schema(), errors).then_some(ty)
        });
        types.collect()
    }
}

fn declared(one: &TargetedConversion) -> Declared<'_> {
    Declared { target: one.target.as_ref(), conversion: &one.conversion }
}
