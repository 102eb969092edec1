//! One session: what it is connected to, and transactions in which nothing depends on the settings of server, database or role.

use std::fmt::Write;
use std::time::{Duration, Instant};

use coexist_core::ident::{quote_ident, quote_literal};
use coexist_core::plan::Plan;
use postgres::Client;

use super::{Database, Transaction};
use crate::error::{Error, Result};

/// Time limits of one transaction; `None` is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For each lock.
    pub lock: Option<Duration>,
    /// For each statement.
    pub statement: Option<Duration>,
}

impl Limits {
    /// For a statement about the ledger, where nobody holds a lock for long.
    pub const LEDGER: Self = Self { lock: Some(Duration::from_secs(5)), statement: Some(Duration::from_secs(15)) };
}

/// How long a transaction of ours may be idle: what it locked must not outlive a runner that is cut off.
const IDLE: &str = "60s";

/// A server on which transactions may be idle for less might end ours between its first two statements.
const SHORTEST_IDLE: Duration = Duration::from_secs(1);

/// An open session.
pub(crate) struct Session {
    client: Client,
    /// The process on the server.
    pub pid: i32,
    /// 13, 14, …
    pub server: u32,
    standby: bool,
    /// Whether its transactions may read only.
    reads_only: bool,
    /// The server's own identity with the database's; empty where a server does not tell.
    pub identity: String,
    application: String,
    /// Where names are looked up, as SQL.
    search_path: String,
    /// Whether the server can be told to end a statement when its client is gone.
    notices_lost_clients: bool,
}

impl Session {
    /// Opens one on a server that can be written to. `application` is shown to everybody who looks at the server's activity.
    pub fn open(database: &Database, application: &str) -> Result<Self> {
        let session = Self::open_anywhere(database, application)?;
        session.must_be_primary()?;
        Ok(session)
    }

    /// Opens one on a standby too.
    ///
    /// Settings are those of each transaction alone: a pooler may hand what is set for a session to somebody else.
    pub fn open_anywhere(database: &Database, application: &str) -> Result<Self> {
        let connection = |source| Error::Connection { tried: Duration::ZERO, source };
        let mut client = database.open().map_err(connection)?;
        let about = client
            .query_one(
                "select pg_catalog.pg_backend_pid(),
                    pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
                    pg_catalog.pg_is_in_recovery(),
                    (select oid from pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database()),
                    (select setting::pg_catalog.int8 from pg_catalog.pg_settings
                        where name operator(pg_catalog.=) 'idle_in_transaction_session_timeout')",
                &[],
            )
            .map_err(connection)?;
        let version: i32 = about.get(1);
        let mut session = Self {
            client,
            pid: about.get(0),
            server: version.unsigned_abs() / 10_000,
            standby: about.get(2),
            reads_only: database.reads_only(),
            identity: String::new(),
            application: application.to_string(),
            search_path: "pg_catalog, pg_temp".to_string(),
            notices_lost_clients: false,
        };
        // Otherwise the server may end a transaction before it hears of the transaction's own limit.
        if (1..SHORTEST_IDLE.as_millis() as i64).contains(&about.get(4)) {
            let pin = format!("set idle_in_transaction_session_timeout = '{IDLE}'");
            session.client.batch_execute(&pin).map_err(connection)?;
        }
        // From 14 on, and not on every operating system.
        session.notices_lost_clients = session
            .unless_refused(|client| {
                client.transaction()?.batch_execute("set local client_connection_check_interval = '5s'")
            })?
            .is_some();
        // Some hosted servers keep this function for themselves.
        let system = session.unless_refused(|client| {
            client.query_one("select system_identifier::text from pg_catalog.pg_control_system()", &[])
        })?;
        if let Some(system) = system {
            session.identity = format!("{}/{}", system.get::<_, String>(0), about.get::<_, u32>(3));
        }
        Ok(session)
    }

