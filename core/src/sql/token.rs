//! SQL as a flat list of tokens: enough to read statements with, and far cheaper than a tree of each of them.

use squawk_lexer::{LiteralKind, TokenKind as Raw, tokenize};

use crate::ident::MAX_IDENTIFIER_BYTES;

/// A token; blanks and comments are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte in the source.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A key word or a name without quotes.
    Word,
    /// `"name"`, `U&"name"`.
    QuotedName,
    /// A string in any notation: `'…'`, `E'…'`, `U&'…'`, `B'…'`, `$$…$$`.
    String,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// One character of anything else. Operators are not put together.
    Symbol(u8),
}

impl Token {
    /// Its text. `source` is what it was made from.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// Whether it is this character.
    pub fn is_symbol(self, symbol: u8) -> bool {
        self.kind == TokenKind::Symbol(symbol)
    }

    /// Whether it is this key word, in any case.
    pub fn is_word(self, source: &str, word: &str) -> bool {
        // Nearly every comparison ends at the length, which makes this cheap in unoptimised builds too.
        self.kind == TokenKind::Word
            && (self.end - self.start) as usize == word.len()
            && self.text(source).eq_ignore_ascii_case(word)
    }

    /// The name that it spells: unquoted and folded, cut to the length that PostgreSQL keeps. `None` if it is no name.
    pub fn name(self, source: &str) -> Option<String> {
        let text = self.text(source);
        let mut name = match self.kind {
            TokenKind::Word => text.to_ascii_lowercase(),
            TokenKind::QuotedName => match text.strip_prefix(['u', 'U']).and_then(|text| text.strip_prefix('&')) {
                Some(escaped) => unicode_unescape(&inside(escaped, '"')),
                None => inside(text, '"'),
            },
            _ => return None,
        };
        truncate_identifier(&mut name);
        Some(name)
    }

    /// The value of a string token; `None` if it is none.
    pub fn string(self, source: &str) -> Option<String> {
        if self.kind != TokenKind::String {
            return None;
        }
        let text = self.text(source);
        Some(match text.as_bytes().first()? {
            b'$' => {
                let tag = text.get(..text.get(1..)?.find('$')? + 2)?;
                text.strip_prefix(tag)?.strip_suffix(tag)?.to_owned()
            }
            b'e' | b'E' => backslash_unescape(&inside(&text[1..], '\'')),
            b'u' | b'U' => unicode_unescape(&inside(text.get(2..)?, '\'')),
            b'\'' => inside(text, '\''),
            _ => inside(&text[1..], '\''),
        })
    }
}

/// Cuts a name to the bytes that PostgreSQL keeps of it, never inside of a character.
pub fn truncate_identifier(name: &mut String) {
    if name.len() > MAX_IDENTIFIER_BYTES {
        name.truncate(name.floor_char_boundary(MAX_IDENTIFIER_BYTES));
    }
}

/// Text that begins like a token but does not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclosed {
    /// Where it begins, in bytes.
    pub start: usize,
    /// What it is: `string`, `comment`, …
    pub what: &'static str,
    /// What would close it.
    pub closing: &'static str,
}

/// Hands each token of `source` from byte `from` on to `take`, until that says no. Returns where it stopped.
///
/// # Errors
///
/// A string, quoted name or comment that does not end.
pub fn lex(source: &str, from: usize, mut take: impl FnMut(Token) -> bool) -> Result<usize, Unclosed> {
    let mut start = from;
    for raw in tokenize(source.get(from..).unwrap_or_default()) {
        let end = start + raw.len as usize;
        if let Some((what, closing)) = unclosed(raw.kind) {
            return Err(Unclosed { start, what, closing });
        }
        if let Some(kind) = kind(raw.kind, source.as_bytes()[start]) {
            // `..` is one token to the lexer, and two everywhere else.
            let first_end = if raw.kind == Raw::DotDot { start + 1 } else { end };
            let mut goes_on = take(Token { kind, start: start as u32, end: first_end as u32 });
            if goes_on && first_end < end {
                goes_on = take(Token { kind, start: first_end as u32, end: end as u32 });
            }
            if !goes_on {
                return Ok(end);
            }
        }
        start = end;
    }
    Ok(start)
}

/// All tokens of a piece of SQL, up to where it stops being one.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    // What does not end is left out: this serves to look for names, and there are none in it.
    let _ = lex(source, 0, |token| {
        tokens.push(token);
        true
    });
    tokens
}

/// Every name in a piece of SQL, key words among them: unquoted, folded, in order, with what stands in strings that hold code themselves.
pub fn names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    for token in tokens(source) {
        match token.kind {
            TokenKind::Word | TokenKind::QuotedName => names.extend(token.name(source)),
            TokenKind::String if token.text(source).starts_with('$') => {
                let body = token.string(source).unwrap_or_default();
                names.extend(tokens(&body).into_iter().filter_map(|token| token.name(&body)));
            }
            _ => {}
        }
    }
    names
}

