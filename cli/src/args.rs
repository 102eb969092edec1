//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use coexist::Throttle;
use coexist_core::compile::MIGRATIONS;
use coexist_core::plan::Phase;

use crate::connect::tls::TlsMode;
use crate::exit;
use crate::log;
use crate::metrics::Receiver;

/// Parallel changes of a PostgreSQL schema: expand, dual-write, backfill, verify, contract.
///
/// Works from the folder that `cargo build` writes, `migrations/`, and keeps its records in the database, in the schema `coexist`. Every command can be
/// interrupted, or killed, at any moment: the same command goes on where it stopped.
#[derive(Debug, Parser)]
#[command(name = "coexist", version, max_term_width = 120, after_help = exit::help(), disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// The folder with a sub-folder for each change [default: migrations]
    #[arg(long, global = true, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
    /// Print JSON: one document, or one line for each event of a run and one at its end
    #[arg(long, global = true)]
    pub json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Write what happens to standard error, from this level on: info, debug (each batch and statement), or a filter as of the crate tracing
    #[arg(long, global = true, env = "COEXIST_LOG", hide_env_values = true, value_name = "FILTER", value_parser = log::filter)]
    pub log: Option<String>,
    /// The form of what --log writes
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value = "text")]
    pub log_format: LogFormat,
}

/// The form of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people
    Text,
    /// A line of JSON
    Json,
}

impl Common {
    /// The folder with a sub-folder for each change.
    pub fn folder(&self) -> &Path {
        self.migrations.as_deref().unwrap_or(Path::new(MIGRATIONS))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status(Status),
    Plan(Plan),
    Check(Check),
    Generate(Generate),
    Up(Up),
    Backfill(Backfill),
    /// Hold the backfill of changes still, wherever it runs
    ///
    /// Within a second or one batch, also where it waits for a lock.
    Pause(Control),
    /// Let the paused backfill of changes go on
    Resume(Control),
    /// End the backfill of changes, wherever it runs; the same command as before goes on with it
    Stop(Control),
    Pace(NewPace),
    Verify(Verify),
    Contract(Contract),
    Retire(Retire),
    Rollback(Rollback),
}

impl Command {
    /// As it is typed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Plan(_) => "plan",
            Self::Check(_) => "check",
            Self::Generate(_) => "generate",
            Self::Up(_) => "up",
            Self::Backfill(_) => "backfill",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Stop(_) => "stop",
            Self::Pace(_) => "pace",
            Self::Verify(_) => "verify",
            Self::Contract(_) => "contract",
            Self::Retire(_) => "retire",
            Self::Rollback(_) => "rollback",
        }
    }
}

/// Show how far each change is, in the database and in the source
///
/// Reads only. A change that needs somebody's attention says so, and what to do.
#[derive(Args, Debug)]
pub(crate) struct Status {
    /// Show it again every so often, until Ctrl-C
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "1s", value_parser = duration)]
    pub watch: Option<Duration>,
    /// End with 9 where a change that is under way stands still for longer, such as 14d: for a pipeline that must not forget one
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "watch")]
    pub max_age: Option<Duration>,
    #[command(flatten)]
    pub metrics: Metrics,
    #[command(flatten)]
    pub connection: Connection,
}

/// Who watches.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Metrics")]
pub(crate) struct Metrics {
    /// Give metrics to Prometheus: in a file that is replaced every few seconds, or over HTTP at an address of this machine alone
    /// (127.0.0.1:9187). Can be given several times
    #[arg(long, value_name = "FILE|ADDRESS", value_parser = Receiver::parse)]
    pub metrics: Vec<Receiver>,
}

/// Show each statement of a change, with its locks and what they block
///
/// Reads only. With a database, also what is done already and how large the tables are; without one, only what the files say.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// The changes; all of them where none is named
    #[arg(value_name = "CHANGE")]
    pub changes: Vec<String>,
    /// Do not ask the database, whatever the environment says
    #[arg(long)]
    pub offline: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// Look for everything in the live database that stands in the way of a change, or is worth knowing
///
/// Reads only. Ends with 7 where the database is not as schema.sql says, with 4 where something else blocks. `coexist up` looks at the same before it
/// begins.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// The changes; all of them where none is named
    #[arg(value_name = "CHANGE")]
    pub changes: Vec<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// Write `migrations/` from the declaration, as `cargo build` does
///
/// The folder stands next to the Cargo.toml of the declaration's crate. Mistakes in the declaration are shown, and then nothing is written.
#[derive(Args, Debug)]
pub(crate) struct Generate {
    /// The file that has the `coexist::migrations!` declaration
    #[arg(long, value_name = "FILE", default_value = "src/migrations.rs")]
    pub source: PathBuf,
    /// Write nothing; end with 7 and show the difference where a file is stale
    #[arg(long)]
    pub check: bool,
}

