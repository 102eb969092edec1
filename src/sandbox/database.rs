//! One database in a throw-away server.

use std::sync::Arc;

use coexist_core::ident::quote_ident;
use postgres::{Client, Config, NoTls};

use super::Server;
use super::error::Error;

/// A database of one's own in a [`Sandbox`](super::Sandbox), removed on drop.
///
/// It keeps its server alive, and must itself be kept as long as it is used: its end ends the connections to it.
#[derive(Debug)]
pub struct Database {
    server: Arc<Server>,
    name: String,
}

impl Database {
    pub(super) fn create(server: Arc<Server>, name: String) -> Result<Self, Error> {
        // template0 takes no connections, so that nobody can be in the way of copying it.
        let statement = format!("create database {} template template0", quote_ident(&name));
        server.administer(&statement)?;
        Ok(Self { server, name })
    }

    /// The name of the database: ASCII letters, digits and underscores.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address, as `DATABASE_URL` takes it: `postgresql:///name?host=/tmp/…&user=postgres`.
    pub fn url(&self) -> String {
        // Nothing to escape: the supervisor takes only plain folders, and the name is plain by construction.
        format!("postgresql:///{}?host={}&user=postgres", self.name, self.server.socket_dir().display())
    }

    /// The address, for a connection with settings of its own.
    pub fn config(&self) -> Config {
        self.server.config(&self.name)
    }

    /// A new connection as the superuser `postgres`.
    ///
    /// # Errors
    ///
    /// The server does not run, or has no connection left.
    pub fn connect(&self) -> Result<Client, Error> {
        (self.config().connect(NoTls))
            .map_err(|source| Error::Database { what: format!("cannot connect to {}", self.url()), source })
    }
}

impl Drop for Database {
    /// Removes the database, whoever is connected. A failure has no consequence: the database goes with the server.
    fn drop(&mut self) {
        let _ = self.server.administer(&format!("drop database if exists {} with (force)", quote_ident(&self.name)));
    }
}
