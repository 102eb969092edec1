//! A second session beside those that work: it keeps the lease alive, sees who keeps the others waiting, and cancels their statements when
//! they must stop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::blocker::{self, Blocker};
use super::building::{self, Building};
use crate::database::{Database, Limits, Session};
use crate::error::Result;
use crate::event::Event;
use crate::ledger::lease;
use crate::options::Options;
use crate::trace::Span;

/// How long the same is not told again.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// What the second session keeps an eye on, of one that works.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// The step, or what else the session does.
    pub step: String,
    /// How often to look.
    pub every: Duration,
    /// For how long the session may wait for a lock before its statement is cancelled.
    pub patience: Option<Duration>,
    /// Whether it builds an index, and how far that is must be told.
    pub builds: bool,
    /// Cancels the statement once it is true.
    pub interrupt: Arc<AtomicBool>,
}

/// What it saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The longest time that the session waited for a lock.
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

/// The place of one session that works. It is given up when this is dropped.
pub(crate) struct Post {
    shared: Arc<Shared>,
    number: u32,
}

/// The places of all sessions that one watch has an eye on.
#[derive(Clone)]
pub(crate) struct Posts(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    posts: BTreeMap<u32, PostState>,
    /// How many posts there ever were.
    made: u32,
    closing: bool,
}

#[derive(Default)]
struct PostState {
    /// The process that works.
    pid: i32,
    watched: Option<Watched>,
    looked: Option<Instant>,
    seen: Seen,
    waiting_since: Option<Instant>,
    told: Option<Instant>,
    /// How far an index was, when that was told last.
    built: Option<(Instant, Building)>,
}

impl PostState {
    /// Whether how far an index is must be told; from then on it was.
    fn is_news(&mut self, building: &Building) -> bool {
        let news = self.built.as_ref().is_none_or(|(told, before)| {
            (&before.phase, before.waits_for) != (&building.phase, building.waits_for) || told.elapsed() >= TELL_AGAIN
        });
        if news {
            self.built = Some((Instant::now(), building.clone()));
        }
        news
    }
}

impl Shared {
    /// A panic elsewhere leaves nothing half done in here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Posts {
    /// A place for the session of process `pid`.
    pub fn add(&self, pid: i32) -> Post {
        let mut state = self.0.lock();
        state.made += 1;
        let number = state.made;
        state.posts.insert(number, PostState { pid, ..PostState::default() });
        Post { shared: Arc::clone(&self.0), number }
    }
}

impl Watch {
    /// Begins; where there is a token, keeps the lease on `change` alive.
    pub fn start(database: &Database, options: &Options, change: &str, token: Option<i64>) -> Self {
        let shared = Arc::new(Shared::default());
        let watcher = Watcher {
            database: database.clone(),
            options: options.clone(),
            change: change.to_string(),
            token,
            session: None,
            shared: Arc::clone(&shared),
        };
        let span = Span::current();
        let thread = std::thread::Builder::new()
            .name("coexist watch".into())
            .spawn(move || {
                let _span = span.enter();
                watcher.run();
            })
            .ok();
        Self { shared, thread }
    }

    /// Where sessions that work have their places.
    pub fn posts(&self) -> Posts {
        Posts(Arc::clone(&self.shared))
    }
}

impl Post {
    /// Where this one and others have their places.
    pub fn posts(&self) -> Posts {
        Posts(Arc::clone(&self.shared))
    }

    /// The session is another one now.
    pub fn follow(&self, pid: i32) {
        if let Some(post) = self.shared.lock().posts.get_mut(&self.number) {
            post.pid = pid;
        }
    }

    /// Begins to look for who keeps the session waiting.
    pub fn look(&self, watched: Watched) {
        let mut state = self.shared.lock();
        if let Some(post) = state.posts.get_mut(&self.number) {
            *post = PostState {
                pid: post.pid,
                watched: Some(watched),
                looked: Some(Instant::now()),
                ..PostState::default()
            };
        }
        self.shared.changed.notify_all();
    }

