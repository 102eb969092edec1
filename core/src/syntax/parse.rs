//! Tokens to tree, with one message for one mistake, and on with the next item.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use super::cursor::{Cursor, string, without_raw};
use super::{
    Change, ColumnPath, Conversion, Declaration, InsertNulls, Literal, Name, Operation, Otherwise, PhaseBlock, Rename,
    Retype, SchemaSource, Server, Setting, Split, TablePath, TypeOverride, TypeText,
};
use crate::diagnostic::{Diagnostic, Errors, Reported, nearest};
use crate::ident::quote_ident;

/// The words that begin an item of a declaration.
const ITEMS: [&str; 4] = ["schema", "server", "type", "change"];
/// The words that begin an operation.
const OPERATIONS: [&str; 3] = ["rename", "retype", "split"];
/// The words that begin something else in a change.
const CLAUSES: [&str; 2] = ["after", "stage"];
/// The phases, in order, as blocks that tune a change spell them.
pub const PHASES: [&str; 5] = ["expand", "dual_write", "backfill", "validate", "contract"];

const CHANGE_FORM: &str = "change <name> { <what changes>; stage expand; }";
const RENAME_FORM: &str = "rename <table>.<column> to <new_name>;";
const RETYPE_FORM: &str = "retype <table>.<column> to <new_name>: <type> { forward \"…\", backward \"…\" }";
const SPLIT_FORM: &str = "split <table> into <new_table> { key <column>, move <column>, <column> }";
const OVERRIDE_FORM: &str = "type <table>.<column> = <Rust type>;";
const CONVERSION_FORM: &str = "forward \"<SQL expression>\" or reject";
const INSERT_FORM: &str = "insert nulls take before";

/// Reads a declaration. Every mistake of the grammar goes to `errors`; the tree holds what was understood.
pub fn parse(tokens: TokenStream, errors: &mut Errors) -> Declaration {
    let mut cursor = Cursor::of_declaration(tokens);
    let mut declaration = Declaration::default();
    let mut parser = Parser { errors, broken: false, is_guess: false };
    while !cursor.is_at_end() {
        parser.broken = false;
        let start = cursor.position();
        if parser.declaration_item(&mut cursor, &mut declaration).is_err() {
            cursor.skip_item(start, &ITEMS);
        }
        declaration.broken |= parser.broken;
    }
    declaration
}

type Parsed<T> = Result<T, Reported>;

struct Parser<'e> {
    errors: &'e mut Errors,
    /// A mistake was found in the item in hand.
    broken: bool,
    /// The item in hand is read as what it was probably meant to be: that it is not was said already, and nothing else is said of it.
    is_guess: bool,
}

/// A word that begins something.
struct Word {
    text: &'static str,
    span: Span,
    /// It was written in another way.
    is_guess: bool,
}

