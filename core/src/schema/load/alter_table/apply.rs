//! What an `ALTER TABLE` does.

use super::{Action, ColumnChange};
use crate::ident::QualifiedName;
use crate::schema::load::column::{self, NewColumn};
use crate::schema::load::constraint::{NewConstraint, Rule};
use crate::schema::load::loader::{Loader, Relation};
use crate::schema::load::{expression, index, partition, rename, sequence, table};
use crate::schema::{Column, ConstraintKind, Generated, Identity, Table};

pub(super) fn all(loader: &mut Loader, mut name: QualifiedName, only: bool, actions: Vec<Action>) {
    // Constraints come after columns, wherever they stand in the statement.
    let mut constraints = Vec::new();
    for action in actions {
        match action {
            Action::RenameTo(new) => {
                let new = QualifiedName::new(&name.schema, new);
                rename::table(loader, &name, &new);
                name = new;
            }
            Action::SetSchema(schema) => {
                let new = QualifiedName::new(schema, &name.name);
                rename::table(loader, &name, &new);
                name = new;
            }
            Action::AddConstraint(constraint) => constraints.push(*constraint),
            Action::AddColumn { new, keep_existing } => {
                let exists =
                    loader.schema.tables.get(&name).is_some_and(|table| table.column(&new.column.name).is_some());
                if !(keep_existing && exists) {
                    constraints.extend(add_column(loader, &name, only, *new));
                }
            }
            action => one(loader, &name, only, action),
        }
    }
    let before = loader.schema.tables.get(&name).map_or(0, |table| table.constraints.len());
    table::add_constraints(loader, &name, constraints);
    spread_constraints(loader, &name, only, before);
}

/// Gives the constraints of a table from number `first` on to its children, as far as they hold for these.
fn spread_constraints(loader: &mut Loader, name: &QualifiedName, only: bool, first: usize) {
    let added = loader.schema.tables.get(name).and_then(|table| table.constraints.get(first..));
    let added = added.map(<[_]>::to_vec).unwrap_or_default();
    for constraint in added.iter().filter(|_| !only) {
        if constraint.kind.has_index() {
            partition::spread_constraint(loader, name, constraint);
        } else if partition::is_inherited_check(constraint) {
            for child in loader.with_descendants(name).iter().skip(1) {
                partition::inherit_check(loader, constraint, child);
            }
        }
    }
}

/// Adds a column to a table and, unless `only`, to its children. Returns its constraints.
fn add_column(loader: &mut Loader, name: &QualifiedName, only: bool, new: NewColumn) -> Vec<NewConstraint> {
    let (column, constraints) = column::finish(loader, name, new);
    let not_null = constraints.iter().any(|constraint| matches!(constraint.rule, Rule::NotNull { .. }));
    for (at, target) in targets(loader, name, only).into_iter().enumerate() {
        let Some(table) = loader.table_mut(&target) else { continue };
        if table.column(&column.name).is_none() {
            let mut column = column.clone();
            if at > 0 {
                column.identity = None;
                column.not_null |= not_null;
            }
            table.columns.push(column);
        }
    }
    constraints
}

/// The table alone, or with its children.
fn targets(loader: &Loader, name: &QualifiedName, only: bool) -> Vec<QualifiedName> {
    if only { vec![name.clone()] } else { loader.with_descendants(name) }
}

fn one(loader: &mut Loader, name: &QualifiedName, only: bool, action: Action) {
    match action {
        Action::DropColumn(column) => drop_column_with_children(loader, name, only, &column),
        Action::RenameColumn(from, to) => {
            for target in targets(loader, name, only) {
                rename::column(loader, &target, &from, &to);
            }
        }
        Action::RenameConstraint(from, to) => rename::constraint(loader, name, &from, &to),
        Action::DropConstraint(constraint) => {
            for target in targets(loader, name, only) {
                drop_constraint(loader, &target, &constraint);
            }
        }
        Action::ValidateConstraint(constraint) => validate(loader, name, &constraint),
        Action::Column { name: column, change } => change_column(loader, name, only, &column, change),
        Action::AttachPartition(child) => {
            let child = loader.relation_name(child);
            if loader.add_parent(&child, name.clone()) {
                partition::inherit_indexes(loader, name, &child);
            }
        }
        Action::Inherit(parent) => {
            let parent = loader.relation_name(parent);
            loader.add_parent(name, parent);
        }
        Action::Detach { child, parent } => {
            let child = child.map_or_else(|| name.clone(), |child| loader.relation_name(child));
            let parent = parent.map_or_else(|| name.clone(), |parent| loader.relation_name(parent));
            if let Some(table) = loader.table_mut(&child) {
                table.parents.retain(|known| *known != parent);
                let of_indexes = table.indexes.iter_mut().map(|index| &mut index.attached_to);
                let of_constraints = table.constraints.iter_mut().map(|constraint| &mut constraint.attached_to);
                of_indexes.chain(of_constraints).for_each(|attached| *attached = None);
            }
        }
        Action::Cluster(index) => cluster(loader, name, index.as_deref()),
        action => {
            if let Some(table) = loader.table_mut(name) {
                to_table(table, action);
            }
        }
    }
}

