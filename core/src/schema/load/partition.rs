//! What a partition or an inheritance child has from its parent.

use super::loader::Loader;
use super::{constraint, index};
use crate::ident::QualifiedName;
use crate::schema::{Column, Constraint, ConstraintKind, Index, Table, TableKind};

/// Adds the columns of a parent to a table that is being made; those of the same name are one column.
pub(super) fn inherit_columns(loader: &Loader, parent: &QualifiedName, table: &mut Table) {
    let Some(parent) = loader.schema.tables.get(parent) else { return };
    for column in &parent.columns {
        match table.columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => {
                known.not_null |= column.not_null;
                known.default = known.default.take().or_else(|| column.default.clone());
            }
            None => table.columns.push(Column {
                identity: None,
                not_null_name: None,
                comment: None,
                statistics_target: None,
                options: Vec::new(),
                ..column.clone()
            }),
        }
    }
}

/// Adds the checks of a parent to a table.
pub(super) fn inherit_checks(loader: &mut Loader, parent: &QualifiedName, child: &QualifiedName) {
    let Some(parent) = loader.schema.tables.get(parent) else { return };
    let checks = parent.constraints.iter().filter(|constraint| is_inherited_check(constraint));
    let checks: Vec<Constraint> = checks.cloned().collect();
    for check in checks {
        inherit_check(loader, &check, child);
    }
}

/// Whether a constraint holds for the children of its table too.
pub(super) fn is_inherited_check(constraint: &Constraint) -> bool {
    matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. })
}

/// Adds one check of a parent to a table, unless it has one of the same name: then they are one.
pub(super) fn inherit_check(loader: &mut Loader, check: &Constraint, child: &QualifiedName) {
    let Some(table) = loader.schema.tables.get(child) else { return };
    if !table.constraints.iter().any(|known| known.name == check.name) {
        loader.add_constraint(child, Constraint { comment: None, ..check.clone() });
    }
}

/// Adds the indexes of a partitioned table, and the constraints that have one, to its partition and to the partitions of that.
pub(super) fn inherit_indexes(loader: &mut Loader, parent: &QualifiedName, partition: &QualifiedName) {
    let Some(parent_table) = loader.schema.tables.get(parent) else { return };
    if parent_table.kind != TableKind::Partitioned {
        return;
    }
    let constraints = parent_table.constraints.iter().filter(|constraint| constraint.kind.has_index());
    let constraints: Vec<Constraint> = constraints.cloned().collect();
    let indexes = parent_table.indexes.clone();
    for constraint in &constraints {
        clone_constraint(loader, parent, constraint, partition);
    }
    for index in &indexes {
        clone_index(loader, parent, index, partition);
    }
}

/// Adds a new index of a partitioned table to all of its partitions.
pub(super) fn spread_index(loader: &mut Loader, parent: &QualifiedName, index: &Index) {
    for partition in partitions_of(loader, parent) {
        clone_index(loader, parent, index, &partition);
    }
}

/// Adds a new constraint of a partitioned table that has an index to all of its partitions.
pub(super) fn spread_constraint(loader: &mut Loader, parent: &QualifiedName, constraint: &Constraint) {
    for partition in partitions_of(loader, parent) {
        clone_constraint(loader, parent, constraint, &partition);
    }
}

fn partitions_of(loader: &Loader, parent: &QualifiedName) -> Vec<QualifiedName> {
    match loader.schema.tables.get(parent) {
        Some(table) if table.kind == TableKind::Partitioned => {
            loader.schema.children_of(parent).map(|child| child.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn clone_index(loader: &mut Loader, parent: &QualifiedName, index: &Index, partition: &QualifiedName) {
    let parent_index = Some(QualifiedName::new(&parent.schema, &index.name));
    let Some(table) = loader.table_mut(partition) else { return };
    if let Some(known) = table.indexes.iter_mut().find(|known| known.attached_to.is_none() && is_alike(known, index)) {
        known.attached_to = parent_index;
        return;
    }
    let name = index::choose_name(loader, partition, index.keys.iter().map(|key| &key.on), &index.include);
    let part = Index { name, attached_to: parent_index, clustered: false, comment: None, ..index.clone() };
    loader.add_index(partition, part.clone());
    spread_index(loader, partition, &part);
}

fn is_alike(one: &Index, other: &Index) -> bool {
    one.unique == other.unique
        && one.method == other.method
        && one.keys == other.keys
        && one.include == other.include
        && one.predicate.as_ref().map(|sql| &sql.text) == other.predicate.as_ref().map(|sql| &sql.text)
}

fn clone_constraint(loader: &mut Loader, parent: &QualifiedName, constraint: &Constraint, partition: &QualifiedName) {
    let parent_index = Some(QualifiedName::new(&parent.schema, &constraint.name));
    let Some(table) = loader.table_mut(partition) else { return };
    let alike = |known: &&mut Constraint| known.attached_to.is_none() && same_key(&known.kind, &constraint.kind);
    if let Some(known) = table.constraints.iter_mut().find(alike) {
        known.attached_to = parent_index;
        return;
    }
    if let ConstraintKind::PrimaryKey { columns, .. } = &constraint.kind {
        table.columns.iter_mut().for_each(|column| column.not_null |= columns.contains(&column.name));
    }
    let name = constraint::choose_key_name(loader, partition, &constraint.kind);
    let part = Constraint {
        name,
        attached_to: parent_index,
        clustered: false,
        comment: None,
        index_comment: None,
        ..constraint.clone()
    };
    loader.add_constraint(partition, part.clone());
    spread_constraint(loader, partition, &part);
}

fn same_key(one: &ConstraintKind, other: &ConstraintKind) -> bool {
    match (one, other) {
        (ConstraintKind::PrimaryKey { columns: one, .. }, ConstraintKind::PrimaryKey { columns: other, .. })
        | (ConstraintKind::Unique { columns: one, .. }, ConstraintKind::Unique { columns: other, .. }) => one == other,
        _ => false,
    }
}
