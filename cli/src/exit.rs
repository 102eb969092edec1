//! How a command ends. The codes are part of the interface: scripts and pipelines decide by them.

use std::fmt::Write;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked to do.
    Done,
    /// It was tried and went wrong.
    Failed,
    /// The command line is wrong.
    Usage,
    /// There was nothing to do.
    NothingToDo,
    /// A rule forbids it.
    Refused,
    /// Somebody holds what is needed.
    Blocked,
    /// Stopped on purpose.
    Paused,
    /// Something is not as it was declared.
    Drift,
    /// What it is required to see cannot be seen.
    Blind,
    /// A change stands still for longer than it may.
    Stale,
}

impl Exit {
    /// In the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NothingToDo,
        Self::Refused,
        Self::Blocked,
        Self::Paused,
        Self::Drift,
        Self::Blind,
        Self::Stale,
    ];

    /// What the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NothingToDo => 3,
            Self::Refused => 4,
            Self::Blocked => 5,
            Self::Paused => 6,
            Self::Drift => 7,
            Self::Blind => 8,
            Self::Stale => 9,
        }
    }

    /// As JSON spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NothingToDo => "nothing to do",
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Drift => "drift",
            Self::Blind => "blind",
            Self::Stale => "stale",
        }
    }

    /// What it means, and what to do, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "it is done",
            Self::Failed => "it was tried and went wrong; the same command goes on where it stopped",
            Self::Usage => "the command line is wrong; nothing was done",
            Self::NothingToDo => "all of it was done before",
            Self::Refused => "a rule forbids it until something else is done first",
            Self::Blocked => "somebody holds a lock or runs the change; try again later",
            Self::Paused => "stopped on purpose: Ctrl-C, SIGTERM or a pause; the same command goes on",
            Self::Drift => "rows, files or plans are not as they were declared",
            Self::Blind => "the role cannot see what --require says that it must",
            Self::Stale => "a change stands still for longer than --max-age",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// All of them, as `--help` ends.
pub(crate) fn help() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for exit in Exit::ALL {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {}  {:13}  {}", exit.code(), exit.name(), exit.meaning());
    }
    text.trim_end().to_owned()
}
