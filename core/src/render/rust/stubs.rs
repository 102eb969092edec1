//! Changes with mistakes: the same items as without, as far as their meaning can be guessed. Code that uses them then has no faults of its
//! own, and one mistake in a declaration is one message.
//!
//! A guess is never carried out: there is no plan, and with a mistake beside it the program does not compile.

use std::collections::BTreeSet;
use std::sync::Arc;

use proc_macro2::TokenStream;

use super::module;
use super::types::TypeSettings;
use crate::diagnostic::nearest;
use crate::ident::{QualifiedName, quote_ident};
use crate::model::apply::widen::closure;
use crate::model::rules::{BrokenWrites, Policy, RelaxChange, RequireChange, RuleChange};
use crate::model::{
    self, AfterColumn, Change, ColumnsChange, Conversion, ExtractChange, Mapping, MergeChange, MergedColumn, Model,
    MoveChange, OnFailure, OperationKind, Shape, Side, SplitChange, WidenChange,
};
use crate::plan::{OLDEST_SERVER, Stage};
use crate::schema::{Column, SqlType, Table};
use crate::sql::expression::Expression;
use crate::sql::parse_type;
use crate::syntax::rules::Rule;
use crate::syntax::{self, Declaration, Name, Operation, TablePath};

/// The items of every change of a declaration that the model does not have; without a schema there is no model, and only the names of the
/// changes are known.
pub fn stubs(declaration: &Declaration, model: Option<&Model>, settings: &TypeSettings) -> TokenStream {
    let nothing = Model { schema: Arc::default(), server: OLDEST_SERVER, changes: Vec::new(), types: Vec::new() };
    let model = model.unwrap_or(&nothing);
    let mut made: BTreeSet<&str> = model.changes.iter().map(|change| change.name.as_str()).collect();
    let missing = declaration.changes.iter().filter(|tree| made.insert(&tree.name.text) && is_identifier(&tree.name));
    missing.map(|tree| module::expand(model, &guess(tree, model), None, settings)).collect()
}

fn is_identifier(name: &Name) -> bool {
    syn::parse_str::<syn::Ident>(&name.text).is_ok()
}

/// What a change with mistakes most likely means.
fn guess(tree: &syntax::Change, model: &Model) -> Change {
    let before = Shape::of(model.schema.clone());
    let kinds = tree.operations.iter().filter_map(|operation| kind(operation, &before));
    let operations = model::Operation::chain(&before, kinds);
    let stage = tree.stages.iter().find_map(|stage| Stage::from_name(&stage.text)).unwrap_or(Stage::Expand);
    Change {
        name: tree.name.text.clone(),
        span: tree.name.span,
        docs: tree.docs.clone(),
        stage,
        after: Vec::new(),
        after_shape: operations.last().map_or_else(|| before.clone(), |last| last.after.clone()),
        before_tables: model::Operation::tables(&operations, Side::Before),
        after_tables: model::Operation::tables(&operations, Side::After),
        operations,
        before,
        batch: None,
        contract_by: None,
    }
}

