//! What can go wrong at run time: each error says what, where, and what to do now.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use postgres::error::SqlState;

use crate::explained::Explained;
use crate::preflight::Finding;
use crate::runner::Blocker;

/// What the run time answers with.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a change could not be carried on. The database is in a state from which it can be carried on or rolled back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option has a value that cannot work.
    #[error("{0}")]
    Options(String),

    /// The address of the database is no address.
    #[error("the database address cannot be read: {}", Explained(.0))]
    Address(#[source] postgres::Error),

    /// No session could be opened, or the one there was is gone and did not come back in time.
    #[error("no connection to the database{}: {}\nhelp: see that the server runs and accepts connections, then run the same command again: it goes on where it stopped", Tried(.tried), Explained(.source))]
    Connection {
        /// For how long it was tried; zero for a first connection.
        tried: Duration,
        /// The last refusal.
        #[source]
        source: postgres::Error,
    },

    /// The server cannot be written to.
    #[error("the server is read-only: {reason}\nhelp: give the address of the primary")]
    ReadOnly {
        /// How that is known.
        reason: String,
    },

    /// After a lost connection, another server answers at the same address.
    #[error(
        "another database answers at this address than before the connection was lost: system identifier {found} instead of {expected}\nhelp: nothing was done there; see where the address leads, then run the same command again"
    )]
    OtherServer {
        /// What the run began with.
        expected: String,
        /// What answers now.
        found: String,
    },

    /// The plan needs a newer server.
    #[error(
        "change `{change}` needs PostgreSQL {needed}, this server is {found}\nhelp: declare `server {found};` and build again"
    )]
    ServerTooOld {
        /// The change.
        change: String,
        /// From the plan.
        needed: u32,
        /// What answers.
        found: u32,
    },

    /// The ledger was made by a newer release.
    #[error(
        "the ledger in schema coexist has version {found}, this program knows versions up to {known}\nhelp: use the release of coexist that upgraded it, or a newer one"
    )]
    LedgerTooNew {
        /// In the database.
        found: i32,
        /// In this program.
        known: i32,
    },

    /// A schema of this name exists, and coexist did not make it.
    #[error(
        "the schema coexist exists in this database and is not a ledger: it has no table coexist.version\nhelp: rename that schema: coexist keeps its ledger under this name"
    )]
    ForeignLedger,

    /// The ledger knows nothing of this change.
    #[error("change `{change}` was never begun on this database\nhelp: see that the address is the right one")]
    UnknownChange {
        /// The change.
        change: String,
    },

    /// Another runner is at work on the change.
    #[error(
        "another runner is at work on change `{change}`: {holder}, last seen {seen} ago\nhelp: wait for it; if it is dead, its lease ends in {expires} and the same command goes on"
    )]
    AnotherRunner {
        /// The change.
        change: String,
        /// Who.
        holder: String,
        /// Since its last sign of life.
        seen: Seconds,
        /// Until its lease ends.
        expires: Seconds,
    },

    /// Another runner took the change over while this one was cut off; nothing of this one's last transaction remains.
    #[error("another runner took over change `{change}` while this one did not answer\nhelp: let that one finish")]
    LeaseLost {
        /// The change.
        change: String,
    },

    /// A worker wants to join a backfill that nobody leads.
    #[error(
        "no backfill of change `{change}` is under way that could be joined\nhelp: start one, here or elsewhere, without joining; others may join then"
    )]
    NobodyLeads {
        /// The change.
        change: String,
    },

    /// The change was begun with another plan.
    #[error("change `{change}` was begun with another plan than this one:\n{}\nhelp: go on with the plan that it was begun with, or roll it back with that plan and begin again", Lines(.differences))]
    PlanChanged {
        /// The change.
        change: String,
        /// What differs, one a line.
        differences: Vec<String>,
    },

    /// Something already has the name of an object that a step makes.
    #[error(
        "change `{change}`, step `{step}`: {object} already exists, and this change did not make it\nhelp: see what it is; rename or drop it, then run the same command again"
    )]
    NameTaken {
        /// The change.
        change: String,
        /// The step.
        step: String,
        /// What, as the server or the plan names it.
        object: String,
    },

    /// The database is not as the change needs it. Nothing of the next phase was done.
    #[error("change `{change}` cannot go on:\n{}\nhelp: {}", Findings(.findings), Overridable(.findings))]
    InTheWay {
        /// The change.
        change: String,
        /// What stands in its way.
        findings: Vec<Finding>,
    },

    /// The change is not at the phase that this needs.
    #[error("change `{change}` is {found}, and must be {needed} first\nhelp: {help}")]
    OutOfOrder {
        /// The change.
        change: String,
        /// Where it is.
        found: String,
        /// Where it must be.
        needed: String,
        /// What to do.
        help: String,
    },

    /// The evidence for contract is not complete.
    #[error("change `{change}` cannot be contracted yet:\n{}", Lines(.missing))]
    NoEvidence {
        /// The change.
        change: String,
        /// What is missing, each with what to do about it.
        missing: Vec<String>,
    },

    /// What cannot be taken back was not confirmed with the change's name.
    #[error("{what} of change `{change}` must be confirmed with its name\nhelp: {why}")]
    NotConfirmed {
        /// The change.
        change: String,
        /// `contract` or `rollback`.
        what: &'static str,
        /// What is lost.
        why: String,
    },

    /// The before shape is gone.
    #[error(
        "change `{change}` is past the point of no return: step `{step}` of its contract is done, and the before shape is gone\nhelp: finish the contract; to go back, declare the reverse as a change of its own"
    )]
    PointOfNoReturn {
        /// The change.
        change: String,
        /// The step that removed it.
        step: String,
    },

    /// A lock could not be had in time. Nothing waits any more, and nothing was changed.
    #[error("change `{change}`, {doing}: no lock within {}: {}\nhelp: let the transactions above end, or end them, then run the same command again", Spent(.waited), Blockers(.blockers))]
    Blocked {
        /// The change.
        change: String,
        /// What was tried.
        doing: String,
        /// For how long, all tries together.
        waited: Duration,
        /// Who holds the locks, where that could be seen.
        blockers: Vec<Blocker>,
    },

    /// The ledger says that the change is paused.
    #[error("change `{change}` is paused\nhelp: resume it first")]
    Paused {
        /// The change.
        change: String,
    },

    /// Something that the pace limits is beyond its limit, for too long or by too much.
    #[error(
        "change `{change}`: the backfill ends, because {reason}\nhelp: see to that, then run the same command again: it goes on where it stopped"
    )]
    Throttled {
        /// The change.
        change: String,
        /// What is, and beyond what.
        reason: String,
    },

    /// The role has no rights to see what the pace limits, and the pace requires it.
    #[error("change `{change}`: the role cannot see what the pace limits:\n{}\nhelp: grant the role what it needs (pg_monitor holds all of it), or do without these limits", Lines(.unseen))]
    Blind {
        /// The change.
        change: String,
        /// What cannot be seen, each with the reason.
        unseen: Vec<String>,
    },

    /// The program was asked to stop. What was under way is finished or rolled back.
    #[error("stopped as asked; change `{change}` stays where it is\nhelp: run the same command again to go on")]
    Stopped {
        /// The change.
        change: String,
    },

    /// The shapes disagree.
    #[error("change `{change}`: {mismatches} of {rows} rows differ between the two shapes, for example {}\nhelp: a writer goes around the triggers, or a value does not convert: mend these rows through one shape, then verify again", List(.samples))]
    Mismatch {
        /// The change.
        change: String,
        /// How many rows disagree.
        mismatches: i64,
        /// How many were compared.
        rows: i64,
        /// Keys of some of them.
        samples: Vec<String>,
    },

    /// Rows keep turning up that no trigger filled.
    #[error(
        "change `{change}`: after {passes} passes over {table} there are still rows that are not in the after shape\nhelp: a writer goes around the triggers (session_replication_role, a disabled trigger, or logical replication): find it, then run the same command again"
    )]
    NeverDone {
        /// The change.
        change: String,
        /// The table.
        table: String,
        /// How many times all of it was read.
        passes: i32,
    },

    /// The plan cannot be carried out as it is.
    #[error("change `{change}`: {message}")]
    Plan {
        /// The change.
        change: String,
        /// What is wrong, and what to do.
        message: String,
    },

    /// A row cannot be filled.
    #[error("change `{change}`: row {row} cannot be filled: {}\nhelp: {}", Explained(.source), RowAdvice(.source))]
    Row {
        /// The change.
        change: String,
        /// Its table and key.
        row: String,
        /// The server's answer.
        #[source]
        source: postgres::Error,
    },

    /// The server refused a statement.
    #[error("{doing}: {}{}", Explained(.source), Advice(.source))]
    Database {
        /// What was being done, in words that say where.
        doing: String,
        /// The server's answer.
        #[source]
        source: postgres::Error,
    },
}

