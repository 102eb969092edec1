//! Operations on whole tables: `split`.

use super::{Parsed, Parser, Word};
use crate::syntax::cursor::Cursor;
use crate::syntax::{Change, Operation, Split};

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
}