fn kind(operation: &Operation, shape: &Shape) -> Option<OperationKind> {
    match operation {
        Operation::Rename(rename) => {
            let table = table(&rename.column.table, shape)?;
            columns(table, &rename.column.column, &rename.to, None)
        }
        Operation::Retype(retype) => {
            let table = table(&retype.column.table, shape)?;
            columns(table, &retype.column.column, retype.new_name(), parse_type(&retype.ty.text).ok())
        }
        Operation::Split(split) => {
            let source = table(&split.table, shape)?;
            // A key that is not written (yet) is of no matter to code that calls `find(db, 42)`.
            let written = |n: usize| split.key.get(n).map(|name| name.text.clone());
            let keys = source.primary_key().iter().enumerate();
            Some(OperationKind::Split(SplitChange {
                source: source.name.clone(),
                target: qualified(&split.into),
                key: keys.map(|(n, from)| (from.clone(), written(n).unwrap_or_else(|| from.clone()))).collect(),
                moved: split.moved.iter().filter_map(|moved| column(moved, source)).collect(),
                always: split.always.is_some(),
            }))
        }
        Operation::Regroup(tree) => regroup(tree, shape),
        Operation::Widen(tree) => widen(tree, shape),
        Operation::Merge(tree) => merge(tree, shape),
        Operation::AddColumn(add) => {
            let table = table(&add.column.table, shape)?;
            Some(OperationKind::AddColumn(model::AddColumn {
                table: table.name.clone(),
                column: Column::new(&add.column.column.text, parse_type(&add.ty.text).ok()?),
                fill: None,
            }))
        }
        Operation::DropColumn(drop) => {
            let table = table(&drop.column.table, shape)?;
            let column = column(&drop.column.column, table)?;
            Some(OperationKind::DropColumn(model::DropColumn { table: table.name.clone(), column, default: None }))
        }
        Operation::Extract(tree) => extract(tree, shape),
        Operation::Rule(tree) => rule(tree, shape),
        Operation::DropTable(drop) => {
            Some(OperationKind::DropTable(model::DropTable { table: table(&drop.table, shape)?.name.clone() }))
        }
        Operation::RenameTable(rename) => {
            let from = table(&rename.table, shape)?.name.clone();
            let to = QualifiedName::new(&from.schema, &rename.to.text);
            Some(OperationKind::RenameTable(model::RenameTable { from, to, security_invoker: false }))
        }
        Operation::CreateIndex(_)
        | Operation::DropIndex(_)
        | Operation::AddTable(_)
        | Operation::Enum(_)
        | Operation::Sql(_) => None,
        Operation::Move(tree) => move_column(tree, shape),
    }
}

/// Of the rules, only NOT NULL shows in the types.
fn rule(rule: &Rule, shape: &Shape) -> Option<OperationKind> {
    let of = |path: &syntax::ColumnPath| {
        let table = table(&path.table, shape)?;
        Some((table.name.clone(), column(&path.column, table)?))
    };
    let change = match rule {
        Rule::Require(require) => {
            let (table, column) = of(&require.column)?;
            let policy = Policy { repairs: Vec::new(), writes: BrokenWrites::Rejected };
            RuleChange::Require(RequireChange { table, column, policy })
        }
        Rule::Relax(relax) => {
            let (table, column) = of(&relax.column)?;
            RuleChange::Relax(RelaxChange { table, column, early: None })
        }
        Rule::Constrain(_) | Rule::Unconstrain(_) | Rule::Default(_) | Rule::Comment(_) => return None,
    };
    Some(OperationKind::Rule(Box::new(change)))
}

fn extract(tree: &syntax::Extract, shape: &Shape) -> Option<OperationKind> {
    let source = table(&tree.table, shape)?;
    let key = tree.key.as_ref();
    let mut names: BTreeSet<&str> = key.map(|key| key.name.text.as_str()).into_iter().collect();
    let columns = tree.columns.iter().filter_map(|of| {
        let column = column(&of.column, source)?;
        names.insert(&of.new_name().text).then(|| (column, of.new_name().text.clone()))
    });
    let key_type = key.and_then(|key| parse_type(&key.ty.text).ok());
    Some(OperationKind::Extract(ExtractChange {
        source: source.name.clone(),
        target: qualified(&tree.into),
        key: key.map_or_else(|| "id".to_owned(), |key| key.name.text.clone()),
        key_type: key_type.unwrap_or_else(|| SqlType::builtin("bigint")),
        reference: tree.reference.as_ref()?.text.clone(),
        columns: columns.collect(),
        always: tree.always.is_some(),
    }))
}

fn widen(widen: &syntax::Widen, shape: &Shape) -> Option<OperationKind> {
    let table = table(&widen.column.table, shape)?;
    let column = column(&widen.column.column, table)?;
    let ty = parse_type(&widen.ty.text).ok()?;
    Some(OperationKind::Widen(WidenChange { tables: closure(shape, &table.name, &column, &ty), ty }))
}

