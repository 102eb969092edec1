//! `enum … add value`.

use super::{Parsed, Parser, Word, change_words};
use crate::syntax::cursor::Cursor;
use crate::syntax::{Change, EnumChange, EnumVerb, LabelPlace, Literal, Operation};

const ADD_FORM: &str = "enum <type> add value \"<label>\" after \"<label>\";";
const RENAME_FORM: &str = "enum <type> rename value \"<label>\" to \"<label>\";";
const DROP_FORM: &str = "enum <type> drop value \"<label>\";";

impl Parser<'_> {
    /// `enum mood add value "x" before "y";`, and what cannot be done to a label.
    pub(super) fn enum_change(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let ty = self.table_path(cursor, "the enum type", ADD_FORM)?;
        let verb = self.word(cursor, &["add", "rename", "drop"])?;
        let form = match verb.text {
            "add" => ADD_FORM,
            "rename" => RENAME_FORM,
            _ => DROP_FORM,
        };
        self.lead_in(cursor, "value", form)?;
        let label = self.label(cursor, form)?;
        let verb = match verb.text {
            "add" => EnumVerb::Add { place: self.label_place(cursor)? },
            "rename" => {
                self.lead_in(cursor, "to", form)?;
                EnumVerb::Rename { to: self.label(cursor, form)? }
            }
            _ => EnumVerb::Drop,
        };
        change.operations.push(Operation::Enum(EnumChange { keyword: word.span, ty, label, verb }));
        self.semicolon(cursor, &change_words())
    }

    /// `before "y"`, `after "y"`, or nothing.
    fn label_place(&mut self, cursor: &mut Cursor) -> Parsed<Option<LabelPlace>> {
        const WORDS: [&str; 2] = ["before", "after"];
        if !cursor.at_any_word(&WORDS) {
            return Ok(None);
        }
        let word = self.word(cursor, &WORDS)?;
        let label = self.label(cursor, ADD_FORM)?;
        Ok(Some(LabelPlace { before: word.text == "before", label }))
    }

    fn label(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<Literal> {
        cursor.eat_string().ok_or_else(|| self.expected(cursor, "a label in a string literal", form))
    }
}
