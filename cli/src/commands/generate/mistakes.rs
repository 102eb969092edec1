//! Mistakes in a declaration, in the compiler's own look.

use std::fs;
use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use coexist_core::diagnostic::Diagnostic;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::{Outcome, Output};

/// Shows all mistakes, and says that nothing was written.
pub(super) fn report(output: Output, source: &Path, mistakes: &[Diagnostic]) -> Result<Outcome> {
    // It was read a moment ago; without it, the messages still say what is wrong.
    let text = fs::read_to_string(source).unwrap_or_default();
    for mistake in mistakes {
        output.error(render(source, &text, mistake));
    }
    let several = if mistakes.len() == 1 { "a mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) };
    let failure = Failure::new(Exit::Failed, format!("{} has {several}; nothing was written", source.display()));
    let mistakes: Vec<Value> = mistakes.iter().map(|mistake| document(source, mistake)).collect();
    Ok(Outcome::from(failure).with("files", Value::Array(Vec::new())).with("mistakes", mistakes))
}

fn render(source: &Path, text: &str, mistake: &Diagnostic) -> String {
    let path = source.display().to_string();
    let message = match &mistake.frame {
        Some(frame) => format!("{}\n{frame}", mistake.message),
        None => mistake.message.clone(),
    };
    let mut group: Group = Level::ERROR
        .primary_title(message)
        .element(Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(range(text, mistake))));
    for note in &mistake.notes {
        group = group.element(Level::NOTE.message(note));
    }
    for help in &mistake.help {
        group = group.element(Level::HELP.message(help));
    }
    Renderer::styled().render(&[group]) + "\n"
}

/// The bytes of the text that are wrong. A span that belongs to no text of ours is at the beginning.
fn range(text: &str, mistake: &Diagnostic) -> Range<usize> {
    let range = mistake.span.byte_range();
    if text.get(range.clone()).is_some() { range } else { 0..0 }
}

fn document(source: &Path, mistake: &Diagnostic) -> Value {
    let start = mistake.span.start();
    json!({
        "file": source.display().to_string(),
        "line": start.line,
        "column": start.column + 1,
        "message": mistake.message,
        "frame": mistake.frame,
        "notes": mistake.notes,
        "help": mistake.help,
    })
}