/// Take every change as far as its stage permits: up to validated
///
/// Adds the after shape, keeps both shapes in step, fills the after shape, builds its indexes and constraints, and compares all rows.
/// The before shape stays: it goes with `coexist contract`.
#[derive(Args, Debug)]
pub(crate) struct Up {
    /// The changes; all of them where none is named
    #[arg(value_name = "CHANGE")]
    pub changes: Vec<String>,
    /// Go no further than this
    #[arg(long, value_enum, value_name = "PHASE", default_value = "validated")]
    pub to: Target,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub pace: Pace,
    #[command(flatten)]
    pub metrics: Metrics,
}

/// Fill the after shape of changes whose writes are already in step
#[derive(Args, Debug)]
pub(crate) struct Backfill {
    /// The changes; all of them where none is named
    #[arg(value_name = "CHANGE")]
    pub changes: Vec<String>,
    /// Take part, with workers of this process, in the backfill that runs elsewhere
    #[arg(long, requires = "changes")]
    pub join: bool,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub pace: Pace,
    #[command(flatten)]
    pub metrics: Metrics,
}

/// Which changes, and where.
#[derive(Args, Debug)]
pub(crate) struct Control {
    /// The changes
    #[arg(value_name = "CHANGE", required = true)]
    pub changes: Vec<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// Change the pace of a backfill that runs; what is not given stays
#[derive(Args, Debug)]
pub(crate) struct NewPace {
    #[command(flatten)]
    pub of: Control,
    /// How long a batch should take; its rows are locked that long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub target: Option<Duration>,
    /// How long to rest after a batch, in proportion to the time that it took
    #[arg(long, value_name = "TIMES")]
    pub rest: Option<f64>,
    /// How many sessions fill rows at the same time, in the process that leads
    #[arg(long, value_name = "COUNT")]
    pub workers: Option<usize>,
    /// How many rows may be filled in a second
    #[arg(long, value_name = "ROWS")]
    pub rate: Option<f64>,
    /// How many bytes of WAL may be written in a second, such as 20MB
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub wal_rate: Option<f64>,
}

/// Compare both shapes of a change, row by row, now
///
/// Ends with 7 where rows differ, and lists the keys of some of them.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The changes; all that are backfilled where none is named
    #[arg(value_name = "CHANGE")]
    pub changes: Vec<String>,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub readers: Readers,
    #[command(flatten)]
    pub limits: Limits,
}

/// Remove the before shape of a change; there is no way back
///
/// Refused unless the change is validated, its stage is `contract`, and a comparison of every row is clean.
#[derive(Args, Debug)]
pub(crate) struct Contract {
    /// The change
    pub change: String,
    /// The change's name once more: what is removed is gone
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub readers: Readers,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Take away what is left of a contracted change: the views of its after shape, and its records
///
/// For when it is deleted from the declaration, with its folder, and no program that was built with it runs any more: those get no proofs of it.
/// Uses the plan in the ledger.
#[derive(Args, Debug)]
pub(crate) struct Retire {
    /// The change
    pub change: String,
    /// The change's name once more: its records are gone
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub limits: Limits,
}

/// Take a change back, from any phase before contracted
///
/// What new code wrote stays, in the before shape.
#[derive(Args, Debug)]
pub(crate) struct Rollback {
    /// The change
    pub change: String,
    /// The change's name once more, for a change whose rollback loses what new code wrote
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Where the database is. libpq's variables fill what the address does not say.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Database")]
pub(crate) struct Connection {
    /// Its address: postgresql://user@host:port/name, or host=… dbname=…; what it leaves out is taken from PGHOST, PGPORT, PGDATABASE, PGUSER, …
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// A file with the password alone; otherwise PGPASSWORD, or the line for it in ~/.pgpass (PGPASSFILE)
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// How much TLS; otherwise as the address or PGSSLMODE says, else prefer
    #[arg(long, value_enum, value_name = "MODE")]
    pub sslmode: Option<TlsMode>,
    /// The certificates that the server's is checked against, as PEM; otherwise PGSSLROOTCERT, ~/.postgresql/root.crt, or those of the system
    #[arg(long, value_name = "FILE", visible_alias = "sslrootcert")]
    pub tls_root_cert: Option<PathBuf>,
}

/// What to go on in spite of.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Findings")]
pub(crate) struct Overrides {
    /// Go on in spite of a finding of `coexist check`, by its id, or by its id and object (ID:OBJECT); it is recorded. Can be given several times
    #[arg(long, value_name = "FINDING")]
    pub force: Vec<String>,
}

/// How long to wait for others.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Limits {
    /// How long a statement queues for a lock before it lets go and tries again: everybody behind it waits as long
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration)]
    pub lock_timeout: Duration,
    /// How long one step is tried again before the command gives up
    #[arg(long, value_name = "TIME", default_value = "10min", value_parser = duration)]
    pub max_wait: Duration,
}

/// How rows are compared.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Pace")]
pub(crate) struct Readers {
    /// How many sessions compare rows at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub workers: usize,
}

