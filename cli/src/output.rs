//! What a command says: results on standard output, everything else on standard error, in colours only where they are seen.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::failure::{Failure, Result};

pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BUSY: Style = AnsiColor::Cyan.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();

/// How much is said, and in which form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// For programs.
    pub json: bool,
    /// Results and errors only.
    pub quiet: bool,
    /// Whether a log is written to standard error, where a bar would be in its way.
    pub logs: bool,
}

impl Output {
    /// A line of a result, for people.
    ///
    /// # Errors
    ///
    /// Standard output takes no more. That nobody reads it any more is no error: the work goes on.
    pub fn result(self, line: impl Display) -> Result<()> {
        if self.json { Ok(()) } else { self.line(&line) }
    }

    /// A JSON document, in one line.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn document(self, document: &Value) -> Result<()> {
        self.line(document)
    }

    fn line(self, line: &dyn Display) -> Result<()> {
        let mut stdout = anstream::stdout().lock();
        match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Failed, format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Something worth knowing that is no result.
    pub fn note(self, line: impl Display) {
        if !self.quiet && !self.json {
            // Where nobody listens, nothing is lost.
            let _ = writeln!(anstream::stderr(), "{line}");
        }
    }

    /// Something that needs attention, although the command goes on.
    pub fn warning(self, line: impl Display) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{WARNING}warning{WARNING:#}: {line}");
        }
    }

    /// An error that is shown as it is.
    pub fn error(self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    /// Why the command did not do what it was asked to do.
    pub fn failure(self, failure: &Failure) {
        let _ = writeln!(anstream::stderr(), "{BAD}error{BAD:#}: {}", indented(&failure.message));
        if let Some(help) = &failure.help {
            let _ = writeln!(anstream::stderr(), "{GOOD}help{GOOD:#}: {}", indented(help));
        }
    }
}

/// How a command ended, and what it has to say about it in JSON.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// Why it did not do all that it was asked to do.
    pub failure: Option<Failure>,
    /// The command's own part of the JSON document.
    pub body: Map<String, Value>,
}

impl Outcome {
    /// It ended like this.
    pub fn new(exit: Exit) -> Self {
        Self { exit, failure: None, body: Map::new() }
    }

    /// Adds to the JSON document.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    /// The whole JSON document.
    pub fn document(self, command: &str) -> Value {
        let error = self.failure.map(|failure| serde_json::json!({ "message": failure.message, "help": failure.help }));
        let head = [
            ("command", Value::from(command)),
            ("exit", Value::from(self.exit.name())),
            ("code", Value::from(self.exit.code())),
            ("error", Value::from(error)),
        ];
        head.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(self.body).collect()
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self { exit: failure.exit, failure: Some(failure), body: Map::new() }
    }
}

/// Lines after the first stand under it.
fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

/// `1,234,567`.
pub(crate) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 of 1,000 rows differ`.
pub(crate) fn differing(mismatches: i64, rows: i64) -> String {
    format!("{} of {} rows differ", count(mismatches), count(rows))
}

/// `1.2 GB`.
pub(crate) fn size(bytes: i64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{value} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} TB")
}

/// `12 ms`, `43 s`, `5 min`, `2 h`, `3 days`: one unit, because nobody needs two.
pub(crate) fn time(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([count(0), count(999), count(-1_234_567)], ["0", "999", "-1,234,567"]);
        assert_eq!([size(0), size(1023), size(1536), size(3 << 40)], ["0 B", "1023 B", "1.5 kB", "3.0 TB"]);
        let times = [12, 119_000, 7_199_000, 172_799_000, 172_800_000].map(|ms| time(Duration::from_millis(ms)));
        assert_eq!(times, ["12 ms", "119 s", "119 min", "47 h", "2 days"]);
    }
}
