//! Other tools that make the same change, where they can be had.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use coexist::sandbox::Database;

/// A tool, on the `PATH`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    Pgroll,
    Reshape,
}

/// What the tools are told to do.
pub struct Migrations {
    /// Operations, as JSON.
    pub pgroll: &'static str,
    /// Actions, as TOML.
    pub reshape: &'static str,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pgroll => "pgroll",
            Self::Reshape => "reshape",
        }
    }

    /// How to get it.
    pub fn install(self) -> &'static str {
        match self {
            Self::Pgroll => "go install github.com/xataio/pgroll@latest",
            Self::Reshape => "cargo install reshape",
        }
    }

    pub fn is_there(self) -> bool {
        Command::new(self.name()).arg("--version").output().is_ok_and(|output| output.status.success())
    }

    /// Gets ready for a change, which begins and fills every row when it is run.
    pub fn prepare(self, migrations: &Migrations, database: &Database) -> Box<dyn FnOnce()> {
        let folder = tempfile::tempdir().unwrap();
        let url = database.url();
        match self {
            Self::Pgroll => {
                write(folder.path(), "1_change.json", migrations.pgroll);
                run(folder.path(), &["pgroll", "--postgres-url", &url, "init"]);
                Box::new(move || run(folder.path(), &["pgroll", "--postgres-url", &url, "start", "1_change.json"]))
            }
            Self::Reshape => {
                fs::create_dir(folder.path().join("migrations")).unwrap();
                write(folder.path(), "migrations/1_change.toml", migrations.reshape);
                Box::new(move || run(folder.path(), &["reshape", "migration", "start", "--url", &url]))
            }
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

fn run(folder: &Path, command: &[&str]) {
    let Output { status, stdout, stderr } =
        Command::new(command[0]).args(&command[1..]).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{}: {said}", command.join(" "));
}
