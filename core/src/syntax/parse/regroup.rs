//! Columns that become others, in another number: `divide`, `combine`.

use super::{Parsed, Parser, Word, change_words};
use crate::diagnostic::{Diagnostic, Reported};
use crate::syntax::cursor::Cursor;
use crate::syntax::{Change, Name, NewColumn, Operation, Regroup, TablePath, TargetedConversion};

const DIVIDE_FORM: &str = "divide <table>.<column> into <new>: <type>, <new>: <type> { forward <new> \"…\", forward <new> \"…\", backward \"…\" }";
const COMBINE_FORM: &str = "combine <table>.(<column>, <column>) into <new>: <type> { forward \"…\", backward <column> \"…\", backward <column> \"…\" }";

impl Parser<'_> {
    /// `divide t.a into b: type, c: type { … }`
    pub(super) fn divide(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "divide", DIVIDE_FORM)?;
        self.regroup(cursor, word, (column.table, vec![column.column]), DIVIDE_FORM, change)
    }

    /// `combine t.(a, b) into c: type { … }`
    pub(super) fn combine(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let columns = self.columns_path(cursor)?;
        self.regroup(cursor, word, columns, COMBINE_FORM, change)
    }

    fn regroup(
        &mut self,
        cursor: &mut Cursor,
        word: &Word,
        (table, columns): (TablePath, Vec<Name>),
        form: &str,
        change: &mut Change,
    ) -> Parsed<()> {
        self.lead_in(cursor, "into", form)?;
        let mut into = vec![self.typed_column(cursor, form)?];
        while cursor.eat_punct(',') {
            into.push(self.typed_column(cursor, form)?);
        }
        let mut regroup = Regroup {
            word: word.text,
            keyword: word.span,
            table,
            columns,
            into,
            forward: Vec::new(),
            backward: Vec::new(),
            irreversible: None,
            insert_nulls: None,
        };
        let block = cursor.eat_braces();
        let has_block = block.is_some();
        if let Some(mut block) = block {
            let words = ["forward", "backward", "irreversible", "insert"];
            self.entries(&mut block, &words, |parser, block, word| match word.text {
                "forward" => {
                    regroup.forward.push(parser.targeted_conversion(block, word)?);
                    Ok(())
                }
                "backward" => {
                    regroup.backward.push(parser.targeted_conversion(block, word)?);
                    Ok(())
                }
                "irreversible" => parser.set_once(&mut regroup.irreversible, word.span, word),
                _ => {
                    let insert_nulls = parser.insert_nulls(block, word)?;
                    parser.set_once(&mut regroup.insert_nulls, insert_nulls, word)
                }
            });
        }
        change.operations.push(Operation::Regroup(regroup));
        if has_block { Ok(()) } else { self.semicolon(cursor, &change_words()) }
    }

    /// `t.(a, b)` or `schema.t.(a, b)`
    fn columns_path(&mut self, cursor: &mut Cursor) -> Parsed<(TablePath, Vec<Name>)> {
        let mut names = vec![self.name(cursor, "a table and its columns", COMBINE_FORM)?];
        while cursor.eat_punct('.') {
            if let Some(mut list) = cursor.eat_parentheses() {
                let table = self.as_table_path(names, COMBINE_FORM)?;
                let mut columns = Vec::new();
                while !list.is_at_end() {
                    columns.push(self.name(&mut list, "the name of a column", COMBINE_FORM)?);
                    self.comma(&mut list);
                }
                return Ok((table, columns));
            }
            names.push(self.name(cursor, "`(` and the columns", COMBINE_FORM)?);
        }
        let message = "`combine` takes several columns of one table".to_owned();
        let span = names.first().map_or_else(|| cursor.span(), |name| name.span);
        Err(self.report(
            Diagnostic::new(span, message)
                .note("one column that becomes one is a `retype`, one that becomes several a `divide`")
                .help(format!("write `{COMBINE_FORM}`")),
        ))
    }

    /// `b: type not null`
    fn typed_column(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<NewColumn> {
        let name = self.new_column(cursor, form)?;
        if !cursor.eat_punct(':') {
            self.expected(cursor, "`:` and the new type", form);
            if cursor.is_at_end() || cursor.at_punct(';') || cursor.at_punct(',') || cursor.at_braces() {
                return Err(Reported);
            }
        }
        let ty = self.sql_type(cursor, form)?;
        let not_null = cursor.eat_word("not").is_some();
        if not_null && cursor.eat_word("null").is_none() {
            return Err(self.expected(cursor, "`null`", form));
        }
        Ok(NewColumn { name, ty, not_null })
    }

    /// `forward [b] [lossy] "expression" [or …]`, behind its first word.
    fn targeted_conversion(&mut self, block: &mut Cursor, word: &Word) -> Parsed<TargetedConversion> {
        let target = block.eat_name_before_string("lossy");
        Ok(TargetedConversion { target, conversion: self.conversion(block, word)? })
    }
}
