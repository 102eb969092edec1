//! From the tree and the schema to the model: what the names mean, and every mistake that there is in them.

mod add_column;
mod columns;
mod custom;
mod drop_column;
mod extract;
mod indexes;
mod merge;
mod move_column;
mod regroup;
mod rules;
mod split;
mod tables;
mod widen;

use std::collections::BTreeSet;
use std::sync::Arc;

use proc_macro2::Span;

use super::apply::apply;
use super::{Change, Committed, Model, OperationKind, Shape, Side};
use crate::check::change::{Draft, drafts};
use crate::check::conflicts::{self, Claim, Claimant};
use crate::check::lookup::Surroundings;
use crate::check::{order, overrides};
use crate::diagnostic::{Diagnostic, Errors};
use crate::model;
use crate::plan::{OLDEST_SERVER, Stage};
use crate::schema::{Schema, SqlType};
use crate::syntax::{Declaration, Operation};

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
        match operations(draft, around, &base, server, errors) {
            Some((kinds, claim)) => {
                if draft.stage == Stage::Contract {
                    base = kinds.iter().fold(base, |shape, kind| apply(&shape, kind));
                }
                understood.push(Understood { draft, kinds, claim, is_sound: errors.len() == found });
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

/// What the operations of a change mean, and what it takes for itself; `None` if a mistake hides the meaning of one.
fn operations(
    draft: &Draft<'_>,
    around: Surroundings<'_>,
    before: &Shape,
    server: u32,
    errors: &mut Errors,
) -> Option<(Vec<OperationKind>, Claim)> {
    // Each begins with the change's before shape: that none builds on another is the next thing that is looked at.
    let resolution = Resolution { draft, around, shape: before, server };
    let meanings: Vec<_> = draft.tree.operations.iter().map(|tree| resolution.operation(tree, errors)).collect();
    let (kinds, claims): (Vec<_>, Vec<_>) = meanings.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
    conflicts::within(&claims, before, errors).ok()?;
    Some((OperationKind::merged(kinds), Claim::all(claims)?))
}

/// A change whose meaning is known, though something may be wrong with it.
struct Understood<'a> {
    draft: &'a Draft<'a>,
    kinds: Vec<OperationKind>,
    claim: Claim,
    is_sound: bool,
}

/// The changes without mistakes, each with its shapes.
fn changes(understood: &[Understood<'_>], schema: &Arc<Schema>, errors: &mut Errors) -> Vec<Change> {
    let shapes: Vec<Shape> = understood.iter().map(|change| before_shape(change, understood, schema)).collect();
    let claims: Vec<Claimant<'_>> = understood
        .iter()
        .zip(&shapes)
        .map(|(change, before)| Claimant::new(change.draft, &change.claim, before))
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
            shape = other.kinds.iter().fold(shape, |shape, kind| apply(&shape, kind));
        }
    }
    shape
}

impl Understood<'_> {
    fn with_shape(&self, before: Shape) -> Change {
        let tree = self.draft.tree;
        let operations = model::Operation::chain(&before, self.kinds.iter().cloned());
        Change {
            name: tree.name.text.clone(),
            span: tree.name.span,
            docs: tree.docs.clone(),
            stage: self.draft.stage,
            after: tree.after.iter().map(|name| name.text.clone()).collect(),
            after_shape: operations.last().map_or_else(|| before.clone(), |last| last.after.clone()),
            before_tables: model::Operation::tables(&operations, Side::Before),
            after_tables: model::Operation::tables(&operations, Side::After),
            operations,
            before,
            batch: self.draft.tuning.batch,
            contract_by: self.draft.tuning.contract_by.clone(),
        }
    }
}

/// What one operation of a change means.
struct Resolution<'a> {
    draft: &'a Draft<'a>,
    around: Surroundings<'a>,
    shape: &'a Shape,
    server: u32,
}

impl<'a> Resolution<'a> {
    /// What it changes, and what it takes for itself; `None` if a mistake hides the meaning.
    fn operation(&self, tree: &Operation, errors: &mut Errors) -> Option<(OperationKind, Claim)> {
        let mut claim = Claim::of(tree.keyword());
        let kind = match tree {
            Operation::Rename(rename) => OperationKind::Columns(self.rename(rename, &mut claim, errors)?),
            Operation::Retype(retype) => OperationKind::Columns(self.retype(retype, &mut claim, errors)?),
            Operation::Regroup(regroup) => OperationKind::Columns(self.regroup(regroup, &mut claim, errors)?),
            Operation::Split(split) => OperationKind::Split(self.split(split, &mut claim, errors)?),
            Operation::Extract(extract) => OperationKind::Extract(self.extract(extract, &mut claim, errors)?),
            Operation::Widen(widen) => OperationKind::Widen(self.widen(widen, &mut claim, errors)?),
            Operation::Merge(merge) => OperationKind::Merge(self.merge(merge, &mut claim, errors)?),
            Operation::AddColumn(add) => OperationKind::AddColumn(self.add_column(add, &mut claim, errors)?),
            Operation::DropColumn(drop) => OperationKind::DropColumn(self.drop_column(drop, &mut claim, errors)?),
            Operation::CreateIndex(create) => {
                OperationKind::CreateIndex(self.create_index(create, &mut claim, errors)?)
            }
            Operation::DropIndex(drop) => OperationKind::DropIndex(self.drop_index(drop, &mut claim, errors)?),
            Operation::Rule(rule) => OperationKind::Rule(Box::new(self.rule(rule, &mut claim, errors)?)),
            Operation::AddTable(add) => OperationKind::AddTable(self.add_table(add, &mut claim, errors)?),
            Operation::DropTable(drop) => OperationKind::DropTable(self.drop_table(drop, &mut claim, errors)?),
            Operation::RenameTable(rename) => {
                OperationKind::RenameTable(self.rename_table(rename, &mut claim, errors)?)
            }
            Operation::Enum(change) => OperationKind::AddLabel(self.enum_change(change, errors)?),
            Operation::Sql(sql) => OperationKind::Custom(self.sql(sql, errors)?),
            Operation::Move(tree) => OperationKind::Move(self.move_column(tree, &mut claim, errors)?),
        };
        Some((kind, claim))
    }

    /// What to do with a change that is finished.
    fn delete_finished(&self) -> String {
        let name = &self.draft.tree.name.text;
        format!(
            "delete `change {name} {{ … }}` from the declaration, and the folder migrations/{name} when the change is contracted in every database"
        )
    }

    /// A change that the schema shows as contracted has nothing left to do; and one that is not at that stage cannot be so far.
    fn finished(&self, span: Span, gone: &str, found: String) -> Diagnostic {
        let name = &self.draft.tree.name;
        let source = &self.shape.schema().source;
        let diagnostic = match self.draft.stage {
            Stage::Contract => {
                Diagnostic::new(name.span, format!("change `{}` is finished", name.text)).help(self.delete_finished())
            }
            stage => Diagnostic::new(span, format!("`{gone}` is gone already")).help(format!(
                "if the change is contracted in the database, delete it from the declaration; at `stage {};`, {source} has to be from before the contract",
                stage.name()
            )),
        };
        diagnostic.note(format!("{found}: that was written after the contract"))
    }
}
