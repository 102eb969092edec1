//! A second session beside the one that works: it keeps the lease alive, sees who keeps the first one waiting, and cancels its statement
//! when the run must stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::blocker::{self, Blocker};
use crate::database::{Database, Limits, Session};
use crate::error::Result;
use crate::event::Event;
use crate::ledger::lease;
use crate::options::Options;

/// How long the same blockers are not told again.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// What the second session keeps an eye on.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// The step, or what else the first session does.
    pub step: String,
    /// How often to look.
    pub every: Duration,
    /// For how long the first session may wait for a lock before its statement is cancelled.
    pub patience: Option<Duration>,
}

/// What it saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The longest time that the first session waited for a lock.
    pub longest_wait: Duration,
    /// Who kept it waiting last.
    pub blockers: Vec<Blocker>,
    /// Whether its statement was cancelled because patience ran out.
    pub gave_up: bool,
}

/// The second session, in a thread of its own; it ends when this is dropped.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The process that works.
    pid: i32,
    watched: Option<Watched>,
    seen: Seen,
    waiting_since: Option<Instant>,
    told: Option<Instant>,
    cancelled: bool,
    closing: bool,
}

impl Shared {
    /// A panic elsewhere leaves nothing half done in here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Begins to keep the lease on `change` alive, for the session of process `pid`.
    pub fn start(database: &Database, options: &Options, change: &str, token: i64, pid: i32) -> Self {
        let shared = Arc::new(Shared::default());
        shared.lock().pid = pid;
        let watcher = Watcher {
            database: database.clone(),
            options: options.clone(),
            change: change.to_string(),
            token,
            session: None,
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::Builder::new().name("coexist watch".into()).spawn(move || watcher.run()).ok();
        Self { shared, thread }
    }

    /// The first session is another one now.
    pub fn follow(&self, pid: i32) {
        self.shared.lock().pid = pid;
    }

    /// Begins to look for who keeps the first session waiting.
    pub fn look(&self, watched: Watched) {
        let mut state = self.shared.lock();
        *state = State { pid: state.pid, closing: state.closing, watched: Some(watched), ..State::default() };
        self.shared.changed.notify_all();
    }

    /// Stops looking, and says what was seen.
    pub fn seen(&self) -> Seen {
        let mut state = self.shared.lock();
        state.watched = None;
        std::mem::take(&mut state.seen)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends by itself; a panic in it has been printed already.
            let _ = thread.join();
        }
    }
}

struct Watcher {
    database: Database,
    options: Options,
    change: String,
    token: i64,
    session: Option<Session>,
    shared: Arc<Shared>,
}

impl Watcher {
    fn run(mut self) {
        let beat = self.options.lease / 4;
        let mut next_beat = Instant::now() + beat;
        while let Some(watched) = self.wait(next_beat) {
            if Instant::now() >= next_beat {
                // A failure shows in the first session, whose next transaction checks the lease.
                let _ = self.renew();
                next_beat = Instant::now() + beat;
            }
            if let Some((pid, watched)) = watched {
                let _ = self.observe(pid, &watched);
            }
        }
    }

    /// Waits for the next thing to do; `None` when it is over.
    #[allow(clippy::type_complexity)]
    fn wait(&self, next_beat: Instant) -> Option<Option<(i32, Watched)>> {
        let mut state = self.shared.lock();
        loop {
            if state.closing {
                return None;
            }
            let until_beat = next_beat.saturating_duration_since(Instant::now());
            if until_beat.is_zero() {
                return Some(state.watched.clone().map(|watched| (state.pid, watched)));
            }
            let timeout = state.watched.as_ref().map_or(until_beat, |watched| watched.every.min(until_beat));
            let (back, waited) =
                self.shared.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
            state = back;
            if waited.timed_out() && !state.closing {
                return Some(state.watched.clone().map(|watched| (state.pid, watched)));
            }
        }
    }

    fn session(&mut self) -> Result<&mut Session> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => Session::open(&self.database, &format!("coexist: {} (watch)", self.change))?,
        };
        Ok(self.session.insert(session))
    }

    fn renew(&mut self) -> Result<()> {
        let (change, token, lease) = (self.change.clone(), self.token, self.options.lease);
        let mut tx = self.session()?.begin(Limits::LEDGER)?;
        lease::renew(&mut tx, &change, token, lease)?;
        tx.commit().map_err(crate::error::Error::database("extending the lease"))
    }

    fn observe(&mut self, pid: i32, watched: &Watched) -> Result<()> {
        let mut tx = self.session()?.begin(Limits::LEDGER)?;
        let blockers = blocker::blocking(&mut tx, pid)?;
        drop(tx);

        let mut state = self.shared.lock();
        if state.pid != pid || state.watched.is_none() {
            return Ok(());
        }
        let mut tell = false;
        if blockers.is_empty() {
            state.waiting_since = None;
        } else {
            let since = *state.waiting_since.get_or_insert_with(Instant::now);
            state.seen.longest_wait = state.seen.longest_wait.max(since.elapsed());
            tell = state.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN);
            if tell {
                state.told = Some(Instant::now());
            }
            state.seen.blockers.clone_from(&blockers);
        }
        let out_of_patience =
            watched.patience.zip(state.waiting_since).is_some_and(|(patience, since)| since.elapsed() >= patience);
        let cancel = !state.cancelled && (out_of_patience || self.options.must_stop());
        state.cancelled |= cancel;
        state.seen.gave_up |= cancel && out_of_patience;
        drop(state);

        if tell {
            self.options.tell(Event::Waiting { step: watched.step.clone(), blockers });
        }
        if cancel {
            let mut tx = self.session()?.begin(Limits::LEDGER)?;
            tx.execute("select pg_cancel_backend($1)", &[&pid])
                .map_err(crate::error::Error::database("cancelling our statement"))?;
        }
        Ok(())
    }
}
