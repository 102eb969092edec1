//! How a run behaves: time limits, what it tells, how it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::event::Event;
use crate::preflight::Finding;
use crate::trace;

/// How a [`Runner`](crate::Runner) behaves. The defaults are right for a busy production database.
#[derive(Clone)]
pub struct Options {
    pub(crate) lock_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) reconnect_for: Duration,
    pub(crate) lease: Duration,
    pub(crate) evidence_age: Duration,
    pub(crate) readers: usize,
    pub(crate) overridden: Vec<String>,
    pub(crate) observer: Arc<dyn Fn(&Event) + Send + Sync>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_millis(500),
            statement_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(600),
            reconnect_for: Duration::from_secs(300),
            lease: Duration::from_secs(30),
            evidence_age: Duration::from_secs(600),
            readers: 1,
            overridden: Vec::new(),
            observer: Arc::new(|_| {}),
            stop: Arc::default(),
        }
    }
}

impl Options {
    /// How long a step waits for a lock before it lets go and tries again later; everybody who comes after it waits as long.
    /// Default: 500 ms, which is below the server's `deadlock_timeout`: in a cycle of locks this run gives way, and not the application.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// How long a statement of a short transaction may take, its waits included. Must be more than the lock timeout. Default: 5 s.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How long a step is tried again, all tries together, before the run gives up. Default: 10 minutes.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long a lost connection is tried again. Zero gives up at once. Default: 5 minutes.
    pub fn reconnect_for(mut self, limit: Duration) -> Self {
        self.reconnect_for = limit;
        self
    }

    /// After how long without a sign of life another runner may take a change over. Default: 30 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How old a clean comparison of the shapes may be when a change is contracted; an older one is made again first. Default: 10 minutes.
    pub fn evidence_age(mut self, age: Duration) -> Self {
        self.evidence_age = age;
        self
    }

    /// How many sessions compare rows at the same time. Default: 1, for the reason that a [`Pace`](crate::Pace::workers) has one worker.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// Goes on in spite of findings of this name, an id (`own-changed`) or an id with its object (`own-changed:trigger user of users`), where
    /// that does no harm. Which ones they were is written to the ledger's log. May be called several times.
    pub fn overriding(mut self, finding: impl Into<String>) -> Self {
        self.overridden.push(finding.into());
        self
    }

    /// Called with all that happens, also from a second thread.
    pub fn on_event(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// A flag that, once true, ends the run at the next safe point: what is under way is finished or rolled back.
    pub fn stop_flag(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        // The server would report the statement's timeout, and a lock that could not be had would look like slow work.
        if self.lock_timeout >= self.statement_timeout {
            return Err(Error::Options(format!(
                "the lock timeout ({:?}) must be less than the statement timeout ({:?})",
                self.lock_timeout, self.statement_timeout
            )));
        }
        if self.lock_timeout.as_millis() == 0 {
            return Err(Error::Options(
                "the lock timeout must be at least 1 ms: without one, a step that waits blocks everybody".into(),
            ));
        }
        if self.readers == 0 {
            return Err(Error::Options("a comparison needs at least one session that reads".into()));
        }
        if self.lease < Duration::from_secs(1) {
            return Err(Error::Options("the lease must be at least 1 s".into()));
        }
        Ok(())
    }

    pub(crate) fn overrides(&self, finding: &Finding) -> bool {
        finding.kind.can_be_overridden() && self.overridden.iter().any(|name| finding.is_named(name))
    }

    pub(crate) fn tell(&self, event: Event) {
        trace::event(&event);
        (self.observer)(&event);
    }

    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
