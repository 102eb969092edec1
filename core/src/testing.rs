//! Mistakes as a reader sees them, for snapshots.

use std::str::FromStr;

use proc_macro2::TokenStream;

use crate::diagnostic::Diagnostic;

/// The tokens of a declaration.
pub fn tokens(source: &str) -> TokenStream {
    TokenStream::from_str(source).unwrap_or_else(|error| panic!("{error}: {source}"))
}

/// Each mistake below the line that it is on, the way the compiler shows it.
pub fn render(source: &str, diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut text = String::new();
    for diagnostic in diagnostics {
        let (start, end) = (diagnostic.span.start(), diagnostic.span.end());
        let line = lines.get(start.line.saturating_sub(1)).copied().unwrap_or_default();
        let end_column = if end.line == start.line { end.column } else { line.chars().count() };
        let shown = line.trim_start();
        let indent = line.chars().count() - shown.chars().count();
        let mark = "^".repeat(end_column.saturating_sub(start.column).max(1));
        text.push_str(&format!("{shown}\n{}{mark}\n", " ".repeat(start.column.saturating_sub(indent))));
        text.push_str(&format!("error: {}\n\n", diagnostic.text()));
    }
    text
}

/// A snapshot without the text of the expression that made it.
macro_rules! snapshot {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($text);
        })
    };
}
pub(crate) use snapshot;
