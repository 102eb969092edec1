//! A throw-away PostgreSQL server, for examples, tests and rehearsals.
//!
//! ```no_run
//! use coexist::sandbox::{self, Sandbox};
//!
//! fn main() -> Result<(), sandbox::Error> {
//!     let server = Sandbox::shared()?; // the one of this process
//!     let database = server.database("users")?; // a fresh database, removed on drop
//!     let mut client = database.connect()?;
//!     println!("{} {:?}", database.url(), client.simple_query("select version()"));
//!     Ok(())
//! }
//! ```
//!
//! It needs the binaries of a PostgreSQL server, 13 or later, and no set-up. They are taken from the folder in the
//! environment variable `COEXIST_PG_BIN`, else from `PATH`, else from the folders where packages put them (the newest
//! first).
//!
//! The server is a cluster of its own in a temporary folder. It listens on a Unix socket in that folder and nowhere
//! else, and only the user it runs as can reach it. As root, which PostgreSQL refuses, it runs as an ordinary user
//! (`nobody`). It is removed when the sandbox is dropped, and also after a panic, after Ctrl-C, at the exit of the
//! process when the sandbox is [shared](Sandbox::shared), and when the process is killed with `kill -9`. Where many are
//! started, as in a test suite, `TMPDIR=/dev/shm` spares the disk.

mod account;
mod binaries;
mod database;
mod error;
mod supervisor;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use postgres::{Config, NoTls};

pub use self::binaries::Miss;
pub use self::database::Database;
pub use self::error::Error;

use self::account::Account;
use self::binaries::Binaries;
use self::supervisor::{Action, Supervisor};

/// A private PostgreSQL server that goes away with this value and with this process.
#[derive(Debug)]
pub struct Sandbox {
    server: Arc<Server>,
}

/// What a [`Sandbox`] and the databases in it share.
#[derive(Debug)]
struct Server {
    supervisor: Mutex<Supervisor>,
    folder: PathBuf,
    major: u32,
    databases: AtomicU32,
}

/// Which server to start, and how. Made by [`Sandbox::builder`].
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    bin_dir: Option<PathBuf>,
    major: Option<u32>,
    settings: Vec<(String, String)>,
}

impl Sandbox {
    /// Starts a server with the defaults. It takes about a second.
    ///
    /// # Errors
    ///
    /// There are no server binaries, no user to run them as, no folder to run them in, or the server does not start.
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// The server of this process, started on first use. It ends with the process.
    ///
    /// Meant for tests: each takes a [database](Self::database) of its own. Nobody can stop it, because nobody has it
    /// alone.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); the next call tries again.
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Sandbox> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());

        let _starting = lock(&STARTING);
        match SHARED.get() {
            Some(shared) => Ok(shared),
            None => {
                let sandbox = Self::start()?;
                Ok(SHARED.get_or_init(|| sandbox))
            }
        }
    }

    /// A server with settings, a version or a folder of binaries of one's choice.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Makes a fresh database. `hint` is for people who look at the server; the name is made unique.
    ///
    /// # Errors
    ///
    /// The server does not run, or has no connection left.
    pub fn database(&self, hint: &str) -> Result<Database, Error> {
        // Short enough to be a name with its number, and plain enough to stand in a URL as it is.
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let hint: String = hint.chars().take(40).map(plain).collect();
        let number = self.server.databases.fetch_add(1, Ordering::Relaxed);
        Database::create(Arc::clone(&self.server), format!("{hint}_{number}"))
    }

    /// The major version of the server, such as 17.
    pub fn version(&self) -> u32 {
        self.server.major
    }

    /// The folder of the Unix socket: the `host` of a connection.
    pub fn socket_dir(&self) -> &Path {
        self.server.socket_dir()
    }

    /// The text of the server's log so far.
    ///
    /// # Errors
    ///
    /// The log cannot be read.
    pub fn log(&self) -> Result<String, Error> {
        self.server.log()
    }

    /// Shuts the server down in good order: sessions are ended, a checkpoint is written. [`restart`](Self::restart)
    /// starts it again.
    ///
    /// # Errors
    ///
    /// It does not run, or does not stop within a minute.
    pub fn stop(&mut self) -> Result<(), Error> {
        self.server.run(Action::Stop, "stopped")
    }

    /// Stops the server at once and without clean-up, as in a crash: the next start recovers from the write-ahead log.
    ///
    /// # Errors
    ///
    /// It does not run, or does not stop within a minute.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.server.run(Action::Kill, "killed")
    }

    /// Starts the server again on the same data and the same socket, after it was stopped in good order if it runs.
    ///
    /// # Errors
    ///
    /// It does not stop or does not start within a minute.
    pub fn restart(&mut self) -> Result<(), Error> {
        if self.server.path("data/postmaster.pid").exists() {
            self.stop()?;
        }
        self.server.run(Action::Start, "started")
    }
}

