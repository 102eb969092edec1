//! What a view that shows a table to new code needs.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::Shape;
use crate::plan::SECURITY_INVOKER;
use crate::schema::{Table, TableKind};

use super::{at_line, written_table};

/// Whether a column of the table can get another name at the contract. What hangs on the column goes on with it: other views, indexes,
/// constraints, policies, triggers and publications hold on to the column and not to its name.
pub fn can_rename(table: &Table, span: Span, shape: &Shape, errors: &mut Errors) -> Option<()> {
    let why = match (table.kind, table.parents.first()) {
        (TableKind::Foreign, _) => "it is a foreign table, whose columns have the names of another server".to_owned(),
        (_, Some(parent)) => format!(
            "it has its columns from `{}`, and PostgreSQL renames a column in all such tables or in none",
            written_table(parent)
        ),
        _ => return Some(()),
    };
    let diagnostic =
        Diagnostic::new(span, format!("columns of `{}` cannot be renamed: {why}", written_table(&table.name)))
            .note(at_line(table.line, shape.schema()));
    errors.push(match table.parents.first() {
        Some(parent) => diagnostic.help(format!("rename the column of `{}`", written_table(parent))),
        None => diagnostic,
    });
    None
}

/// A view looks at its table with the rights of its owner, whom policies let see every row; only from PostgreSQL 15 on can it do otherwise.
pub fn obeys_row_security(table: &Table, span: Span, shape: &Shape, server: u32, instead: &str, errors: &mut Errors) {
    if !table.row_security || server >= SECURITY_INVOKER {
        return;
    }
    let name = written_table(&table.name);
    errors.push(
        Diagnostic::new(span, format!("a view of `{name}` would show every row to everybody"))
            .note(format!(
                "`{name}` has row level security ({}), and before PostgreSQL {SECURITY_INVOKER} a view takes no notice of who reads it",
                at_line(table.line, shape.schema())
            ))
            .help(format!("write `server {SECURITY_INVOKER};` if all your servers are that new; or {instead}")),
    );
}
