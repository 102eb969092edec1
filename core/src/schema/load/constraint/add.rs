//! Constraints, given to their tables.

use super::{Attributes, NewConstraint, NewForeignKey, Rule};
use crate::ident::QualifiedName;
use crate::schema::load::index::{self, NewKey};
use crate::schema::load::loader::{Loader, UnvalidatedNotNull};
use crate::schema::load::{expression, names, opaque};
use crate::schema::{Constraint, ConstraintKind, Index, IndexTarget, SqlText};

/// Gives a constraint to its table, with the name that PostgreSQL gives to one without.
pub(in crate::schema::load) fn add(loader: &mut Loader, table: &QualifiedName, mut new: NewConstraint) {
    let name = new.name.take();
    let (kind, name) = match new.rule {
        Rule::Temporal { ref not_null } => {
            require_not_null(loader, table, not_null);
            loader.schema.opaque.push(opaque(&as_statement(table, &new.text), new.line));
            return;
        }
        Rule::NotNull { ref column } => return add_not_null(loader, table, column, name, &new),
        Rule::UsingIndex { primary, ref index } => {
            if let Some(index) = take_index(loader, table, index) {
                let constraint = in_front_of(index, primary, name, &new);
                put(loader, table, constraint);
            }
            return;
        }
        Rule::PrimaryKey { columns, include } => {
            let kind = ConstraintKind::PrimaryKey { columns, include, with: new.with };
            let name = name.unwrap_or_else(|| choose_key_name(loader, table, &kind));
            (kind, name)
        }
        Rule::Unique { columns, include, nulls_not_distinct } => {
            let kind = ConstraintKind::Unique { columns, include, nulls_not_distinct, with: new.with };
            let name = name.unwrap_or_else(|| choose_key_name(loader, table, &kind));
            (kind, name)
        }
        Rule::Exclude { definition, keys, include, predicate } => {
            let name = name.unwrap_or_else(|| {
                let columns = index::joined_names(keys.iter().map(|key| &key.on), &include);
                loader.choose_index_constraint_name(&table.schema, &table.name, Some(&columns), "excl")
            });
            let columns = columns_of_exclusion(&keys, include, predicate.as_ref());
            (ConstraintKind::Exclude { definition, columns }, name)
        }
        Rule::Check(expression) => {
            let name = name.unwrap_or_else(|| choose_check_name(loader, table, &expression));
            (ConstraintKind::Check { expression, no_inherit: new.attributes.no_inherit }, name)
        }
        Rule::ForeignKey(key) => {
            let name = name.unwrap_or_else(|| {
                let columns = names::joined_columns(key.columns.iter().map(String::as_str));
                loader.choose_constraint_name(&table.schema, &table.name, Some(&columns), "fkey")
            });
            (foreign_key(loader, key), name)
        }
    };
    let mut constraint = constraint(name, kind, &new.attributes, new.line);
    if constraint.kind.has_index() {
        constraint.tablespace = new.tablespace.or_else(|| loader.default_tablespace.clone());
    }
    put(loader, table, constraint);
}

fn put(loader: &mut Loader, table: &QualifiedName, constraint: Constraint) {
    if let ConstraintKind::PrimaryKey { columns, .. } = &constraint.kind {
        require_not_null(loader, table, columns);
    }
    loader.add_constraint(table, constraint);
}

fn constraint(name: String, kind: ConstraintKind, attributes: &Attributes, line: u32) -> Constraint {
    Constraint {
        name,
        kind,
        deferrable: attributes.deferrable,
        initially_deferred: attributes.initially_deferred,
        // What is not enforced is not checked either.
        not_valid: attributes.not_valid || attributes.not_enforced,
        not_enforced: attributes.not_enforced,
        tablespace: None,
        clustered: false,
        attached_to: None,
        comment: None,
        index_comment: None,
        line,
    }
}

fn foreign_key(loader: &Loader, key: NewForeignKey) -> ConstraintKind {
    ConstraintKind::ForeignKey {
        columns: key.columns,
        references: loader.relation_name(key.references),
        referenced: key.referenced,
        on_update: key.on_update,
        on_delete: key.on_delete,
        on_delete_columns: key.on_delete_columns,
        match_full: key.match_full,
    }
}

