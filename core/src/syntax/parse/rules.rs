//! Operations on what a table says of its rows: `require`, `relax`, `constrain`, `unconstrain`, `default`, `comment`.

use super::{Parsed, Parser, Word, change_words};
use crate::diagnostic::{Diagnostic, Reported};
use crate::syntax::cursor::Cursor;
use crate::syntax::rules::{
    Comment, Constrain, Definition, Policy, Relax, Repair, Require, Rule, SetDefault, Unconstrain,
};
use crate::syntax::{Change, Literal, Name, Operation};

const REQUIRE_FORM: &str = "require <table>.<column> { fill \"<SQL expression>\" }";
const RELAX_FORM: &str = "relax <table>.<column> { nulls from contract }";
const CONSTRAIN_FORM: &str = "constrain <table>: check <name> \"<SQL condition>\" or reject;";
const CHECK_FORM: &str = "check <name> \"<SQL condition>\"";
const UNIQUE_FORM: &str = "unique <name> (<column>, <column>)";
const KEY_FORM: &str = "primary key (<column>, <column>)";
const REFERENCES_FORM: &str = "(<column>) references <table> (<column>) on delete cascade";
const UNCONSTRAIN_FORM: &str = "unconstrain <table>: <constraint>;";
const DEFAULT_FORM: &str = "default <table>.<column>: \"<SQL expression>\";";
const COMMENT_FORM: &str = "comment <table>.<column>: \"<text>\";";
const FIX_FORM: &str = "fix <column> \"<SQL expression>\" or reject";

/// The words that stand behind a constraint, in any order.
const ATTRIBUTES: [&str; 7] = ["nulls", "include", "on", "match", "deferrable", "initially", "not"];

