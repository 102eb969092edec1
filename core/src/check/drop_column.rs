//! What a column that goes takes with it, and what old code reads in its place until then.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::model::Shape;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::schema::{Column, ConstraintKind, Table};
use crate::syntax::DropColumn;

use super::{at_line, listed, written, written_column, written_table};

/// A key says which row is which.
pub fn is_no_key(tree: &DropColumn, table: &Table, shape: &Shape, errors: &mut Errors) -> bool {
    let found = errors.len();
    let name = written_column(&table.name, &tree.column.column.text);
    let column = &tree.column.column.text;
    if table.primary_key().contains(column) {
        errors.push(
            Diagnostic::new(
                tree.column.column.span,
                format!("`{name}` cannot be dropped: it is part of the primary key"),
            )
            .note("without it rows could not be told from each other")
            .help("give the table another primary key before this change"),
        );
    }
    for (other, foreign_key) in shape.foreign_keys_to(&table.name) {
        let ConstraintKind::ForeignKey { columns, referenced, .. } = &foreign_key.kind else { continue };
        let goes_itself = other.name == table.name && columns.contains(column);
        if referenced.contains(column) && !goes_itself {
            let owner = written_table(&other.name);
            errors.push(
                Diagnostic::new(
                    tree.column.column.span,
                    format!(
                        "`{name}` cannot be dropped: foreign key `{}` of `{owner}` references it",
                        foreign_key.name
                    ),
                )
                .note(at_line(foreign_key.line, shape.schema()))
                .help(format!(
                    "take the foreign key away before this change: `unconstrain {owner}.{};`",
                    written(&foreign_key.name)
                )),
            );
        }
    }
    errors.len() == found
}

/// New code inserts rows without the column, and old code still reads it.
pub fn new_rows_have_a_value(tree: &DropColumn, column: &Column, table: &Table, errors: &mut Errors) {
    let name = written_column(&table.name, &column.name);
    let has_value = column.default.is_some() || column.identity.is_some() || column.generated.is_some();
    match &tree.default {
        None if column.not_null && !has_value => errors.push(
            Diagnostic::new(tree.column.column.span, format!("new code cannot insert rows without `{name}`"))
                .note("it is NOT NULL without a default, and new code does not know it; until the contract old code reads it")
                .help(format!("say what old code reads in rows that new code inserts: `drop {name} {{ default \"…\" }}`")),
        ),
        Some(default) if column.identity.is_some() || column.generated.is_some() => errors.push(
            Diagnostic::new(default.span, format!("`{name}` takes no default"))
                .note("PostgreSQL computes its values, also in rows that new code inserts")
                .help("leave `default` out"),
        ),
        _ => {}
    }
}

/// PostgreSQL drops what hangs on a column without a word. Who reviews the change must see it.
pub fn all_is_named(tree: &DropColumn, table: &Table, shape: &Shape, errors: &mut Errors) {
    let goes = silently_dropped(&tree.column.column.text, table);
    let name = written_column(&table.name, &tree.column.column.text);
    for (i, with) in tree.with.iter().enumerate() {
        let earlier = tree.with.get(..i).unwrap_or_default();
        if earlier.iter().any(|other| other.text == with.text) {
            errors.push(
                Diagnostic::new(with.span, format!("`{}` is named twice", with.text)).help("leave one of them out"),
            );
        } else if !goes.iter().any(|object| object.name == with.text) {
            let diagnostic = Diagnostic::new(with.span, format!("`{}` does not go with `{name}`", with.text));
            let known = goes.iter().map(|object| object.name.as_str());
            errors.push(match (nearest(&with.text, known.clone()), goes.is_empty()) {
                (Some(near), _) => diagnostic.help(format!("did you mean `{}`?", written(near))),
                (None, true) => diagnostic.note("nothing hangs on this column").help("leave `with` out"),
                (None, false) => diagnostic.note(format!("what goes with it: {}", listed(known))).help("leave it out"),
            });
        }
    }
    let unnamed: Vec<&Object> =
        goes.iter().filter(|object| !tree.with.iter().any(|with| with.text == object.name)).collect();
    if unnamed.is_empty() {
        return;
    }
    let default = tree.default.as_ref().map(|default| format!("default {:?}, ", default.value)).unwrap_or_default();
    let all: Vec<String> = goes.iter().map(|object| written(&object.name)).collect();
    let mut diagnostic = Diagnostic::new(
        tree.column.column.span,
        format!("with `{name}` goes more than it: {}", listed(unnamed.iter().map(|object| &object.name))),
    );
    for object in unnamed {
        diagnostic = diagnostic.note(format!(
            "{} `{}` ({}): PostgreSQL drops it with the column, without a word",
            object.what,
            object.name,
            at_line(object.line, shape.schema())
        ));
    }
    errors
        .push(diagnostic.help(format!("if it may go, name it: `drop {name} {{ {default}with {} }}`", all.join(", "))));
}

struct Object {
    what: &'static str,
    name: String,
    line: u32,
}

fn silently_dropped(column: &str, table: &Table) -> Vec<Object> {
    let names = |columns: Vec<String>| columns.iter().any(|name| name == column);
    let constraints = table.constraints.iter().filter(|constraint| names(constraint_columns(constraint)));
    let indexes = table.indexes.iter().filter(|index| names(index_columns(index)));
    let statistics = table.statistics.iter().filter(|statistics| names(target_columns(&statistics.on)));
    let constraints = constraints.map(|c| Object { what: "constraint", name: c.name.clone(), line: c.line });
    let indexes = indexes.map(|i| Object { what: "index", name: i.name.clone(), line: i.line });
    let statistics = statistics.map(|s| Object { what: "statistics", name: s.name.name.clone(), line: s.line });
    constraints.chain(indexes).chain(statistics).collect()
}