    /// Stops looking, and says what was seen.
    pub fn seen(&self) -> Seen {
        let mut state = self.shared.lock();
        let Some(post) = state.posts.get_mut(&self.number) else { return Seen::default() };
        post.watched = None;
        std::mem::take(&mut post.seen)
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.shared.lock().posts.remove(&self.number);
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

/// What to look at now.
struct Due {
    post: u32,
    pid: i32,
    watched: Watched,
}

struct Watcher {
    database: Database,
    options: Options,
    change: String,
    token: Option<i64>,
    session: Option<Session>,
    shared: Arc<Shared>,
}

impl Watcher {
    fn run(mut self) {
        let beat = self.options.lease / 4;
        let mut next_beat = Instant::now() + beat;
        while let Some(due) = self.wait(next_beat) {
            if Instant::now() >= next_beat {
                if let Some(token) = self.token {
                    // A failure shows in the first session, whose next transaction checks the lease.
                    let _ = self.renew(token);
                }
                next_beat = Instant::now() + beat;
            }
            for due in due {
                let _ = self.observe(&due);
            }
        }
    }

    /// Waits for the next things to do; `None` when it is over.
    fn wait(&self, next_beat: Instant) -> Option<Vec<Due>> {
        let mut state = self.shared.lock();
        loop {
            if state.closing {
                return None;
            }
            let now = Instant::now();
            let mut next = next_beat;
            let mut due = Vec::new();
            for (number, post) in &mut state.posts {
                let Some(watched) = &post.watched else { continue };
                let at = post.looked.map_or(now, |looked| looked + watched.every);
                if at <= now {
                    due.push(Due { post: *number, pid: post.pid, watched: watched.clone() });
                    post.looked = Some(now);
                } else {
                    next = next.min(at);
                }
            }
            if !due.is_empty() || now >= next_beat {
                return Some(due);
            }
            let timeout = next.saturating_duration_since(now);
            (state, _) = self.shared.changed.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn session(&mut self) -> Result<&mut Session> {
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => Session::open(&self.database, &format!("coexist: {} (watch)", self.change))?,
        };
        Ok(self.session.insert(session))
    }

    fn renew(&mut self, token: i64) -> Result<()> {
        let (change, lease) = (self.change.clone(), self.options.lease);
        let mut tx = self.session()?.begin(Limits::LEDGER)?;
        lease::renew(&mut tx, &change, token, lease)?;
        tx.commit().map_err(crate::error::Error::database("extending the lease"))
    }

    fn observe(&mut self, due: &Due) -> Result<()> {
        let Due { pid, watched, .. } = due;
        let mut tx = self.session()?.begin(Limits::LEDGER)?;
        let blockers = blocker::blocking(&mut tx, *pid)?;
        let building = if watched.builds { building::by_process(&mut tx, *pid)? } else { None };
        drop(tx);

        let mut state = self.shared.lock();
        let Some(post) = state.posts.get_mut(&due.post).filter(|post| post.pid == *pid && post.watched.is_some())
        else {
            return Ok(());
        };
        let building = building.filter(|building| post.is_news(building));
        let mut tell = false;
        if blockers.is_empty() {
            post.waiting_since = None;
        } else {
            let since = *post.waiting_since.get_or_insert_with(Instant::now);
            post.seen.longest_wait = post.seen.longest_wait.max(since.elapsed());
            tell = post.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN);
            if tell {
                post.told = Some(Instant::now());
            }
            post.seen.blockers.clone_from(&blockers);
        }
        let out_of_patience =
            watched.patience.zip(post.waiting_since).is_some_and(|(patience, since)| since.elapsed() >= patience);
        // A cancellation that comes between two statements has no effect, so it is repeated.
        let cancel = out_of_patience || watched.interrupt.load(Ordering::Relaxed);
        post.seen.gave_up |= out_of_patience;
        drop(state);

        if let Some(building) = building {
            self.options.tell(Event::Building { step: watched.step.clone(), building });
        }
        if tell {
            self.options.tell(Event::Waiting { step: watched.step.clone(), blockers });
        }
        if cancel {
            let mut tx = self.session()?.begin(Limits::LEDGER)?;
            tx.execute("select pg_cancel_backend($1)", &[pid])
                .map_err(crate::error::Error::database("cancelling our statement"))?;
        }
        Ok(())
    }
}
