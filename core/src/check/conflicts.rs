//! Changes that get in each other's way.

use std::collections::BTreeSet;

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::QualifiedName;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::model::{ChangeKind, Shape};
use crate::schema::{ConstraintKind, Schema};
use crate::syntax::Operation;

use super::change::Draft;
use super::{at_line, written_column, written_table};

/// What a change takes for itself.
pub struct Claim<'a> {
    draft: &'a Draft<'a>,
    /// Columns that go away: table, column, and where the declaration names it.
    gone: Vec<(QualifiedName, String, Span)>,
    /// Columns that must stay as they are meanwhile.
    used: Vec<(QualifiedName, String)>,
    /// Columns that come.
    new: Vec<(QualifiedName, String, Span)>,
    /// Tables that come.
    new_table: Option<(QualifiedName, Span)>,
    /// What is built anew because it hangs on a column that goes away.
    rebuilt: Vec<Rebuilt>,
}

#[derive(Clone, PartialEq)]
struct Rebuilt {
    what: &'static str,
    table: QualifiedName,
    name: String,
    line: u32,
}

/// What a change takes for itself, in its before shape.
pub fn claim<'a>(draft: &'a Draft<'a>, kind: &ChangeKind, before: &Shape) -> Claim<'a> {
    let mut claim =
        Claim { draft, gone: Vec::new(), used: Vec::new(), new: Vec::new(), new_table: None, rebuilt: Vec::new() };
    match (kind, draft.operation) {
        (ChangeKind::Columns(columns), Operation::Rename(_) | Operation::Retype(_)) => {
            let (column, to) = match draft.operation {
                Operation::Rename(rename) => (rename.column.column.span, rename.to.span),
                Operation::Retype(retype) => (retype.column.column.span, retype.to.span),
                Operation::Split(split) => (split.keyword, split.keyword),
            };
            claim.gone.extend(columns.before.iter().map(|name| (columns.table.clone(), name.clone(), column)));
            claim.new.extend(columns.after.iter().map(|after| (columns.table.clone(), after.name.clone(), to)));
        }
        (ChangeKind::Split(split), Operation::Split(tree)) => {
            claim.gone.extend(tree.moved.iter().map(|name| (split.source.clone(), name.text.clone(), name.span)));
            claim.used.extend(split.key.iter().map(|(from, _)| (split.source.clone(), from.clone())));
            claim.new_table = Some((split.target.clone(), tree.into.table.span));
        }
        _ => {}
    }
    claim.rebuilt = rebuilt(&claim.gone, before);
    claim
}

/// The objects that hang on columns, and are built anew with what takes their place.
fn rebuilt(gone: &[(QualifiedName, String, Span)], before: &Shape) -> Vec<Rebuilt> {
    let Some((table, ..)) = gone.first() else { return Vec::new() };
    let Some(source) = before.table(table) else { return Vec::new() };
    let touches = |columns: &[String]| columns.iter().any(|name| gone.iter().any(|(_, column, _)| column == name));
    let mut found = Vec::new();
    let mut add = |what, table: &QualifiedName, name: &str, line| {
        let rebuilt = Rebuilt { what, table: table.clone(), name: name.to_owned(), line };
        if !found.contains(&rebuilt) {
            found.push(rebuilt);
        }
    };
    for constraint in source.constraints.iter().filter(|constraint| touches(&constraint_columns(constraint))) {
        add("constraint", table, &constraint.name, constraint.line);
    }
    for index in source.indexes.iter().filter(|index| touches(&index_columns(index))) {
        add("index", table, &index.name, index.line);
    }
    for statistics in source.statistics.iter().filter(|statistics| touches(&target_columns(&statistics.on))) {
        add("statistics", table, &statistics.name.name, statistics.line);
    }
    for (other, foreign_key) in before.foreign_keys_to(table) {
        if let ConstraintKind::ForeignKey { referenced, .. } = &foreign_key.kind
            && touches(referenced)
        {
            add("constraint", &other.name, &foreign_key.name, foreign_key.line);
        }
    }
    found
}