impl Parser<'_> {
    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.broken = true;
        if !self.is_guess {
            self.errors.push(diagnostic);
        }
        Reported
    }

    fn expected(&mut self, cursor: &Cursor, what: &str, form: &str) -> Reported {
        let message = format!("expected {what}, found {}", cursor.found());
        self.report(Diagnostic::new(cursor.span(), message).help(format!("write `{form}`")))
    }

    /// Does `read` with what was reported about `word` in mind.
    fn under<T>(&mut self, word: &Word, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.is_guess;
        self.is_guess |= word.is_guess;
        let result = read(self);
        self.is_guess = outer;
        result
    }

    /// One of `words`; or, where another word stands there, the one that was probably meant.
    fn word(&mut self, cursor: &mut Cursor, words: &[&'static str]) -> Parsed<Word> {
        let list = || list(words);
        let Some(ident) = cursor.ident() else {
            let message = format!("expected {}, found {}", list(), cursor.found());
            return Err(self.report(Diagnostic::new(cursor.span(), message)));
        };
        let (written, span) = (ident.to_string(), ident.span());
        if let Some(text) = words.iter().copied().find(|word| *word == written) {
            cursor.bump();
            return Ok(Word { text, span, is_guess: false });
        }
        let near = nearest(&written, words.iter().copied());
        let unknown =
            Diagnostic::new(span, format!("unknown word `{written}`")).note(format!("here can stand: {}", list()));
        let near = near.and_then(|near| words.iter().copied().find(|word| *word == near));
        match near {
            Some(text) => {
                self.report(unknown.help(format!("did you mean `{text}`?")));
                cursor.bump();
                Ok(Word { text, span, is_guess: true })
            }
            None => Err(self.report(unknown)),
        }
    }

    // The declaration.

    fn declaration_item(&mut self, cursor: &mut Cursor, declaration: &mut Declaration) -> Parsed<()> {
        let docs = self.docs(cursor)?;
        if cursor.eat_punct(';') || cursor.is_at_end() {
            return Ok(());
        }
        let word = self.word(cursor, &ITEMS)?;
        self.under(&word, |parser| match word.text {
            "schema" => parser.schema(cursor, &word, declaration),
            "server" => parser.server(cursor, &word, declaration),
            "type" => parser.type_override(cursor, declaration),
            _ => parser.change(cursor, docs, declaration),
        })
    }

    /// `schema "schema.sql";` or `schema sql "create table …";`
    fn schema(&mut self, cursor: &mut Cursor, word: &Word, declaration: &mut Declaration) -> Parsed<()> {
        let inline = cursor.eat_word("sql").is_some();
        let Some(literal) = cursor.eat_string() else {
            return Err(match inline {
                true => self.expected(cursor, "SQL in a string literal", "schema sql \"create table …\";"),
                false => self.expected(cursor, "the path of a dump in a string literal", "schema \"schema.sql\";"),
            });
        };
        let source = if inline { SchemaSource::Inline(literal) } else { SchemaSource::File(literal) };
        if declaration.schema.is_some() {
            self.twice(word.span, "schema");
        } else {
            declaration.schema = Some(source);
        }
        self.semicolon(cursor, &ITEMS)
    }

    /// `server 15;`
    fn server(&mut self, cursor: &mut Cursor, word: &Word, declaration: &mut Declaration) -> Parsed<()> {
        let major = match cursor.peek() {
            Some(TokenTree::Literal(literal)) => match syn::Lit::new(literal.clone()) {
                syn::Lit::Int(number) if number.suffix().is_empty() => number.base10_parse().ok(),
                _ => None,
            },
            _ => None,
        };
        let Some(major) = major else {
            return Err(self.expected(cursor, "a major version of PostgreSQL", "server 15;"));
        };
        let server = Server { major, span: cursor.span() };
        cursor.bump();
        if declaration.server.is_some() {
            self.twice(word.span, "server");
        } else {
            declaration.server = Some(server);
        }
        self.semicolon(cursor, &ITEMS)
    }

    /// `type users.bio = crate::Markdown;`
    fn type_override(&mut self, cursor: &mut Cursor, declaration: &mut Declaration) -> Parsed<()> {
        let column = self.column_path(cursor, "type", OVERRIDE_FORM)?;
        if !cursor.eat_punct('=') {
            return Err(self.expected(cursor, "`=` and a Rust type", OVERRIDE_FORM));
        }
        let span = cursor.span();
        let rust = cursor.take_until(|c| c.at_punct(';') || c.at_any_word(&ITEMS) && !c.follows_punct());
        if rust.is_empty() || matches!(rust.first(), Some(TokenTree::Literal(_))) {
            let message = "expected a Rust type".to_owned();
            return Err(self.report(Diagnostic::new(span, message).help(format!("write `{OVERRIDE_FORM}`"))));
        }
        declaration.types.push(TypeOverride { column, rust: rust.into_iter().collect(), span });
        self.semicolon(cursor, &ITEMS)
    }

    fn change(&mut self, cursor: &mut Cursor, docs: Vec<String>, declaration: &mut Declaration) -> Parsed<()> {
        let name = self.change_name(cursor)?;
        let Some(mut body) = cursor.eat_braces() else {
            self.expected(cursor, "`{` and what changes", CHANGE_FORM);
            // What follows was meant to stand in the braces.
            cursor.take_until(|c| c.at_item(&ITEMS));
            return Ok(());
        };
        let (operations, after, stages, phases) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut change = Change { name, docs, operations, after, stages, phases, broken: false };
        while !body.is_at_end() {
            let start = body.position();
            if self.change_item(&mut body, &mut change).is_err() {
                body.skip_item(start, &change_words());
            }
        }
        // A mistake inside says nothing about what stands outside.
        change.broken = std::mem::take(&mut self.broken);
        declaration.changes.push(change);
        Ok(())
    }

    /// The name of a change names a module, a folder and objects in the database.
    fn change_name(&mut self, cursor: &mut Cursor) -> Parsed<Name> {
        let is_ident = cursor.ident().is_some();
        let Some(name) = cursor.eat_name() else {
            return Err(self.expected(cursor, "the name of the change", CHANGE_FORM));
        };
        let not_raw = ["self", "super", "crate", "Self", "_"];
        if is_ident && !not_raw.contains(&name.text.as_str()) {
            return Ok(name);
        }
        let message = format!("`{}` cannot be the name of a change", name.text);
        self.report(
            Diagnostic::new(name.span, message)
                .note("a change has a module of its name, so the name is a Rust identifier")
                .help("write an identifier, such as `rename_user_name`"),
        );
        // Read on, so that mistakes inside are found, too.
        Ok(name)
    }

    // A change.

    fn change_item(&mut self, cursor: &mut Cursor, change: &mut Change) -> Parsed<()> {
        // Comments on a single operation are for who reads the source.
        self.docs(cursor)?;
        if cursor.eat_punct(';') || cursor.is_at_end() {
            return Ok(());
        }
        if cursor.braces_after_next()
            && !cursor.at_any_word(&OPERATIONS)
            && !cursor.at_any_word(&CLAUSES)
            && let Some(ident) = cursor.ident()
        {
            let phase = Name { text: without_raw(ident), span: ident.span() };
            return self.phase_block(cursor, phase, change);
        }
        let words = change_words();
        let word = self.word(cursor, &words)?;
        self.under(&word, |parser| match word.text {
            "rename" => parser.rename(cursor, &word, change),
            "retype" => parser.retype(cursor, &word, change),
            "split" => parser.split(cursor, &word, change),
            "after" => {
                let name = parser.name(cursor, "the name of the change that this one builds on", "after <change>;")?;
                change.after.push(name);
                parser.semicolon(cursor, &words)
            }
            "stage" => {
                let name = parser.name(cursor, "a stage", "stage expand;")?;
                change.stages.push(name);
                parser.semicolon(cursor, &words)
            }
            phase => Err(parser.expected(cursor, "`{` and the settings of the phase", &phase_form(phase))),
        })
    }

    /// `backfill { batch 5000 }`
    fn phase_block(&mut self, cursor: &mut Cursor, phase: Name, change: &mut Change) -> Parsed<()> {
        cursor.bump();
        let Some(mut body) = cursor.eat_braces() else { return Ok(()) };
        let mut settings = Vec::new();
        while !body.is_at_end() {
            match self.setting(&mut body, &phase.text) {
                Ok(setting) => {
                    settings.push(setting);
                    self.comma(&mut body);
                }
                Err(Reported) => {
                    body.skip_entry();
                    body.bump();
                }
            }
        }
        change.phases.push(PhaseBlock { phase, settings });
        Ok(())
    }

    fn setting(&mut self, cursor: &mut Cursor, phase: &str) -> Parsed<Setting> {
        let form = phase_form(phase);
        let name = self.name(cursor, "the name of a setting", &form)?;
        let span = cursor.span();
        let value = match cursor.eat_string() {
            Some(value) => value,
            None => {
                let value = cursor.take_until(|c| c.at_punct(',') || c.at_punct(';'));
                if value.is_empty() {
                    return Err(self.expected(cursor, &format!("a value for `{}`", name.text), &form));
                }
                Literal { value: setting_text(value), span }
            }
        };
        Ok(Setting { name, value })
    }

    // Operations.

    /// `rename t.a to b;` or `rename t.a to b { insert nulls take before }`
    fn rename(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "rename", RENAME_FORM)?;
        self.lead_in(cursor, "to", RENAME_FORM)?;
        let to = self.new_column(cursor, RENAME_FORM)?;
        let mut rename = Rename { keyword: word.span, column, to, insert_nulls: None };
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

    /// `retype t.a to b: type { … }`
    fn retype(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
        let column = self.column_path(cursor, "retype", RETYPE_FORM)?;
        self.lead_in(cursor, "to", RETYPE_FORM)?;
        let to = self.new_column(cursor, RETYPE_FORM)?;
        if !cursor.eat_punct(':') {
            self.expected(cursor, "`:` and the new type", RETYPE_FORM);
            if cursor.is_at_end() || cursor.at_punct(';') || cursor.at_braces() {
                return Err(Reported);
            }
        }
        let ty = self.sql_type(cursor)?;
        let mut retype = Retype {
            keyword: word.span,
            column,
            to,
            ty,
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

    /// `split t into u { key …, move … }`
    fn split(&mut self, cursor: &mut Cursor, word: &Word, change: &mut Change) -> Parsed<()> {
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

    /// Entries of a block, each of which begins with one of `words`, with commas between them.
    fn entries(
        &mut self,
        block: &mut Cursor,
        words: &[&'static str],
        mut read: impl FnMut(&mut Self, &mut Cursor, &Word) -> Parsed<()>,
    ) {
        while !block.is_at_end() {
            let entry = match self.word(block, words) {
                Ok(word) => self.under(&word, |parser| read(parser, block, &word)),
                Err(Reported) => Err(Reported),
            };
            if entry.is_err() {
                block.skip_entry();
                block.bump();
            } else if block.at_any_word(words) {
                self.expected_comma(block);
            } else {
                self.comma(block);
            }
        }
    }

    /// Goes over the comma behind an entry; the last one needs none.
    fn comma(&mut self, block: &mut Cursor) {
        if block.is_at_end() || block.eat_punct(',') {
            return;
        }
        self.expected_comma(block);
        block.skip_entry();
        block.bump();
    }

    fn expected_comma(&mut self, block: &Cursor) {
        let message = format!("expected `,`, found {}", block.found());
        self.report(
            Diagnostic::new(block.span(), message).note("the entries of a block stand with commas between them"),
        );
    }

    /// `a, b, c`, up to the next entry.
    fn names(&mut self, block: &mut Cursor, word: &Word, words: &[&str], names: &mut Vec<Name>) -> Parsed<()> {
        loop {
            self.not_an_entry(block, word, words)?;
            let Some(name) = block.eat_name() else {
                let message = format!("expected the name of a column after `{}`, found {}", word.text, block.found());
                return Err(self.report(Diagnostic::new(block.span(), message)));
            };
            if block.at_punct('.') {
                let message = "expected the name of a column alone".to_owned();
                let diagnostic = Diagnostic::new(name.span, message).note("which table it is of is clear here");
                return Err(self.report(diagnostic.help(format!("leave out `{}.`", name.text))));
            }
            names.push(name);
            let list_ends = block.ends_after_next() || block.after_next_at_any_word(words);
            if !block.at_punct(',') || list_ends {
                return Ok(());
            }
            block.bump();
        }
    }

    /// Says so where a word of the grammar stands in place of a name. Where a name must be meant, all the rest can be read.
    fn not_an_entry(&mut self, block: &Cursor, word: &Word, words: &[&str]) -> Parsed<()> {
        if !block.at_any_word(words) {
            return Ok(());
        }
        let message = format!("expected the name of a column after `{}`, found {}", word.text, block.found());
        let name = block.found().replace('`', "\"");
        self.report(Diagnostic::new(block.span(), message).help(format!("if a column has this name, write `{name}`")));
        if block.at_end_of_entry_after_next() { Ok(()) } else { Err(Reported) }
    }

    /// `forward [lossy] "expression" [or …]`, behind its first word.
    fn conversion(&mut self, block: &mut Cursor, word: &Word) -> Parsed<Conversion> {
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

    fn otherwise(&mut self, block: &mut Cursor) -> Parsed<Otherwise> {
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
    fn insert_nulls(&mut self, block: &mut Cursor, word: &Word) -> Parsed<InsertNulls> {
        for expected in ["nulls", "take"] {
            if block.eat_word(expected).is_none() {
                return Err(self.expected(block, &format!("`{expected}`"), INSERT_FORM));
            }
        }
        let side = self.word(block, &["before", "after"])?;
        Ok(InsertNulls { after: side.text == "after", span: word.span })
    }

    // Pieces.

    /// The word between two names. Where only it is missing, all the rest can be read.
    fn lead_in(&mut self, cursor: &mut Cursor, word: &str, form: &str) -> Parsed<()> {
        if cursor.eat_word(word).is_some() {
            return Ok(());
        }
        self.expected(cursor, &format!("`{word}`"), form);
        let goes_on = cursor.ident().is_some() || string(cursor.peek()).is_some();
        if goes_on { Ok(()) } else { Err(Reported) }
    }

    /// A `;`, or the end of what the item stands in. Where only it is missing, the next item can be read.
    fn semicolon(&mut self, cursor: &mut Cursor, next: &[&str]) -> Parsed<()> {
        if cursor.eat_punct(';') || cursor.is_at_end() {
            return Ok(());
        }
        let message = format!("expected `;`, found {}", cursor.found());
        self.report(Diagnostic::new(cursor.span(), message));
        if cursor.at_item(next) { Ok(()) } else { Err(Reported) }
    }

    fn name(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<Name> {
        match cursor.eat_name() {
            Some(name) => Ok(name),
            None => Err(self.expected(cursor, what, form)),
        }
    }

    fn new_column(&mut self, cursor: &mut Cursor, form: &str) -> Parsed<Name> {
        if cursor.at_item(&[&OPERATIONS[..], &CLAUSES[..]].concat()) {
            self.expected(cursor, "the new name", form);
            return Err(Reported);
        }
        let name = self.name(cursor, "the new name", form)?;
        if cursor.at_punct('.') {
            let message = "the new name stands alone, without its table".to_owned();
            return Err(self.report(Diagnostic::new(name.span, message).help(format!("write `{form}`"))));
        }
        Ok(name)
    }

    fn path(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<Vec<Name>> {
        let mut names = vec![self.name(cursor, what, form)?];
        while cursor.eat_punct('.') {
            let before: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
            let what = format!("a name after `{}.`", before.join("."));
            names.push(self.name(cursor, &what, form)?);
        }
        Ok(names)
    }

    fn table_path(&mut self, cursor: &mut Cursor, what: &str, form: &str) -> Parsed<TablePath> {
        let names = self.path(cursor, what, form)?;
        self.as_table_path(names, form)
    }

    fn as_table_path(&mut self, names: Vec<Name>, form: &str) -> Parsed<TablePath> {
        let mut names = names.into_iter();
        match (names.next(), names.next(), names.next()) {
            (Some(table), None, _) => Ok(TablePath { schema: None, table }),
            (Some(schema), Some(table), None) => Ok(TablePath { schema: Some(schema), table }),
            (.., Some(extra)) => {
                let message = "a table has two names at most: `<schema>.<table>`".to_owned();
                Err(self.report(Diagnostic::new(extra.span, message).help(format!("write `{form}`"))))
            }
            (None, ..) => Err(Reported),
        }
    }

    fn column_path(&mut self, cursor: &mut Cursor, operation: &str, form: &str) -> Parsed<ColumnPath> {
        let mut names = self.path(cursor, "a table and a column", form)?;
        match (names.len(), names.pop()) {
            (1, Some(only)) => {
                let message = format!("`{operation}` takes a column: `{}.<column>`", only.text);
                Err(self.report(Diagnostic::new(only.span, message).help(format!("write `{form}`"))))
            }
            (2 | 3, Some(column)) => Ok(ColumnPath { table: self.as_table_path(names, form)?, column }),
            (_, Some(extra)) => {
                let message = "a column has three names at most: `<schema>.<table>.<column>`".to_owned();
                Err(self.report(Diagnostic::new(extra.span, message).help(format!("write `{form}`"))))
            }
            (_, None) => Err(Reported),
        }
    }

    /// A SQL type: tokens up to the block, or a string literal.
    fn sql_type(&mut self, cursor: &mut Cursor) -> Parsed<TypeText> {
        let span = cursor.span();
        // None of these words is part of a type's name.
        let tokens = cursor.take_until(|c| {
            c.at_punct(';')
                || c.at_braces()
                || (c.at_any_word(&OPERATIONS) || c.at_any_word(&CLAUSES)) && !c.follows_punct()
        });
        let text = match tokens.as_slice() {
            [] => return Err(self.expected(cursor, "a SQL type", RETYPE_FORM)),
            [only] if string(Some(only)).is_some() => {
                string(Some(only)).map(|literal| literal.value).unwrap_or_default()
            }
            tokens => type_text(tokens),
        };
        Ok(TypeText { text, span })
    }

    fn set_once<T>(&mut self, place: &mut Option<T>, value: T, word: &Word) -> Parsed<()> {
        match place {
            Some(_) => self.twice(word.span, word.text),
            None => *place = Some(value),
        }
        Ok(())
    }

    fn twice(&mut self, span: Span, word: &str) {
        self.report(Diagnostic::new(span, format!("`{word}` is written twice")).help("leave one of them out"));
    }

    /// The lines of doc comments, which arrive as attributes.
    fn docs(&mut self, cursor: &mut Cursor) -> Parsed<Vec<String>> {
        let mut lines = Vec::new();
        while cursor.at_punct('#') {
            cursor.bump();
            cursor.eat_punct('!');
            let group = match cursor.peek() {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => group.clone(),
                _ => return Err(self.expected(cursor, "a doc comment", "/// Why this changes.")),
            };
            let mut inside = Cursor::of_group(&group);
            let is_doc = inside.eat_word("doc").is_some() && inside.eat_punct('=');
            let text = inside.eat_string().filter(|_| is_doc);
            match text {
                Some(text) => lines.extend(doc_lines(&text.value)),
                None => {
                    let message = "only doc comments can stand here, no other attributes".to_owned();
                    self.report(Diagnostic::new(group.span(), message).note(
                        "the build script and the command read the declaration from the source, without the compiler's settings",
                    ));
                }
            }
            cursor.bump();
        }
        Ok(lines)
    }
}

/// All words that can begin an item of a change.
fn change_words() -> Vec<&'static str> {
    OPERATIONS.iter().chain(&CLAUSES).chain(&PHASES).copied().collect()
}

fn phase_form(phase: &str) -> String {
    match phase {
        "contract" => "contract { by \"2027-02-01\" }".to_owned(),
        _ => "backfill { batch 5000 }".to_owned(),
    }
}

/// `a`, `b` or `c`
fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// The tokens of a SQL type as SQL, spaced as people do.
fn type_text(tokens: &[TokenTree]) -> String {
    let mut text = String::new();
    let mut follows_word = false;
    for token in tokens {
        let (piece, is_word) = match token {
            TokenTree::Ident(ident) => (without_raw(ident), true),
            TokenTree::Literal(literal) => {
                (string(Some(token)).map_or_else(|| literal.to_string(), |name| quote_ident(&name.value)), true)
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' => (", ".to_owned(), false),
            TokenTree::Punct(punct) => (punct.to_string(), false),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Bracket => ("[", "]"),
                    _ => ("(", ")"),
                };
                let inside: Vec<TokenTree> = group.stream().into_iter().collect();
                text.push_str(open);
                text.push_str(&type_text(&inside));
                text.push_str(close);
                follows_word = true;
                continue;
            }
        };
        if is_word && follows_word {
            text.push(' ');
        }
        text.push_str(&piece);
        follows_word = is_word;
    }
    text
}

/// The tokens of a setting's value; a number without underscores.
fn setting_text(tokens: Vec<TokenTree>) -> String {
    if let [TokenTree::Literal(literal)] = tokens.as_slice()
        && let syn::Lit::Int(number) = syn::Lit::new(literal.clone())
        && number.suffix().is_empty()
    {
        return number.base10_digits().to_owned();
    }
    tokens.into_iter().collect::<TokenStream>().to_string()
}

/// The lines of a doc comment, without the space that stands before each, and without the stars of `/** … */`.
fn doc_lines(text: &str) -> Vec<String> {
    if !text.contains('\n') {
        return vec![text.strip_prefix(' ').unwrap_or(text).to_owned()];
    }
    let without_star = |line: &str| {
        let line = line.trim();
        line.strip_prefix('*').map(|rest| rest.strip_prefix(' ').unwrap_or(rest)).unwrap_or(line).to_owned()
    };
    let lines: Vec<String> = text.lines().map(without_star).collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    lines.get(first..end).unwrap_or_default().to_vec()
}
