//! Names that must exist.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::ident::QualifiedName;
use crate::model::Shape;
use crate::plan::Stage;
use crate::schema::{Column, Table};
use crate::syntax::{self, Declaration, DropColumn, Name, Operation, Rename, Retype, TablePath};

use super::{at_line, listed, written, written_table};

/// Of more names than this, a message tells the number.
const MOST_LISTED: usize = 20;

/// What else is declared, which may have to do with a name that is not there.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// All that is declared.
    pub declaration: &'a Declaration,
    /// The change in hand.
    pub name: &'a str,
    /// Changes at stage `contract` with mistakes of their own: what they make should be there, and is not.
    pub lost: &'a [&'a syntax::Change],
}

impl Surroundings<'_> {
    /// Whether a change of the declaration makes this column, or its table.
    pub fn is_made_by_a_change(&self, table: &QualifiedName, column: &str) -> bool {
        self.declaration.changes.iter().any(|change| makes(change, table, column))
    }

    fn is_lost(&self, table: &QualifiedName, column: &str) -> bool {
        self.lost.iter().any(|change| makes(change, table, column))
    }

    fn others(&self) -> impl Iterator<Item = &syntax::Change> {
        self.declaration.changes.iter().filter(|change| change.name.text != self.name)
    }

    /// What another change has to do with a column that is not there.
    fn explain(&self, diagnostic: Diagnostic, table: &QualifiedName, column: &str) -> Option<Diagnostic> {
        if let Some(maker) = self.others().find(|other| makes(other, table, column)) {
            let maker = &maker.name.text;
            return Some(
                diagnostic
                    .note(format!("change `{maker}` makes it; it can be changed again when that change is contracted"))
                    .help(format!(
                        "take `{maker}` to `stage contract;` first, and declare `{}` with `after {maker};` then",
                        self.name
                    )),
            );
        }
        let taker = self.others().find(|other| takes(other, table, column))?;
        let taken = format!("change `{}` takes it away, and is at stage `contract`", taker.name.text);
        Some(diagnostic.note(taken).help(match taker.operations.first().map(new_names).as_deref() {
            Some([(_, Some(new))]) => format!("change `{}` instead, with `after {};`", written(new), taker.name.text),
            _ => format!("change it where it went to, with `after {};`", taker.name.text),
        }))
    }
}

/// The columns that an operation makes, each with its table; without a column the whole table.
fn new_names(operation: &Operation) -> Vec<(QualifiedName, Option<&str>)> {
    match operation {
        Operation::Rename(rename) => vec![(qualified(&rename.column.table), Some(&rename.to.text))],
        Operation::Retype(retype) => vec![(qualified(&retype.column.table), Some(&retype.new_name().text))],
        Operation::Regroup(regroup) => {
            let table = qualified(&regroup.table);
            regroup.into.iter().map(|new| (table.clone(), Some(new.name.text.as_str()))).collect()
        }
        Operation::Split(split) => vec![(qualified(&split.into), None)],
        Operation::Move(tree) => vec![(qualified(&tree.to.table), Some(&tree.to.column.text))],
        Operation::Merge(merge) => {
            let into = qualified(&merge.into);
            merge.moved.iter().map(|moved| (into.clone(), Some(moved.new_name().text.as_str()))).collect()
        }
        Operation::Rule(_) => Vec::new(),
        Operation::Extract(extract) => {
            let reference =
                extract.reference.as_ref().map(|name| (qualified(&extract.table), Some(name.text.as_str())));
            std::iter::once((qualified(&extract.into), None)).chain(reference).collect()
        }
        Operation::Widen(widen) => vec![(qualified(&widen.column.table), Some(&widen.column.column.text))],
        Operation::AddColumn(add) => vec![(qualified(&add.column.table), Some(&add.column.column.text))],
        Operation::RenameTable(rename) => {
            let schema = qualified(&rename.table).schema;
            vec![(QualifiedName::new(schema, &rename.to.text), None)]
        }
        Operation::DropColumn(_)
        | Operation::CreateIndex(_)
        | Operation::DropIndex(_)
        | Operation::AddTable(_)
        | Operation::DropTable(_)
        | Operation::Enum(_)
        | Operation::Sql(_) => Vec::new(),
    }
}

/// Whether a change makes a column, or the table that it is in.
fn makes(change: &syntax::Change, table: &QualifiedName, column: &str) -> bool {
    change
        .operations
        .iter()
        .flat_map(new_names)
        .any(|(new_table, new)| new_table == *table && new.is_none_or(|new| new == column))
}

