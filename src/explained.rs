//! The words of a database error.

use std::error::Error;
use std::fmt;

/// What the server said, or what went wrong on the way to it: `postgres::Error` alone names only the kind of failure.
///
/// What is in a row is left out: the detail of a violated constraint, and the value that does not convert.
pub struct Explained<'e>(pub &'e postgres::Error);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.0.as_db_error() {
            let code = error.code().code();
            let (about_value, about_row) = (code.starts_with("22"), code.starts_with("23"));
            let message = error.message();
            let message = if about_value { without_quoted(message) } else { message.to_string() };
            write!(f, "{message} [{code}]")?;
            if let Some(detail) = error.detail().filter(|_| !about_value && !about_row) {
                write!(f, "\n{detail}")?;
            }
            return error.hint().map_or(Ok(()), |hint| write!(f, "\n{hint}"));
        }
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Leaves out what stands between the first quotation mark and the last one, of whatever language the server speaks.
fn without_quoted(message: &str) -> String {
    const MARKS: [char; 7] = ['"', '«', '»', '„', '“', '”', '\u{300c}'];
    match (message.find(MARKS), message.rfind(MARKS)) {
        (Some(first), Some(last)) if first < last => {
            let opening = message[first..].chars().next().map_or(0, char::len_utf8);
            format!("{}…{}", &message[..first + opening], &message[last..])
        }
        _ => message.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h83_values_do_not_show() {
        assert_eq!(
            without_quoted("invalid input syntax for type integer: \"a \"b\""),
            "invalid input syntax for type integer: \"…\""
        );
        assert_eq!(without_quoted("integer out of range"), "integer out of range");
        assert_eq!(
            without_quoted("ungültige Eingabesyntax für Typ integer: »abc«"),
            "ungültige Eingabesyntax für Typ integer: »…«"
        );
    }
}