    /// The answer, or `None` where the server has no such thing, or not for us.
    fn unless_refused<T>(
        &mut self,
        ask: impl FnOnce(&mut Client) -> std::result::Result<T, postgres::Error>,
    ) -> Result<Option<T>> {
        match ask(&mut self.client) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.as_db_error().is_some() && !self.client.is_closed() => Ok(None),
            Err(source) => Err(Error::Connection { tried: Duration::ZERO, source }),
        }
    }

    /// Opens the session again after its connection was lost, for up to `limit`, and only to the same database.
    pub fn reopen(&mut self, database: &Database, limit: Duration, lost: Error, stop: &dyn Fn() -> bool) -> Result<()> {
        let session = Self::insist(database, &self.application, &self.identity, limit, Err(lost), stop)?;
        let search_path = std::mem::take(&mut self.search_path);
        *self = Self { search_path, ..session };
        Ok(())
    }

    /// Opens a session to the database of this identity, as `opened`, or where that failed by trying again for up to `limit`.
    pub fn insist(
        database: &Database,
        application: &str,
        identity: &str,
        limit: Duration,
        mut opened: Result<Self>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self> {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let last = match opened {
                Ok(session) if session.identity == identity => return Ok(session),
                Ok(session) => {
                    return Err(Error::OtherServer { expected: identity.to_string(), found: session.identity });
                }
                // After a failover the old address may lead to the former primary for a while.
                Err(error) if error.is_connection_loss() || matches!(error, Error::ReadOnly { .. }) => error,
                Err(error) => return Err(error),
            };
            if begun.elapsed() >= limit || stop() {
                return Err(match last {
                    Error::Database { source, .. } | Error::Connection { source, .. } => {
                        Error::Connection { tried: begun.elapsed(), source }
                    }
                    other => other,
                });
            }
            std::thread::sleep(pause.min(limit.saturating_sub(begun.elapsed())));
            pause = (pause * 2).min(Duration::from_secs(5));
            opened = Self::open(database, application);
        }
    }

    /// From now on the session works for a change: it says so to those who look, and looks up names where the change's plan does.
    pub fn serve(&mut self, plan: &Plan) {
        self.application = format!("coexist: {}", plan.change);
        let path: Vec<String> = plan.search_path.iter().map(|schema| quote_ident(schema)).collect();
        if !path.is_empty() {
            self.search_path = path.join(", ");
        }
    }

    /// Fails on a standby.
    pub fn must_be_primary(&self) -> Result<()> {
        if self.standby { Err(Error::ReadOnly { reason: "it is a standby".into() }) } else { Ok(()) }
    }

    /// Whether the server answers on it.
    pub fn answers(&mut self) -> bool {
        !self.client.is_closed() && self.client.is_valid(Duration::from_secs(5)).is_ok()
    }

    /// Whether the connection is known to be gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Begins a transaction in which every setting that could change a meaning is pinned, for this transaction only: a pooler may hand the
    /// session to somebody else afterwards.
    pub fn begin(&mut self, limits: Limits) -> Result<Transaction<'_>> {
        let access = if self.reads_only { " read only" } else { "" };
        let pins = self.pins("set local ", limits);
        let statements = format!("start transaction isolation level read committed{access}; {pins}");
        Transaction::begin(&mut self.client, &statements).map_err(Error::database("beginning a transaction"))
    }

    /// Runs one statement outside of any transaction, with the same settings and without limits. The settings are the session's as long as
    /// that takes: with a pooler in between, nothing of the kind is begun.
    pub fn run_alone(&mut self, statement: &str) -> std::result::Result<(), postgres::Error> {
        let pins = self.pins("set ", Limits { lock: None, statement: None });
        self.client.batch_execute(&pins)?;
        let result = self.client.batch_execute(statement);
        // Every transaction pins its own.
        let _ = self.client.batch_execute("reset all");
        result
    }

    fn pins(&self, set: &str, limits: Limits) -> String {
        let milliseconds = |limit: Option<Duration>| limit.map_or(0, |limit| limit.as_millis().max(1));
        let mut pins = String::new();
        let mut pin = |name: &str, value: &str| {
            let _ = write!(pins, "{set}{name} = {value}; ");
        };
        pin("search_path", &self.search_path);
        pin("TimeZone", "'UTC'");
        pin("DateStyle", "'ISO, YMD'");
        pin("IntervalStyle", "'postgres'");
        pin("extra_float_digits", "1");
        pin("bytea_output", "'hex'");
        pin("standard_conforming_strings", "on");
        pin("transform_null_equals", "off");
        pin("xmloption", "content");
        pin("check_function_bodies", "on");
        // Compiling a plan takes longer than most of our statements.
        pin("jit", "off");
        // A policy must not hide rows from us without a word.
        pin("row_security", "off");
        pin("application_name", &quote_literal(&self.application));
        pin("lock_timeout", &milliseconds(limits.lock).to_string());
        pin("statement_timeout", &milliseconds(limits.statement).to_string());
        pin("idle_in_transaction_session_timeout", &quote_literal(IDLE));
        if self.server >= 17 {
            pin("transaction_timeout", "0");
        }
        if self.notices_lost_clients {
            pin("client_connection_check_interval", "'5s'");
        }
        pins
    }
}
