//! Names that must be free.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::ident::{MAX_IDENTIFIER_BYTES, QualifiedName, quote_ident};
use crate::model::Shape;
use crate::schema::{LEDGER_SCHEMA, Schema, Table};
use crate::sql::token;
use crate::syntax::{Name, TablePath};

use super::{at_line, written, written_column, written_table};

/// Columns that every table has.
const SYSTEM_COLUMNS: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// What PostgreSQL cannot keep as a name would come out as another name.
pub fn is_identifier(name: &Name, errors: &mut Errors) -> bool {
    let bytes = name.text.len();
    let diagnostic = if name.text.is_empty() {
        Diagnostic::new(name.span, "a name cannot be empty").help("write a name between the quotes")
    } else if name.text.contains('\0') {
        Diagnostic::new(name.span, "a name cannot contain the character NUL").help("leave it out")
    } else if bytes > MAX_IDENTIFIER_BYTES {
        Diagnostic::new(name.span, format!("`{}` is {bytes} bytes long", name.text))
            .note(format!(
                "PostgreSQL keeps the first {MAX_IDENTIFIER_BYTES} bytes of a name and drops the rest without an error"
            ))
            .help(format!("shorten it by {} bytes", bytes - MAX_IDENTIFIER_BYTES))
    } else {
        return true;
    };
    errors.push(diagnostic);
    false
}

/// A new column stands beside those that the table has until the contract, so it cannot have the name of one of them.
pub fn is_free_column(name: &Name, table: &Table, shape: &Shape, errors: &mut Errors) -> bool {
    if !is_identifier(name, errors) {
        return false;
    }
    if let Some(column) = table.column(&name.text) {
        let place = at_line(column.line, shape.schema());
        errors.push(
            Diagnostic::new(name.span, format!("the name `{}` is taken", written_column(&table.name, &column.name)))
                .note(format!(
                    "the table has a column of this name ({place}), and both stand side by side until the contract"
                ))
                .help("give the new column a name of its own"),
        );
        return false;
    }
    is_no_system_column(name, errors)
}

/// A table with a column of such a name cannot be created.
pub fn is_no_system_column(name: &Name, errors: &mut Errors) -> bool {
    let is_taken = SYSTEM_COLUMNS.contains(&name.text.as_str());
    if is_taken {
        errors.push(
            Diagnostic::new(name.span, format!("the name `{}` is taken", name.text))
                .note("every table has a system column of this name")
                .help("give the new column another name"),
        );
    }
    !is_taken
}

/// Tables share one name space with views, sequences and indexes, those behind constraints among them; and each table is a type, too.
pub fn is_free_table(name: &Name, table: &QualifiedName, shape: &Shape, errors: &mut Errors) -> bool {
    if !is_identifier(name, errors) {
        return false;
    }
    let found = relation(table, shape).or_else(|| type_of_this_name(table, shape.schema()));
    if let Some((what, line)) = found {
        let place = at_line(line, shape.schema());
        errors.push(
            Diagnostic::new(name.span, format!("the name `{}` is taken", written_table(table)))
                .note(format!("there is {what} of this name ({place}); tables share their names with views, sequences, indexes and types"))
                .help("give the new table a name of its own"),
        );
        return false;
    }
    true
}

/// What is wrong with the name of an index that comes: it shares its names with tables.
pub fn taken(name: &Name, schema: &str, shape: &Shape) -> Option<Diagnostic> {
    let full = QualifiedName::new(schema, &name.text);
    let (what, line) = relation(&full, shape)?;
    let diagnostic = Diagnostic::new(name.span, format!("the name `{}` is taken", written_table(&full)));
    let place = at_line(line, shape.schema());
    Some(diagnostic.note(format!("there is {what} of this name ({place})")).help("give the index a name of its own"))
}

/// What comes with a new table or column, and is named after it, must be free as well. `own` says what that is.
pub fn is_free_own(name: &Name, relation_name: &QualifiedName, own: &str, shape: &Shape, errors: &mut Errors) -> bool {
    let Some((what, line)) = relation(relation_name, shape) else { return true };
    errors.push(
        Diagnostic::new(name.span, format!("the name `{}` is taken", written_table(relation_name)))
            .note(format!("{own} gets this name, and there is {what} of this name ({})", at_line(line, shape.schema())))
            .help(format!(
                "give `{}` another name, or rename that {}",
                written(&name.text),
                what.rsplit(' ').next().unwrap_or(what)
            )),
    );
    false
}

