//! Operations on indexes: `create index`, `drop index`.

use super::pieces::sql_text;
use super::{Parsed, Parser, Word, change_words};
use crate::diagnostic::Diagnostic;
use crate::syntax::cursor::Cursor;
use crate::syntax::{Change, CreateIndex, DropIndex, Literal, Name, Operation};

const CREATE_FORM: &str = "create index on <table> (<column>, <column> desc);";
const DROP_FORM: &str = "drop index <index>;";

impl Parser<'_> {
    /// `create index on t (a desc, lower(b)) unique using btree include (c) where "…" name x;`
    pub(super) fn create_index(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let unique_in_front = cursor.eat_word("unique");
        if cursor.eat_word("index").is_none() {
            return Err(self.expected(cursor, "`index`", CREATE_FORM));
        }
        self.lead_in(cursor, "on", CREATE_FORM)?;
        let table = self.table_path(cursor, "the table", CREATE_FORM)?;
        let keys = self.keys(cursor)?;
        let (unique, using, include, condition, name) = (unique_in_front, None, Vec::new(), None, None);
        let mut create = CreateIndex { keyword: word.span, table, keys, unique, using, include, condition, name };
        const WORDS: [&str; 5] = ["unique", "using", "include", "where", "name"];
        while cursor.at_any_word(&WORDS) {
            let word = self.word(cursor, &WORDS)?;
            match word.text {
                "unique" => self.set_once(&mut create.unique, word.span, &word)?,
                "using" => {
                    let method = self.name(cursor, "the method of the index", CREATE_FORM)?;
                    self.set_once(&mut create.using, method, &word)?;
                }
                "include" => create.include.extend(self.included(cursor, &word)?),
                "where" => {
                    let condition = self.sql_after(cursor, &word, CREATE_FORM)?;
                    self.set_once(&mut create.condition, condition, &word)?;
                }
                _ => {
                    let name = self.name(cursor, "the name of the index", CREATE_FORM)?;
                    self.set_once(&mut create.name, name, &word)?;
                }
            }
        }
        change.operations.push(Operation::CreateIndex(create));
        self.semicolon(cursor, &change_words())
    }

    /// `drop index x;`
    pub(super) fn drop_index(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        cursor.bump();
        let index = self.table_path(cursor, "the index", DROP_FORM)?;
        change.operations.push(Operation::DropIndex(DropIndex { keyword: word.span, index }));
        self.semicolon(cursor, &change_words())
    }

    /// What is indexed: tokens between parentheses, or all of it as SQL in a string literal.
    fn keys(&mut self, cursor: &mut Cursor) -> Parsed<Literal> {
        if let Some(keys) = cursor.eat_string() {
            return Ok(keys);
        }
        let span = cursor.span();
        let Some(mut inside) = cursor.eat_parentheses() else {
            return Err(self.expected(cursor, "`(` and what is indexed", CREATE_FORM));
        };
        let tokens = inside.take_until(|_| false);
        let keys = Literal { value: sql_text(&tokens), span };
        if tokens.is_empty() {
            let message = "an index without any column".to_owned();
            return Err(self.report(Diagnostic::new(keys.span, message).help(format!("write `{CREATE_FORM}`"))));
        }
        Ok(keys)
    }

    fn included(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<Vec<Name>> {
        let Some(mut inside) = cursor.eat_parentheses() else {
            return Err(self.expected(cursor, "`(` and the columns", "include (<column>)"));
        };
        let mut names = Vec::new();
        self.names(&mut inside, word, &[], &mut names)?;
        Ok(names)
    }
}
