//! A place in a run of tokens.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use super::{Literal, Name};

/// Goes over token trees one by one. Groups without delimiters, which macros put around what they pass on, are looked through.
pub(super) struct Cursor {
    tokens: Vec<TokenTree>,
    next: usize,
    end: Span,
    end_name: &'static str,
}

impl Cursor {
    /// Over everything between the braces of the macro.
    pub fn of_declaration(tokens: TokenStream) -> Self {
        let tokens = flat(tokens);
        let end = tokens.last().map_or_else(Span::call_site, TokenTree::span);
        Self { tokens, next: 0, end, end_name: "the end of the declaration" }
    }

    /// Over what stands between the delimiters of a group.
    pub fn of_group(group: &Group) -> Self {
        Self { tokens: flat(group.stream()), next: 0, end: group.span_close(), end_name: "the end of the block" }
    }

    pub fn is_at_end(&self) -> bool {
        self.next >= self.tokens.len()
    }

    pub fn peek(&self) -> Option<&TokenTree> {
        self.tokens.get(self.next)
    }

    pub fn bump(&mut self) -> Option<TokenTree> {
        let token = self.tokens.get(self.next).cloned();
        self.next += usize::from(token.is_some());
        token
    }

    /// Of the next token, or of what ends the run.
    pub fn span(&self) -> Span {
        self.peek().map_or(self.end, TokenTree::span)
    }

    /// The next token, for messages.
    pub fn found(&self) -> String {
        match self.peek() {
            None => self.end_name.to_owned(),
            Some(TokenTree::Group(group)) => match group.delimiter() {
                Delimiter::Brace => "`{ … }`".to_owned(),
                Delimiter::Parenthesis => "`( … )`".to_owned(),
                Delimiter::Bracket => "`[ … ]`".to_owned(),
                Delimiter::None => "tokens".to_owned(),
            },
            Some(token) => format!("`{token}`"),
        }
    }

    pub fn ident(&self) -> Option<&Ident> {
        ident(self.peek())
    }

    /// Whether the next token is this word. A raw identifier is never a word of the grammar.
    pub fn at_word(&self, word: &str) -> bool {
        self.ident().is_some_and(|ident| ident == word)
    }

    pub fn at_any_word(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    /// Whether an item begins here: one of `words`, and then what can follow such a word and cannot follow a name.
    pub fn at_item(&self, words: &[&str]) -> bool {
        self.at_any_word(words)
            && match self.tokens.get(self.next + 1) {
                Some(TokenTree::Ident(_)) => true,
                Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
                token => string(token).is_some(),
            }
    }

    /// Whether the token after the next one is one of these words.
    pub fn after_next_at_any_word(&self, words: &[&str]) -> bool {
        ident(self.tokens.get(self.next + 1)).is_some_and(|ident| words.iter().any(|word| ident == word))
    }

    /// Whether a comma or nothing follows the next token.
    pub fn at_end_of_entry_after_next(&self) -> bool {
        match self.tokens.get(self.next + 1) {
            None => true,
            Some(TokenTree::Punct(punct)) => punct.as_char() == ',',
            Some(_) => false,
        }
    }

    /// Whether a single colon follows the next token.
    pub fn colon_after_next(&self) -> bool {
        let is_colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == ':');
        is_colon(self.tokens.get(self.next + 1)) && !is_colon(self.tokens.get(self.next + 2))
    }

    /// Whether nothing follows the next token.
    pub fn ends_after_next(&self) -> bool {
        self.next + 1 >= self.tokens.len()
    }

    pub fn at_punct(&self, punct: char) -> bool {
        matches!(self.peek(), Some(TokenTree::Punct(found)) if found.as_char() == punct)
    }

    pub fn eat_punct(&mut self, punct: char) -> bool {
        let is_here = self.at_punct(punct);
        self.next += usize::from(is_here);
        is_here
    }

    pub fn eat_word(&mut self, word: &str) -> Option<Span> {
        let span = self.ident().filter(|ident| *ident == word)?.span();
        self.next += 1;
        Some(span)
    }