/// What moves to another schema keeps its name there.
pub fn is_free_carried(name: &Name, index: &QualifiedName, shape: &Shape, errors: &mut Errors) -> bool {
    let Some((what, line)) = relation(index, shape) else { return true };
    errors.push(
        Diagnostic::new(name.span, format!("the name `{}` is taken", written_table(index)))
            .note(format!(
                "an index of this name comes along, and there is {what} of this name ({})",
                at_line(line, shape.schema())
            ))
            .help("put the new table into the schema of the old one, or rename the index before this change"),
    );
    false
}

/// A table can only be created in a schema that exists. One without any object in it shows only by its statement.
pub fn is_schema(path: &TablePath, shape: &Shape, errors: &mut Errors) -> bool {
    let Some(name) = path.schema.as_ref().filter(|name| name.text != "public") else { return true };
    let known = schemas(shape);
    if known.contains(&name.text) {
        return true;
    }
    let diagnostic = Diagnostic::new(name.span, format!("unknown schema `{}`", name.text));
    errors.push(match nearest(&name.text, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("create it before this change: `create schema {}`", quote_ident(&name.text))),
    });
    false
}

/// The schemas that there are.
fn schemas(shape: &Shape) -> BTreeSet<String> {
    let schema = shape.schema();
    let used = shape.tables().map(|table| table.name.schema.as_str());
    let used = used.chain(
        schema.views.keys().chain(schema.enums.keys()).chain(schema.sequences.keys()).map(|name| name.schema.as_str()),
    );
    let created = schema.opaque.iter().filter_map(|statement| created_schema(&statement.text));
    used.map(str::to_owned).chain(created).collect()
}

/// The views of a change stand in a schema of its name.
pub fn is_free_schema(change: &Name, shape: &Shape, errors: &mut Errors) -> bool {
    let name = &change.text;
    let why = if name == "public" || name == LEDGER_SCHEMA || schemas(shape).contains(name) {
        "there is a schema of this name"
    } else if name.starts_with("pg_") || name == "information_schema" {
        "PostgreSQL keeps schemas of such names for itself"
    } else {
        return true;
    };
    errors.push(
        Diagnostic::new(change.span, format!("change `{name}` cannot have a view: {why}"))
            .note("new code sees the table through a view in a schema that is named after the change")
            .help("give the change another name"),
    );
    false
}

/// The name in `CREATE SCHEMA [IF NOT EXISTS] name`.
fn created_schema(statement: &str) -> Option<String> {
    let names = token::names(statement);
    let mut words = names.iter().map(String::as_str);
    if (words.next(), words.next()) != (Some("create"), Some("schema")) {
        return None;
    }
    words.find(|word| !["if", "not", "exists"].contains(word)).map(str::to_owned)
}

/// What kind of relation has this name in a shape, with its article, and the line.
fn relation(name: &QualifiedName, shape: &Shape) -> Option<(&'static str, u32)> {
    if let Some(table) = shape.table(name) {
        return Some(("a table", table.line));
    }
    let (kind, line) = shape.schema().relation(name)?;
    let kind = match kind {
        "table" => "a table",
        "view" => "a view",
        "materialized view" => "a materialized view",
        "sequence" => "a sequence",
        "index" => "an index",
        _ => "a constraint",
    };
    Some((kind, line))
}

fn type_of_this_name(name: &QualifiedName, schema: &Schema) -> Option<(&'static str, u32)> {
    if let Some(found) = schema.enums.get(name) {
        return Some(("an enum type", found.line));
    }
    if let Some(found) = schema.domains.get(name) {
        return Some(("a domain", found.line));
    }
    schema.other_types.get(name).map(|line| ("a type", *line))
}

/// The ledger has a schema of its own, which comes and goes with coexist.
pub fn is_not_the_ledgers(path: &TablePath, errors: &mut Errors) -> bool {
    let Some(schema) = path.schema.as_ref().filter(|schema| schema.text == "coexist") else { return true };
    errors.push(
        Diagnostic::new(schema.span, "the schema `coexist` belongs to coexist itself")
            .note("it holds how far each change is")
            .help(format!("put the table into another schema: `public.{}`", written(&path.table.text))),
    );
    false
}
