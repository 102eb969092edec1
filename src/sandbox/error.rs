//! What can go wrong with a throw-away server.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::explained::Explained;

use super::binaries::{BIN_DIR_VARIABLE, Miss};

/// Why a sandbox, or a database in it, could not be had.
///
/// The text of [`Debug`](fmt::Debug) is that of [`Display`](fmt::Display): a test that unwraps and a `main` that
/// returns the error show people what happened, with the server's log on lines of its own.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no server binaries, or none of the version wanted.
    #[error("{}", no_binaries(.wanted_major, .misses))]
    NoBinaries {
        /// The major version that was asked for.
        wanted_major: Option<u32>,
        /// Where was looked, and why each place would not do.
        misses: Vec<Miss>,
    },

    /// This process runs as root, which PostgreSQL refuses, and there is no user to step down to.
    #[error(
        "PostgreSQL does not run as root, and there is no ordinary user to run it as (tried: {}); \
         create one of them, or run this program as an ordinary user",
        .tried.join(", ")
    )]
    NoOrdinaryUser {
        /// The names that were tried.
        tried: &'static [&'static str],
    },

    /// No folder can hold the server.
    #[error(
        "no folder to put the throw-away server in (tried: {}): it must be writable{}, its path plain ASCII and short, \
         because that of a Unix socket is limited to about 100 bytes; set TMPDIR to such a folder",
        .parents.iter().map(|parent| parent.display().to_string()).collect::<Vec<_>>().join(", "),
        .user.iter().map(|user| format!(" for the user {user}")).collect::<String>()
    )]
    NoFolder {
        /// The folders that were tried.
        parents: Vec<PathBuf>,
        /// The user that the server would run as, when it is not that of this process.
        user: Option<String>,
    },

    /// The shell process that owns the server could not be started, or was killed.
    #[error("cannot reach the process that runs the throw-away server (`sh`): {source}")]
    Supervisor {
        /// What the system said.
        source: io::Error,
    },

    /// The server could not be made, started or stopped.
    #[error("the throw-away PostgreSQL server could not be {what}; the end of its log:\n{log_tail}")]
    Server {
        /// `initialised`, `started`, `stopped`.
        what: &'static str,
        /// The last lines of the server's log.
        log_tail: String,
    },

    /// A file of the server could not be read or written.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The server refused a connection or a statement.
    #[error("{what}: {}", Explained(.source))]
    Database {
        /// What was attempted.
        what: String,
        /// What the server said.
        source: postgres::Error,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn no_binaries(wanted_major: &Option<u32>, misses: &[Miss]) -> String {
    let version = wanted_major.map(|major| format!(" {major}")).unwrap_or_default();
    let mut text = format!("no PostgreSQL{version} server binaries (initdb, pg_ctl, postgres) found\nlooked in:\n");
    for miss in misses {
        text.push_str(&format!("  {miss}\n"));
    }
    text.push_str(&format!(
        "install them:\n  \
         Debian, Ubuntu:  apt install postgresql\n  \
         Fedora, RHEL:    dnf install postgresql-server\n  \
         macOS:           brew install postgresql\n\
         or set {BIN_DIR_VARIABLE} to the folder that has them"
    ));
    text
}
