//! Runs that are cut off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

use std::sync::atomic::{AtomicUsize, Ordering};

use coexist::Event;
use coexist::sandbox::Database;
use postgres::NoTls;

/// Calls `act` at the n-th event, counting from 0.
pub fn at_event(n: usize, act: impl Fn() + Send + Sync + 'static) -> impl Fn(&Event) + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    move |_| {
        if count.fetch_add(1, Ordering::SeqCst) == n {
            act();
        }
    }
}

/// What ends all sessions of runners on this database, and waits until they are gone.
pub fn terminator(database: &Database) -> impl Fn() + Send + Sync + 'static {
    let config = database.config();
    move || {
        let mut client = config.connect(NoTls).unwrap();
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like 'coexist%' and pid <> pg_backend_pid()";
        super::wait_until("the sessions are gone", || client.query(sql, &[]).unwrap().is_empty());
    }
}
