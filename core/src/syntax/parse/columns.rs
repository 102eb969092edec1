//! Operations on the columns of a table: `rename`, `retype`, `widen`, `add`, `drop`.

use super::pieces::sql_text;
use super::{CLAUSES, OPERATIONS, Parsed, Parser, Word, change_words};
use crate::diagnostic::{Diagnostic, Reported};
use crate::syntax::cursor::{Cursor, string};
use crate::syntax::{
    AddColumn, Change, Conversion, DropColumn, InsertNulls, Operation, Otherwise, Rename, Retype, TypeText, Way, Widen,
};

const RENAME_FORM: &str = "rename <table>.<column> to <new_name>;";
const RETYPE_FORM: &str = "retype <table>.<column> to <new_name>: <type> { forward \"…\", backward \"…\" }";
const ADD_FORM: &str = "add <table>.<column>: <type> not null default \"<SQL expression>\";";
const DROP_FORM: &str = "drop <table>.<column>;";
const DROP_BLOCK_FORM: &str = "drop <table>.<column> { default \"<SQL expression>\", with <index> }";
const WIDEN_FORM: &str = "widen <table>.<column> to bigint;";
const WAY_FORM: &str = "by copy, through view, in place";
/// The first and the second word of each way.
const WAYS: [(&str, &str); 3] = [("by", "copy"), ("through", "view"), ("in", "place")];
const CONVERSION_FORM: &str = "forward \"<SQL expression>\" or reject";
const INSERT_FORM: &str = "insert nulls take before";