    pub fn at_braces(&self) -> bool {
        matches!(self.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
    }

    /// Whether `{ … }` follows the next token.
    pub fn braces_after_next(&self) -> bool {
        matches!(self.tokens.get(self.next + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
    }

    /// What stands in the parentheses that come next.
    pub fn eat_parentheses(&mut self) -> Option<Self> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let inside = Self::of_group(group);
                self.next += 1;
                Some(inside)
            }
            _ => None,
        }
    }

    /// A name that stands before a string literal, or before `word` and a string literal.
    pub fn eat_name_before_string(&mut self, word: &str) -> Option<Name> {
        let is_string = |n: usize| string(self.tokens.get(self.next + n)).is_some();
        let is_word = |n: usize| ident(self.tokens.get(self.next + n)).is_some_and(|ident| ident == word);
        let is_name = (is_string(1) && !is_word(0)) || (is_word(1) && is_string(2));
        if is_name { self.eat_name() } else { None }
    }

    /// What stands in the braces that come next.
    pub fn eat_braces(&mut self) -> Option<Self> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside = Self::of_group(group);
                self.next += 1;
                Some(inside)
            }
            _ => None,
        }
    }

    pub fn at_parentheses(&self) -> bool {
        matches!(self.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
    }

    /// What stands in the parentheses that come next.
    pub fn eat_in_parentheses(&mut self) -> Option<Self> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                let inside = Self::of_group(group);
                self.next += 1;
                Some(inside)
            }
            _ => None,
        }
    }

    /// Whether two string literals come next: a name that is no identifier, and what it names.
    pub fn string_then_string(&self) -> bool {
        string(self.peek()).is_some() && string(self.tokens.get(self.next + 1)).is_some()
    }

    /// A string literal of any form.
    pub fn eat_string(&mut self) -> Option<Literal> {
        let literal = string(self.peek())?;
        self.next += 1;
        Some(literal)
    }

    /// An identifier or a string literal.
    pub fn eat_name(&mut self) -> Option<Name> {
        let name = match self.peek()? {
            TokenTree::Ident(ident) => Name { text: without_raw(ident), span: ident.span() },
            token => {
                let literal = string(Some(token))?;
                Name { text: literal.value, span: literal.span }
            }
        };
        self.next += 1;
        Some(name)
    }

    /// How many tokens lie behind.
    pub fn position(&self) -> usize {
        self.next
    }

    /// Goes on behind the item that began at `start`: behind its `;` or its block, or to the next item that begins with one of `words`.
    pub fn skip_item(&mut self, start: usize, words: &[&str]) {
        while !self.is_at_end() && (self.next == start || !self.at_item(words)) {
            let ends_item = self.at_punct(';') || self.at_braces();
            self.next += 1;
            if ends_item {
                return;
            }
        }
    }

    /// Goes on before the next comma or `;`.
    pub fn skip_entry(&mut self) {
        while !self.is_at_end() && !self.at_punct(',') && !self.at_punct(';') {
            self.next += 1;
        }
    }

    /// Takes the tokens before the first that is an end.
    pub fn take_until(&mut self, is_end: impl Fn(&Self) -> bool) -> Vec<TokenTree> {
        let start = self.next;
        while !self.is_at_end() && !is_end(self) {
            self.next += 1;
        }
        self.tokens.get(start..self.next).unwrap_or_default().to_vec()
    }

    /// Whether the token before the next one is a mark that something has to follow.
    pub fn follows_punct(&self) -> bool {
        self.next > 0 && matches!(self.tokens.get(self.next - 1), Some(TokenTree::Punct(_)))
    }
}

/// The text of an identifier, without `r#`.
pub(super) fn without_raw(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// The value of a token that is a string literal.
pub(super) fn string(token: Option<&TokenTree>) -> Option<Literal> {
    match token {
        Some(TokenTree::Literal(literal)) => match syn::Lit::new(literal.clone()) {
            syn::Lit::Str(string) if string.suffix().is_empty() => {
                Some(Literal { value: string.value(), span: string.span() })
            }
            _ => None,
        },
        _ => None,
    }
}

fn ident(token: Option<&TokenTree>) -> Option<&Ident> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}

fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flattened = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => flattened.extend(flat(group.stream())),
            token => flattened.push(token),
        }
    }
    flattened
}
