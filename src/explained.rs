//! The words of a database error.

use std::error::Error;
use std::fmt;

/// What the server said, or what went wrong on the way to it: `postgres::Error` alone names only the kind of failure.
///
/// The detail of a violated constraint and of a value that does not convert is left out: it shows what is in the row.
pub struct Explained<'e>(pub &'e postgres::Error);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.0.as_db_error() {
            let code = error.code().code();
            write!(f, "{} [{code}]", error.message())?;
            if let Some(detail) = error.detail().filter(|_| !code.starts_with("22") && !code.starts_with("23")) {
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
