//! Operations between tables that are there already: `merge`, `move`.

use super::{Parsed, Parser, Word};
use crate::diagnostic::Diagnostic;
use crate::syntax::cursor::Cursor;
use crate::syntax::{Absent, Change, Conflicting, Merge, MergedColumn, Move, Operation, Unmatched, Via};

const MERGE_FORM: &str = "merge <table> into <table> { key <column>, move <column>, <column> as <new_name> }";
const MOVE_FORM: &str = "move <table>.<column> to <other_table>.<column> { via <table>.<column> }";
const CONFLICTING_FORM: &str = "conflicting rows take \"max(<column>)\"";
const ABSENT_FORM: &str = "move <column> or \"<SQL expression>\"";

impl Parser<'_> {
    /// `merge u into t { key …, move … }`
    pub(super) fn merge(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let table = self.table_path(cursor, "the table that goes", MERGE_FORM)?;
        self.lead_in(cursor, "into", MERGE_FORM)?;
        let into = self.table_path(cursor, "the table that gets the columns", MERGE_FORM)?;
        let Some(mut block) = cursor.eat_braces() else {
            return Err(self.expected(cursor, "`{`, the key, and what moves", MERGE_FORM));
        };
        let (key, moved, dropped, always) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut merge = Merge { keyword: word.span, table, into, key, moved, dropped, always };
        const WORDS: [&str; 4] = ["key", "move", "drop", "always"];
        self.entries(&mut block, &WORDS, |parser, block, word| match word.text {
            "key" => parser.names(block, word, &WORDS, &mut merge.key),
            "move" => parser.merged_columns(block, word, &WORDS, &mut merge.moved),
            "drop" => parser.names(block, word, &WORDS, &mut merge.dropped),
            _ => parser.set_once(&mut merge.always, word.span, word),
        });
        change.operations.push(Operation::Merge(merge));
        Ok(())
    }

    /// `a, b as c, d or "'none'"`, up to the next entry.
    fn merged_columns(
        &mut self,
        block: &mut Cursor,
        word: &Word,
        words: &[&str],
        columns: &mut Vec<MergedColumn>,
    ) -> Parsed<()> {
        loop {
            self.not_an_entry(block, word, "a column", words)?;
            let column = self.own_name(block, word, "a column")?;
            let to = match block.eat_word("as") {
                Some(_) => Some(self.name(block, "the new name", MERGE_FORM)?),
                None => None,
            };
            let absent = match block.eat_word("or") {
                Some(_) => Some(self.absent(block)?),
                None => None,
            };
            columns.push(MergedColumn { column, to, absent });
            let list_ends = block.ends_after_next() || block.after_next_at_any_word(words);
            if !block.at_punct(',') || list_ends {
                return Ok(());
            }
            block.bump();
        }
    }

    /// What stands behind `or`: what a row without a partner holds.
    fn absent(&mut self, block: &mut Cursor) -> Parsed<Absent> {
        if let Some(expression) = block.eat_string() {
            return Ok(Absent::Expression(expression));
        }
        if let Some(span) = block.eat_word("null") {
            return Ok(Absent::Null(span));
        }
        let message =
            format!("expected `null` or a SQL expression in a string literal after `or`, found {}", block.found());
        let diagnostic =
            Diagnostic::new(block.span(), message).note("it says what a row holds that has no row in the other table");
        Err(self.report(diagnostic.help(format!("write `{ABSENT_FORM}`"))))
    }

    /// `move t.a to u.b { via t.u_id }`
    pub(super) fn move_column(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "move", MOVE_FORM)?;
        self.lead_in(cursor, "to", MOVE_FORM)?;
        let to = self.column_path(cursor, "move", MOVE_FORM)?;
        let Some(mut block) = cursor.eat_braces() else {
            return Err(self.expected(cursor, "`{` and the reference between the tables", MOVE_FORM));
        };
        let mut tree = Move { keyword: word.span, column, to, via: None, conflicting: None, unmatched: None };
        const WORDS: [&str; 3] = ["via", "conflicting", "unmatched"];
        self.entries(&mut block, &WORDS, |parser, block, word| match word.text {
            "via" => {
                let path = parser.column_path(block, "via", MOVE_FORM)?;
                let mut via = Via { table: path.table, columns: vec![path.column] };
                while block.at_punct(',') && !block.ends_after_next() && !block.after_next_at_any_word(&WORDS) {
                    block.bump();
                    via.columns.push(parser.own_name(block, word, "a column")?);
                }
                parser.set_once(&mut tree.via, via, word)
            }
            "conflicting" => {
                let conflicting = parser.conflicting(block)?;
                parser.set_once(&mut tree.conflicting, conflicting, word)
            }
            _ => {
                let choice = parser.word(block, &["refuse", "discard"])?;
                let unmatched = Unmatched { discard: choice.text == "discard", span: word.span };
                parser.set_once(&mut tree.unmatched, unmatched, word)
            }
        });
        change.operations.push(Operation::Move(tree));
        Ok(())
    }

    /// `rows refuse` or `rows take "max(a)"`, behind `conflicting`.
    fn conflicting(&mut self, block: &mut Cursor) -> Parsed<Conflicting> {
        if block.eat_word("rows").is_none() {
            return Err(self.expected(block, "`rows`", CONFLICTING_FORM));
        }
        let choice = self.word(block, &["refuse", "take"])?;
        if choice.text == "refuse" {
            return Ok(Conflicting::Refuse(choice.span));
        }
        match block.eat_string() {
            Some(expression) => Ok(Conflicting::Take(expression)),
            None => Err(self.expected(block, "a SQL aggregate in a string literal", CONFLICTING_FORM)),
        }
    }
}
