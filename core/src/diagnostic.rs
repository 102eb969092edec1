//! What is wrong with a declaration, where, why, and what mends it.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

/// One mistake. The message says what is wrong, a note why that is a rule, the help the exact edit or command that mends it.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The token that is wrong.
    pub span: Span,
    /// What is wrong, in one line.
    pub message: String,
    /// A code frame, for mistakes inside of SQL: it stands below the message.
    pub frame: Option<String>,
    /// Why that is a rule; facts around it.
    pub notes: Vec<String>,
    /// What to write or run instead; several, where there is a choice.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A mistake at `span`.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), frame: None, notes: Vec::new(), help: Vec::new() }
    }

    /// Adds a code frame.
    pub fn frame(mut self, frame: impl Into<String>) -> Self {
        self.frame = Some(frame.into());
        self
    }

    /// Adds a note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what mends it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The whole text as the compiler shows it below `error: `.
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        if let Some(frame) = &self.frame {
            text.push('\n');
            text.push_str(frame);
        }
        for note in &self.notes {
            text.push_str("\n= note: ");
            text.push_str(note);
        }
        for help in &self.help {
            text.push_str("\n= help: ");
            text.push_str(help);
        }
        text
    }
}

/// Collects the mistakes of one declaration. Dropping it without looking is a mistake of ours, and says so in debug builds.
#[derive(Debug, Default)]
pub struct Errors {
    found: Vec<Diagnostic>,
    taken: bool,
}

impl Errors {
    /// No mistakes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many there are, to see whether a pass added any.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Hands out what was found, in the order of the source.
    pub fn take(mut self) -> Vec<Diagnostic> {
        self.taken = true;
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|d| {
            let start = d.span.start();
            (start.line, start.column)
        });
        found
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(
            self.taken || self.found.is_empty() || std::thread::panicking(),
            "mistakes were found and never reported: {:?}",
            self.found
        );
    }
}

/// What is asked for cannot be had, and the mistake that is to blame is in [`Errors`] already.
#[derive(Clone, Copy, Debug)]
pub struct Reported;

/// One `compile_error!` for each mistake, at its token.
pub fn compile_errors(diagnostics: &[Diagnostic]) -> TokenStream {
    diagnostics
        .iter()
        .map(|d| {
            let text = d.text();
            quote_spanned! {d.span=> ::core::compile_error!{ #text } }
        })
        .collect()
}

/// The name among `known` that was probably meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|candidate| (edit_distance(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in characters, a swap of neighbours counting once.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut cost = (above[j] + usize::from(a[i] != b[j])).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses() {
        assert_eq!(nearest("fullname", ["full_name", "email"]), Some("full_name"));
        assert_eq!(nearest("nmae", ["name", "email"]), Some("name"));
        assert_eq!(nearest("zip", ["name", "email"]), None);
    }
}
