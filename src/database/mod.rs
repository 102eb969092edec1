//! The way to a database, and sessions on it that do not depend on anybody's settings.

mod session;
mod transaction;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use postgres::{Client, Config, NoTls};

use crate::error::{Error, Result};

pub(crate) use session::{Limits, Session};
pub(crate) use transaction::{Parameter, Transaction};

/// The way to one database: it opens sessions, as many as are needed, and again when one is lost.
#[derive(Clone)]
pub struct Database {
    open: Arc<dyn Fn() -> std::result::Result<Client, postgres::Error> + Send + Sync>,
    reads_only: bool,
    is_pooled: Arc<OnceLock<bool>>,
}

impl Database {
    /// The database at an address such as `postgres://role@host/name` or `host=/run/postgresql dbname=name`, without TLS.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] when it cannot be read. Nothing is opened yet.
    pub fn at(address: &str) -> Result<Self> {
        let mut config: Config = address.parse().map_err(Error::Address)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        if config.get_application_name().is_none() {
            config.application_name("coexist");
        }
        Ok(Self::opened_by(move || config.connect(NoTls)))
    }

    /// A database that `open` opens sessions on: with TLS, through a tunnel, or as a caller likes. It is also called again after a
    /// connection was lost, and from other threads.
    pub fn opened_by(open: impl Fn() -> std::result::Result<Client, postgres::Error> + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open), reads_only: false, is_pooled: Arc::default() }
    }

    /// The same for looking only: the server refuses every write of a [`Runner`](crate::Runner) on it.
    pub fn read_only(mut self) -> Self {
        self.reads_only = true;
        self
    }

    pub(crate) fn reads_only(&self) -> bool {
        self.reads_only
    }

    /// Whether a pooler stands on the way to it. `find_out` is asked once: it stays the same way.
    pub(crate) fn is_pooled<E>(
        &self,
        find_out: impl FnOnce() -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        match self.is_pooled.get() {
            Some(is_pooled) => Ok(*is_pooled),
            None => find_out().map(|found| *self.is_pooled.get_or_init(|| found)),
        }
    }

    pub(crate) fn open(&self) -> std::result::Result<Client, postgres::Error> {
        (self.open)()
    }
}

/// Says nothing about where: an address may hold a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Database")
    }
}