/// Whether a change at stage `contract` takes a column away.
fn takes(change: &syntax::Change, table: &QualifiedName, column: &str) -> bool {
    let is_contracted = change.stages.first().is_some_and(|stage| stage.text == Stage::Contract.name());
    is_contracted
        && change.operations.iter().any(|operation| match operation {
            Operation::Rename(Rename { column: gone, .. })
            | Operation::Retype(Retype { column: gone, .. })
            | Operation::DropColumn(DropColumn { column: gone, .. }) => {
                qualified(&gone.table) == *table && gone.column.text == column
            }
            Operation::Regroup(regroup) => {
                qualified(&regroup.table) == *table && regroup.columns.iter().any(|name| name.text == column)
            }
            Operation::Split(split) => {
                qualified(&split.table) == *table && split.moved.iter().any(|name| name.text == column)
            }
            Operation::Extract(extract) => {
                qualified(&extract.table) == *table && extract.columns.iter().any(|of| of.column.text == column)
            }
            Operation::Widen(_) | Operation::Rule(_) => false,
            Operation::Merge(merge) => qualified(&merge.table) == *table,
            Operation::DropTable(drop) => qualified(&drop.table) == *table,
            Operation::RenameTable(rename) => qualified(&rename.table) == *table,
            Operation::AddColumn(_)
            | Operation::CreateIndex(_)
            | Operation::DropIndex(_)
            | Operation::AddTable(_)
            | Operation::Enum(_)
            | Operation::Sql(_) => false,
            Operation::Move(tree) => qualified(&tree.column.table) == *table && tree.column.column.text == column,
        })
}

/// What a path in a declaration names: without a schema, one of `public`.
pub fn qualified(path: &TablePath) -> QualifiedName {
    let schema = path.schema.as_ref().map_or("public", |schema| schema.text.as_str());
    QualifiedName::new(schema, &path.table.text)
}

/// The table that a path names. Only what the schema has can be changed.
pub fn table<'s>(
    path: &TablePath,
    shape: &'s Shape,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<&'s Table> {
    let name = qualified(path);
    if let Some(table) = shape.table(&name) {
        return Some(table);
    }
    if around.is_lost(&name, "") {
        return None;
    }
    let schema = shape.schema();
    let mut diagnostic = Diagnostic::new(path.table.span, format!("unknown table `{}`", written_table(&name)));
    if let Some(explained) = around.explain(diagnostic.clone(), &name, "") {
        errors.push(explained);
        return None;
    }
    if let Some((kind, line)) = schema.relation(&name) {
        diagnostic = diagnostic.note(format!("`{}` is a {kind} ({})", written_table(&name), at_line(line, schema)));
    }
    errors.push(match nearest_table(path, &name, shape) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => with_tables(diagnostic, shape),
    });
    None
}

/// Says which tables there are, and how a new one comes to be known.
fn with_tables(diagnostic: Diagnostic, shape: &Shape) -> Diagnostic {
    let source = &shape.schema().source;
    let tables: Vec<String> = shape.tables().map(|table| written_table(&table.name)).collect();
    let diagnostic = match tables.len() {
        0 => diagnostic.note(format!("{source} has no tables")),
        1..=MOST_LISTED => diagnostic.note(format!("{source} has {}", listed(tables))),
        count => diagnostic.note(format!("{source} has {count} other tables")),
    };
    diagnostic.help(match source.ends_with(".sql") {
        true => format!("if the table is new, write {source} again: `pg_dump --schema-only --file {source}`"),
        false => format!("if the table is new, add it to {source}"),
    })
}

/// The table that was probably meant: one of this name in another schema, or one with nearly this name.
fn nearest_table(path: &TablePath, name: &QualifiedName, shape: &Shape) -> Option<String> {
    let elsewhere = shape.tables().find(|table| path.schema.is_none() && table.name.name == name.name);
    if let Some(table) = elsewhere {
        return Some(written_table(&table.name));
    }
    let known: Vec<String> = shape.tables().map(|table| written_table(&table.name)).collect();
    let near = nearest(&written_table(name), known.iter().map(String::as_str)).map(str::to_owned);
    near.or_else(|| {
        let unqualified = shape.tables().filter(|_| path.schema.is_none()).map(|table| table.name.name.as_str());
        let near = nearest(&name.name, unqualified)?;
        shape.tables().find(|table| table.name.name == near).map(|table| written_table(&table.name))
    })
}

/// The column of a table.
pub fn column<'s>(
    table: &'s Table,
    name: &Name,
    shape: &Shape,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<&'s Column> {
    if let Some(column) = table.column(&name.text) {
        return Some(column);
    }
    if !around.is_lost(&table.name, &name.text) {
        let message = format!("table `{}` has no column `{}`", written_table(&table.name), written(&name.text));
        let diagnostic = Diagnostic::new(name.span, message);
        let explained = around.explain(diagnostic.clone(), &table.name, &name.text);
        errors.push(explained.unwrap_or_else(|| with_columns(diagnostic, table, name, shape)));
    }
    None
}

/// Says which columns a table has, and which of them was probably meant.
fn with_columns(diagnostic: Diagnostic, table: &Table, name: &Name, shape: &Shape) -> Diagnostic {
    let names = || table.columns.iter().map(|column| column.name.as_str());
    let place = at_line(table.line, shape.schema());
    let diagnostic = match table.columns.len() {
        0 => diagnostic.note(format!("it has no columns at all ({place})")),
        1..=MOST_LISTED => diagnostic.note(format!("its columns are {} ({place})", listed(names()))),
        count => diagnostic.note(format!("it has {count} columns ({place})")),
    };
    match nearest(&name.text, names()) {
        Some(near) => diagnostic.help(format!("did you mean `{}`?", written(near))),
        None => diagnostic,
    }
}
