//! Reads the tokens of a statement from left to right.

use super::source::Source;
use crate::schema::SqlText;
use crate::sql::token::{Token, TokenKind};

/// Where a statement stops being what its reader expects.
#[derive(Debug)]
pub(super) struct Unexpected {
    /// A byte of the source.
    pub at: u32,
    /// What would be right there.
    pub message: String,
}

pub(super) type Read<T> = Result<T, Unexpected>;

/// A name with what stands before its dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The schema, where one is written.
    pub schema: Option<String>,
    pub name: String,
}

/// A place in a run of tokens. Cheap to copy: trying something means trying it on a copy.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'s> {
    source: &'s Source<'s>,
    tokens: &'s [Token],
    /// Where what follows the run begins: for messages about what is missing.
    end: u32,
}

impl<'s> Cursor<'s> {
    pub fn new(source: &'s Source<'s>, tokens: &'s [Token]) -> Self {
        let last = tokens.last().map_or(0, |token| token.end);
        let rest = source.text.get(last as usize..).unwrap_or_default();
        let end = last + (rest.len() - rest.trim_start().len()) as u32;
        Self { source, tokens, end }
    }

    pub fn source(&self) -> &'s Source<'s> {
        self.source
    }

    pub fn tokens(&self) -> &'s [Token] {
        self.tokens
    }

    pub fn peek(&self) -> Option<Token> {
        self.tokens.first().copied()
    }

    pub fn is_done(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Where the next token begins.
    pub fn position(&self) -> u32 {
        self.peek().map_or(self.end, |token| token.start)
    }

    /// The line of the next token.
    pub fn line(&self) -> u32 {
        self.source.line(self.position())
    }

    /// Goes over one token.
    pub fn bump(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(*first)
    }

    /// `expected <what>, found <token>`, here.
    pub fn unexpected(&self, expected: &str) -> Unexpected {
        let text = self.source.text.get(self.position() as usize..).unwrap_or_default();
        let found = match self.peek() {
            Some(token) => token.text(self.source.text),
            // What ends this run: a comma, a parenthesis, a semicolon.
            None => text.get(..text.len().min(1)).unwrap_or_default(),
        };
        let found = match found.lines().next() {
            // A string can be pages long.
            Some(line) => {
                let shown: String = line.chars().take(40).collect();
                format!("`{shown}{}`", if shown.len() < found.len() { "…" } else { "" })
            }
            None => "the end".to_owned(),
        };
        Unexpected { at: self.position(), message: format!("expected {expected}, found {found}") }
    }

    // Key words and symbols.

    pub fn at(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(self.source.text, word))
    }

    pub fn at_all(&self, words: &[&str]) -> bool {
        words.len() <= self.tokens.len()
            && words.iter().zip(self.tokens).all(|(word, token)| token.is_word(self.source.text, word))
    }

    pub fn at_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at(word))
    }

    pub fn at_symbol(&self, symbol: u8) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.at(word);
        if found {
            self.bump();
        }
        found
    }

    /// All of these words, or none.
    pub fn eat_all(&mut self, words: &[&str]) -> bool {
        let found = self.at_all(words);
        if found {
            self.tokens = &self.tokens[words.len()..];
        }
        found
    }

    pub fn eat_symbol(&mut self, symbol: u8) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.bump();
        }
        found
    }

    pub fn expect(&mut self, word: &str) -> Read<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    pub fn expect_symbol(&mut self, symbol: u8) -> Read<()> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{}`", char::from(symbol)))) }
    }

    pub fn expect_end(&self) -> Read<()> {
        if self.is_done() { Ok(()) } else { Err(self.unexpected("`;`")) }
    }

    pub fn if_exists(&mut self) -> bool {
        self.eat_all(&["IF", "EXISTS"])
    }

    pub fn if_not_exists(&mut self) -> bool {
        self.eat_all(&["IF", "NOT", "EXISTS"])
    }

    // Names and literals.

    pub fn name(&mut self) -> Read<String> {
        let name = self.peek().and_then(|token| token.name(self.source.text));
        match name {
            Some(name) => {
                self.bump();
                Ok(name)
            }
            None => Err(self.unexpected("a name")),
        }
    }

    /// `name` or `schema.name`. What stands before a schema, a database, is not kept.
    pub fn path(&mut self) -> Read<Path> {
        let mut path = Path { schema: None, name: self.name()? };
        while self.eat_symbol(b'.') {
            path = Path { schema: Some(path.name), name: self.name()? };
        }
        Ok(path)
    }

    /// A string, with those that continue it.
    pub fn string(&mut self) -> Read<String> {
        let mut value: Option<String> = None;
        while let Some(part) = self.peek().and_then(|token| token.string(self.source.text)) {
            self.bump();
            value.get_or_insert_default().push_str(&part);
        }
        value.ok_or_else(|| self.unexpected("a string"))
    }

    pub fn integer(&mut self) -> Read<i64> {
        let here = *self;
        let negative = !self.eat_symbol(b'+') && self.eat_symbol(b'-');
        let number =
            self.bump().filter(|token| token.kind == TokenKind::Number).map(|token| token.text(self.source.text));
        let value = number.and_then(|digits| {
            let digits = digits.replace('_', "");
            format!("{}{digits}", if negative { "-" } else { "" }).parse().ok()
        });
        value.ok_or_else(|| here.unexpected("a whole number"))
    }

    // Pieces.

    /// What stands in the parentheses that begin here.
    pub fn parenthesized(&mut self) -> Read<Self> {
        if !self.at_symbol(b'(') {
            return Err(self.unexpected("`(`"));
        }
        let inner = self.take_nested();
        match inner.tokens {
            [_, content @ .., last] if last.is_symbol(b')') => {
                Ok(Self { source: self.source, tokens: content, end: last.start })
            }
            _ => Err(self.unexpected("`)`")),
        }
    }

    pub fn optional_parenthesized(&mut self) -> Read<Option<Self>> {
        if self.at_symbol(b'(') { self.parenthesized().map(Some) } else { Ok(None) }
    }

    /// One token, or all from an opening parenthesis, bracket or `CASE` to what closes it.
    pub fn take_nested(&mut self) -> Self {
        let start = *self;
        let mut depth = 0_usize;
        while let Some(token) = self.bump() {
            match token.kind {
                TokenKind::Symbol(b'(' | b'[') => depth += 1,
                TokenKind::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Word if token.is_word(self.source.text, "CASE") => depth += 1,
                TokenKind::Word if token.is_word(self.source.text, "END") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        start.up_to(self)
    }

    /// What lies between here and a later place in the same run.
    pub fn up_to(&self, later: &Self) -> Self {
        let tokens = &self.tokens[..self.tokens.len().saturating_sub(later.tokens.len())];
        Self { source: self.source, tokens, end: later.position() }
    }

    /// All up to the first token, outside of parentheses and `CASE`, at which `stop` says so.
    pub fn take_until(&mut self, stop: impl Fn(&Self) -> bool) -> Self {
        let start = *self;
        while !self.is_done() && !stop(self) {
            self.take_nested();
        }
        start.up_to(self)
    }

    /// What is left.
    pub fn take_rest(&mut self) -> Self {
        let rest = *self;
        self.tokens = &[];
        rest
    }

    /// The next item of a list: all up to a comma, which is gone over. `None` at the end.
    pub fn next_item(&mut self) -> Option<Self> {
        if self.is_done() {
            return None;
        }
        let item = self.take_until(|cursor| cursor.at_symbol(b','));
        self.eat_symbol(b',');
        Some(item)
    }

    /// `name, name, …` to the end.
    pub fn names(mut self) -> Read<Vec<String>> {
        let mut names = Vec::new();
        loop {
            names.push(self.name()?);
            if !self.eat_symbol(b',') {
                self.expect_end()?;
                return Ok(names);
            }
        }
    }

    // Text.

    /// All of it, as written.
    pub fn text(&self) -> &'s str {
        let end = self.tokens.last().map_or(self.position(), |token| token.end);
        self.source.text.get(self.position() as usize..end as usize).unwrap_or_default()
    }

    /// All of it as an expression, without parentheses around the whole.
    pub fn expression(&self) -> Read<SqlText> {
        let inner = self.without_parentheses();
        if inner.is_done() {
            return Err(self.unexpected("an expression"));
        }
        Ok(SqlText { text: inner.text().to_owned(), line: inner.line() })
    }

    /// Takes off each pair of parentheses that stands around the whole, unless they make it what it is: a row or a query.
    pub fn without_parentheses(mut self) -> Self {
        loop {
            let mut rest = self;
            let Ok(inner) = rest.parenthesized() else { return self };
            let mut behind_comma = inner;
            behind_comma.take_until(|cursor| cursor.at_symbol(b','));
            let is_row = !behind_comma.is_done();
            if !rest.is_done() || is_row || inner.is_done() || inner.at_any(&["SELECT", "WITH", "VALUES", "TABLE"]) {
                return self;
            }
            self = inner;
        }
    }

    /// The name, if there is nothing else but what qualifies it.
    pub fn only_name(mut self) -> Option<String> {
        if self.at_any(&["TRUE", "FALSE", "NULL"]) {
            return None;
        }
        let path = self.path().ok()?;
        self.is_done().then_some(path.name)
    }

    /// The token behind the next one.
    pub fn peek_second(&self) -> Option<Token> {
        self.tokens.get(1).copied()
    }

    /// Whether a token of this run is a word.
    pub fn is_word_at(&self, token: Token, word: &str) -> bool {
        token.is_word(self.source.text, word)
    }

    /// Whether the last token is one of an operator.
    pub fn ends_with_operator(&self) -> bool {
        let is_operator = |symbol| !matches!(symbol, b')' | b']' | b'.' | b',');
        self.tokens.last().is_some_and(|token| matches!(token.kind, TokenKind::Symbol(symbol) if is_operator(symbol)))
    }

    /// Whether the last token is this word.
    pub fn ends_with_word(&self, word: &str) -> bool {
        self.tokens.last().is_some_and(|token| token.is_word(self.source.text, word))
    }
}
