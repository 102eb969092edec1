//! What a shape becomes by a change: the touched tables with their after columns, and with everything that hangs on the before columns
//! carried over. The planner renders what this says; nothing else decides how an object is carried.

use super::{ChangeKind, ColumnsChange, Shape, SplitChange};
use crate::ident::{QualifiedName, object_name, quote_ident};
use crate::schema::{
    Column, Constraint, ConstraintKind, Index, IndexKey, IndexTarget, ReferentialAction, SqlText, Statistics, Table,
};
use crate::sql::expression::Expression;

/// The shape after `kind`. What the change names and the shape does not have is left as it is: the checks speak of it.
pub fn apply(before: &Shape, kind: &ChangeKind) -> Shape {
    match kind {
        ChangeKind::Columns(change) => apply_columns(before, change),
        ChangeKind::Split(change) => apply_split(before, change),
    }
}

/// The expression that stands for a before column in everything that is carried, as SQL.
///
/// Where old and new values behave alike (a rename, or types of one family) that is the after column. Elsewhere it is the backward
/// expression: a check or a predicate then says about the row what it said before, whatever the conversion does.
pub fn stand_in(change: &ColumnsChange, before: &Table, column: &str) -> Option<String> {
    let position = change.before.iter().position(|name| name == column)?;
    if let Some(name) = counterpart(change, before, column) {
        return Some(quote_ident(name));
    }
    let backward = change.backward.get(position)?;
    let over_after = backward.expression.replace_columns(|column| Some(quote_ident(&column.name)));
    Some(format!("({over_after})"))
}

/// The after column that holds the same values as a before column, so that it takes its place in checks and predicates.
fn counterpart<'a>(change: &'a ColumnsChange, before: &Table, column: &str) -> Option<&'a str> {
    let position = change.before.iter().position(|name| name == column)?;
    let after = change.after.get(position)?;
    let alike = change.rename
        || change.before.len() == 1
            && change.after.len() == 1
            && (change.backward.is_empty()
                || before.column(column).is_some_and(|column| same_family(&column.ty, &after.ty))
                    && converts_by_cast(&after.forward.expression)
                    && change.backward.iter().all(|backward| converts_by_cast(&backward.expression)));
    alike.then_some(after.name.as_str())
}

fn converts_by_cast(expression: &Expression) -> bool {
    expression.as_column().is_some() || expression.as_cast_of_column().is_some()
}

/// Types whose values compare with each other and with the same constants.
fn same_family(a: &crate::schema::SqlType, b: &crate::schema::SqlType) -> bool {
    const FAMILIES: [&[&str]; 2] =
        [&["smallint", "integer", "bigint", "numeric", "real", "double precision"], &["text", "character varying"]];
    a == b || FAMILIES.iter().any(|family| family.iter().any(|t| a.is(t)) && family.iter().any(|t| b.is(t)))
}

fn apply_columns(before: &Shape, change: &ColumnsChange) -> Shape {
    let mut shape = before.clone();
    let Some(table) = before.table(&change.table) else { return shape };
    let rename = Renaming {
        // In keys and lists a column stands by name: its place is taken by the after column at the same position.
        name: &|column| {
            let position = change.before.iter().position(|name| name == column)?;
            change.after.get(position).map(|after| after.name.clone())
        },
        stand_in: &|column| stand_in(change, table, column),
    };
    let mut after = table.clone();
    after.columns = after_columns(table, change);
    after.constraints = table.constraints.iter().map(|c| rename.constraint(c, &change.table)).collect();
    after.indexes = table.indexes.iter().map(|index| rename.index(index)).collect();
    after.statistics = table.statistics.iter().map(|statistics| rename.statistics(statistics)).collect();
    for grant in &mut after.grants {
        grant.columns = rename.names(&grant.columns);
    }
    shape.put(after);
    redirect_foreign_keys(&mut shape, before, &change.table, &change.table, &rename);
    shape
}

