//! What hangs on columns, with the columns that take their place.

use crate::ident::QualifiedName;
use crate::model::Shape;
use crate::schema::{Constraint, ConstraintKind, Index, IndexKey, IndexTarget, SqlText, Statistics};
use crate::sql::expression::Expression;

/// Foreign keys of other tables, and of the table itself, that point at a column which goes away, point at what takes its place.
pub(super) fn redirect_foreign_keys(
    shape: &mut Shape,
    before: &Shape,
    from: &QualifiedName,
    to: &QualifiedName,
    rename: &Renaming<'_>,
) {
    let referencing: Vec<QualifiedName> = before.foreign_keys_to(from).map(|(table, _)| table.name.clone()).collect();
    for name in referencing {
        let Some(mut table) = shape.table(&name).cloned() else { continue };
        for constraint in &mut table.constraints {
            if let ConstraintKind::ForeignKey { references, referenced, .. } = &mut constraint.kind
                && references == from
                && referenced.iter().any(|column| (rename.name)(column).is_some())
            {
                *references = to.clone();
                *referenced = rename.names(referenced);
            }
        }
        shape.put(table);
    }
}

/// How the names of columns change in what hangs on them.
pub(super) struct Renaming<'a> {
    /// The column that takes a column's place, where one goes away.
    pub(super) name: &'a dyn Fn(&str) -> Option<String>,
    /// The SQL that takes a column's place in an expression.
    pub(super) stand_in: &'a dyn Fn(&str) -> Option<String>,
}

impl Renaming<'_> {
    pub(super) fn names(&self, names: &[String]) -> Vec<String> {
        names.iter().map(|name| (self.name)(name).unwrap_or_else(|| name.clone())).collect()
    }

    fn expression(&self, sql: &SqlText) -> SqlText {
        match Expression::parse_lenient(&sql.text) {
            Ok(expression) => {
                SqlText { text: expression.replace_columns(|column| (self.stand_in)(&column.name)), line: sql.line }
            }
            // The loader parsed it; an expression that cannot be read a second time is left, and PostgreSQL refuses it by name.
            Err(_) => sql.clone(),
        }
    }

    pub(super) fn constraint(&self, constraint: &Constraint, table: &QualifiedName) -> Constraint {
        let kind = match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, include, with } => ConstraintKind::PrimaryKey {
                columns: self.names(columns),
                include: self.names(include),
                with: with.clone(),
            },
            ConstraintKind::Unique { columns, include, nulls_not_distinct, with } => ConstraintKind::Unique {
                columns: self.names(columns),
                include: self.names(include),
                nulls_not_distinct: *nulls_not_distinct,
                with: with.clone(),
            },
            ConstraintKind::Check { expression, no_inherit } => {
                ConstraintKind::Check { expression: self.expression(expression), no_inherit: *no_inherit }
            }
            ConstraintKind::ForeignKey {
                columns,
                references,
                referenced,
                on_update,
                on_delete,
                on_delete_columns,
                match_full,
            } => ConstraintKind::ForeignKey {
                columns: self.names(columns),
                references: references.clone(),
                referenced: if references == table { self.names(referenced) } else { referenced.clone() },
                on_update: *on_update,
                on_delete: *on_delete,
                on_delete_columns: self.names(on_delete_columns),
                match_full: *match_full,
            },
            // Made of operators for the old type, and built under ACCESS EXCLUSIVE: the checks refuse to carry it.
            ConstraintKind::Exclude { .. } => constraint.kind.clone(),
        };
        Constraint { kind, ..constraint.clone() }
    }

    pub(super) fn index(&self, index: &Index) -> Index {
        Index {
            keys: index.keys.iter().map(|key| IndexKey { on: self.target(&key.on), ..key.clone() }).collect(),
            include: self.names(&index.include),
            predicate: index.predicate.as_ref().map(|predicate| self.expression(predicate)),
            ..index.clone()
        }
    }

    pub(super) fn statistics(&self, statistics: &Statistics) -> Statistics {
        Statistics { on: statistics.on.iter().map(|on| self.target(on)).collect(), ..statistics.clone() }
    }

    fn target(&self, target: &IndexTarget) -> IndexTarget {
        match target {
            IndexTarget::Column(name) => IndexTarget::Column((self.name)(name).unwrap_or_else(|| name.clone())),
            IndexTarget::Expression(sql) => IndexTarget::Expression(self.expression(sql)),
        }
    }
}

/// The columns of its own table that a constraint names.
pub fn constraint_columns(constraint: &Constraint) -> Vec<String> {
    match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include, .. } | ConstraintKind::Unique { columns, include, .. } => {
            columns.iter().chain(include).cloned().collect()
        }
        ConstraintKind::Check { expression, .. } => expression_columns(expression),
        ConstraintKind::ForeignKey { columns, .. } | ConstraintKind::Exclude { columns, .. } => columns.clone(),
    }
}

/// The columns that an index names, in its key, its payload and its predicate.
pub fn index_columns(index: &Index) -> Vec<String> {
    let keys = index.keys.iter().flat_map(|key| target_columns(std::slice::from_ref(&key.on)));
    keys.chain(index.include.iter().cloned()).chain(index.predicate.iter().flat_map(expression_columns)).collect()
}

/// The columns that index keys or statistics name.
pub fn target_columns(targets: &[IndexTarget]) -> Vec<String> {
    targets
        .iter()
        .flat_map(|target| match target {
            IndexTarget::Column(name) => vec![name.clone()],
            IndexTarget::Expression(sql) => expression_columns(sql),
        })
        .collect()
}

/// The columns that an expression of the dump names.
pub fn expression_columns(sql: &SqlText) -> Vec<String> {
    Expression::parse_lenient(&sql.text)
        .map(|expression| expression.columns().iter().map(|column| column.name.clone()).collect())
        .unwrap_or_default()
}