/// How fast rows are copied.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Pace")]
pub(crate) struct Pace {
    /// Rows in the first batch; the next ones are made larger or smaller to meet the target time
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// How long a batch should take, in milliseconds; its rows are locked that long
    #[arg(long, value_name = "MS", default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub target_ms: u64,
    /// How long to rest after a batch, in proportion to the time that it took: 1 works half of the time
    #[arg(long, value_name = "TIMES", default_value_t = 0.0)]
    pub rest: f64,
    /// How many sessions fill, or compare, rows at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub workers: usize,
    /// How many rows may be filled in a second [default: as many as can be]
    #[arg(long, value_name = "ROWS")]
    pub rate: Option<f64>,
    /// How many bytes of WAL may be written in a second while batches run, such as 20MB [default: no limit]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    pub wal_rate: Option<f64>,
    /// To how many times its size a table may grow, such as 1.2: vacuums as it goes [default: no bound]
    #[arg(long, value_name = "TIMES")]
    pub growth: Option<f64>,
    /// Hold still while the standby that is furthest behind lags more
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub max_lag: Duration,
    /// Hold still while more segments of WAL wait to be archived
    #[arg(long, value_name = "COUNT", default_value_t = 42.0)]
    pub max_archive_backlog: f64,
    /// Hold still while more WAL is kept for a replication slot
    #[arg(long, value_name = "BYTES", default_value = "8GB", value_parser = bytes)]
    pub max_retained_wal: f64,
    /// Hold still while more sessions wait for locks of the backfill
    #[arg(long, value_name = "COUNT", default_value_t = 10.0)]
    pub max_waiters: f64,
    /// Hold still while a transaction is open for longer [default: no limit]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_transaction: Option<Duration>,
    /// Hold still while more sessions of others are active [default: no limit]
    #[arg(long, value_name = "COUNT")]
    pub max_active: Option<f64>,
    /// Do not hold still for autovacuum on the table
    #[arg(long)]
    pub ignore_vacuum: bool,
    /// End the command when one of these limits held it still for so long [default: never]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub patience: Option<Duration>,
    /// End the command with 8, before it begins, where the role cannot see what these limits are about
    #[arg(long, value_enum, value_name = "LIMITS", value_delimiter = ',')]
    pub require: Vec<Required>,
}

/// What a role may have no right to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Required {
    /// What any of the limits is about
    All,
    /// Replica lag
    Lag,
    /// Archive backlog
    Archive,
    /// WAL that replication slots retain
    Slots,
    /// Autovacuum on the table
    Vacuum,
    /// Sessions that wait for locks of the backfill
    Waiters,
    /// Long transactions
    Transactions,
    /// Active sessions
    Sessions,
    /// Forced checkpoints
    Checkpoints,
}

impl Required {
    /// `None` is all of them.
    pub fn throttle(self) -> Option<Throttle> {
        match self {
            Self::All => None,
            Self::Lag => Some(Throttle::ReplicaLag),
            Self::Archive => Some(Throttle::ArchiveBacklog),
            Self::Slots => Some(Throttle::RetainedWal),
            Self::Vacuum => Some(Throttle::Vacuum),
            Self::Waiters => Some(Throttle::LockWaiters),
            Self::Transactions => Some(Throttle::LongTransactions),
            Self::Sessions => Some(Throttle::ActiveSessions),
            Self::Checkpoints => Some(Throttle::ForcedCheckpoints),
        }
    }
}

/// How far `up` goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// The after shape exists
    Expanded,
    /// Writes through one shape reach the other
    DualWriting,
    /// Every row is in both shapes
    Backfilled,
    /// Indexes and constraints hold, and every row was compared
    Validated,
}

impl Target {
    pub fn phase(self) -> Phase {
        match self {
            Self::Expanded => Phase::Expanded,
            Self::DualWriting => Phase::DualWriting,
            Self::Backfilled => Phase::Backfilled,
            Self::Validated => Phase::Validated,
        }
    }
}

/// `500ms`, `2s`, `10min`.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "a number and a unit is expected, such as 500ms, 2s or 10min".to_owned())
}

/// `20MB`, `8GB`, `1000`.
fn bytes(text: &str) -> Result<f64, String> {
    let expected = || "a number and a unit is expected, such as 500kB, 20MB or 8GB".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let number: f64 = digits.parse().map_err(|_| expected())?;
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1024.0,
        "mb" => 1024.0 * 1024.0,
        "gb" => 1024.0 * 1024.0 * 1024.0,
        "tb" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(expected()),
    };
    if number.is_finite() && number > 0.0 { Ok(number * unit) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        assert_eq!(bytes("20MB"), Ok(20.0 * 1048576.0));
        assert_eq!(bytes("1.5 kB"), Ok(1536.0));
        assert_eq!(bytes("1000"), Ok(1000.0));
        for wrong in ["", "MB", "-1MB", "20XB", "inf"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
