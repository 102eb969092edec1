//! Operations on whole tables: `split`, `add table`, `drop table`, `rename table`.

use super::{Parsed, Parser, Word, change_words};
use crate::syntax::cursor::Cursor;
use crate::syntax::{AddTable, Change, DropTable, Operation, RenameTable, Split};

const ADD_FORM: &str = "add table \"create table <table> (…)\";";
const DROP_FORM: &str = "drop table <table>;";
const RENAME_FORM: &str = "rename table <table> to <new_name>;";
const SPLIT_FORM: &str = "split <table> into <new_table> { key <column>, move <column>, <column> }";

impl Parser<'_> {
    /// `split t into u { key …, move … }`
    pub(super) fn split(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let table = self.table_path(cursor, "the table to split", SPLIT_FORM)?;
        self.lead_in(cursor, "into", SPLIT_FORM)?;
        let into = self.table_path(cursor, "the name of the new table", SPLIT_FORM)?;
        let Some(mut block) = cursor.eat_braces() else {
            return Err(self.expected(cursor, "`{`, the key, and what moves", SPLIT_FORM));
        };
        let (key, moved, always) = (Vec::new(), Vec::new(), None);
        let mut split = Split { keyword: word.span, table, into, key, moved, always };
        const WORDS: [&str; 3] = ["key", "move", "always"];
        self.entries(&mut block, &WORDS, |parser, block, word| match word.text {
            "key" => parser.names(block, word, &WORDS, &mut split.key),
            "move" => parser.names(block, word, &WORDS, &mut split.moved),
            _ => parser.set_once(&mut split.always, word.span, word),
        });
        change.operations.push(Operation::Split(split));
        Ok(())
    }

    /// `add table "create table …";`
    pub(super) fn add_table(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        cursor.bump();
        let table = Word { text: "table", span: word.span, is_guess: false };
        let sql = self.sql_after(cursor, &table, ADD_FORM)?;
        change.operations.push(Operation::AddTable(AddTable { keyword: word.span, sql }));
        self.semicolon(cursor, &change_words())
    }

    /// `drop table t;`
    pub(super) fn drop_table(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        cursor.bump();
        let table = self.table_path(cursor, "the table", DROP_FORM)?;
        change.operations.push(Operation::DropTable(DropTable { keyword: word.span, table }));
        self.semicolon(cursor, &change_words())
    }

    /// `rename table t to u;`
    pub(super) fn rename_table(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        cursor.bump();
        let table = self.table_path(cursor, "the table", RENAME_FORM)?;
        self.lead_in(cursor, "to", RENAME_FORM)?;
        let to = self.new_column(cursor, RENAME_FORM)?;
        change.operations.push(Operation::RenameTable(RenameTable { keyword: word.span, table, to }));
        self.semicolon(cursor, &change_words())
    }
}