impl Class {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Drift => "drift",
            Self::Blind => "blind",
            Self::Failed => "failed",
        }
    }
}

/// Kinds of errors, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A rule forbids it; running it again changes nothing until something else is done first.
    Refused,
    /// Somebody holds what is needed: a lock, or the change itself. The same command may succeed later.
    Blocked,
    /// Stopped on purpose.
    Paused,
    /// The plan, the database or its rows are not as they were declared.
    Drift,
    /// The role cannot see what it is required to see.
    Blind,
    /// It was tried and went wrong.
    Failed,
}

impl Error {
    /// Which kind of error this is.
    pub fn class(&self) -> Class {
        match self {
            Self::Options(_)
            | Self::Address(_)
            | Self::ReadOnly { .. }
            | Self::ServerTooOld { .. }
            | Self::LedgerTooNew { .. }
            | Self::ForeignLedger
            | Self::UnknownChange { .. }
            | Self::OutOfOrder { .. }
            | Self::NobodyLeads { .. }
            | Self::NoEvidence { .. }
            | Self::NotConfirmed { .. }
            | Self::PointOfNoReturn { .. }
            | Self::Plan { .. } => Class::Refused,
            Self::AnotherRunner { .. } | Self::LeaseLost { .. } | Self::Blocked { .. } | Self::Throttled { .. } => {
                Class::Blocked
            }
            Self::InTheWay { findings, .. } if findings.iter().any(|finding| finding.kind.is_drift()) => Class::Drift,
            Self::InTheWay { .. } => Class::Refused,
            Self::Blind { .. } => Class::Blind,
            Self::Paused { .. } | Self::Stopped { .. } => Class::Paused,
            Self::OtherServer { .. } | Self::PlanChanged { .. } | Self::NameTaken { .. } | Self::Mismatch { .. } => {
                Class::Drift
            }
            Self::Connection { .. } | Self::NeverDone { .. } | Self::Row { .. } | Self::Database { .. } => {
                Class::Failed
            }
        }
    }

