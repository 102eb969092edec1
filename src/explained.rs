//! The words of a database error.

use std::error::Error;
use std::fmt;

/// What the server said, or what went wrong on the way to it: `postgres::Error` alone names only the kind of failure.
pub(crate) struct Explained<'e>(pub(crate) &'e postgres::Error);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.0.as_db_error() {
            return write!(f, "{error}");
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
