//! The text of a schema, split into statements.

use std::ops::Range;

use super::LoadError;
use crate::sql::token::{Token, TokenKind, lex};

/// A text, and where its lines begin.
pub(super) struct Source<'s> {
    pub text: &'s str,
    line_starts: Vec<u32>,
}

impl<'s> Source<'s> {
    pub fn new(text: &'s str) -> Self {
        // Searching for a character is fast in unoptimised builds too; looking at each byte is not.
        let breaks = text.match_indices('\n').map(|(at, _)| at as u32 + 1);
        Self { text, line_starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: u32) -> u32 {
        self.line_starts.partition_point(|start| *start <= at) as u32
    }

    /// A mistake at a byte.
    pub fn error(&self, at: u32, message: impl Into<String>) -> LoadError {
        let line = self.line(at);
        let start = self.line_starts.get(line as usize - 1).copied().unwrap_or_default();
        let before = self.text.get(start as usize..at as usize).unwrap_or_default();
        LoadError { line, column: before.chars().count() as u32 + 1, message: message.into() }
    }
}

/// The tokens of a text, and which of them make a statement (without its semicolon).
pub(super) struct Statements {
    pub tokens: Vec<Token>,
    pub ranges: Vec<Range<usize>>,
}

/// What interrupts SQL in a dump.
enum Interruption {
    /// A line for `psql`: `\restrict …`, `\connect …`.
    Command,
    /// The rows of `COPY … FROM stdin`, up to the line `\.`.
    CopyData,
}

/// Splits a text into statements, the way `psql` does: a semicolon ends one unless it stands in parentheses or in the body of a
/// function (`BEGIN ATOMIC … END`). Lines that are meant for `psql` and the rows of `COPY` are left out.
pub(super) fn split(source: &Source<'_>) -> Result<Statements, LoadError> {
    let text = source.text;
    // Rather too many than to grow and copy: a token and the blanks after it take some six bytes of a dump.
    let mut statements = Statements { tokens: Vec::with_capacity(text.len() / 6), ranges: Vec::new() };
    let mut current = Current::default();
    let mut from = 0;
    loop {
        let mut interruption = None;
        let end = lex(text, from, |token| {
            if token.is_symbol(b'\\') && begins_line(text, token.start as usize) {
                interruption = Some(Interruption::Command);
                return false;
            }
            if token.is_symbol(b';') && current.may_end() {
                let range = current.start..statements.tokens.len();
                if is_copy_from_stdin(text, &statements.tokens[range.clone()]) {
                    interruption = Some(Interruption::CopyData);
                }
                statements.finish(range);
                current = Current { start: statements.tokens.len(), ..Current::default() };
                return interruption.is_none();
            }
            current.see(text, token);
            statements.tokens.push(token);
            true
        });
        let end = end.map_err(|unclosed| {
            source.error(
                unclosed.start as u32,
                format!("this {} is not closed: no {} follows", unclosed.what, unclosed.closing),
            )
        })?;
        from = match interruption {
            None => break,
            Some(Interruption::Command) => end_of_line(text, end),
            Some(Interruption::CopyData) => end_of_copy_data(text, end),
        };
    }
    let last = current.start..statements.tokens.len();
    statements.finish(last);
    Ok(statements)
}

impl Statements {
    fn finish(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.ranges.push(range);
        }
    }
}

/// What is known of the statement that is being read.
#[derive(Default)]
struct Current {
    /// Its first token.
    start: usize,
    /// How many tokens were seen.
    seen: usize,
    /// Open parentheses and brackets.
    depth: u32,
    /// `CREATE [OR REPLACE] FUNCTION | PROCEDURE`: only these have bodies with semicolons.
    routine: bool,
    /// The last token was `BEGIN`.
    after_begin: bool,
    /// Open `BEGIN ATOMIC` and `CASE` in a routine's body.
    blocks: u32,
}

impl Current {
    fn may_end(&self) -> bool {
        self.depth == 0 && self.blocks == 0
    }

    fn see(&mut self, text: &str, token: Token) {
        self.seen += 1;
        match token.kind {
            TokenKind::Symbol(b'(' | b'[') => self.depth += 1,
            TokenKind::Symbol(b')' | b']') => self.depth = self.depth.saturating_sub(1),
            TokenKind::Word => {
                let is = |word| token.is_word(text, word);
                if self.seen <= 4 && (is("FUNCTION") || is("PROCEDURE")) {
                    self.routine = true;
                }
                if self.routine {
                    if (self.after_begin && is("ATOMIC")) || (self.blocks > 0 && is("CASE")) {
                        self.blocks += 1;
                    } else if self.blocks > 0 && is("END") {
                        self.blocks -= 1;
                    }
                    self.after_begin = is("BEGIN");
                }
            }
            _ => {}
        }
    }
}

fn is_copy_from_stdin(text: &str, tokens: &[Token]) -> bool {
    let is = |token: &Token, word| token.is_word(text, word);
    tokens.first().is_some_and(|first| is(first, "COPY"))
        && tokens.windows(2).any(|pair| is(&pair[0], "FROM") && is(&pair[1], "STDIN"))
}

fn begins_line(text: &str, at: usize) -> bool {
    at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n')
}

fn end_of_line(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| from + length + 1)
}

/// Behind the line `\.`; the end of the text without one.
fn end_of_copy_data(text: &str, from: usize) -> usize {
    let mut at = end_of_line(text, from);
    while at < text.len() {
        let next = end_of_line(text, at);
        if text.get(at..next).is_some_and(|line| line.trim_end() == r"\.") {
            return next;
        }
        at = next;
    }
    at
}
