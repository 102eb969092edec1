//! From the tree and the schema to the model: what the names mean, and every mistake that there is in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use proc_macro2::Span;

use super::apply::apply;
use super::{AfterColumn, Change, ChangeKind, ColumnsChange, Committed, Model, Shape, SplitChange};
use crate::check::change::{Draft, drafts};
use crate::check::conversions;
use crate::check::dependents::{self, Touched};
use crate::check::inserts::Insert;
use crate::check::lookup::{self, Surroundings};
use crate::check::retype::Retyping;
use crate::check::{at_line, conflicts, names, order, overrides, split, types, written, written_column, written_table};
use crate::diagnostic::{Diagnostic, Errors};
use crate::plan::{OLDEST_SERVER, Stage};
use crate::schema::{Column, Schema, SqlType, Table};
use crate::sql::Expression;
use crate::syntax::{ColumnPath, Declaration, Operation, Rename, Retype, Split};

/// Resolves a declaration against the schema. Every mistake goes to `errors`; the model holds the changes without one.
///
/// `feature_off` says which feature of the crate a type needs that is not enabled.
pub fn resolve(
    declaration: &Declaration,
    schema: Arc<Schema>,
    committed: &Committed,
    feature_off: &dyn Fn(&SqlType) -> Option<&'static str>,
    errors: &mut Errors,
) -> Model {
    let server = server(declaration, errors);
    let drafts = order::ordered(drafts(declaration, errors), declaration, errors);
    let mut understood: Vec<Understood<'_>> = Vec::new();
    // Every change at stage `contract` is part of the shape that the others begin with.
    let mut base = Shape::of(Arc::clone(&schema));
    let (contracted, in_flight): (Vec<_>, Vec<_>) = drafts.iter().partition(|draft| draft.stage == Stage::Contract);
    let mut lost = Vec::new();
    for draft in contracted.into_iter().chain(in_flight) {
        let found = errors.len();
        order::follows_committed(draft, committed, errors);
        let around = Surroundings { declaration, name: draft.name(), lost: &lost };
        let operation = Resolution { draft, around, shape: &base, server };
        match operation.kind(errors) {
            Some(kind) => {
                if draft.stage == Stage::Contract {
                    base = apply(&base, &kind);
                }
                understood.push(Understood { draft, kind, is_sound: errors.len() == found });
            }
            None if draft.stage == Stage::Contract => lost.push(draft.tree),
            None => {}
        }
    }
    let mut changes = changes(&understood, &schema, errors);
    let types = overrides::resolve(declaration, &schema, &changes, errors);
    overrides::features_are_on(&mut changes, declaration, &types, feature_off, errors);
    changes.sort_by_key(|change| declaration.changes.iter().position(|tree| tree.name.text == change.name));
    Model { schema, server, changes, types }
}

/// The oldest server that the SQL must work on.
fn server(declaration: &Declaration, errors: &mut Errors) -> u32 {
    let Some(server) = &declaration.server else { return OLDEST_SERVER };
    if server.major < OLDEST_SERVER {
        errors.push(
            Diagnostic::new(server.span, format!("PostgreSQL {} is not supported", server.major))
                .note(format!("the oldest version that coexist works on is {OLDEST_SERVER}"))
                .help(format!("write `server {OLDEST_SERVER};`, or leave it out")),
        );
    }
    server.major.max(OLDEST_SERVER)
}

/// A change whose meaning is known, though something may be wrong with it.
struct Understood<'a> {
    draft: &'a Draft<'a>,
    kind: ChangeKind,
    is_sound: bool,
}

/// The changes without mistakes, each with its shapes.
fn changes(understood: &[Understood<'_>], schema: &Arc<Schema>, errors: &mut Errors) -> Vec<Change> {
    let shapes: Vec<Shape> = understood.iter().map(|change| before_shape(change, understood, schema)).collect();
    let claims: Vec<conflicts::Claim<'_>> = understood
        .iter()
        .zip(&shapes)
        .map(|(change, before)| conflicts::claim(change.draft, &change.kind, before))
        .collect();
    let refused = conflicts::check(&claims, schema, errors);
    let is_good = |change: &Understood<'_>| change.is_sound && !refused.contains(change.draft.name());
    understood
        .iter()
        .zip(shapes)
        .filter(|(change, _)| is_good(change))
        .map(|(change, before)| change.with_shape(before))
        .collect()
}

/// The schema with every change at stage `contract`, without this one and what builds on it.
fn before_shape(change: &Understood<'_>, understood: &[Understood<'_>], schema: &Arc<Schema>) -> Shape {
    let mut left_out = BTreeSet::from([change.draft.name()]);
    let mut shape = Shape::of(Arc::clone(schema));
    // What builds on a change stands behind it.
    for other in understood.iter().filter(|other| other.draft.stage == Stage::Contract) {
        let builds_on_it = other.draft.tree.after.iter().any(|name| left_out.contains(name.text.as_str()));
        if builds_on_it || other.draft.name() == change.draft.name() {
            left_out.insert(other.draft.name());
        } else {
            shape = apply(&shape, &other.kind);
        }
    }
    shape
}

