//! `RENAME` and `SET SCHEMA`: what has a new name, and all that names it.

use super::loader::{Loader, Relation};
use crate::ident::QualifiedName;
use crate::schema::{Constraint, ConstraintKind, IndexTarget, SqlText};

/// A table, with what refers to it.
pub(super) fn table(loader: &mut Loader, from: &QualifiedName, to: &QualifiedName) {
    let Some(mut table) = loader.schema.tables.remove(from) else { return };
    loader.relations.remove(from);
    loader.relations.insert(to.clone(), Relation::Table);
    table.name = to.clone();
    let own = |index: &str| (QualifiedName::new(&from.schema, index), QualifiedName::new(&to.schema, index));
    let constraints = table.constraints.iter().filter(|constraint| constraint.kind.has_index());
    let indexes = table.indexes.iter().map(|index| &index.name).chain(constraints.map(|constraint| &constraint.name));
    for (old, new) in indexes.map(|index| own(index)) {
        loader.relations.remove(&old);
        loader.relations.insert(new, Relation::Index { of: to.clone() });
    }
    loader.schema.tables.insert(to.clone(), table);
    if from.schema != to.schema {
        let owned = loader.schema.sequences.values();
        let owned = owned.filter(|sequence| sequence.owned_by.as_ref().is_some_and(|(owner, _)| owner == from));
        let owned: Vec<QualifiedName> = owned.map(|sequence| sequence.name.clone()).collect();
        for name in owned {
            sequence(loader, &name, QualifiedName::new(&to.schema, &name.name));
        }
    }
    let follow = |name: &mut QualifiedName| {
        if name == from {
            *name = to.clone();
        }
    };
    for table in loader.schema.tables.values_mut() {
        table.parents.iter_mut().for_each(follow);
        for constraint in &mut table.constraints {
            if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind {
                follow(references);
            }
        }
    }
    for view in loader.schema.views.values_mut() {
        view.relations.iter_mut().for_each(follow);
    }
    for sequence in loader.schema.sequences.values_mut() {
        if let Some((owner, _)) = &mut sequence.owned_by {
            follow(owner);
        }
    }
    for publication in &mut loader.schema.publications {
        publication.tables.iter_mut().for_each(|(table, ..)| follow(table));
    }
    for not_null in &mut loader.unvalidated {
        follow(&mut not_null.table);
    }
}

/// A view or materialized view, with the views that read it.
pub(super) fn view(loader: &mut Loader, from: &QualifiedName, to: QualifiedName) {
    let Some(mut view) = loader.schema.views.remove(from) else { return };
    loader.relations.remove(from);
    loader.relations.insert(to.clone(), Relation::View);
    for index in &view.indexes {
        let of = Relation::Index { of: to.clone() };
        loader.relations.remove(&QualifiedName::new(&from.schema, &index.name));
        loader.relations.insert(QualifiedName::new(&to.schema, &index.name), of);
    }
    for reader in loader.schema.views.values_mut() {
        for relation in reader.relations.iter_mut().filter(|relation| *relation == from) {
            *relation = to.clone();
        }
    }
    view.name = to.clone();
    loader.schema.views.insert(to, view);
}

/// A sequence, with the identity and the default that use it.
pub(super) fn sequence(loader: &mut Loader, from: &QualifiedName, to: QualifiedName) {
    let Some(mut sequence) = loader.schema.sequences.remove(from) else { return };
    loader.relations.remove(from);
    loader.relations.insert(to.clone(), Relation::Sequence);
    let default = |line| super::sequence::next_value(from, line);
    for column in loader.schema.tables.values_mut().flat_map(|table| &mut table.columns) {
        if let Some(identity) = &mut column.identity
            && identity.sequence.as_ref() == Some(from)
        {
            identity.sequence = Some(to.clone());
        }
        // PostgreSQL keeps the sequence's identity in the default, not its name.
        if let Some(known) = &mut column.default
            && known.text == default(known.line).text
        {
            *known = super::sequence::next_value(&to, known.line);
        }
    }
    sequence.name = to.clone();
    loader.schema.sequences.insert(to, sequence);
}

/// An index; the constraint in front of it is renamed with it.
pub(super) fn index(loader: &mut Loader, from: &QualifiedName, to: &str) {
    let Some(of) = loader.owner_of_index(from) else { return };
    let index = loader.indexes_mut(&of).and_then(|indexes| indexes.iter_mut().find(|index| index.name == from.name));
    match index {
        Some(index) => {
            index.name = to.to_owned();
            loader.relations.remove(from);
            loader.relations.insert(QualifiedName::new(&from.schema, to), Relation::Index { of });
        }
        None => constraint(loader, &of, &from.name, to),
    }
    follow_index(loader, from, to);
}

