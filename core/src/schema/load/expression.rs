//! The columns in an expression of the schema.

use crate::ident::quote_ident;
use crate::sql::Expression;
use crate::sql::token::{self, Token};

/// The columns of its own table that an expression names, each time that it does.
pub(super) fn columns(text: &str) -> Vec<String> {
    let expression = Expression::parse_lenient(text);
    let columns = expression.as_ref().map(Expression::columns).unwrap_or_default();
    columns.iter().filter(|column| !column.in_subquery).map(|column| column.name.clone()).collect()
}

/// An expression with one column under another name.
pub(super) fn rename_column(text: &str, from: &str, to: &str) -> String {
    match Expression::parse_lenient(text) {
        Ok(expression) => expression.replace_columns(|column| {
            let is_it = column.name == from && !column.in_subquery;
            let qualifier = column.qualifier.iter().map(|qualifier| quote_ident(qualifier) + ".");
            is_it.then(|| qualifier.collect::<String>() + &quote_ident(to))
        }),
        Err(_) => text.to_owned(),
    }
}

/// `EXCLUDE USING …`, which is no expression, with one column under another name.
pub(super) fn rename_in_exclusion(text: &str, from: &str, to: &str) -> String {
    let tokens = token::tokens(text);
    let is_symbol = |at: Option<&Token>, symbols: &[u8]| {
        at.is_some_and(|token| symbols.iter().any(|&symbol| token.is_symbol(symbol)))
    };
    let mut renamed = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        // Neither a type, nor a field, nor a function, nor what stands before a dot.
        let is_column = !is_symbol(before, b":.") && !is_symbol(tokens.get(at + 1), b"(.");
        if is_column && token.name(text).as_deref() == Some(from) {
            renamed.push_str(text.get(copied..token.start as usize).unwrap_or_default());
            renamed.push_str(&quote_ident(to));
            copied = token.end as usize;
        }
    }
    renamed + text.get(copied..).unwrap_or_default()
}
