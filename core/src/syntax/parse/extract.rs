//! `extract`: repeated values become a table of their own.

use super::{Parsed, Parser, Word};
use crate::diagnostic::{Diagnostic, Reported};
use crate::syntax::cursor::Cursor;
use crate::syntax::{Change, Extract, ExtractedColumn, GeneratedKey, Operation};

const EXTRACT_FORM: &str =
    "extract <new_table> from <table> (<column>, <column> as <new_name>) { key <column>: bigint, reference <column> }";
const KEY_FORM: &str = "key id: bigint";

impl Parser<'_> {
    /// `extract u from t (a, b as c) { key id: bigint, reference u_id }`
    pub(super) fn extract(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let into = self.table_path(cursor, "the name of the new table", EXTRACT_FORM)?;
        self.lead_in(cursor, "from", EXTRACT_FORM)?;
        let table = self.table_path(cursor, "the table that has the columns", EXTRACT_FORM)?;
        let Some(mut list) = cursor.eat_parentheses() else {
            return Err(self.expected(cursor, "`(` and the columns that repeat", EXTRACT_FORM));
        };
        let columns = self.extracted_columns(&mut list);
        let Some(mut block) = cursor.eat_braces() else {
            return Err(self.expected(cursor, "`{`, the key of the new table, and the reference to it", EXTRACT_FORM));
        };
        let mut extract =
            Extract { keyword: word.span, into, table, columns, key: None, reference: None, always: None };
        const WORDS: [&str; 3] = ["key", "reference", "always"];
        self.entries(&mut block, &WORDS, |parser, block, word| match word.text {
            "key" => {
                let key = parser.generated_key(block, word, &WORDS)?;
                parser.set_once(&mut extract.key, key, word)
            }
            "reference" => {
                parser.not_an_entry(block, word, "a column", &WORDS)?;
                let name =
                    parser.name(block, "the name of the column that refers to the new table", "reference u_id")?;
                parser.set_once(&mut extract.reference, name, word)
            }
            _ => parser.set_once(&mut extract.always, word.span, word),
        });
        change.operations.push(Operation::Extract(extract));
        Ok(())
    }

    /// `a, b as c`
    fn extracted_columns(&mut self, list: &mut Cursor) -> Vec<ExtractedColumn> {
        let mut columns = Vec::new();
        while !list.is_at_end() {
            match self.extracted_column(list) {
                Ok(column) => {
                    columns.push(column);
                    self.comma(list);
                }
                Err(Reported) => {
                    list.skip_entry();
                    list.bump();
                }
            }
        }
        columns
    }

    fn extracted_column(&mut self, list: &mut Cursor) -> Parsed<ExtractedColumn> {
        let column = self.name(list, "the name of a column", EXTRACT_FORM)?;
        if list.at_punct('.') {
            let diagnostic = Diagnostic::new(column.span, "expected the name of a column alone")
                .note("which table it is of is clear here");
            return Err(self.report(diagnostic.help(format!("leave out `{}.`", column.text))));
        }
        let to = match list.eat_word("as") {
            Some(_) => Some(self.name(list, "the column's name in the new table", EXTRACT_FORM)?),
            None => None,
        };
        Ok(ExtractedColumn { column, to })
    }

    /// `id: bigint`
    fn generated_key(&mut self, block: &mut Cursor, word: &Word, words: &[&str]) -> Parsed<GeneratedKey> {
        self.not_an_entry(block, word, "a column", words)?;
        let name = self.name(block, "the name of the new table's key", KEY_FORM)?;
        if !block.eat_punct(':') {
            return Err(self.expected(block, "`:` and the type of the key", KEY_FORM));
        }
        let ty = self.sql_type(block, KEY_FORM)?;
        Ok(GeneratedKey { name, ty })
    }
}