impl Understood<'_> {
    fn with_shape(&self, before: Shape) -> Change {
        let tree = self.draft.tree;
        let (before_tables, after_tables) = match &self.kind {
            ChangeKind::Columns(columns) => (vec![columns.table.clone()], vec![columns.table.clone()]),
            ChangeKind::Split(split) => (vec![split.source.clone()], vec![split.source.clone(), split.target.clone()]),
        };
        Change {
            name: tree.name.text.clone(),
            span: tree.name.span,
            docs: tree.docs.clone(),
            stage: self.draft.stage,
            after: tree.after.iter().map(|name| name.text.clone()).collect(),
            after_shape: apply(&before, &self.kind),
            kind: self.kind.clone(),
            before,
            before_tables,
            after_tables,
            batch: self.draft.tuning.batch,
            contract_by: self.draft.tuning.contract_by.clone(),
        }
    }
}

/// What the operation of a change means.
struct Resolution<'a> {
    draft: &'a Draft<'a>,
    around: Surroundings<'a>,
    shape: &'a Shape,
    server: u32,
}

impl<'a> Resolution<'a> {
    /// `None` if a mistake hides the meaning.
    fn kind(&self, errors: &mut Errors) -> Option<ChangeKind> {
        match self.draft.operation {
            Operation::Rename(rename) => self.rename(rename, errors).map(ChangeKind::Columns),
            Operation::Retype(retype) => self.retype(retype, errors).map(ChangeKind::Columns),
            Operation::Split(split) => self.split(split, errors).map(ChangeKind::Split),
        }
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
        dependents::is_ordinary(table, path.table.table.span, self.shape, errors).then_some((table, column))
    }

    /// A change that the schema shows as contracted has nothing left to do; and one that is not at that stage cannot be so far.
    fn finished(&self, span: Span, gone: &str, found: String) -> Diagnostic {
        let name = &self.draft.tree.name;
        let source = &self.shape.schema().source;
        let diagnostic = match self.draft.stage {
            Stage::Contract => Diagnostic::new(name.span, format!("change `{}` is finished", name.text)).help(format!(
                "delete `change {} {{ … }}` from the declaration; its folder in migrations/ can stay as a record",
                name.text
            )),
            stage => Diagnostic::new(span, format!("`{gone}` is gone already")).help(format!(
                "if the change is contracted in the database, delete it from the declaration; at `stage {};`, {source} has to be from before the contract",
                stage.name()
            )),
        };
        diagnostic.note(format!("{found}: that was written after the contract"))
    }

    fn rename(&self, tree: &Rename, errors: &mut Errors) -> Option<ColumnsChange> {
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
        let insert = Insert { table, before: column, after: &after, shape: self.shape };
        let block = |words: &str| format!("{{ {words} }}");
        let insert_nulls = insert.meaning(tree.insert_nulls.as_ref(), tree.to.span, block, errors).ok()?;
        let backward = conversions::identity(&after.name)?;
        Some(ColumnsChange {
            table: table.name.clone(),
            before: vec![column.name.clone()],
            after: vec![after],
            backward: vec![backward],
            rename: true,
            insert_nulls,
        })
    }

    fn retype(&self, tree: &Retype, errors: &mut Errors) -> Option<ColumnsChange> {
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
        let retyping = Retyping { tree, table, column, ty: ty.as_ref(), shape: self.shape, server: self.server };
        let (forward, backward) = (retyping.forward(errors), retyping.backward(errors));
        let (ty, forward, backward) = (ty?, forward?, backward?);
        let after = AfterColumn { name: tree.to.text.clone(), ty, not_null: column.not_null, forward };
        let insert = Insert { table, before: column, after: &after, shape: self.shape };
        let insert_nulls = insert.meaning(tree.insert_nulls.as_ref(), tree.to.span, str::to_owned, errors).ok()?;
        Some(ColumnsChange {
            table: table.name.clone(),
            before: vec![column.name.clone()],
            after: vec![after],
            backward,
            rename: false,
            insert_nulls,
        })
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

    fn split(&self, tree: &Split, errors: &mut Errors) -> Option<SplitChange> {
        let source = lookup::table(&tree.table, self.shape, &self.around, errors)?;
        let target = lookup::qualified(&tree.into);
        let is_gone = |name: &crate::syntax::Name| source.column(&name.text).is_none();
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
        split::nothing_spans_both(tree, columns, source, self.shape, errors);
        split::dependents(tree, columns, source, self.shape, errors);
        split::target_is_free(tree, &target, columns, source, self.shape, errors);
        let moved = moved?.into_iter().map(|column| column.name.clone()).collect();
        Some(SplitChange { source: source.name.clone(), target, key: key?, moved, always: tree.always.is_some() })
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
