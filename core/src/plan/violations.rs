//! What triggers of ours raise in place of the server, which will raise it once the change is contracted.

use super::sql::Block;
use crate::ident::{quote_ident, quote_literal};

/// A NULL in a column of `table` that takes none.
pub(super) fn not_null(body: &mut Block, table: &str, column: &str, hint: Option<&str>) {
    let message = format!(
        "null value in column {} of relation {} violates not-null constraint",
        quote_ident(column),
        quote_ident(table)
    );
    raise(body, "not_null_violation", Some(column), &message, hint);
}

/// A reference to a row that is not there, or a row that goes and is referred to.
pub(super) fn foreign_key(body: &mut Block, message: &str) {
    raise(body, "foreign_key_violation", None, message, None);
}

/// An error that concerns the trigger's table.
pub(super) fn raise(body: &mut Block, code: &str, column: Option<&str>, message: &str, hint: Option<&str>) {
    let options = [("column", column), ("message", Some(message)), ("hint", hint)];
    let options: Vec<String> =
        options.iter().filter_map(|(name, text)| Some(format!("  {name} = {}", quote_literal((*text)?)))).collect();
    body.line(format!("raise exception using errcode = '{code}', schema = tg_table_schema, table = tg_table_name,"));
    body.line(format!("{};", options.join(",\n")));
}