/// Looks at every two changes of which neither is declared to build on the other. Returns the names of those that cannot stay as they are.
pub fn check(claims: &[Claim<'_>], schema: &Schema, errors: &mut Errors) -> BTreeSet<String> {
    let mut refused = BTreeSet::new();
    for (i, later) in claims.iter().enumerate() {
        for earlier in claims.get(..i).unwrap_or_default() {
            let Some(diagnostic) = conflict(earlier, later, schema) else { continue };
            if !builds_on(earlier, later, claims) && !builds_on(later, earlier, claims) {
                errors.push(diagnostic);
                refused.insert(later.draft.name().to_owned());
                // One reason is enough to move it out of the way.
                break;
            }
        }
    }
    refused
}

/// Whether one change is declared to build on another, directly or not.
fn builds_on(one: &Claim<'_>, other: &Claim<'_>, claims: &[Claim<'_>]) -> bool {
    let mut pending = vec![one.draft];
    let mut seen = BTreeSet::new();
    while let Some(draft) = pending.pop() {
        for name in &draft.tree.after {
            if name.text == other.draft.name() {
                return true;
            }
            if seen.insert(name.text.as_str()) {
                pending.extend(claims.iter().map(|claim| claim.draft).filter(|draft| draft.name() == name.text));
            }
        }
    }
    false
}

/// The first of all reasons why two changes cannot be in flight at once.
fn conflict(earlier: &Claim<'_>, later: &Claim<'_>, schema: &Schema) -> Option<Diagnostic> {
    same_column(earlier, later)
        .or_else(|| builds_without_saying(earlier, later, schema))
        .or_else(|| same_name(earlier, later))
        .or_else(|| same_object(earlier, later, schema))
}

/// How the second of two changes waits for the first.
fn wait_for(earlier: &Claim<'_>, later: &Claim<'_>) -> String {
    let (first, second) = (earlier.draft.name(), later.draft.name());
    match earlier.draft.stage {
        crate::plan::Stage::Contract => format!("add `after {first};` to `{second}`"),
        _ => format!("declare `{second}` with `after {first};` when `{first}` is at `stage contract;`"),
    }
}

/// Two changes would each keep the column in step with something else, and the one that is contracted first takes it away from the other.
fn same_column(earlier: &Claim<'_>, later: &Claim<'_>) -> Option<Diagnostic> {
    let (table, column, span, verb) = later
        .gone
        .iter()
        .find_map(|(table, column, span)| {
            let is_this = |other: &QualifiedName, name: &String| other == table && name == column;
            let both = earlier.gone.iter().any(|(other, name, _)| is_this(other, name));
            let uses = earlier.used.iter().any(|(other, name)| is_this(other, name));
            (both || uses).then_some((table, column, *span, if both { "changes" } else { "uses" }))
        })
        .or_else(|| {
            let (table, column, _) =
                earlier.gone.iter().find(|(table, column, _)| later.used.contains(&(table.clone(), column.clone())))?;
            Some((table, column, later.draft.operation.keyword(), "changes"))
        })?;
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    let diagnostic = Diagnostic::new(span, format!("`{}` is part of two changes", written_column(table, column)))
        .note(format!("change `{first}` on line {line} {verb} it as well; the first one to be contracted would take it away from the other"));
    Some(diagnostic.help(wait_for(earlier, later)))
}

/// Whoever reads a change must see that it needs another one to have been contracted.
fn builds_without_saying(earlier: &Claim<'_>, later: &Claim<'_>, schema: &Schema) -> Option<Diagnostic> {
    let was_there =
        |table: &QualifiedName, column: &str| schema.table(table).is_some_and(|table| table.column(column).is_some());
    let made = |one: &Claim<'_>, other: &Claim<'_>| {
        one.gone
            .iter()
            .find(|(table, column, _)| {
                let is_new = other.new.iter().any(|(new_table, new, _)| (new_table, new) == (table, column));
                is_new && !was_there(table, column)
                    || other.new_table.as_ref().is_some_and(|(new_table, _)| new_table == table)
            })
            .map(|(table, column, span)| (table.clone(), column.clone(), *span))
    };
    let (first, second, (table, column, span)) = match made(later, earlier) {
        Some(found) => (earlier, later, found),
        None => (later, earlier, made(earlier, later)?),
    };
    let diagnostic = Diagnostic::new(
        span,
        format!("`{}` is made by change `{}`", written_column(&table, &column), first.draft.name()),
    )
    .note("a change that builds on another says so, because it cannot begin before that one is contracted");
    Some(diagnostic.help(wait_for(first, second)))
}

/// Two columns or two tables of one name cannot stand side by side.
fn same_name(earlier: &Claim<'_>, later: &Claim<'_>) -> Option<Diagnostic> {
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    for (table, column, span) in &later.new {
        let name = written_column(table, column);
        if earlier.new.iter().any(|(other, new, _)| (other, new) == (table, column)) {
            return Some(
                Diagnostic::new(*span, format!("the name `{name}` is taken"))
                    .note(format!("change `{first}` on line {line} makes a column of this name"))
                    .help("give the new column a name of its own"),
            );
        }
        if earlier.gone.iter().any(|(other, old, _)| (other, old) == (table, column)) {
            let diagnostic = Diagnostic::new(*span, format!("the name `{name}` is not free yet"))
                .note(format!("it is free when change `{first}` on line {line} is contracted in the database"));
            return Some(diagnostic.help(wait_for(earlier, later)));
        }
    }
    let ((table, span), (other, _)) = (later.new_table.as_ref()?, earlier.new_table.as_ref()?);
    (table == other).then(|| {
        Diagnostic::new(*span, format!("the name `{}` is taken", written_table(table)))
            .note(format!("change `{first}` on line {line} makes a table of this name"))
            .help("give the new table a name of its own")
    })
}

/// Each change would build its own twin of the object, and the one that is contracted first takes the columns of the other's twin away.
fn same_object(earlier: &Claim<'_>, later: &Claim<'_>, schema: &Schema) -> Option<Diagnostic> {
    let shared = later.rebuilt.iter().find(|rebuilt| earlier.rebuilt.contains(rebuilt))?;
    let (first, line) = (earlier.draft.name(), earlier.draft.tree.name.span.start().line);
    let span = later.gone.first().map_or(later.draft.operation.keyword(), |(.., span)| *span);
    let what = format!("{} `{}` of `{}`", shared.what, shared.name, written_table(&shared.table));
    let diagnostic = Diagnostic::new(span, format!("two changes build {what} anew"))
        .note(format!("{}; change `{first}` on line {line} does so as well, and each would be left with columns that the other takes away", at_line(shared.line, schema)));
    Some(diagnostic.help(wait_for(earlier, later)))
}
