//! What a split needs.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::QualifiedName;
use crate::model::Shape;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::schema::{Column, Constraint, ConstraintKind, Table};
use crate::syntax::{Name, Split};

use super::dependents::{self, Touched};
use super::lookup::{self, Surroundings};
use super::{at_line, conversions, listed, names, written, written_table};

/// The primary key: each column of the source with that of the new table. `None` if there is a mistake in it.
pub fn key(split: &Split, source: &Table, shape: &Shape, errors: &mut Errors) -> Option<Vec<(String, String)>> {
    let constraint = primary_key(split, source, shape, errors)?;
    let of_source = source.primary_key();
    let (first, count) = (split.key.first(), split.key.len());
    let Some(first) = first else {
        errors.push(no_key(split, source, of_source));
        return None;
    };
    if count != of_source.len() {
        let columns = if of_source.len() == 1 { "column" } else { "columns" };
        errors.push(
            Diagnostic::new(first.span, format!("`key` names {count} of {} {columns}", of_source.len()))
                .note(format!(
                    "the primary key of `{}` is {} ({}), and `key` names the new table's column for each of them, in this order",
                    written_table(&source.name),
                    listed(of_source),
                    at_line(constraint.line, shape.schema())
                ))
                .help(format!("write `key {}`", key_names(source, of_source))),
        );
        return None;
    }
    let mut is_good = true;
    for (i, name) in split.key.iter().enumerate() {
        let earlier = split.key.get(..i).unwrap_or_default();
        is_good &= is_free(name, earlier, split, errors) && is_no_other_column(name, source, of_source, errors);
    }
    is_good.then(|| of_source.iter().cloned().zip(split.key.iter().map(|name| name.text.clone())).collect())
}

/// The primary key of the source finds a row's other half; a deferrable one cannot be referenced.
fn primary_key<'s>(split: &Split, source: &'s Table, shape: &Shape, errors: &mut Errors) -> Option<&'s Constraint> {
    let is_key = |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    let span = split.table.table.span;
    let table = written_table(&source.name);
    let Some(constraint) = source.constraints.iter().find(is_key) else {
        errors.push(
            Diagnostic::new(span, format!("`{table}` has no primary key, and cannot be split"))
                .note(format!(
                    "{}; without one nothing says which row of the new table belongs to which row",
                    at_line(source.line, shape.schema())
                ))
                .help("give the table a primary key in a migration of its own, before this change"),
        );
        return None;
    };
    if constraint.deferrable {
        errors.push(
            Diagnostic::new(
                span,
                format!("`{table}` cannot be split: its primary key `{}` is deferrable", constraint.name),
            )
            .note(format!(
                "{}; PostgreSQL takes no foreign key to a deferrable key, and the new table has one",
                at_line(constraint.line, shape.schema())
            ))
            .help("make the primary key not deferrable in a migration of its own, before this change"),
        );
        return None;
    }
    Some(constraint)
}

fn no_key(split: &Split, source: &Table, of_source: &[String]) -> Diagnostic {
    conversions::is_missing("key", None, split.keyword, format!("add `key {}`", key_names(source, of_source)))
}

/// `user_id` for the `id` of `users`: what the new table's key columns are usually called.
fn key_names(source: &Table, of_source: &[String]) -> String {
    let table = source.name.name.as_str();
    let singular = table.strip_suffix('s').unwrap_or(table);
    let name = |column: &String| match column.as_str() {
        "id" => written(&format!("{singular}_id")),
        column => written(column),
    };
    of_source.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// Each column of the new table has a name of its own.
fn is_free(name: &Name, earlier: &[Name], split: &Split, errors: &mut Errors) -> bool {
    if !names::is_identifier(name, errors) {
        return false;
    }
    let twice = earlier.iter().chain(&split.moved).any(|other| other.text == name.text);
    if twice {
        errors.push(
            Diagnostic::new(name.span, format!("`{}` would be there twice", written(&name.text)))
                .note("the key and the moved columns are the columns of the new table")
                .help("give the key column a name of its own"),
        );
    }
    !twice && names::is_no_system_column(name, errors)
}

/// A key by the name of another column of the source was meant to be that column.
fn is_no_other_column(name: &Name, source: &Table, of_source: &[String], errors: &mut Errors) -> bool {
    let is_other = source.column(&name.text).is_some() && !of_source.contains(&name.text);
    if is_other {
        errors.push(
            Diagnostic::new(
                name.span,
                format!("`{}` is not the primary key of `{}`", written(&name.text), written_table(&source.name)),
            )
            .note(format!(
                "`key` names the new table's column for {}; by another column's name it would be taken for that column",
                listed(of_source)
            ))
            .help(format!("write `key {}`", key_names(source, of_source))),
        );
    }
    !is_other
}

/// The columns that move, as the source has them. `None` if there is a mistake in them.
pub fn moved<'s>(
    split: &Split,
    source: &'s Table,
    shape: &Shape,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<Vec<&'s Column>> {
    if split.moved.is_empty() {
        errors.push(
            Diagnostic::new(split.keyword, "a split that moves no column does nothing")
                .note(format!(
                    "the columns of `{}` are {}",
                    written_table(&source.name),
                    listed(source.columns.iter().map(|c| &c.name))
                ))
                .help("add `move <column>, <column>`"),
        );
        return None;
    }
    let mut columns = Vec::new();
    for (i, name) in split.moved.iter().enumerate() {
        let Some(column) = lookup::column(source, name, shape, around, errors) else { continue };
        if split.moved.get(..i).unwrap_or_default().iter().any(|other| other.text == name.text) {
            errors.push(
                Diagnostic::new(name.span, format!("`{}` is moved twice", written(&name.text)))
                    .help("leave one of them out"),
            );
        } else if is_movable(name, column, source, shape, errors) {
            columns.push(column);
        }
    }
    (columns.len() == split.moved.len()).then_some(columns)
}