    /// The SQLSTATE, where the server refused a statement.
    pub fn sqlstate(&self) -> Option<&SqlState> {
        match self {
            Self::Database { source, .. } | Self::Connection { source, .. } | Self::Row { source, .. } => source.code(),
            _ => None,
        }
    }

    /// For `map_err`: `doing` says what was being done.
    pub(crate) fn database(doing: impl Into<String>) -> impl FnOnce(postgres::Error) -> Self {
        let doing = doing.into();
        move |source| match source.code() {
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => Self::ReadOnly { reason: Explained(&source).to_string() },
            _ => Self::Database { doing, source },
        }
    }

    /// Whether the session is gone, or the server is going or coming.
    pub(crate) fn is_connection_loss(&self) -> bool {
        let (Self::Database { source, .. } | Self::Connection { source, .. }) = self else { return false };
        match source.code() {
            Some(code) => {
                code.code().starts_with("08")
                    || [
                        SqlState::ADMIN_SHUTDOWN,
                        SqlState::CRASH_SHUTDOWN,
                        SqlState::CANNOT_CONNECT_NOW,
                        SqlState::TOO_MANY_CONNECTIONS,
                        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                    ]
                    .contains(code)
            }
            // No answer of the server's: the line is dead. An answer that cannot be decoded is a mistake of ours, and stays one.
            None => {
                source.is_closed()
                    || std::error::Error::source(source).is_some_and(|cause| cause.is::<std::io::Error>())
            }
        }
    }