impl Builder {
    /// Takes the binaries (`initdb`, `pg_ctl`, `postgres`) from this folder and no other.
    pub fn bin_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.bin_dir = Some(folder.into());
        self
    }

    /// Takes only binaries of this major version, such as 17.
    pub fn major(mut self, major: u32) -> Self {
        self.major = Some(major);
        self
    }

    /// Sets a configuration parameter of the server, such as `wal_level` to `logical`. The last one counts.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Starts the server and waits until it takes connections.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::start`]; also when a setting is wrong.
    pub fn start(self) -> Result<Sandbox, Error> {
        let account = Account::to_step_down_to()?;
        let binaries = Binaries::find(self.bin_dir.as_deref(), self.major, account.as_ref())?;
        let supervisor = Supervisor::spawn(&binaries.bin_dir, account.as_ref())?;
        let server = Server {
            folder: supervisor.folder().to_owned(),
            supervisor: Mutex::new(supervisor),
            major: binaries.major,
            databases: AtomicU32::new(1),
        };
        server.run(Action::Init, "initialised")?;
        server.configure(&self.settings)?;
        server.run(Action::Start, "started")?;
        Ok(Sandbox { server: Arc::new(server) })
    }
}

impl Server {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn socket_dir(&self) -> &Path {
        &self.folder
    }

    fn run(&self, action: Action, what: &'static str) -> Result<(), Error> {
        match lock(&self.supervisor).run(action)? {
            true => Ok(()),
            false => Err(Error::Server { what, log_tail: last_lines(&self.log()?, 20) }),
        }
    }

    fn log(&self) -> Result<String, Error> {
        let path = self.path("log");
        // Not always UTF-8: the server logs statements as the client sent them.
        let bytes = std::fs::read(&path).map_err(|source| Error::File { path, source })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Appends to what `initdb` wrote: the last line for a parameter counts.
    fn configure(&self, settings: &[(String, String)]) -> Result<(), Error> {
        let path = self.path("data/postgresql.conf");
        let socket_dir = self.folder.display().to_string();
        let defaults = [
            ("listen_addresses", ""),
            ("unix_socket_directories", &socket_dir),
            ("port", "5432"), // only in the name of the socket
            ("max_connections", "200"),
            // The data need not outlive the machine, only the server.
            ("fsync", "off"),
            // So that a test can leave a prepared transaction behind.
            ("max_prepared_transactions", "20"),
            // The same everywhere.
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
        ];
        let given = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let lines: String = defaults.into_iter().chain(given).map(|(name, value)| setting_line(name, value)).collect();
        (std::fs::OpenOptions::new().append(true).open(&path))
            .and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(|source| Error::File { path, source })
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.folder).user("postgres").dbname(database);
        config
    }

    /// Carries out one statement outside of the databases that were handed out.
    fn administer(&self, statement: &str) -> Result<(), Error> {
        (self.config("postgres").connect(NoTls))
            .and_then(|mut client| client.batch_execute(statement))
            .map_err(|source| Error::Database { what: format!("throw-away server: {statement}"), source })
    }
}

/// A line of `postgresql.conf`.
fn setting_line(name: &str, value: &str) -> String {
    let value = value.replace('\\', r"\\").replace('\'', "''").replace('\n', r"\n");
    format!("{name} = '{value}'\n")
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// What a panic elsewhere leaves behind a lock here is in order: no critical section has a half-way state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