fn is_movable(name: &Name, column: &Column, source: &Table, shape: &Shape, errors: &mut Errors) -> bool {
    let schema = shape.schema();
    let shown = written(&name.text);
    let place = at_line(column.line, schema);
    let cannot = |why: &str| Diagnostic::new(name.span, format!("`{shown}` cannot be moved: {why}"));
    let diagnostic = if source.primary_key().contains(&name.text) {
        // Both tables have the key; a row without it is no row of the source.
        cannot("it is part of the primary key")
            .note(format!("{place}; the key stays, and the new table has it as well"))
            .help("leave it out")
    } else if column.identity.is_some() || schema.sequences_of(&source.name, &name.text).next().is_some() {
        // Two tables cannot own one sequence, and the contract would drop it with the old column.
        cannot("a sequence gives its values")
            .note(format!("{place}; the sequence belongs to the column, and both tables need it meanwhile"))
            .help("leave it out, or take the sequence away from the column before this change")
    } else {
        return true;
    };
    errors.push(diagnostic);
    false
}

/// What keeps a table from being split, whatever moves.
pub fn source_fits(split: &Split, source: &Table, shape: &Shape, errors: &mut Errors) {
    if source.row_security {
        // Copied policies would have to read the other table, and a missing one shows rows to who must not see them.
        errors.push(
            Diagnostic::new(split.table.table.span, format!("`{}` has row level security, which a split cannot carry", written_table(&source.name)))
                .note(format!("{}; the policies of the new table decide who sees which rows, and nobody but you can say what they are", at_line(source.line, shape.schema())))
                .help("create the new table with its policies in a migration of its own, and move the columns in the application"),
        );
    }
}

/// Columns that part from the others of their table.
pub struct Parting<'a> {
    /// As the declaration names them.
    pub names: Vec<&'a Name>,
    /// The word that the operation begins with.
    pub keyword: Span,
    /// What happens to them, as `cannot be …` ends: `moved`, `extracted`.
    pub fate: &'static str,
}

/// An object over both tables does not exist in PostgreSQL.
pub fn nothing_spans_both(parting: &Parting<'_>, source: &Table, shape: &Shape, errors: &mut Errors) {
    let mut spanning = |what: String, columns: Vec<String>, line: u32| {
        let moves = |name: &String| parting.names.iter().any(|moved| moved.text == *name);
        let Some(mover) = columns.iter().find(|name| moves(name)) else { return };
        let Some(stayer) = columns.iter().find(|name| !moves(name)) else { return };
        let span = parting.names.iter().find(|name| name.text == *mover).map_or(parting.keyword, |name| name.span);
        errors.push(
            Diagnostic::new(
                span,
                format!(
                    "`{}` cannot be {} without `{}`: {what} has both",
                    written(mover),
                    parting.fate,
                    written(stayer)
                ),
            )
            .note(format!("{}; after the contract they are in two tables", at_line(line, shape.schema())))
            .help(format!("name both or neither, or drop {what} before this change")),
        );
    };
    for constraint in &source.constraints {
        // Of an exclusion constraint, which cannot be carried at all, its own check speaks.
        if !matches!(constraint.kind, ConstraintKind::Exclude { .. }) {
            spanning(format!("constraint `{}`", constraint.name), constraint_columns(constraint), constraint.line);
        }
    }
    for index in &source.indexes {
        spanning(format!("index `{}`", index.name), index_columns(index), index.line);
    }
    for statistics in &source.statistics {
        spanning(format!("statistics `{}`", statistics.name), target_columns(&statistics.on), statistics.line);
    }
}

/// What hangs on the moved columns and cannot be carried.
pub fn dependents(split: &Split, moved: &[&Column], source: &Table, shape: &Shape, errors: &mut Errors) {
    for name in split.moved.iter().filter(|name| moved.iter().any(|column| column.name == name.text)) {
        let touched =
            Touched { column: &name.text, span: name.span, fate: "moved", in_place: false, table: source, shape };
        dependents::check(&touched, errors);
    }
}

/// The names of the new table, and of what comes with it, in its schema.
pub fn target_is_free(
    split: &Split,
    target: &QualifiedName,
    moved: &[&Column],
    source: &Table,
    shape: &Shape,
    errors: &mut Errors,
) -> bool {
    let name = &split.into.table;
    if !names::is_not_the_ledgers(&split.into, errors)
        || !names::is_schema(&split.into, shape, errors)
        || !names::is_free_table(name, target, shape, errors)
    {
        return false;
    }
    let key = QualifiedName::new(&target.schema, crate::ident::object_name(&target.name, None, "pkey"));
    let is_free = names::is_free_own(name, &key, "the primary key of the new table", shape, errors);
    is_free
        && (target.schema == source.name.schema || carried_names_are_free(name, target, moved, source, shape, errors))
}

/// Indexes keep their names, which have to be free in the schema that they move to.
fn carried_names_are_free(
    name: &Name,
    target: &QualifiedName,
    moved: &[&Column],
    source: &Table,
    shape: &Shape,
    errors: &mut Errors,
) -> bool {
    let moves = |columns: Vec<String>| columns.iter().any(|name| moved.iter().any(|column| column.name == *name));
    let indexes = source.indexes.iter().filter(|index| moves(index_columns(index))).map(|index| &index.name);
    let keys =
        source.constraints.iter().filter(|c| c.kind.has_index() && moves(constraint_columns(c))).map(|c| &c.name);
    let mut is_free = true;
    for carried in indexes.chain(keys) {
        is_free &= names::is_free_carried(name, &QualifiedName::new(&target.schema, carried), shape, errors);
    }
    is_free
}
