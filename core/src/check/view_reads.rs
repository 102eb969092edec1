//! Whether a view reads a column of a table.
//!
//! The schema knows which relations a view reads, and the names of the columns in its query; with several relations, a name may belong to
//! another of them. Queries as `pg_dump` writes them qualify every column then, which is what is looked at here.

use crate::ident::QualifiedName;
use crate::schema::View;
use crate::sql::token::{Token, TokenKind, tokens};

/// Words that can follow a table in FROM, and are no alias of it.
const NO_ALIAS: [&str; 22] = [
    "cross",
    "except",
    "fetch",
    "for",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "right",
    "tablesample",
    "union",
    "using",
    "where",
    "window",
];

/// Whether the view may read the column: never no where PostgreSQL would say yes.
pub fn may_read(view: &View, table: &QualifiedName, column: &str) -> bool {
    let names = |name: &str| view.column_names.iter().any(|known| known == name);
    if !view.relations.contains(table) || !(names(column) || names("*")) {
        return false;
    }
    view.relations.len() == 1 || names_of_it(&view.query, &table.name, column, names("*"))
}

/// Whether a query of several relations names the column of this one, or, where it reads whole rows, a row of it.
fn names_of_it(query: &str, table: &str, column: &str, reads_rows: bool) -> bool {
    let tokens = tokens(query);
    let name = |i: usize| tokens.get(i).and_then(|token| token.name(query));
    let is_symbol = |i: usize, symbol: u8| tokens.get(i).is_some_and(|token| token.is_symbol(symbol));
    let rows = row_names(query, &tokens, table);
    (0..tokens.len()).any(|i| {
        let follows_dot = i > 0 && is_symbol(i - 1, b'.');
        let qualifier = || if i >= 2 && follows_dot { name(i - 2) } else { None };
        if is_symbol(i, b'*') && reads_rows {
            // `users.*`; or `*` alone where a list begins or goes on, and not where numbers are multiplied.
            let begins_list = i > 0 && (is_symbol(i - 1, b',') || tokens[i - 1].is_word(query, "select"));
            return begins_list || qualifier().is_some_and(|row| rows.contains(&row));
        }
        match name(i) {
            Some(found) if found == column => match qualifier() {
                Some(row) => rows.contains(&row),
                None => !(i > 0 && tokens[i - 1].is_word(query, "as")),
            },
            // A row as a value: `row_to_json(u)`, `u IS NULL`.
            Some(found) if reads_rows && rows.contains(&found) => {
                let names_relation =
                    i > 0 && ["from", "join", "as"].iter().any(|word| tokens[i - 1].is_word(query, word));
                !follows_dot && !is_symbol(i + 1, b'.') && !names_relation && !follows_relation(query, &tokens, i)
            }
            _ => false,
        }
    })
}

/// The names by which columns of a table can be qualified: its aliases, or its own name.
fn row_names(query: &str, tokens: &[Token], table: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if token.name(query).as_deref() != Some(table) {
            continue;
        }
        names.push(table.to_owned());
        let skips_as = usize::from(tokens.get(i + 1).is_some_and(|next| next.is_word(query, "as")));
        if let Some(next) = tokens.get(i + 1 + skips_as)
            && !(next.kind == TokenKind::Word && NO_ALIAS.iter().any(|word| next.is_word(query, word)))
        {
            names.extend(next.name(query));
        }
    }
    names
}

/// Whether the token at `i` is the alias of the relation before it, or a relation in a list of them.
fn follows_relation(query: &str, tokens: &[Token], i: usize) -> bool {
    let Some(before) = i.checked_sub(1).and_then(|i| tokens.get(i)) else { return false };
    let is_key_word =
        ["and", "by", "case", "else", "in", "not", "on", "or", "select", "then", "when", "where", "distinct"];
    match before.kind {
        TokenKind::QuotedName => true,
        TokenKind::Word => !is_key_word.iter().any(|word| before.is_word(query, word)),
        _ => before.is_symbol(b'.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(query: &str, column: &str) -> bool {
        let reads = crate::sql::tree::query_reads(query).unwrap();
        let view = View {
            name: QualifiedName::new("public", "v"),
            materialized: false,
            query: query.to_owned(),
            relations: vec![QualifiedName::new("public", "users"), QualifiedName::new("public", "orders")],
            column_names: reads.columns,
            indexes: Vec::new(),
            line: 1,
        };
        may_read(&view, &QualifiedName::new("public", "users"), column)
    }

    #[test]
    fn columns_of_other_relations_are_told_apart() {
        assert!(!reads(
            "SELECT u.id, o.name FROM (public.users u JOIN public.orders o ON ((o.user_id = u.id)))",
            "name"
        ));
        assert!(!reads(
            "SELECT users.id, o.label AS name FROM public.users, public.orders o WHERE o.name = 'x'",
            "name"
        ));
        assert!(reads(
            "SELECT u.id, u.name FROM (public.users u JOIN public.orders o ON ((o.user_id = u.id)))",
            "name"
        ));
        assert!(reads("SELECT users.name FROM public.users, public.orders", "name"));
        assert!(reads("SELECT \"U\".name FROM users AS \"U\" LEFT JOIN orders ON true", "name"));
    }

    #[test]
    fn where_it_cannot_be_told_it_is_ours() {
        assert!(reads("SELECT name FROM users, orders", "name"));
        assert!(reads("SELECT * FROM users, orders", "name"));
        assert!(reads("SELECT o.id, u.* FROM users u JOIN orders o USING (id)", "name"));
        assert!(reads("SELECT row_to_json(u) FROM users u JOIN orders o ON true", "name"));
        assert!(reads("SELECT o.id FROM users u JOIN orders o USING (name)", "name"));
        assert!(!reads("SELECT o.*, u.id * 2 FROM users u JOIN orders o ON true", "name"));
    }
}