fn after_columns(table: &Table, change: &ColumnsChange) -> Vec<Column> {
    let mut columns = Vec::with_capacity(table.columns.len());
    let mut placed = false;
    for column in &table.columns {
        if !change.before.contains(&column.name) {
            columns.push(column.clone());
        } else if !placed {
            placed = true;
            columns.extend(change.after.iter().enumerate().map(|(i, _)| after_column(table, change, i)));
        }
    }
    columns
}

/// The after column at position `i`, with what it inherits from the before column that it stands for.
fn after_column(table: &Table, change: &ColumnsChange, i: usize) -> Column {
    let after = &change.after[i];
    let origin = change.before.get(i).and_then(|name| table.column(name));
    let keeps_type = origin.is_some_and(|origin| origin.ty == after.ty);
    Column {
        name: after.name.clone(),
        ty: after.ty.clone(),
        not_null: after.not_null,
        // PostgreSQL 18 names it after the column, as it does for everybody.
        not_null_name: None,
        default: default_after(table, change, i),
        identity: origin.and_then(|origin| origin.identity.clone()),
        generated: None,
        collation: origin.filter(|_| is_collatable(&after.ty)).and_then(|origin| origin.collation.clone()),
        comment: origin.and_then(|origin| origin.comment.clone()),
        statistics_target: origin.and_then(|origin| origin.statistics_target),
        storage: origin.filter(|_| keeps_type).and_then(|origin| origin.storage.clone()),
        compression: origin.filter(|_| keeps_type).and_then(|origin| origin.compression.clone()),
        options: origin.map(|origin| origin.options.clone()).unwrap_or_default(),
        line: origin.map_or(0, |origin| origin.line),
    }
}

/// The before column's default, converted: `0` becomes `(0)::bigint`. A sequence's default goes on as it is.
fn default_after(table: &Table, change: &ColumnsChange, i: usize) -> Option<SqlText> {
    let after = change.after.get(i)?;
    let reads: Vec<&str> = after.forward.expression.columns().iter().map(|column| column.name.as_str()).collect();
    let origin = match reads.as_slice() {
        [first, rest @ ..] if rest.iter().all(|name| name == first) => table.column(first)?,
        _ => return None,
    };
    let default = origin.default.as_ref()?;
    if change.rename || is_sequence_default(&default.text) {
        return Some(default.clone());
    }
    let text = after.forward.expression.replace_columns(|_| Some(format!("({})", default.text)));
    Some(SqlText { text, line: default.line })
}

/// Whether a default takes the next value of a sequence.
pub fn is_sequence_default(default: &str) -> bool {
    default.trim_start().to_ascii_lowercase().starts_with("nextval(")
}

fn is_collatable(ty: &crate::schema::SqlType) -> bool {
    ["text", "character varying", "character", "name"].iter().any(|name| ty.schema.is_none() && ty.name == *name)
}

fn apply_split(before: &Shape, change: &SplitChange) -> Shape {
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
    let rename = Renaming { name: &|column| moves(column).then(|| column.to_owned()), stand_in: &|_| None };
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

/// Foreign keys of other tables, and of the table itself, that point at a column which goes away, point at what takes its place.
fn redirect_foreign_keys(
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
struct Renaming<'a> {
    /// The column that takes a column's place, where one goes away.
    name: &'a dyn Fn(&str) -> Option<String>,
    /// The SQL that takes a column's place in an expression.
    stand_in: &'a dyn Fn(&str) -> Option<String>,
}

impl Renaming<'_> {
    fn names(&self, names: &[String]) -> Vec<String> {
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

    fn constraint(&self, constraint: &Constraint, table: &QualifiedName) -> Constraint {
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

    fn index(&self, index: &Index) -> Index {
        Index {
            keys: index.keys.iter().map(|key| IndexKey { on: self.target(&key.on), ..key.clone() }).collect(),
            include: self.names(&index.include),
            predicate: index.predicate.as_ref().map(|predicate| self.expression(predicate)),
            ..index.clone()
        }
    }

    fn statistics(&self, statistics: &Statistics) -> Statistics {
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