/// What concerns the table alone.
fn to_table(table: &mut Table, action: Action) {
    match action {
        Action::Owner(owner) => table.owner = Some(owner),
        Action::RowSecurity(on) => table.row_security = on,
        Action::ForceRowSecurity(on) => table.force_row_security = on,
        Action::ReplicaIdentity(identity) => table.replica_identity = identity,
        Action::Unlogged(unlogged) => table.unlogged = unlogged,
        Action::Trigger(name, enabled) => {
            for trigger in &mut table.triggers {
                if name.as_ref().is_none_or(|name| *name == trigger.name) {
                    trigger.enabled = enabled;
                }
            }
        }
        Action::AlterConstraint(name, attributes) => {
            if let Some(constraint) = table.constraints.iter_mut().find(|constraint| constraint.name == name) {
                constraint.deferrable = attributes.deferrable;
                constraint.initially_deferred = attributes.initially_deferred;
                constraint.not_enforced = attributes.not_enforced;
            }
        }
        _ => {}
    }
}

pub(super) fn to_other(loader: &mut Loader, name: &QualifiedName, action: Action) {
    let renamed = match action {
        Action::RenameTo(new) => QualifiedName::new(&name.schema, new),
        Action::SetSchema(schema) => QualifiedName::new(schema, &name.name),
        Action::Cluster(index) => return cluster(loader, name, index.as_deref()),
        _ => return,
    };
    match loader.relations.get(name) {
        Some(Relation::View) => rename::view(loader, name, renamed),
        Some(Relation::Sequence) => rename::sequence(loader, name, renamed),
        Some(Relation::Index { .. }) => rename::index(loader, name, &renamed.name),
        _ => {}
    }
}

/// `CLUSTER ON`: one index of a table or materialized view, or none.
pub(in crate::schema::load) fn cluster(loader: &mut Loader, of: &QualifiedName, index: Option<&str>) {
    for known in loader.indexes_mut(of).into_iter().flatten() {
        known.clustered = index == Some(known.name.as_str());
    }
    if let Some(table) = loader.table_mut(of) {
        for constraint in table.constraints.iter_mut().filter(|constraint| constraint.kind.has_index()) {
            constraint.clustered = index == Some(constraint.name.as_str());
        }
    }
}

fn change_column(loader: &mut Loader, name: &QualifiedName, only: bool, column: &str, change: ColumnChange) {
    let line = loader.schema.tables.get(name).and_then(|table| table.column(column)).map_or(0, |column| column.line);
    let recurses = !matches!(
        change,
        ColumnChange::SetOptions(_)
            | ColumnChange::ResetOptions(_)
            | ColumnChange::Compression(_)
            | ColumnChange::AddIdentity { .. }
            | ColumnChange::SetIdentity { .. }
            | ColumnChange::DropIdentity
    );
    if let ColumnChange::AddIdentity { always, sequence } = change {
        let Some(ty) =
            loader.schema.tables.get(name).and_then(|table| table.column(column)).map(|column| column.ty.clone())
        else {
            return;
        };
        let sequence = sequence::make_for_column(loader, name, column, &ty, *sequence, line);
        if let Some(column) = column_mut(loader, name, column) {
            column.identity = Some(Identity { always, sequence: Some(sequence) });
            column.not_null = true;
        }
        return;
    }
    if let ColumnChange::DropIdentity = change {
        let identity = column_mut(loader, name, column).and_then(|column| column.identity.take());
        if let Some(sequence) = identity.and_then(|identity| identity.sequence) {
            loader.schema.sequences.remove(&sequence);
            loader.relations.remove(&sequence);
        }
        return;
    }
    let collation = match &change {
        ColumnChange::Type { collation: Some(path), .. } => column::collation(loader, path.clone()),
        _ => None,
    };
    for target in targets(loader, name, only || !recurses) {
        let Some(column) = column_mut(loader, &target, column) else { continue };
        match change.clone() {
            ColumnChange::Default(default) => column.default = default,
            ColumnChange::NotNull(not_null) => {
                column.not_null = not_null;
                column.not_null_name = column.not_null_name.take().filter(|_| not_null);
            }
            ColumnChange::Type { ty, .. } => {
                column.ty = ty;
                column.collation = collation.clone();
            }
            ColumnChange::Statistics(target) => column.statistics_target = target,
            ColumnChange::Storage(storage) => column.storage = storage,
            ColumnChange::Compression(compression) => column.compression = compression,
            ColumnChange::SetOptions(options) => {
                column.options.retain(|(name, _)| !options.iter().any(|(new, _)| new == name));
                column.options.extend(options);
            }
            ColumnChange::ResetOptions(options) => {
                column.options.retain(|(name, _)| !options.iter().any(|(reset, _)| reset == name));
            }
            ColumnChange::SetIdentity { always } => {
                if let Some(identity) = &mut column.identity {
                    identity.always = always;
                }
            }
            ColumnChange::Expression(expression) => {
                let stored = column.generated.as_ref().is_none_or(|generated| generated.stored);
                column.generated = Some(Generated { expression, stored });
            }
            ColumnChange::DropExpression => column.generated = None,
            ColumnChange::AddIdentity { .. } | ColumnChange::DropIdentity | ColumnChange::Nothing => {}
        }
    }
}

