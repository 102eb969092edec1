//! `sql { … }`: anything else, phase by phase.

use super::{Parsed, Parser, Word};
use crate::diagnostic::Reported;
use crate::syntax::cursor::Cursor;
use crate::syntax::{Change, Name, Operation, Sql, SqlLock, SqlPart};

const FORM: &str = "sql { expand \"…\" undo \"…\" locks users access exclusive, contract \"…\" locks nothing }";
/// The phases in which statements run. What is done in batches has words of its own.
const WORDS: [&str; 5] = ["expand", "dual_write", "validate", "contract", "irreversible"];
/// What can stand behind the statements of a phase.
const CLAUSES: [&str; 3] = ["undo", "locks", "outside"];

impl Parser<'_> {
    /// `sql { expand "…" undo "…" locks users access exclusive outside transaction, … }`
    pub(super) fn statements(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let Some(mut block) = cursor.eat_braces() else {
            return Err(self.expected(cursor, "`{` and the statements of each phase", FORM));
        };
        let mut sql = Sql { keyword: word.span, parts: Vec::new(), irreversible: None };
        self.entries(&mut block, &WORDS, |parser, block, word| match word.text {
            "irreversible" => parser.set_once(&mut sql.irreversible, word.span, word),
            _ => {
                let part = parser.sql_part(block, word)?;
                sql.parts.push(part);
                Ok(())
            }
        });
        change.operations.push(Operation::Sql(sql));
        Ok(())
    }

    fn sql_part(&mut self, block: &mut Cursor, word: &Word) -> Parsed<SqlPart> {
        let phase = Name { text: word.text.to_owned(), span: word.span };
        let statements = self.sql_after(block, word, FORM)?;
        let mut part = SqlPart { phase, statements, undo: None, locks: None, outside: None };
        while block.at_any_word(&CLAUSES) {
            let word = self.word(block, &CLAUSES)?;
            match word.text {
                "undo" => {
                    let undo = self.sql_after(block, &word, FORM)?;
                    self.set_once(&mut part.undo, undo, &word)?;
                }
                "locks" => {
                    let locks = self.sql_locks(block)?;
                    self.set_once(&mut part.locks, locks, &word)?;
                }
                _ => {
                    if block.eat_word("transaction").is_none() {
                        return Err(self.expected(block, "`transaction` after `outside`", FORM));
                    }
                    self.set_once(&mut part.outside, word.span, &word)?;
                }
            }
        }
        Ok(part)
    }

    /// `nothing`, or `users access exclusive, orders share`.
    fn sql_locks(&mut self, block: &mut Cursor) -> Parsed<Vec<SqlLock>> {
        if block.eat_word("nothing").is_some() {
            return Ok(Vec::new());
        }
        let mut locks = Vec::new();
        loop {
            let table = self.table_path(block, "the table that is locked, or `nothing`", FORM)?;
            let span = block.span();
            let mut level = Vec::new();
            while block.ident().is_some() && !block.at_any_word(&CLAUSES) {
                level.extend(block.eat_name().map(|word| word.text));
            }
            if level.is_empty() {
                self.expected(block, "how strongly it is locked, such as `access exclusive`", FORM);
                return Err(Reported);
            }
            locks.push(SqlLock { table, level: level.join(" "), span });
            let list_ends = block.ends_after_next() || block.after_next_at_any_word(&WORDS);
            if !block.at_punct(',') || list_ends {
                return Ok(locks);
            }
            block.bump();
        }
    }
}