/// The name of a constraint with an index behind it.
pub(in crate::schema::load) fn choose_key_name(
    loader: &Loader,
    table: &QualifiedName,
    kind: &ConstraintKind,
) -> String {
    let (columns, label) = match kind {
        ConstraintKind::Unique { columns, include, .. } => {
            let columns = names::index_columns(columns.iter().chain(include).map(String::as_str));
            (Some(columns), "key")
        }
        // Its keys are not kept one by one; this is right where each is a column.
        ConstraintKind::Exclude { columns, .. } => (Some(columns.clone()), "excl"),
        _ => (None, "pkey"),
    };
    let columns = columns.map(|columns| names::joined_columns(columns.iter().map(String::as_str)));
    loader.choose_index_constraint_name(&table.schema, &table.name, columns.as_deref(), label)
}

/// The name of a check has a column in it if it is about one column, wherever it is written.
fn choose_check_name(loader: &Loader, table: &QualifiedName, expression: &SqlText) -> String {
    let mut columns = expression::columns(&expression.text);
    if let Some(table) = loader.schema.tables.get(table) {
        columns.retain(|column| table.column(column).is_some());
    }
    columns.sort_unstable();
    columns.dedup();
    let column = if let [column] = columns.as_slice() { Some(column.as_str()) } else { None };
    loader.choose_constraint_name(&table.schema, &table.name, column, "check")
}

fn columns_of_exclusion(keys: &[NewKey], include: Vec<String>, predicate: Option<&SqlText>) -> Vec<String> {
    let of_keys = keys.iter().flat_map(|key| index::columns_of(&key.on));
    let of_predicate = predicate.into_iter().flat_map(|predicate| expression::columns(&predicate.text));
    let mut columns: Vec<String> = Vec::new();
    for column in of_keys.chain(include).chain(of_predicate) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

fn add_not_null(loader: &mut Loader, table: &QualifiedName, column: &str, name: Option<String>, new: &NewConstraint) {
    if let Some(name) = &name {
        loader.constraint_names.insert(QualifiedName::new(&table.schema, name));
    }
    if new.attributes.not_valid {
        let name =
            name.unwrap_or_else(|| loader.choose_constraint_name(&table.schema, &table.name, Some(column), "not_null"));
        loader.unvalidated.push(UnvalidatedNotNull {
            table: table.clone(),
            column: column.to_owned(),
            name,
            text: as_statement(table, &new.text),
            line: new.line,
        });
        return;
    }
    let Some(table) = loader.table_mut(table) else { return };
    if let Some(column) = table.columns.iter_mut().find(|candidate| candidate.name == column) {
        column.not_null = true;
        column.not_null_name = name.or(column.not_null_name.take());
    }
}

fn require_not_null(loader: &mut Loader, table: &QualifiedName, columns: &[String]) {
    for column in loader.table_mut(table).into_iter().flat_map(|table| &mut table.columns) {
        column.not_null |= columns.contains(&column.name);
    }
}

/// A constraint by itself, for those that are kept as statements.
fn as_statement(table: &QualifiedName, constraint: &str) -> String {
    format!("ALTER TABLE {} ADD {constraint}", table.quoted())
}

/// The constraint that an index becomes by `USING INDEX`.
fn in_front_of(index: Index, primary: bool, name: Option<String>, new: &NewConstraint) -> Constraint {
    let columns = index.keys.into_iter().filter_map(|key| match key.on {
        IndexTarget::Column(name) => Some(name),
        IndexTarget::Expression(_) => None,
    });
    let columns = columns.collect();
    let Index { include, with, nulls_not_distinct, .. } = index;
    let kind = if primary {
        ConstraintKind::PrimaryKey { columns, include, with }
    } else {
        ConstraintKind::Unique { columns, include, nulls_not_distinct, with }
    };
    Constraint {
        tablespace: index.tablespace,
        clustered: index.clustered,
        attached_to: index.attached_to,
        index_comment: index.comment,
        ..constraint(name.unwrap_or(index.name), kind, &new.attributes, new.line)
    }
}

/// Takes an index away from its table.
fn take_index(loader: &mut Loader, table: &QualifiedName, name: &str) -> Option<Index> {
    let indexes = loader.indexes_mut(table)?;
    let at = indexes.iter().position(|index| index.name == name)?;
    let index = indexes.remove(at);
    loader.relations.remove(&QualifiedName::new(&table.schema, name));
    Some(index)
}