fn column_mut<'l>(loader: &'l mut Loader, table: &QualifiedName, column: &str) -> Option<&'l mut Column> {
    loader.table_mut(table)?.columns.iter_mut().find(|candidate| candidate.name == column)
}

fn drop_column_with_children(loader: &mut Loader, name: &QualifiedName, only: bool, column: &str) {
    drop_column(loader, name, column);
    let children: Vec<QualifiedName> = loader.schema.children_of(name).map(|child| child.name.clone()).collect();
    for child in children.iter().filter(|_| !only) {
        if !loader.merged_columns.contains(&(child.clone(), column.to_owned())) {
            drop_column_with_children(loader, child, only, column);
        }
    }
}

/// Drops a column with the constraints, indexes, statistics and sequences that hang on it.
pub(in crate::schema::load) fn drop_column(loader: &mut Loader, name: &QualifiedName, column: &str) {
    let names = |columns: &[String]| columns.iter().any(|candidate| candidate == column);
    let Some(table) = loader.table_mut(name) else { return };
    table.columns.retain(|candidate| candidate.name != column);
    let hangs = |kind: &ConstraintKind| match kind {
        ConstraintKind::PrimaryKey { columns, include, .. } | ConstraintKind::Unique { columns, include, .. } => {
            names(columns) || names(include)
        }
        ConstraintKind::ForeignKey { columns, .. } | ConstraintKind::Exclude { columns, .. } => names(columns),
        ConstraintKind::Check { expression, .. } => names(&expression::columns(&expression.text)),
    };
    let constraints = table.constraints.iter().filter(|constraint| hangs(&constraint.kind));
    let constraints: Vec<String> = constraints.map(|constraint| constraint.name.clone()).collect();
    let indexes = table.indexes.iter().filter(|index| {
        index.keys.iter().any(|key| names(&index::columns_of(&key.on)))
            || names(&index.include)
            || index.predicate.as_ref().is_some_and(|predicate| names(&expression::columns(&predicate.text)))
    });
    let indexes: Vec<String> = indexes.map(|index| index.name.clone()).collect();
    table.indexes.retain(|index| !indexes.contains(&index.name));
    table.statistics.retain(|statistics| !statistics.on.iter().any(|on| names(&index::columns_of(on))));
    for grant in &mut table.grants {
        let on_columns = !grant.columns.is_empty();
        grant.columns.retain(|candidate| candidate != column);
        if on_columns && grant.columns.is_empty() {
            grant.privilege.clear();
        }
    }
    table.grants.retain(|grant| !grant.privilege.is_empty());
    for index in indexes {
        loader.relations.remove(&QualifiedName::new(&name.schema, index));
    }
    for constraint in constraints {
        drop_constraint(loader, name, &constraint);
    }
    let owned: Vec<QualifiedName> =
        loader.schema.sequences_of(name, column).map(|sequence| sequence.name.clone()).collect();
    for sequence in owned {
        loader.schema.sequences.remove(&sequence);
        loader.relations.remove(&sequence);
    }
    loader.unvalidated.retain(|not_null| not_null.table != *name || not_null.column != column);
}

fn drop_constraint(loader: &mut Loader, name: &QualifiedName, constraint: &str) {
    let taken = QualifiedName::new(&name.schema, constraint);
    loader.constraint_names.remove(&taken);
    if loader.owner_of_index(&taken).as_ref() == Some(name) {
        loader.relations.remove(&taken);
    }
    loader.unvalidated.retain(|not_null| not_null.table != *name || not_null.name != constraint);
    let Some(table) = loader.table_mut(name) else { return };
    table.constraints.retain(|candidate| candidate.name != constraint);
    for column in &mut table.columns {
        if column.not_null_name.as_deref() == Some(constraint) {
            column.not_null_name = None;
            column.not_null = false;
        }
    }
}

fn validate(loader: &mut Loader, name: &QualifiedName, constraint: &str) {
    let not_null = loader.unvalidated.iter().position(|known| known.table == *name && known.name == constraint);
    if let Some(at) = not_null {
        let known = loader.unvalidated.remove(at);
        if let Some(column) = column_mut(loader, name, &known.column) {
            column.not_null = true;
            column.not_null_name = Some(known.name);
        }
        return;
    }
    let Some(table) = loader.table_mut(name) else { return };
    if let Some(known) = table.constraints.iter_mut().find(|known| known.name == constraint) {
        known.not_valid = false;
    }
}