fn kind(raw: Raw, first: u8) -> Option<TokenKind> {
    Some(match raw {
        Raw::Whitespace | Raw::LineComment | Raw::BlockComment { .. } | Raw::Eof => return None,
        Raw::Ident => TokenKind::Word,
        Raw::QuotedIdent { .. } => TokenKind::QuotedName,
        Raw::PositionalParam { .. } => TokenKind::Parameter,
        Raw::Literal { kind: LiteralKind::Int { .. } | LiteralKind::Numeric { .. } } => TokenKind::Number,
        Raw::Literal { .. } => TokenKind::String,
        _ => TokenKind::Symbol(first),
    })
}

fn unclosed(raw: Raw) -> Option<(&'static str, &'static str)> {
    use LiteralKind::*;
    match raw {
        Raw::BlockComment { terminated: false } => Some(("comment", "`*/`")),
        Raw::QuotedIdent { terminated: false, .. } => Some(("quoted name", "`\"`")),
        Raw::Literal { kind: DollarQuotedString { terminated: false } } => {
            Some(("dollar-quoted string", "closing tag"))
        }
        Raw::Literal {
            kind:
                Str { terminated: false }
                | NationalStr { terminated: false }
                | ByteStr { terminated: false }
                | BitStr { terminated: false }
                | UnicodeEscStr { terminated: false }
                | EscStr { terminated: false },
        } => Some(("string", "`'`")),
        _ => None,
    }
}

/// What stands between the quotes, a doubled quote meaning one.
fn inside(text: &str, quote: char) -> String {
    let text = text.strip_prefix(quote).unwrap_or(text);
    let text = text.strip_suffix(quote).unwrap_or(text);
    let doubled = [quote, quote].iter().collect::<String>();
    if text.contains(&doubled) { text.replace(&doubled, &quote.to_string()) } else { text.to_owned() }
}

/// The escapes of `E'…'`. Doubled quotes are undone already.
fn backslash_unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, most: usize| {
        let mut value = None;
        for _ in 0..most {
            let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
            chars.next();
            value = Some(value.unwrap_or(0) * radix + digit);
        }
        value
    };
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escaped = match chars.peek().copied() {
            Some('0'..='7') => digits(&mut chars, 8, 3).map(|value| vec![value as u8]),
            Some('x') => {
                chars.next();
                digits(&mut chars, 16, 2).map(|value| vec![value as u8]).or(Some(vec![b'x']))
            }
            Some(long @ ('u' | 'U')) => {
                chars.next();
                let value = digits(&mut chars, 16, if long == 'u' { 4 } else { 8 });
                value.and_then(char::from_u32).map(|c| c.to_string().into_bytes())
            }
            Some(c) => {
                chars.next();
                let c = match c {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    c => c,
                };
                Some(c.to_string().into_bytes())
            }
            None => None,
        };
        bytes.extend(escaped.unwrap_or_default());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The escapes of `U&'…'` and `U&"…"`: `\0061`, `\+000061`, `\\`.
fn unicode_unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    squawk_syntax::unescape::escape_unicode_esc_str(text, '\\', |_, c| out.push(c.unwrap_or('\u{fffd}')));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source).into_iter().map(|token| token.text(source)).collect()
    }

    fn name_of(source: &str) -> String {
        tokens(source)[0].name(source).unwrap()
    }

    fn string_of(source: &str) -> String {
        tokens(source)[0].string(source).unwrap()
    }

    #[test]
    fn splits_and_drops_blanks_and_comments() {
        assert_eq!(texts("a.b -- c\n /* /* d */ */ + 1.5"), ["a", ".", "b", "+", "1.5"]);
        assert_eq!(texts("$f$ ; $$ $f$ ;"), ["$f$ ; $$ $f$", ";"]);
        assert_eq!(texts("1..2"), ["1", ".", ".", "2"]);
    }

    #[test]
    fn names_fold_and_unquote() {
        assert_eq!(name_of("Full_Name"), "full_name");
        assert_eq!(name_of("\"Full \"\"Name\""), "Full \"Name");
        assert_eq!(name_of("ÄB"), "Äb");
        assert_eq!(name_of(r#"U&"d\0061t\+000061""#), "data");
    }

    #[test]
    fn h65_names_are_cut_at_a_character() {
        assert_eq!(name_of(&"a".repeat(70)), "a".repeat(63));
        assert_eq!(name_of(&format!("\"{}\"", "é".repeat(40))), "é".repeat(31));
    }

    #[test]
    fn strings_in_every_notation() {
        assert_eq!(string_of("'it''s'"), "it's");
        assert_eq!(string_of(r"E'a\nb\'\x41\101\u00e9\\'"), "a\nb'AAé\\");
        assert_eq!(string_of("$tag$ it's $$ $tag$"), " it's $$ ");
        assert_eq!(string_of(r"U&'\00e9'"), "é");
        assert_eq!(string_of("''"), "");
    }

    #[test]
    fn what_does_not_end_is_named() {
        let unclosed = |source| lex(source, 0, |_| true).unwrap_err();
        assert_eq!(unclosed("a 'b").start, 2);
        assert_eq!(unclosed("\"b").what, "quoted name");
        assert_eq!(unclosed("$x$ $y$").what, "dollar-quoted string");
        assert_eq!(unclosed("/* /* */").closing, "`*/`");
    }

    #[test]
    fn names_are_found_in_code_too() {
        assert_eq!(names("do $$ begin Delete x; end $$"), ["do", "begin", "delete", "x", "end"]);
    }
}
