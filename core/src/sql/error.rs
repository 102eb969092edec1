//! A mistake in a piece of SQL, and the code frame that shows it.

use std::fmt;
use std::ops::Range;

/// One mistake in a piece of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Where, in bytes of the text; empty where something is missing.
    pub range: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// A few words for the place itself, below the code.
    pub label: String,
    /// Why that is a rule.
    pub note: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
    /// What kind of mistake it is.
    pub kind: ErrorKind,
}

/// What kind of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Not SQL.
    Syntax,
    /// No SQL at all.
    Empty,
    /// More than one expression, or more than an expression: `a, b`, `1; drop table t`, `a from t`.
    NotOneExpression,
    /// A query inside of the expression: it reads other rows.
    Subquery,
    /// `*`, or `t.*`.
    Star,
    /// A parameter: `$1`.
    Parameter,
    /// An aggregate function, or the syntax of one.
    Aggregate,
    /// A window function, or the syntax of one.
    Window,
    /// A function that returns any number of rows.
    SetReturning,
    /// A function whose result may change from call to call.
    Volatile,
    /// A function whose result depends on the session or on the time.
    SessionDependent,
    /// A function that nobody declares.
    UnknownFunction,
    /// A function that the oldest server in question does not have, or that newer ones dropped.
    ServerVersion,
    /// Not a type, or a type with a modifier that it does not take.
    Type,
    /// A column that does not exist, or is out of reach.
    Column,
}

impl ExpressionError {
    /// A mistake of a kind at a place.
    pub fn new(kind: ErrorKind, range: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { range, message: message.into(), label: label.into(), note: None, help: None, kind }
    }

    /// Says why that is a rule.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Says what to write instead.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The code frame for it. `text` is the text that was parsed.
    pub fn frame(&self, text: &str) -> String {
        frame(text, self.range.clone(), &self.label)
    }
}

/// The message alone.
impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExpressionError {}

/// The lines of `text` that `range` (in bytes) touches, with the place marked and a label, the way the compiler shows code:
///
/// ```text
///   |
///   | split_part(full_name, ' ', 1
///   |                             ^ expected `)` here
/// ```
///
/// An empty range is one mark. A range over several lines is marked on each of them. The lines are numbered where there are several.
pub fn frame(text: &str, range: Range<usize>, label: &str) -> String {
    let start = char_boundary(text, range.start);
    let end = char_boundary(text, range.end).max(start);
    // A line break at the end of the range does not pull the next line in.
    let last_byte = if end > start { end - 1 } else { end };
    let (first, last) = (line_of(text, start), line_of(text, last_byte));

    let number_width = text.lines().count().max(1).to_string().len();
    let gutter = |number: Option<usize>| match number {
        Some(number) if text.trim_end().contains('\n') => format!("{number:>number_width$} |"),
        _ => format!("{:number_width$} |", ""),
    };

    let mut frame = gutter(None);
    let mut offset = 0;
    for (index, line) in text.split('\n').enumerate() {
        if (first..=last).contains(&index) {
            let code = line.trim_end();
            let from = start.saturating_sub(offset).min(code.len());
            let from = if index > first { code.len() - code.trim_start().len() } else { from };
            let to = (end - offset).clamp(from, code.len());
            let blank = " ".repeat(columns(&code[..from]));
            let mark = "^".repeat(columns(&code[from..to]).max(1));
            let shown = format!("\n{} {}", gutter(Some(index + 1)), code.replace('\t', TAB));
            frame.push_str(shown.trim_end());
            frame.push_str(&format!("\n{} {blank}{mark}", gutter(None)));
        }
        offset += line.len() + 1;
    }
    if !label.is_empty() {
        frame.push(' ');
        frame.push_str(label);
    }
    frame
}

/// What a tab is shown as.
const TAB: &str = "    ";

/// The nearest place at or before `offset` where a character begins.
fn char_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The line of a byte, from 0.
fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

/// How many columns of a terminal `text` takes: East Asian characters and emoji two, combining marks none.
fn columns(text: &str) -> usize {
    let width = |c| match c {
        '\t' => TAB.len(),
        '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    };
    text.chars().map(width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(frame: &str) -> Vec<&str> {
        frame.lines().collect()
    }

    #[test]
    fn marks_a_missing_piece_behind_the_last_character() {
        let text = "split_part(full_name, ' ', 1";
        assert_eq!(
            lines(&frame(text, text.len()..text.len(), "expected `)` here")),
            ["  |", "  | split_part(full_name, ' ', 1", "  |                             ^ expected `)` here"]
        );
    }

    #[test]
    fn marks_a_token() {
        assert_eq!(lines(&frame("a + bb", 4..6, "no such column")), ["  |", "  | a + bb", "  |     ^^ no such column"]);
    }

    #[test]
    fn shows_only_the_lines_in_question() {
        let text = "case\n  when a then b\n  else zzz\nend";
        assert_eq!(lines(&frame(text, 28..31, "")), ["  |", "3 |   else zzz", "  |        ^^^"]);
        assert_eq!(
            lines(&frame(text, 12..31, "all of it")),
            ["  |", "2 |   when a then b", "  |        ^^^^^^^^", "3 |   else zzz", "  |   ^^^^^^^^ all of it"]
        );
    }

    #[test]
    fn counts_tabs_wide_and_combining_characters() {
        assert_eq!(lines(&frame("\ta", 1..2, "")), ["  |", "  |     a", "  |     ^"]);
        assert_eq!(lines(&frame("'名前' + x", 11..12, "")), ["  |", "  | '名前' + x", "  |          ^"]);
        assert_eq!(lines(&frame("'e\u{301}' x", 6..7, ""))[2], "  |     ^");
    }

    #[test]
    fn takes_any_range() {
        assert_eq!(lines(&frame("", 0..0, "empty")), ["  |", "  |", "  | ^ empty"]);
        assert_eq!(lines(&frame("é", 1..1, "")), ["  |", "  | é", "  | ^"]);
        assert_eq!(lines(&frame("ab", 7..90, "")), ["  |", "  | ab", "  |   ^"]);
        assert_eq!(lines(&frame("a\n\nb", 0..4, "")).len(), 7);
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = 5..2;
        assert_eq!(lines(&frame("abcdef", reversed, "")), ["  |", "  | abcdef", "  |      ^"]);
    }
}
