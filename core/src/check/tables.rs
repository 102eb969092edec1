//! Tables that come, go, and change their names.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::Shape;
use crate::schema::{Table, TableKind, load};
use crate::sql::token;
use crate::syntax::AddTable;

use super::{at_line, written, written_column, written_table};

/// The table that a declaration describes, and the statements that make it.
pub fn declared(tree: &AddTable, shape: &Shape, errors: &mut Errors) -> Option<(Table, Vec<String>)> {
    let span = tree.sql.span;
    let form = "`add table \"create table notes (id bigint primary key, text text not null)\";`";
    let mut report = |mistakes: Vec<load::LoadError>| {
        for mistake in mistakes {
            errors.push(
                Diagnostic::new(span, format!("this is no table that PostgreSQL can make: {mistake}"))
                    .note("line and column count from the beginning of the string"),
            );
        }
    };
    let statements = match load::statements(&tree.sql.value) {
        Ok(statements) => statements,
        Err(mistakes) => {
            report(mistakes);
            return None;
        }
    };
    let before = shape.to_schema();
    let known: Vec<_> = before.tables.keys().cloned().collect();
    let lone = load::load("add table", &tree.sql.value);
    let after = match lone.and_then(|alone| load::extend(before, &tree.sql.value).map(|after| (alone, after))) {
        Ok(both) => both,
        Err(mistakes) => {
            report(mistakes);
            return None;
        }
    };
    let (alone, after) = after;
    let mut created = alone.tables.keys();
    let (Some(name), None) = (created.next(), created.next()) else {
        let message =
            if alone.tables.is_empty() { "no table is created here" } else { "more than one table is created here" };
        errors.push(
            Diagnostic::new(span, message)
                .note("`add table` makes one table, with its indexes, comments and privileges")
                .help(format!("write {form}; several tables are several `add table` of one change")),
        );
        return None;
    };
    for statement in &statements {
        if !is_about_a_table(statement) {
            let first_line = statement.lines().next().unwrap_or_default();
            errors.push(
                Diagnostic::new(span, format!("`{first_line}` does not make a table"))
                    .note("here can stand `create table`, and `create index`, `comment on`, `alter table` and `grant` for that table")
                    .help("put it into `sql { expand \"…\" undo \"…\" … }`, which says how it is taken back"),
            );
            return None;
        }
    }
    // A name that is taken is for the caller to speak of.
    let table = if known.contains(name) { alone.table(name)? } else { after.table(name)? };
    if table.kind != TableKind::Ordinary || !table.parents.is_empty() {
        errors.push(
            Diagnostic::new(span, format!("`{}` is partitioned, foreign or inherits", written_table(name)))
                .note("`add table` makes ordinary tables")
                .help("put it into `sql { expand \"…\" undo \"…\" … }`"),
        );
        return None;
    }
    Some((table.clone(), statements))
}

/// Whether a statement makes a table, or says something about one: with the table it is taken back.
fn is_about_a_table(statement: &str) -> bool {
    let names = token::names(statement);
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["create", "table", ..] | ["create", "unlogged", "table", ..] => true,
        ["create", "index", rest @ ..] | ["create", "unique", "index", rest @ ..] => !rest.contains(&"concurrently"),
        ["comment", "on", "table" | "column" | "index" | "constraint", ..] => true,
        ["alter", "table", ..] | ["grant", ..] => true,
        _ => false,
    }
}

/// PostgreSQL refuses to drop what others rely on, or takes it out of a publication without a word.
pub fn nothing_needs(table: &Table, span: Span, shape: &Shape, errors: &mut Errors) {
    let name = written_table(&table.name);
    let schema = shape.schema();
    let mut report = |because: String, line: u32, help: String| {
        errors.push(
            Diagnostic::new(span, format!("`{name}` cannot be dropped: {because}"))
                .note(format!("{}; nothing is ever dropped with CASCADE", at_line(line, schema)))
                .help(help),
        );
    };
    for (other, foreign_key) in shape.foreign_keys_to(&table.name).filter(|(other, _)| other.name != table.name) {
        report(
            format!("foreign key `{}` of `{}` references it", foreign_key.name, written_table(&other.name)),
            foreign_key.line,
            format!(
                "take the foreign key away before this change: `unconstrain {};`",
                written_column(&other.name, &foreign_key.name)
            ),
        );
    }
    for view in schema.views_of(&table.name) {
        let kind = if view.materialized { "materialized view" } else { "view" };
        report(
            format!("{kind} `{}` reads it", written_table(&view.name)),
            view.line,
            format!("drop `{}` before this change", written_table(&view.name)),
        );
    }
    for publication in &schema.publications {
        if publication.tables.iter().any(|(published, ..)| *published == table.name) {
            report(
                format!("publication `{}` lists it", publication.name),
                publication.line,
                "take it out of the publication before this change, and off the subscribers".to_owned(),
            );
        }
    }
    for other in shape.tables().filter(|other| other.name != table.name) {
        if let Some(column) = other.columns.iter().find(|column| column.ty.qualified().as_ref() == Some(&table.name)) {
            report(
                format!("its rows are the type of `{}`", written_column(&other.name, &column.name)),
                column.line,
                format!("retype `{}` before this change", written_column(&other.name, &column.name)),
            );
        }
    }
    for statement in schema.opaque.iter().filter(|statement| statement.identifiers.contains(&table.name.name)) {
        let first_line = statement.text.lines().next().unwrap_or_default();
        report(
            format!("a statement that coexist does not understand names it: `{first_line}`"),
            statement.line,
            "drop that object before this change, or rename it if it means something else".to_owned(),
        );
    }
}

/// What a view of a table cannot stand in for.
pub fn can_be_a_view(table: &Table, span: Span, security_invoker: bool, shape: &Shape, errors: &mut Errors) {
    let name = written_table(&table.name);
    let schema = shape.schema();
    if (table.row_security || !table.policies.is_empty()) && !security_invoker {
        errors.push(
            Diagnostic::new(span, format!("`{name}` cannot be renamed: it has row level security"))
                .note("the new name is a view until the contract, and before PostgreSQL 15 a view reads with the rights of its owner: everybody would see all rows")
                .help("write `server 15;` if all your servers are that new"),
        );
    }
    for rule in &table.rules {
        errors.push(
            Diagnostic::new(
                span,
                format!("`{name}` cannot be renamed: rule `{}` rewrites statements on it", rule.name),
            )
            .note(format!("{}; through a view it would be applied once more", at_line(rule.line, schema)))
            .help("put a trigger in place of the rule"),
        );
    }
    let mut publications = schema.publications_of(&table.name).peekable();
    if let Some(publication) = publications.peek() {
        errors.push(
            Diagnostic::new(
                span,
                format!("`{name}` cannot be renamed: publication `{}` publishes it", publication.name),
            )
            .note(format!(
                "{}; a subscriber finds its table by the name, and would stop at the contract",
                at_line(publication.line, schema)
            ))
            .help(format!(
                "take `{}` out of the publication until the subscribers have the new name",
                written(&table.name.name)
            )),
        );
    }
    if let Some(statement) = schema.opaque.iter().find(|statement| statement.identifiers.contains(&table.name.name)) {
        let first_line = statement.text.lines().next().unwrap_or_default();
        errors.push(
            Diagnostic::new(
                span,
                format!(
                    "`{name}` cannot be renamed: a statement that coexist does not understand names it: `{first_line}`"
                ),
            )
            .note(at_line(statement.line, schema))
            .help("if it means something else, give that another name; else drop it before this change"),
        );
    }
}