    /// Whether the same transaction may well succeed when it is tried again.
    pub(crate) fn is_worth_retrying(&self) -> bool {
        let worthwhile =
            [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
        self.sqlstate().is_some_and(|code| worthwhile.contains(code))
    }

    /// Whether one row is to blame: its value does not convert, or breaks a rule.
    pub(crate) fn is_about_a_row(&self) -> bool {
        self.sqlstate().is_some_and(|code| {
            let codes = [&SqlState::RAISE_EXCEPTION, &SqlState::PROGRAM_LIMIT_EXCEEDED];
            codes.contains(&code) || code.code().starts_with("22") || code.code().starts_with("23")
        })
    }

    /// Whether the server has no room left on its disk.
    pub(crate) fn is_disk_full(&self) -> bool {
        self.sqlstate() == Some(&SqlState::DISK_FULL)
    }

    /// Whether our own statement was cancelled, by somebody or by a timeout.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.sqlstate() == Some(&SqlState::QUERY_CANCELED)
    }
}

/// A whole number of seconds that reads well: `43 s`, `5 min`, `2 h`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.max(0.0) {
            s if s < 120.0 => write!(f, "{s:.0} s"),
            s if s < 7200.0 => write!(f, "{:.0} min", s / 60.0),
            s => write!(f, "{:.0} h", s / 3600.0),
        }
    }
}

/// What to do about a refusal, where that is always the same.
struct Advice<'a>(&'a postgres::Error);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.0.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                "run as the owner of the tables, with CREATE on the database, or let that role do it"
            }
            Some(&SqlState::QUERY_CANCELED) => {
                "it was cancelled, by somebody or by a time limit, and nothing of it remains: run the same command again, \
                 with a longer statement timeout if it needs one"
            }
            Some(&SqlState::DISK_FULL) => "make room on the server's disk, then run the same command again",
            _ => return Ok(()),
        };
        write!(f, "\nhelp: {advice}")
    }
}

/// What to do about a row that cannot be filled.
struct RowAdvice<'a>(&'a postgres::Error);

impl fmt::Display for RowAdvice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.code() {
            Some(&SqlState::QUERY_CANCELED) => {
                "all others of its batch take no time: see what the table's own triggers do with this one, then run the same command again"
            }
            _ => {
                "mend its value and run the same command again; or declare what becomes of such values (`or quarantine`, `or \"expression\"`)"
            }
        })
    }
}

struct Lines<'a>(&'a [String]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, line) in self.0.iter().enumerate() {
            write!(f, "{}  - {line}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

struct Findings<'a>(&'a [Finding]);

impl fmt::Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, finding) in self.0.iter().enumerate() {
            write!(f, "{}  - {}", if n == 0 { "" } else { "\n" }, finding.to_string().replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

struct Overridable<'a>(&'a [Finding]);

impl fmt::Display for Overridable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mend this, then run the same command again")?;
        let may: BTreeSet<&str> =
            self.0.iter().filter(|found| found.kind.can_be_overridden()).map(|found| found.kind.id()).collect();
        if may.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = may.into_iter().collect();
        write!(f, "; what can be overridden by name: {}", names.join(", "))
    }
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

struct Blockers<'a>(&'a [Blocker]);

impl fmt::Display for Blockers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("who holds it could not be seen");
        }
        let blockers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str("it is held by\n")?;
        Lines(&blockers).fmt(f)
    }
}

struct Spent<'a>(&'a Duration);

impl fmt::Display for Spent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Seconds(self.0.as_secs_f64()).fmt(f)
    }
}

struct Tried<'a>(&'a Duration);

impl fmt::Display for Tried<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() { Ok(()) } else { write!(f, " for {}", Spent(self.0)) }
    }
}
