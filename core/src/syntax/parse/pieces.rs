//! What operations are made of: names, paths, entries of blocks.

use proc_macro2::{Delimiter, Span, TokenTree};

use super::{CLAUSES, OPERATIONS, Parsed, Parser, Word};
use crate::diagnostic::{Diagnostic, Reported};
use crate::syntax::cursor::{Cursor, string};
use crate::syntax::{ColumnPath, Name, TablePath};

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

    /// `a, b, c`, up to the next entry.
    pub(super) fn names(
        &mut self,
        block: &mut Cursor,
        word: &Word,
        words: &[&str],
        names: &mut Vec<Name>,
    ) -> Parsed<()> {
        loop {
            self.not_an_entry(block, word, words)?;
            names.push(self.own_column(block, word)?);
            let list_ends = block.ends_after_next() || block.after_next_at_any_word(words);
            if !block.at_punct(',') || list_ends {
                return Ok(());
            }
            block.bump();
        }
    }

    /// A column of a table that is clear.
    pub(super) fn own_column(&mut self, block: &mut Cursor, word: &Word) -> Parsed<Name> {
        let Some(name) = block.eat_name() else {
            let message = format!("expected the name of a column after `{}`, found {}", word.text, block.found());
            return Err(self.report(Diagnostic::new(block.span(), message)));
        };
        if block.at_punct('.') {
            let message = "expected the name of a column alone".to_owned();
            let diagnostic = Diagnostic::new(name.span, message).note("which table it is of is clear here");
            return Err(self.report(diagnostic.help(format!("leave out `{}.`", name.text))));
        }
        Ok(name)
    }

    /// Says so where a word of the grammar stands in place of a name. Where a name must be meant, all the rest can be read.
    pub(super) fn not_an_entry(&mut self, block: &Cursor, word: &Word, words: &[&str]) -> Parsed<()> {
        if !block.at_any_word(words) {
            return Ok(());
        }
        let message = format!("expected the name of a column after `{}`, found {}", word.text, block.found());
        let name = block.found().replace('`', "\"");
        self.report(Diagnostic::new(block.span(), message).help(format!("if a column has this name, write `{name}`")));
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
