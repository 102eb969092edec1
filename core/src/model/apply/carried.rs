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
                && referenced.iter().any(|column| (rename.columns)(column).is_some())
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
    /// The columns that take a column's place in keys and lists, where one goes away.
    pub(super) columns: &'a dyn Fn(&str) -> Option<Vec<String>>,
    /// The SQL that takes a column's place in an expression.
    pub(super) stand_in: &'a dyn Fn(&str) -> Option<String>,
}

impl Renaming<'_> {
    /// Columns that go away together leave one place to what comes for them.
    pub(super) fn names(&self, names: &[String]) -> Vec<String> {
        let mut renamed: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            match (self.columns)(name) {
                Some(columns) => {
                    for column in columns {
                        if !renamed.contains(&column) {
                            renamed.push(column);
                        }
                    }
                }
                None => renamed.push(name.clone()),
            }
        }
        renamed
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
            keys: self.keys(&index.keys),
            include: self.names(&index.include),
            predicate: index.predicate.as_ref().map(|predicate| self.expression(predicate)),
            ..index.clone()
        }
    }

    /// A key may have one column twice, under two operator classes; only what stands for several columns at once stands there once.
    fn keys(&self, keys: &[IndexKey]) -> Vec<IndexKey> {
        let mut renamed: Vec<(&IndexTarget, IndexKey)> = Vec::with_capacity(keys.len());
        for key in keys {
            for on in self.targets(&key.on) {
                if !renamed.iter().any(|(of, known)| known.on == on && **of != key.on) {
                    renamed.push((&key.on, IndexKey { on, ..key.clone() }));
                }
            }
        }
        renamed.into_iter().map(|(_, key)| key).collect()
    }

    pub(super) fn statistics(&self, statistics: &Statistics) -> Statistics {
        let mut on: Vec<IndexTarget> = Vec::with_capacity(statistics.on.len());
        for target in statistics.on.iter().flat_map(|target| self.targets(target)) {
            if !on.contains(&target) {
                on.push(target);
            }
        }
        Statistics { on, ..statistics.clone() }
    }

    fn targets(&self, target: &IndexTarget) -> Vec<IndexTarget> {
        match target {
            IndexTarget::Column(name) => match (self.columns)(name) {
                Some(columns) => columns.into_iter().map(IndexTarget::Column).collect(),
                None => vec![target.clone()],
            },
            IndexTarget::Expression(sql) => vec![IndexTarget::Expression(self.expression(sql))],
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
