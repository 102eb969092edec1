//! Why a command did not do what it was asked to do.

use std::io;
use std::path::Path;

use crate::exit::Exit;

/// What a command answers with.
pub type Result<T> = std::result::Result<T, Failure>;

/// What is wrong and where, and what to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// What is wrong, and where; further lines say more.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Failure {
    /// Ends with `exit`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None }
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A file that could not be read or written.
    pub(crate) fn file(exit: Exit, doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(exit, format!("cannot {doing} {}: {error}", path.display()))
    }
}