impl Parser<'_> {
    /// `rename t.a to b;` or `rename t.a to b { insert nulls take before }`
    pub(super) fn rename(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "rename", RENAME_FORM)?;
        self.lead_in(cursor, "to", RENAME_FORM)?;
        let to = self.new_column(cursor, RENAME_FORM)?;
        let way = self.way(cursor)?;
        let mut rename = Rename { keyword: word.span, column, to, way, insert_nulls: None };
        let block = cursor.eat_braces();
        let has_block = block.is_some();
        if let Some(mut block) = block {
            self.entries(&mut block, &["insert"], |parser, block, word| {
                let insert_nulls = parser.insert_nulls(block, word)?;
                parser.set_once(&mut rename.insert_nulls, insert_nulls, word)
            });
        }
        change.operations.push(Operation::Rename(rename));
        if has_block { Ok(()) } else { self.semicolon(cursor, &change_words()) }
    }

    /// `retype t.a to b: type { … }` or `retype t.a to type { … }`
    pub(super) fn retype(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "retype", RETYPE_FORM)?;
        self.lead_in(cursor, "to", RETYPE_FORM)?;
        let to = if cursor.colon_after_next() { Some(self.new_column(cursor, RETYPE_FORM)?) } else { None };
        cursor.eat_punct(':');
        let ty = self.sql_type(cursor, RETYPE_FORM)?;
        if let Some(span) = cursor.eat_word("not") {
            let message = "a column that is retyped is NOT NULL where it was before".to_owned();
            self.report(Diagnostic::new(span, message).help("leave `not null` out"));
            cursor.eat_word("null");
        }
        let way = self.way(cursor)?;
        let mut retype = Retype {
            keyword: word.span,
            column,
            to,
            ty,
            way,
            forward: None,
            backward: None,
            irreversible: None,
            insert_nulls: None,
        };
        let block = cursor.eat_braces();
        let has_block = block.is_some();
        if let Some(mut block) = block {
            let words = ["forward", "backward", "irreversible", "insert"];
            self.entries(&mut block, &words, |parser, block, word| match word.text {
                "forward" => {
                    let conversion = parser.conversion(block, word)?;
                    parser.set_once(&mut retype.forward, conversion, word)
                }
                "backward" => {
                    let conversion = parser.conversion(block, word)?;
                    parser.set_once(&mut retype.backward, conversion, word)
                }
                "irreversible" => parser.set_once(&mut retype.irreversible, word.span, word),
                _ => {
                    let insert_nulls = parser.insert_nulls(block, word)?;
                    parser.set_once(&mut retype.insert_nulls, insert_nulls, word)
                }
            });
        }
        change.operations.push(Operation::Retype(retype));
        if has_block { Ok(()) } else { self.semicolon(cursor, &change_words()) }
    }

    /// `widen t.a to bigint;`
    pub(super) fn widen(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "widen", WIDEN_FORM)?;
        self.lead_in(cursor, "to", WIDEN_FORM)?;
        let ty = self.sql_type(cursor, WIDEN_FORM)?;
        change.operations.push(Operation::Widen(Widen { keyword: word.span, column, ty }));
        if cursor.at_braces() {
            let message = "`widen` takes no block".to_owned();
            let note =
                "every value of a type of integers has the same value in a wider one, so there is nothing to convert";
            self.report(Diagnostic::new(cursor.span(), message).note(note).help(format!("write `{WIDEN_FORM}`")));
            cursor.eat_braces();
            return Ok(());
        }
        self.semicolon(cursor, &change_words())
    }

    /// `add t.a: type not null default "…" fill "…";`
    pub(super) fn add(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "add", ADD_FORM)?;
        if !cursor.eat_punct(':') {
            self.expected(cursor, "`:` and the type", ADD_FORM);
            if cursor.is_at_end() || cursor.at_punct(';') {
                return Err(Reported);
            }
        }
        const WORDS: [&str; 3] = ["not", "default", "fill"];
        let ty = self.sql_type(cursor, ADD_FORM)?;
        let mut add = AddColumn { keyword: word.span, column, ty, not_null: None, default: None, fill: None };
        while cursor.at_any_word(&WORDS) {
            let word = self.word(cursor, &WORDS)?;
            match word.text {
                "not" => {
                    if cursor.eat_word("null").is_none() {
                        return Err(self.expected(cursor, "`null` after `not`", ADD_FORM));
                    }
                    self.set_once(&mut add.not_null, word.span, &word)?;
                }
                "default" => {
                    let default = self.sql_after(cursor, &word, ADD_FORM)?;
                    self.set_once(&mut add.default, default, &word)?;
                }
                _ => {
                    let fill = self.sql_after(cursor, &word, ADD_FORM)?;
                    self.set_once(&mut add.fill, fill, &word)?;
                }
            }
        }
        change.operations.push(Operation::AddColumn(add));
        self.semicolon(cursor, &change_words())
    }

    /// `drop t.a;` or `drop t.a { default "…", with t_a_idx }`
    pub(super) fn drop(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "drop", DROP_FORM)?;
        let mut drop = DropColumn { keyword: word.span, column, default: None, with: Vec::new() };
        let block = cursor.eat_braces();
        let has_block = block.is_some();
        if let Some(mut block) = block {
            const WORDS: [&str; 2] = ["default", "with"];
            self.entries(&mut block, &WORDS, |parser, block, word| match word.text {
                "default" => {
                    let default = parser.sql_after(block, word, DROP_BLOCK_FORM)?;
                    parser.set_once(&mut drop.default, default, word)
                }
                _ => parser.names_of(block, word, "an object", &WORDS, &mut drop.with),
            });
        }
        change.operations.push(Operation::DropColumn(drop));
        if has_block { Ok(()) } else { self.semicolon(cursor, &change_words()) }
    }

    /// `by copy`, `through view` or `in place`, where one of them stands here.
    fn way(&mut self, cursor: &mut Cursor) -> Parsed<Option<Way>> {
        for (first, second) in WAYS {
            let Some(span) = cursor.eat_word(first) else { continue };
            if cursor.eat_word(second).is_none() {
                return Err(self.expected(cursor, &format!("`{second}` after `{first}`"), WAY_FORM));
            }
            return Ok(Some(match first {
                "by" => Way::Copy(span),
                "through" => Way::View(span),
                _ => Way::InPlace(span),
            }));
        }
        Ok(None)
    }

    /// `forward [lossy] "expression" [or …]`, behind its first word.
    pub(super) fn conversion(&mut self, block: &mut Cursor, word: &Word) -> Parsed<Conversion> {
        let lossy = block.eat_word("lossy");
        let form = CONVERSION_FORM.replacen("forward", word.text, 1);
        let Some(expression) = block.eat_string() else {
            let message =
                format!("expected a SQL expression in a string literal after `{}`, found {}", word.text, block.found());
            let diagnostic = Diagnostic::new(block.span(), message)
                .note("SQL stands in string literals, because not all of it can be read as tokens of Rust")
                .help(format!("write `{form}`"));
            return Err(self.report(diagnostic));
        };
        if let Some(span) = block.eat_word("lossy") {
            let message = "`lossy` stands before the expression".to_owned();
            self.report(
                Diagnostic::new(span, message).help(format!("write `{} lossy \"{}\"`", word.text, expression.value)),
            );
        }
        let otherwise = if block.eat_word("or").is_some() { Some(self.otherwise(block)?) } else { None };
        Ok(Conversion { keyword: word.span, lossy, expression, otherwise })
    }

    pub(super) fn otherwise(&mut self, block: &mut Cursor) -> Parsed<Otherwise> {
        if let Some(expression) = block.eat_string() {
            return Ok(Otherwise::Expression(expression));
        }
        if block.ident().is_none() {
            let what = "`reject`, `quarantine` or a SQL expression in a string literal";
            return Err(self.expected(block, what, CONVERSION_FORM));
        }
        let word = self.word(block, &["reject", "quarantine"])?;
        Ok(match word.text {
            "reject" => Otherwise::Reject(word.span),
            _ => Otherwise::Quarantine(word.span),
        })
    }

    /// `insert nulls take before | after`, behind its first word.
    pub(super) fn insert_nulls(&mut self, block: &mut Cursor, word: &Word) -> Parsed<InsertNulls> {
        for expected in ["nulls", "take"] {
            if block.eat_word(expected).is_none() {
                return Err(self.expected(block, &format!("`{expected}`"), INSERT_FORM));
            }
        }
        let side = self.word(block, &["before", "after"])?;
        Ok(InsertNulls { after: side.text == "after", span: word.span })
    }

    /// A SQL type: tokens up to the block, or a string literal.
    pub(super) fn sql_type(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<TypeText> {
        let span = cursor.span();
        // None of these words is part of a type's name, and its commas stand in parentheses.
        let tokens = cursor.take_until(|c| {
            c.at_punct(';')
                || c.at_punct(',')
                || c.at_any_word(&["not", "default", "fill"])
                || c.at_braces()
                || (c.at_any_word(&OPERATIONS) || c.at_any_word(&CLAUSES)) && !c.follows_punct()
                || WAYS.iter().any(|(first, _)| c.at_word(first))
        });
        let text = match tokens.as_slice() {
            [] => return Err(self.expected(cursor, "a SQL type", form)),
            [only] if string(Some(only)).is_some() => {
                string(Some(only)).map(|literal| literal.value).unwrap_or_default()
            }
            tokens => sql_text(tokens),
        };
        Ok(TypeText { text, span })
    }
}