impl Parser<'_> {
    pub(super) fn rule(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let (rule, has_block) = match word.text {
            "require" => self.require(cursor, word)?,
            "relax" => self.relax(cursor, word)?,
            "constrain" => self.constrain(cursor, word)?,
            "unconstrain" => (self.unconstrain(cursor, word)?, false),
            "default" => (self.set_default(cursor, word)?, false),
            _ => (self.comment(cursor, word)?, false),
        };
        change.operations.push(Operation::Rule(rule));
        if has_block { Ok(()) } else { self.semicolon(cursor, &change_words()) }
    }

    fn require(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<(Rule, bool)> {
        let column = self.column_path(cursor, "require", REQUIRE_FORM)?;
        let (policy, has_block) = self.policy(cursor, "fill", REQUIRE_FORM)?;
        Ok((Rule::Require(Require { keyword: word.span, column, policy }), has_block))
    }

    /// `or reject`, or a block that says how rows are mended.
    fn policy(&mut self, cursor: &mut Cursor, mend: &'static str, form: &str) -> Parsed<(Policy, bool)> {
        let mut policy = Policy { reject: self.or_reject(cursor, form)?, ..Policy::default() };
        let block = cursor.eat_braces();
        let has_block = block.is_some();
        if let Some(mut block) = block {
            self.entries(&mut block, &[mend, "old"], |parser, block, word| match word.text {
                "old" => {
                    for expected in ["writes", "reject"] {
                        if block.eat_word(expected).is_none() {
                            return Err(parser.expected(block, &format!("`{expected}`"), "old writes reject"));
                        }
                    }
                    parser.set_once(&mut policy.writes_reject, word.span, word)
                }
                "fill" if !policy.repairs.is_empty() => {
                    parser.twice(word.span, word.text);
                    Err(Reported)
                }
                _ => {
                    let repair = parser.repair(block, word)?;
                    policy.repairs.push(repair);
                    Ok(())
                }
            });
        }
        Ok((policy, has_block))
    }

    /// `fill "…" or reject`, `fix a "…"`, `backward "…"`, behind its first word.
    fn repair(&mut self, block: &mut Cursor, word: &Word) -> Parsed<Repair> {
        let form = match word.text {
            "fix" => FIX_FORM.to_owned(),
            word => format!("{word} \"<SQL expression>\" or reject"),
        };
        let column = match word.text {
            "fix" => Some(self.name(block, "the name of a column", &form)?),
            _ => None,
        };
        let expression = self.sql(block, "a SQL expression in a string literal", &form)?;
        let or_reject = self.or_reject(block, &form)?;
        Ok(Repair { keyword: word.span, column, expression, or_reject })
    }

    fn sql(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<Literal> {
        match cursor.eat_string() {
            Some(literal) => Ok(literal),
            None => Err(self.expected(cursor, what, form)),
        }
    }

    fn or_reject(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<Option<proc_macro2::Span>> {
        let Some(span) = cursor.eat_word("or") else { return Ok(None) };
        match cursor.eat_word("reject") {
            Some(_) => Ok(Some(span)),
            None => Err(self.expected(cursor, "`reject`", form)),
        }
    }

    fn relax(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<(Rule, bool)> {
        let column = self.column_path(cursor, "relax", RELAX_FORM)?;
        let mut relax = Relax { keyword: word.span, column, nulls_from: None, backward: None };
        let block = cursor.eat_braces();
        let has_block = block.is_some();
        if let Some(mut block) = block {
            self.entries(&mut block, &["nulls", "backward"], |parser, block, word| match word.text {
                "nulls" => {
                    if block.eat_word("from").is_none() {
                        return Err(parser.expected(block, "`from`", "nulls from contract"));
                    }
                    let phase = parser.name(block, "a phase", "nulls from contract")?;
                    parser.set_once(&mut relax.nulls_from, phase, word)
                }
                _ => {
                    let backward = parser.repair(block, word)?;
                    parser.set_once(&mut relax.backward, backward, word)
                }
            });
        }
        Ok((Rule::Relax(relax), has_block))
    }

    fn constrain(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<(Rule, bool)> {
        let table = self.table_path(cursor, "the table", CONSTRAIN_FORM)?;
        self.colon(cursor, CONSTRAIN_FORM)?;
        let span = cursor.span();
        let (name, definition) = self.definition(cursor)?;
        let mut constrain = Constrain {
            keyword: word.span,
            table,
            span,
            name,
            definition,
            deferrable: None,
            initially_deferred: None,
            policy: Policy::default(),
        };
        while cursor.at_any_word(&ATTRIBUTES) {
            self.attribute(cursor, &mut constrain)?;
        }
        let (policy, has_block) = self.policy(cursor, "fix", CONSTRAIN_FORM)?;
        constrain.policy = policy;
        Ok((Rule::Constrain(constrain), has_block))
    }

    fn colon(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<()> {
        if cursor.eat_punct(':') { Ok(()) } else { Err(self.expected(cursor, "`:`", form)) }
    }

    fn definition(&mut self, cursor: &mut Cursor) -> Parsed<(Option<Name>, Definition)> {
        if cursor.at_parentheses() {
            return Ok((None, self.references(cursor)?));
        }
        if cursor.at_word("exclude") {
            return Err(self.no_exclusion(cursor));
        }
        let word = self.word(cursor, &["check", "unique", "primary", "foreign"])?;
        self.under(&word, |parser| match word.text {
            "check" => {
                let name = parser.constraint_name(cursor, CHECK_FORM)?;
                let condition = parser.sql(cursor, "a SQL condition in a string literal", CHECK_FORM)?;
                Ok((Some(name), Definition::Check(condition)))
            }
            "unique" => {
                let name = parser.optional_name(cursor);
                let columns = parser.columns_in_parentheses(cursor, UNIQUE_FORM)?;
                Ok((name, Definition::Unique { columns, nulls_not_distinct: None, include: Vec::new() }))
            }
            second => {
                if cursor.eat_word("key").is_none() {
                    return Err(parser.expected(cursor, &format!("`key` after `{second}`"), KEY_FORM));
                }
                let name = parser.optional_name(cursor);
                if second == "foreign" {
                    return Ok((name, parser.references(cursor)?));
                }
                let columns = parser.columns_in_parentheses(cursor, KEY_FORM)?;
                Ok((name, Definition::PrimaryKey { columns, include: Vec::new() }))
            }
        })
    }

    /// PostgreSQL builds what stands behind it under ACCESS EXCLUSIVE, and has no way to prepare it beforehand.
    fn no_exclusion(&mut self, cursor: &mut Cursor) -> Reported {
        let span = cursor.span();
        cursor.take_until(|c| c.at_punct(';') || c.at_braces());
        let message = "an exclusion constraint cannot be added while the table is in use".to_owned();
        self.report(
            Diagnostic::new(span, message)
                .note(
                    "PostgreSQL builds its index under ACCESS EXCLUSIVE: reads and writes wait until all rows are read",
                )
                .help("add it in a migration of its own while nothing uses the table"),
        )
    }

    fn constraint_name(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<Name> {
        match cursor.ident().is_some() || cursor.string_then_string() {
            true => self.name(cursor, "the name of the constraint", form),
            false => Err(self.expected(cursor, "the name of the constraint", form)),
        }
    }

    fn optional_name(&mut self, cursor: &mut Cursor) -> Option<Name> {
        if cursor.at_parentheses() { None } else { cursor.eat_name() }
    }

    fn columns_in_parentheses(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<Vec<Name>> {
        let Some(mut list) = cursor.eat_in_parentheses() else {
            return Err(self.expected(cursor, "columns in parentheses", form));
        };
        let mut names = Vec::new();
        while !list.is_at_end() {
            names.push(self.name(&mut list, "the name of a column", form)?);
            if !list.is_at_end() && !list.eat_punct(',') {
                return Err(self.expected(&list, "`,`", form));
            }
        }
        if names.is_empty() { Err(self.expected(&list, "the name of a column", form)) } else { Ok(names) }
    }

    /// `(a, b) references u (x, y)`
    fn references(&mut self, cursor: &mut Cursor) -> Parsed<Definition> {
        let columns = self.columns_in_parentheses(cursor, REFERENCES_FORM)?;
        match cursor.ident() {
            Some(_) => self.word(cursor, &["references"]).map(drop)?,
            None => return Err(self.expected(cursor, "`references`", REFERENCES_FORM)),
        }
        let table = self.table_path(cursor, "the referenced table", REFERENCES_FORM)?;
        let referenced = match cursor.at_parentheses() {
            true => self.columns_in_parentheses(cursor, REFERENCES_FORM)?,
            false => Vec::new(),
        };
        let (match_full, on_update, on_delete) = (false, None, None);
        Ok(Definition::References { columns, table, referenced, match_full, on_update, on_delete })
    }

    /// One of the words behind a constraint, where it can stand there.
    fn attribute(&mut self, cursor: &mut Cursor, constrain: &mut Constrain) -> Parsed<()> {
        let word = self.word(cursor, &ATTRIBUTES)?;
        match (word.text, &mut constrain.definition) {
            ("nulls", Definition::Unique { nulls_not_distinct, .. }) => {
                for expected in ["not", "distinct"] {
                    if cursor.eat_word(expected).is_none() {
                        return Err(self.expected(cursor, &format!("`{expected}`"), "nulls not distinct"));
                    }
                }
                self.set_once(nulls_not_distinct, word.span, &word)
            }
            ("include", Definition::Unique { include, .. } | Definition::PrimaryKey { include, .. }) => {
                *include = self.columns_in_parentheses(cursor, "include (<column>)")?;
                Ok(())
            }
            ("match", Definition::References { match_full, .. }) => {
                *match_full = cursor.eat_word("full").is_some();
                if *match_full { Ok(()) } else { Err(self.expected(cursor, "`full`", "match full")) }
            }
            ("on", Definition::References { on_update, on_delete, .. }) => {
                let event = self.word(cursor, &["delete", "update"])?;
                let action = self.referential_action(cursor)?;
                let place = if event.text == "delete" { on_delete } else { on_update };
                self.set_once(place, action, &event)
            }
            ("deferrable", Definition::Unique { .. } | Definition::References { .. }) => {
                self.set_once(&mut constrain.deferrable, word.span, &word)
            }
            ("initially", Definition::Unique { .. } | Definition::References { .. }) => {
                if cursor.eat_word("deferred").is_none() {
                    return Err(self.expected(cursor, "`deferred`", "deferrable initially deferred"));
                }
                self.set_once(&mut constrain.initially_deferred, word.span, &word)
            }
            (text, _) => {
                let message = format!("`{text}` cannot stand behind this constraint");
                Err(self.report(Diagnostic::new(word.span, message).help("leave it out")))
            }
        }
    }

    fn referential_action(&mut self, cursor: &mut Cursor) -> Parsed<Name> {
        let first = self.word(cursor, &["cascade", "restrict", "set", "no"])?;
        let text = match first.text {
            "set" => format!("set {}", self.word(cursor, &["null", "default"])?.text),
            "no" => format!("no {}", self.word(cursor, &["action"])?.text),
            one => one.to_owned(),
        };
        Ok(Name { text, span: first.span })
    }

    fn unconstrain(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<Rule> {
        let table = self.table_path(cursor, "the table", UNCONSTRAIN_FORM)?;
        self.colon(cursor, UNCONSTRAIN_FORM)?;
        let name = self.name(cursor, "the name of the constraint", UNCONSTRAIN_FORM)?;
        Ok(Rule::Unconstrain(Unconstrain { keyword: word.span, table, name }))
    }

    fn set_default(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<Rule> {
        let column = self.column_path(cursor, "default", DEFAULT_FORM)?;
        self.colon(cursor, DEFAULT_FORM)?;
        let expression = self.text_or_none(cursor, "a SQL expression in a string literal, or `none`", DEFAULT_FORM)?;
        Ok(Rule::Default(SetDefault { keyword: word.span, column, expression }))
    }

    fn comment(&mut self, cursor: &mut Cursor, word: &Word) -> Parsed<Rule> {
        let on = self.path(cursor, "a table or a column", COMMENT_FORM)?;
        if let Some(extra) = on.get(3) {
            let message = "a column has three names at most: `<schema>.<table>.<column>`".to_owned();
            return Err(self.report(Diagnostic::new(extra.span, message).help(format!("write `{COMMENT_FORM}`"))));
        }
        self.colon(cursor, COMMENT_FORM)?;
        let text = self.text_or_none(cursor, "the text in a string literal, or `none`", COMMENT_FORM)?;
        Ok(Rule::Comment(Comment { keyword: word.span, on, text }))
    }

    fn text_or_none(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<Option<Literal>> {
        if cursor.eat_word("none").is_some() { Ok(None) } else { self.sql(cursor, what, form).map(Some) }
    }
}
