//! Columns move to a new 1:1 table.

use super::carried::{Renaming, constraint_columns, index_columns, redirect_foreign_keys, target_columns};
use crate::ident::object_name;
use crate::model::{Shape, SplitChange};
use crate::schema::{Column, Constraint, ConstraintKind, ReferentialAction, Table};

pub(super) fn apply(before: &Shape, change: &SplitChange) -> Shape {
    let mut shape = before.clone();
    let Some(source) = before.table(&change.source) else { return shape };
    let moves = |column: &str| change.moved.iter().any(|name| name == column);
    let mut remaining = source.clone();
    remaining.columns.retain(|column| !moves(&column.name));
    remaining.constraints.retain(|constraint| !constraint_columns(constraint).iter().any(|name| moves(name)));
    remaining.indexes.retain(|index| !index_columns(index).iter().any(|name| moves(name)));
    remaining.statistics.retain(|statistics| !target_columns(&statistics.on).iter().any(|name| moves(name)));
    shape.put(remaining);
    shape.put(split_target(source, change, &moves));
    let rename = Renaming { columns: &|column| moves(column).then(|| vec![column.to_owned()]), stand_in: &|_| None };
    redirect_foreign_keys(&mut shape, before, &change.source, &change.target, &rename);
    shape
}

fn split_target(source: &Table, change: &SplitChange, moves: &dyn Fn(&str) -> bool) -> Table {
    let key_columns = change.key.iter().filter_map(|(from, to)| {
        let column = source.column(from)?;
        Some(Column {
            name: to.clone(),
            not_null: true,
            not_null_name: None,
            default: None,
            identity: None,
            comment: None,
            ..column.clone()
        })
    });
    let moved = source.columns.iter().filter(|column| moves(&column.name)).cloned();
    let keys: Vec<String> = change.key.iter().map(|(_, to)| to.clone()).collect();
    let table = change.target.name.as_str();
    let primary_key = Constraint {
        name: object_name(table, None, "pkey"),
        kind: ConstraintKind::PrimaryKey { columns: keys.clone(), include: Vec::new(), with: Vec::new() },
        deferrable: false,
        initially_deferred: false,
        not_valid: false,
        not_enforced: false,
        tablespace: None,
        clustered: false,
        attached_to: None,
        comment: None,
        index_comment: None,
        line: source.line,
    };
    let foreign_key = Constraint {
        name: object_name(table, Some(&keys.join("_")), "fkey"),
        kind: ConstraintKind::ForeignKey {
            columns: keys,
            references: change.source.clone(),
            referenced: change.key.iter().map(|(from, _)| from.clone()).collect(),
            on_update: ReferentialAction::Cascade,
            on_delete: ReferentialAction::Cascade,
            on_delete_columns: Vec::new(),
            match_full: false,
        },
        ..primary_key.clone()
    };
    let carried = source.constraints.iter().filter(|c| constraint_columns(c).iter().any(|name| moves(name))).cloned();
    Table {
        name: change.target.clone(),
        columns: key_columns.chain(moved).collect(),
        constraints: [primary_key, foreign_key].into_iter().chain(carried).collect(),
        indexes: source
            .indexes
            .iter()
            .filter(|index| index_columns(index).iter().any(|name| moves(name)))
            .cloned()
            .collect(),
        statistics: source
            .statistics
            .iter()
            .filter(|statistics| target_columns(&statistics.on).iter().any(|name| moves(name)))
            .cloned()
            .collect(),
        triggers: Vec::new(),
        policies: Vec::new(),
        rules: Vec::new(),
        row_security: false,
        force_row_security: false,
        replica_identity: None,
        comment: None,
        ..source.clone()
    }
}