/// The parts of an index on a partitioned table know its name.
fn follow_index(loader: &mut Loader, from: &QualifiedName, to: &str) {
    let to = QualifiedName::new(&from.schema, to);
    for table in loader.schema.tables.values_mut() {
        let of_indexes = table.indexes.iter_mut().map(|index| &mut index.attached_to);
        let of_constraints = table.constraints.iter_mut().map(|constraint| &mut constraint.attached_to);
        for attached in of_indexes.chain(of_constraints) {
            if attached.as_ref() == Some(from) {
                *attached = Some(to.clone());
            }
        }
    }
}

/// A constraint, with its index.
pub(super) fn constraint(loader: &mut Loader, table: &QualifiedName, from: &str, to: &str) {
    let Some(found) = loader.table_mut(table) else { return };
    for column in &mut found.columns {
        if column.not_null_name.as_deref() == Some(from) {
            column.not_null_name = Some(to.to_owned());
        }
    }
    let Some(constraint) = found.constraints.iter_mut().find(|constraint| constraint.name == from) else { return };
    constraint.name = to.to_owned();
    let has_index = constraint.kind.has_index();
    let (old, new) = (QualifiedName::new(&table.schema, from), QualifiedName::new(&table.schema, to));
    if has_index {
        loader.relations.remove(&old);
        loader.relations.insert(new.clone(), Relation::Index { of: table.clone() });
    }
    loader.constraint_names.remove(&old);
    loader.constraint_names.insert(new);
}

/// A column, with everything that names it.
pub(super) fn column(loader: &mut Loader, table: &QualifiedName, from: &str, to: &str) {
    let follow = |names: &mut Vec<String>| {
        for name in names.iter_mut().filter(|name| *name == from) {
            *name = to.to_owned();
        }
    };
    for other in loader.schema.tables.values_mut() {
        for constraint in &mut other.constraints {
            if let ConstraintKind::ForeignKey { references, referenced, .. } = &mut constraint.kind
                && references == table
            {
                follow(referenced);
            }
        }
    }
    for view in loader.schema.views.values_mut().filter(|view| view.relations.contains(table)) {
        follow(&mut view.column_names);
    }
    for sequence in loader.schema.sequences.values_mut() {
        if let Some((owner, column)) = &mut sequence.owned_by
            && owner == table
            && column == from
        {
            *column = to.to_owned();
        }
    }
    for publication in &mut loader.schema.publications {
        for (_, columns, filter) in publication.tables.iter_mut().filter(|(name, ..)| name == table) {
            follow(columns);
            filter.iter_mut().for_each(|filter| expression(filter, from, to));
        }
    }
    for not_null in loader.unvalidated.iter_mut().filter(|not_null| not_null.table == *table) {
        if not_null.column == from {
            not_null.column = to.to_owned();
        }
    }
    let Some(table) = loader.table_mut(table) else { return };
    for column in &mut table.columns {
        if column.name == from {
            column.name = to.to_owned();
        }
        if let Some(generated) = &mut column.generated {
            expression(&mut generated.expression, from, to);
        }
    }
    for constraint in &mut table.constraints {
        in_constraint(constraint, from, to, follow);
    }
    for index in &mut table.indexes {
        index.keys.iter_mut().for_each(|key| target(&mut key.on, from, to));
        follow(&mut index.include);
        index.predicate.iter_mut().for_each(|predicate| expression(predicate, from, to));
    }
    for statistics in &mut table.statistics {
        statistics.on.iter_mut().for_each(|on| target(on, from, to));
    }
    for trigger in &mut table.triggers {
        follow(&mut trigger.update_of);
        trigger.condition.iter_mut().for_each(|condition| expression(condition, from, to));
    }
    for policy in &mut table.policies {
        policy.expressions.iter_mut().for_each(|sql| expression(sql, from, to));
    }
    for grant in &mut table.grants {
        follow(&mut grant.columns);
    }
    if let Some(key) = &mut table.partition_key {
        expression(key, from, to);
    }
}

fn in_constraint(constraint: &mut Constraint, from: &str, to: &str, follow: impl Fn(&mut Vec<String>)) {
    match &mut constraint.kind {
        ConstraintKind::PrimaryKey { columns, include, .. } | ConstraintKind::Unique { columns, include, .. } => {
            follow(columns);
            follow(include);
        }
        ConstraintKind::ForeignKey { columns, on_delete_columns, .. } => {
            follow(columns);
            follow(on_delete_columns);
        }
        ConstraintKind::Check { expression: check, .. } => expression(check, from, to),
        ConstraintKind::Exclude { definition, columns } => {
            follow(columns);
            definition.text = super::expression::rename_in_exclusion(&definition.text, from, to);
        }
    }
}

fn target(target: &mut IndexTarget, from: &str, to: &str) {
    match target {
        IndexTarget::Column(name) if name == from => to.clone_into(name),
        IndexTarget::Column(_) => {}
        IndexTarget::Expression(sql) => expression(sql, from, to),
    }
}

/// Puts the new name in place of each column of the old name.
fn expression(sql: &mut SqlText, from: &str, to: &str) {
    sql.text = super::expression::rename_column(&sql.text, from, to);
}