fn move_column(tree: &syntax::Move, shape: &Shape) -> Option<OperationKind> {
    let (from, to) = (table(&tree.column.table, shape)?, table(&tree.to.table, shape)?);
    Some(OperationKind::Move(MoveChange {
        from: from.name.clone(),
        column: column(&tree.column.column, from)?,
        to: to.name.clone(),
        new_column: tree.to.column.text.clone(),
        upwards: true,
        reference: Vec::new(),
        one_to_one: false,
        take: None,
        discard: false,
    }))
}

fn merge(tree: &syntax::Merge, shape: &Shape) -> Option<OperationKind> {
    let (source, target) = (table(&tree.table, shape)?, table(&tree.into, shape)?);
    let keys = target.primary_key().iter().zip(&tree.key);
    let moved = tree.moved.iter().filter_map(|moved| {
        let from = column(&moved.column, source)?;
        let to = moved.to.as_ref().map_or_else(|| from.clone(), |to| to.text.clone());
        Some(MergedColumn { from, to, absent: None })
    });
    Some(OperationKind::Merge(MergeChange {
        source: source.name.clone(),
        target: target.name.clone(),
        key: keys.map(|(to, from)| (to.clone(), from.text.clone())).collect(),
        moved: moved.collect(),
        dropped: Vec::new(),
        always: tree.always.is_some(),
    }))
}

/// Of no matter how the values are made: that code which names the columns is right.
fn regroup(tree: &syntax::Regroup, shape: &Shape) -> Option<OperationKind> {
    let table = table(&tree.table, shape)?;
    let before: Vec<String> = tree.columns.iter().filter_map(|name| column(name, table)).collect();
    let first = table.column(before.first()?)?;
    let after = tree.into.iter().map(|new| {
        let conversion = identity(&first.name)?;
        let ty = parse_type(&new.ty.text).unwrap_or_else(|_| first.ty.clone());
        Some(AfterColumn { name: new.name.text.clone(), ty, not_null: new.not_null, forward: conversion })
    });
    let after = after.collect::<Option<_>>()?;
    let mapping = Mapping { before, after, backward: Vec::new(), rename: false, insert_nulls: None };
    Some(OperationKind::Columns(ColumnsChange {
        table: table.name.clone(),
        mappings: vec![mapping],
        way: model::Way::Copy,
    }))
}

fn identity(column: &str) -> Option<Conversion> {
    let expression = Expression::parse(&quote_ident(column)).ok()?;
    Some(Conversion { expression, lossy: false, on_failure: OnFailure::Never })
}

fn columns(table: &Table, from: &Name, to: &Name, ty: Option<SqlType>) -> Option<OperationKind> {
    let before = table.column(&column(from, table)?)?;
    let after = AfterColumn {
        name: to.text.clone(),
        ty: ty.unwrap_or_else(|| before.ty.clone()),
        not_null: before.not_null,
        forward: identity(&before.name)?,
    };
    let mapping = Mapping {
        before: vec![before.name.clone()],
        after: vec![after],
        backward: Vec::new(),
        rename: true,
        insert_nulls: None,
    };
    let (table, way) = (table.name.clone(), model::Way::Copy);
    Some(OperationKind::Columns(ColumnsChange { table, mappings: vec![mapping], way }))
}

fn qualified(path: &TablePath) -> QualifiedName {
    let schema = path.schema.as_ref().map_or("public", |schema| schema.text.as_str());
    QualifiedName::new(schema, &path.table.text)
}

/// The table of this name, or the one that was probably meant.
fn table<'a>(path: &TablePath, shape: &'a Shape) -> Option<&'a Table> {
    let name = qualified(path);
    let likely = || {
        let known = shape.tables().filter(|table| table.name.schema == name.schema);
        let likely = nearest(&name.name, known.map(|table| table.name.name.as_str()))?;
        shape.table(&QualifiedName::new(&name.schema, likely))
    };
    shape.table(&name).or_else(likely)
}

/// The name of this column, or of the one that was probably meant.
fn column(name: &Name, table: &Table) -> Option<String> {
    let known = || table.columns.iter().map(|column| column.name.as_str());
    known().find(|known| *known == name.text).or_else(|| nearest(&name.text, known())).map(str::to_owned)
}
