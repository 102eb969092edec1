//! Tokens to tree, with one message for one mistake, and on with the next item.

mod columns;
mod enums;
mod extract;
mod indexes;
mod moves;
mod pieces;
mod regroup;
mod rules;
mod sql;
mod tables;

use proc_macro2::{Span, TokenStream, TokenTree};

use super::cursor::{Cursor, without_raw};
use super::{Change, Declaration, Literal, Name, PhaseBlock, SchemaSource, Server, Setting, TypeOverride};
use crate::diagnostic::{Diagnostic, Errors, Reported, nearest};

/// The words that begin an item of a declaration.
const ITEMS: [&str; 4] = ["schema", "server", "type", "change"];
/// The words that begin an operation.
const OPERATIONS: [&str; 20] = [
    "rename",
    "retype",
    "divide",
    "combine",
    "split",
    "merge",
    "move",
    "widen",
    "add",
    "drop",
    "create",
    "enum",
    "sql",
    "require",
    "relax",
    "constrain",
    "unconstrain",
    "default",
    "comment",
    "extract",
];
/// The words that begin something else in a change.
const CLAUSES: [&str; 2] = ["after", "stage"];
/// The phases, in order, as blocks that tune a change spell them.
pub const PHASES: [&str; 5] = ["expand", "dual_write", "backfill", "validate", "contract"];

/// What can begin an item of a change.
const MANY: &str =
    "an operation such as `rename` or `split`, `after`, `stage`, or the block of a phase such as `backfill`";

const CHANGE_FORM: &str = "change <name> { <what changes>; stage expand; }";
const OVERRIDE_FORM: &str = "type <table>.<column> = <Rust type>;";

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
        // Of many, a list helps nobody.
        let list = || if words.len() > 10 { MANY.to_owned() } else { list(words) };
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
            "rename" if cursor.at_item(&["table"]) => parser.rename_table(cursor, &word, change),
            "rename" => parser.rename(cursor, &word, change),
            "retype" => parser.retype(cursor, &word, change),
            "divide" => parser.divide(cursor, &word, change),
            "combine" => parser.combine(cursor, &word, change),
            "split" => parser.split(cursor, &word, change),
            "widen" => parser.widen(cursor, &word, change),
            "merge" => parser.merge(cursor, &word, change),
            "add" if cursor.at_item(&["table"]) => parser.add_table(cursor, &word, change),
            "add" => parser.add(cursor, &word, change),
            "drop" if cursor.at_item(&["index"]) => parser.drop_index(cursor, &word, change),
            "drop" if cursor.at_item(&["table"]) => parser.drop_table(cursor, &word, change),
            "drop" => parser.drop(cursor, &word, change),
            "create" => parser.create_index(cursor, &word, change),
            "require" | "relax" | "constrain" | "unconstrain" | "default" | "comment" => {
                parser.rule(cursor, &word, change)
            }
            "enum" => parser.enum_change(cursor, &word, change),
            "sql" => parser.statements(cursor, &word, change),
            "move" => parser.move_column(cursor, &word, change),
            "extract" => parser.extract(cursor, &word, change),
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
