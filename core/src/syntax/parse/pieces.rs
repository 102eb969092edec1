//! What operations are made of: names, paths, entries of blocks.

use proc_macro2::{Delimiter, Span, TokenTree};

use super::{CLAUSES, OPERATIONS, Parsed, Parser, Word};
use crate::diagnostic::{Diagnostic, Reported};
use crate::ident::quote_ident;
use crate::syntax::cursor::{Cursor, string, without_raw};
use crate::syntax::{ColumnPath, Literal, Name, TablePath};

impl Parser<'_> {
    /// The word between two names. Where only it is missing, all the rest can be read.
    pub(super) fn lead_in(&mut self, cursor: &mut Cursor, word: &str, form: &str) -> Parsed<()> {
        if cursor.eat_word(word).is_some() {
            return Ok(());
        }
        self.expected(cursor, &format!("`{word}`"), form);
        let goes_on = cursor.ident().is_some() || string(cursor.peek()).is_some();
        if goes_on { Ok(()) } else { Err(Reported) }
    }

    /// A `;`, or the end of what the item stands in. Where only it is missing, the next item can be read.
    pub(super) fn semicolon(&mut self, cursor: &mut Cursor, next: &[&str]) -> Parsed<()> {
        if cursor.eat_punct(';') || cursor.is_at_end() {
            return Ok(());
        }
        let message = format!("expected `;`, found {}", cursor.found());
        self.report(Diagnostic::new(cursor.span(), message));
        if cursor.at_item(next) { Ok(()) } else { Err(Reported) }
    }

    pub(super) fn name(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<Name> {
        match cursor.eat_name() {
            Some(name) => Ok(name),
            None => Err(self.expected(cursor, what, form)),
        }
    }

    pub(super) fn new_column(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<Name> {
        if cursor.at_item(&[&OPERATIONS[..], &CLAUSES[..]].concat()) {
            self.expected(cursor, "the new name", form);
            return Err(Reported);
        }
        let name = self.name(cursor, "the new name", form)?;
        if cursor.at_punct('.') {
            let message = "the new name stands alone, without its table".to_owned();
            return Err(self.report(Diagnostic::new(name.span, message).help(format!("write `{form}`"))));
        }
        Ok(name)
    }

    pub(super) fn path(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<Vec<Name>> {
        let mut names = vec![self.name(cursor, what, form)?];
        while cursor.eat_punct('.') {
            let before: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            let what = format!("a name after `{}.`", before.join("."));
            names.push(self.name(cursor, &what, form)?);
        }
        Ok(names)
    }

    pub(super) fn table_path(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<TablePath> {
        let names = self.path(cursor, what, form)?;
        self.as_table_path(names, form)
    }

    pub(super) fn as_table_path(&mut self, names: Vec<Name>, form: &str) -> Parsed<TablePath> {
        let mut names = names.into_iter();
        match (names.next(), names.next(), names.next()) {
            (Some(table), None, _) => Ok(TablePath { schema: None, table }),
            (Some(schema), Some(table), None) => Ok(TablePath { schema: Some(schema), table }),
            (.., Some(extra)) => {
                let message = "a table has two names at most: `<schema>.<table>`".to_owned();
                Err(self.report(Diagnostic::new(extra.span, message).help(format!("write `{form}`"))))
            }
            (None, ..) => Err(Reported),
        }
    }

    pub(super) fn column_path(&mut self, cursor: &mut Cursor, operation: &str, form: &str) -> Parsed<ColumnPath> {
        let mut names = self.path(cursor, "a table and a column", form)?;
        match (names.len(), names.pop()) {
            (1, Some(only)) => {
                let message = format!("`{operation}` takes a column: `{}.<column>`", only.text);
                Err(self.report(Diagnostic::new(only.span, message).help(format!("write `{form}`"))))
            }
            (2 | 3, Some(column)) => Ok(ColumnPath { table: self.as_table_path(names, form)?, column }),
            (_, Some(extra)) => {
                let message = "a column has three names at most: `<schema>.<table>.<column>`".to_owned();
                Err(self.report(Diagnostic::new(extra.span, message).help(format!("write `{form}`"))))
            }
            (_, None) => Err(Reported),
        }
    }

    /// Entries of a block, each of which begins with one of `words`, with commas between them.
    pub(super) fn entries(
        &mut self,
        block: &mut Cursor,
        words: &[&'static str],
        mut read: impl FnMut(&mut Self, &mut Cursor, &Word) -> Parsed<()>,
    ) {
        while !block.is_at_end() {
            let entry = match self.word(block, words) {
                Ok(word) => self.under(&word, |parser| read(parser, block, &word)),
                Err(Reported) => Err(Reported),
            };
            if entry.is_err() {
                block.skip_entry();
                block.bump();
            } else if block.at_any_word(words) {
                self.expected_comma(block);
            } else {
                self.comma(block);
            }
        }
    }

    /// Goes over the comma behind an entry; the last one needs none.
    pub(super) fn comma(&mut self, block: &mut Cursor) {
        if block.is_at_end() || block.eat_punct(',') {
            return;
        }
        self.expected_comma(block);
        block.skip_entry();
        block.bump();
    }

    pub(super) fn expected_comma(&mut self, block: &Cursor) {
        let message = format!("expected `,`, found {}", block.found());
        self.report(
            Diagnostic::new(block.span(), message).note("the entries of a block stand with commas between them"),
        );
    }

    /// SQL in a string literal, behind the word that says what it is.
    pub(super) fn sql_after(&mut self, cursor: &mut Cursor, word: &Word, form: &str) -> Parsed<Literal> {
        cursor
            .eat_string()
            .ok_or_else(|| self.expected(cursor, &format!("SQL in a string literal after `{}`", word.text), form))
    }

    /// The columns `a, b, c`, up to the next entry.
    pub(super) fn names(
        &mut self,
        block: &mut Cursor,
        word: &Word,
        words: &[&str],
        names: &mut Vec<Name>,
    ) -> Parsed<()> {
        self.names_of(block, word, "a column", words, names)
    }

    /// `a, b, c`, up to the next entry; each is the name of `what`: `an object`.
    pub(super) fn names_of(
        &mut self,
        block: &mut Cursor,
        word: &Word,
        what: &str,
        words: &[&str],
        names: &mut Vec<Name>,
    ) -> Parsed<()> {
        loop {
            self.not_an_entry(block, word, what, words)?;
            names.push(self.own_name(block, word, what)?);
            let list_ends = block.ends_after_next() || block.after_next_at_any_word(words);
            if !block.at_punct(',') || list_ends {
                return Ok(());
            }
            block.bump();
        }
    }

    /// A column of a table that is clear.
    pub(super) fn own_name(&mut self, block: &mut Cursor, word: &Word, what: &str) -> Parsed<Name> {
        let Some(name) = block.eat_name() else {
            let message = format!("expected the name of {what} after `{}`, found {}", word.text, block.found());
            return Err(self.report(Diagnostic::new(block.span(), message)));
        };
        if block.at_punct('.') {
            let message = format!("expected the name of {what} alone");
            let diagnostic = Diagnostic::new(name.span, message).note("which table it is of is clear here");
            return Err(self.report(diagnostic.help(format!("leave out `{}.`", name.text))));
        }
        Ok(name)
    }

    /// Says so where a word of the grammar stands in place of a name. Where a name must be meant, all the rest can be read.
    pub(super) fn not_an_entry(&mut self, block: &Cursor, word: &Word, what: &str, words: &[&str]) -> Parsed<()> {
        if !block.at_any_word(words) {
            return Ok(());
        }
        let message = format!("expected the name of {what} after `{}`, found {}", word.text, block.found());
        let name = block.found().replace('`', "\"");
        self.report(Diagnostic::new(block.span(), message).help(format!("if {what} has this name, write `{name}`")));
        if block.at_end_of_entry_after_next() { Ok(()) } else { Err(Reported) }
    }

    pub(super) fn set_once<T>(&mut self, place: &mut Option<T>, value: T, word: &Word) -> Parsed<()> {
        match place {
            Some(_) => self.twice(word.span, word.text),
            None => *place = Some(value),
        }
        Ok(())
    }

    pub(super) fn twice(&mut self, span: Span, word: &str) {
        self.report(Diagnostic::new(span, format!("`{word}` is written twice")).help("leave one of them out"));
    }

    /// The lines of doc comments, which arrive as attributes.
    pub(super) fn docs(&mut self, cursor: &mut Cursor) -> Parsed<Vec<String>> {
        let mut lines = Vec::new();
        while cursor.at_punct('#') {
            cursor.bump();
            cursor.eat_punct('!');
            let group = match cursor.peek() {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => group.clone(),
                _ => return Err(self.expected(cursor, "a doc comment", "/// Why this changes.")),
            };
            let mut inside = Cursor::of_group(&group);
            let is_doc = inside.eat_word("doc").is_some() && inside.eat_punct('=');
            let text = inside.eat_string().filter(|_| is_doc);
            match text {
                Some(text) => lines.extend(doc_lines(&text.value)),
                None => {
                    let message = "only doc comments can stand here, no other attributes".to_owned();
                    self.report(Diagnostic::new(group.span(), message).note(
                        "the build script and the command read the declaration from the source, without the compiler's settings",
                    ));
                }
            }
            cursor.bump();
        }
        Ok(lines)
    }
}

/// The lines of a doc comment, without the space that stands before each, and without the stars of `/** … */`.
fn doc_lines(text: &str) -> Vec<String> {
    if !text.contains('\n') {
        return vec![text.strip_prefix(' ').unwrap_or(text).to_owned()];
    }
    let without_star = |line: &str| {
        let line = line.trim();
        line.strip_prefix('*').map(|rest| rest.strip_prefix(' ').unwrap_or(rest)).unwrap_or(line).to_owned()
    };
    let lines: Vec<String> = text.lines().map(without_star).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    lines.get(first..end).unwrap_or_default().to_vec()
}

/// Tokens as SQL, spaced as people do.
pub(super) fn sql_text(tokens: &[TokenTree]) -> String {
    let mut text = String::new();
    let mut follows_word = false;
    for token in tokens {
        let (piece, is_word) = match token {
            TokenTree::Ident(ident) => (without_raw(ident), true),
            TokenTree::Literal(literal) => {
                (string(Some(token)).map_or_else(|| literal.to_string(), |name| quote_ident(&name.value)), true)
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => (", ".to_owned(), false),
            TokenTree::Punct(punct) => (punct.to_string(), false),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Bracket => ("[", "]"),
                    _ => ("(", ")"),
                };
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                text.push_str(open);
                text.push_str(&sql_text(&inside));
                text.push_str(close);
                follows_word = true;
                continue;
            }
        };
        if is_word && follows_word {
            text.push(' ');
        }
        text.push_str(&piece);
        follows_word = is_word;
    }
    text
}
