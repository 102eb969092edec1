//! A change in hand: its lease is held, every transaction is fenced by it, and what fails for a passing reason is tried again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use coexist_core::plan::{Lock, Phase, Plan};
use postgres::error::SqlState;

use super::backoff::Backoff;
use super::blocker::{self, Blocker};
use super::watch::{Post, Posts, Seen, Watch, Watched};
use crate::database::{Database, Limits, Session, Transaction};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::change::ChangeRecord;
use crate::ledger::log::{self, Level};
use crate::ledger::{self, PauseReason, StepRecord};
use crate::options::Options;
use crate::preflight;

/// The longest pause between two tries for a lock.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// How many tries a prepared transaction gets to end by itself.
const TRIES_BEHIND_PREPARED: u32 = 3;

/// How often one operation may lose its connection. One that ends the server each time must not do so for ever.
const LOSSES: u32 = 5;

/// How often a short transaction is tried again that was cancelled.
const CANCELLATIONS: u32 = 3;

/// A place beside a session that works on a change.
#[derive(Clone)]
pub(crate) struct Seat<'a> {
    plan: &'a Plan,
    database: &'a Database,
    pub runner: &'a str,
    identity: String,
    posts: Posts,
}

impl Seat<'_> {
    /// One more session on the same server, for who sits here.
    pub fn open(&self, options: &Options) -> Result<Session> {
        let opened = Session::open(self.database, "coexist");
        Session::insist(self.database, "coexist", &self.identity, options.reconnect_for, opened, &|| {
            options.must_stop()
        })
    }
}

/// A change that this process works on.
pub(crate) struct Run<'a> {
    pub plan: &'a Plan,
    pub options: &'a Options,
    pub database: &'a Database,
    pub session: &'a mut Session,
    /// The name of this runner.
    pub runner: &'a str,
    fence: Fence,
    post: Post,
    /// Who kept us waiting last.
    blockers: Vec<Blocker>,
}

/// What keeps a session that was cut off from changing anything later.
enum Fence {
    /// The lease on the change, and what keeps it alive.
    Lease { token: i64, _watch: Watch },
    /// Nothing of the change as a whole: each transaction of a backfill worker holds its segment.
    Segment { _watch: Option<Watch> },
}

impl<'a> Run<'a> {
    /// Takes the lease, and with it the change, as the ledger describes it.
    pub fn hold(
        plan: &'a Plan,
        options: &'a Options,
        database: &'a Database,
        session: &'a mut Session,
        runner: &'a str,
    ) -> Result<Self> {
        session.serve(plan);
        let mut tx = session.begin(Limits::LEDGER)?;
        ledger::install(&mut tx)?;
        ledger::change::enter(&mut tx, plan)?;
        commit(tx, "beginning the change")?;
        let mut tx = session.begin(Limits::LEDGER)?;
        let token = ledger::lease::take(&mut tx, &plan.change, runner, options.lease)?;
        commit(tx, "taking the lease")?;
        let watch = Watch::start(database, options, &plan.change, Some(token));
        let post = watch.posts().add(session.pid);
        let fence = Fence::Lease { token, _watch: watch };
        Ok(Self { plan, options, database, session, runner, fence, post, blockers: Vec::new() })
    }

    /// Takes part in what another runner leads, without the lease.
    pub fn join(
        plan: &'a Plan,
        options: &'a Options,
        database: &'a Database,
        session: &'a mut Session,
        runner: &'a str,
    ) -> Self {
        session.serve(plan);
        let watch = Watch::start(database, options, &plan.change, None);
        let post = watch.posts().add(session.pid);
        let fence = Fence::Segment { _watch: Some(watch) };
        Self { plan, options, database, session, runner, fence, post, blockers: Vec::new() }
    }

    /// One more session that works on the change in hand, in another thread. It ends before this one does.
    pub fn beside(seat: &Seat<'a>, options: &'a Options, session: &'a mut Session, runner: &'a str) -> Self {
        session.serve(seat.plan);
        let post = seat.posts.add(session.pid);
        let fence = Fence::Segment { _watch: None };
        let Seat { plan, database, .. } = *seat;
        Self { plan, options, database, session, runner, fence, post, blockers: Vec::new() }
    }

    /// What other threads need in order to work beside this one.
    pub fn seat(&self) -> Seat<'a> {
        let identity = self.session.identity.clone();
        Seat { plan: self.plan, database: self.database, runner: self.runner, identity, posts: self.post.posts() }
    }

    /// Whether it holds the change's lease.
    pub fn leads(&self) -> bool {
        matches!(self.fence, Fence::Lease { .. })
    }

    /// The change's name.
    pub fn change(&self) -> &'a str {
        &self.plan.change
    }

    /// One transaction, fenced by the lease where there is one. `work` does not commit.
    pub fn transaction<T>(
        &mut self,
        limits: Limits,
        doing: &str,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut tx = self.session.begin(limits)?;
        if let Fence::Lease { token, .. } = self.fence {
            ledger::lease::check(&mut tx, &self.plan.change, token)?;
        }
        let result = work(&mut tx)?;
        commit(tx, doing)?;
        Ok(result)
    }

    /// One transaction about the ledger alone, tried again where it fails for a passing reason. `work` may run more than once, also after it
    /// was committed without our knowing.
    pub fn ledger<T>(&mut self, doing: &str, mut work: impl FnMut(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        self.persist(doing, |run, _| run.uncancelled(doing, |run| run.transaction(Limits::LEDGER, doing, &mut work)))
    }

    /// Tries again, a few times, where somebody cancelled it or it ran into its time limit. For what holds no lock that others want.
    pub fn uncancelled<T>(&mut self, doing: &str, mut attempt: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let mut backoff = Backoff::new(Duration::from_millis(200), LONGEST_PAUSE);
        for _ in 0..CANCELLATIONS {
            let error = match attempt(self) {
                Err(error) if error.is_cancelled() => error,
                other => return other,
            };
            let pause = backoff.pause();
            self.tell_retry(doing, &error, pause);
            self.sleep(pause)?;
        }
        attempt(self)
    }

    /// Tries until it succeeds, the deadline is over, or it fails for a reason that will not pass. `attempt` gets the number of the try, from
    /// 1, and must find out by itself whether an earlier one was committed without our knowing.
    pub fn persist<T>(&mut self, doing: &str, mut attempt: impl FnMut(&mut Self, u32) -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let mut backoff = Backoff::new(Duration::from_millis(200), LONGEST_PAUSE);
        let mut losses = 0;
        for tries in 1.. {
            self.stop_if_asked()?;
            let error = match attempt(self, tries) {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            if error.is_connection_loss() || self.session.is_closed() {
                losses += 1;
                if losses > LOSSES {
                    return Err(error);
                }
                let code = error.sqlstate().unwrap_or(&SqlState::CONNECTION_FAILURE).code().to_string();
                self.reconnect(error)?;
                self.count_retry(&code);
            } else if error.is_worth_retrying() {
                let pause = backoff.pause();
                // A prepared transaction stays until somebody ends it: there is nothing to wait for.
                let hopeless = tries >= TRIES_BEHIND_PREPARED && self.blockers.iter().any(|b| b.prepared.is_some());
                if hopeless || begun.elapsed() + pause > self.options.deadline {
                    return Err(self.blocked(doing, begun.elapsed(), error));
                }
                self.tell_retry(doing, &error, pause);
                self.log(Level::Warning, &format!("{doing}: {error}"));
                self.sleep(pause)?;
            } else {
                return Err(error);
            }
        }
        Err(Error::Stopped { change: self.plan.change.clone() })
    }

    /// Says that `doing` failed and is tried again `after` a pause, and counts it.
    pub fn tell_retry(&mut self, doing: &str, error: &Error, after: Duration) {
        let code = error.sqlstate().map(|code| code.code().to_string());
        if let Some(code) = &code {
            self.count_retry(code);
        }
        self.options.tell(Event::Retry { step: doing.to_string(), code, reason: error.to_string(), after });
    }

    fn count_retry(&mut self, code: &str) {
        let change = self.change();
        self.note("counting tries", |tx| ledger::tally::retried(tx, change, code));
    }

    /// Opens the session again after `lost`.
    pub fn reconnect(&mut self, lost: Error) -> Result<()> {
        self.options.tell(Event::Reconnecting { reason: lost.to_string() });
        let options = self.options;
        self.session.reopen(self.database, options.reconnect_for, lost, &|| options.must_stop())?;
        self.post.follow(self.session.pid);
        Ok(())
    }

    /// Looks, meanwhile, for who keeps us waiting.
    pub fn watched<T>(&mut self, watched: Watched, work: impl FnOnce(&mut Self) -> T) -> (T, Seen) {
        self.post.look(watched);
        let result = work(self);
        let seen = self.post.seen();
        if !seen.blockers.is_empty() {
            self.blockers.clone_from(&seen.blockers);
        }
        (result, seen)
    }

    /// Says who holds locks that conflict with `locks`, before we queue for them: whoever comes after us will wait too.
    pub fn announce_holders(&mut self, step: &str, locks: &[Lock]) -> Result<()> {
        let mut tx = self.session.begin(Limits::LEDGER)?;
        let holders = blocker::holders(&mut tx, locks)?;
        drop(tx);
        if !holders.is_empty() {
            self.options.tell(Event::Waiting { step: step.to_string(), blockers: holders.clone() });
        }
        self.blockers = holders;
        Ok(())
    }

    /// Whether nobody but autovacuums kept us waiting last.
    pub fn is_behind_autovacuum(&self) -> bool {
        !self.blockers.is_empty() && self.blockers.iter().all(Blocker::is_autovacuum)
    }

    /// How long a session waits for a lock before the server looks for deadlocks, and ends an autovacuum that is in its way.
    pub fn deadlock_timeout(&mut self) -> Result<Duration> {
        self.ledger("reading deadlock_timeout", |tx| {
            let row = tx
                .query_one("select setting::bigint from pg_settings where name = 'deadlock_timeout'", &[])
                .map_err(Error::database("reading deadlock_timeout"))?;
            Ok(Duration::from_millis(row.get::<_, i64>(0).unsigned_abs()))
        })
    }

    /// What a lock that could not be had becomes when no more tries follow; any other error stays what it is.
    pub fn blocked(&mut self, doing: &str, waited: Duration, error: Error) -> Error {
        if error.sqlstate() != Some(&SqlState::LOCK_NOT_AVAILABLE) {
            return error;
        }
        let blockers = std::mem::take(&mut self.blockers);
        Error::Blocked { change: self.plan.change.clone(), doing: doing.to_string(), waited, blockers }
    }

    /// Sleeps, unless the run is asked to stop.
    pub fn sleep(&self, pause: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.stop_if_asked()?;
            let left = pause.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// Fails where the run is asked to stop.
    pub fn stop_if_asked(&self) -> Result<()> {
        if self.options.must_stop() { Err(Error::Stopped { change: self.plan.change.clone() }) } else { Ok(()) }
    }

    /// What the ledger knows of the change.
    pub fn record(&mut self) -> Result<ChangeRecord> {
        let change = self.change();
        self.ledger("reading the ledger", |tx| {
            ledger::change::find(tx, change)?.ok_or_else(|| Error::UnknownChange { change: change.to_string() })
        })
    }

    /// What the ledger knows of its steps.
    pub fn steps(&mut self) -> Result<BTreeMap<String, StepRecord>> {
        let change = self.change();
        self.ledger("reading the ledger", |tx| ledger::step::all(tx, change))
    }

    /// Moves the change to a phase, and says so.
    pub fn set_phase(&mut self, phase: Phase) -> Result<()> {
        let (change, runner) = (self.change(), self.runner);
        self.ledger("recording the phase", |tx| {
            ledger::change::set_phase(tx, change, phase)?;
            preflight::record_own(tx, change)?;
            log::write(tx, change, runner, Level::Info, &format!("the change is {}", phase.name()))
        })?;
        self.options.tell(Event::PhaseReached { phase });
        Ok(())
    }

    /// Adds to the ledger's log.
    pub fn log(&mut self, level: Level, message: &str) {
        let (change, runner) = (self.plan.change.as_str(), self.runner);
        self.note("writing the log", |tx| log::write(tx, change, runner, level, message));
    }

    /// Leaves the change paused.
    pub fn pause(&mut self, reason: PauseReason) -> Result<()> {
        let (change, runner) = (self.plan.change.as_str(), self.runner);
        self.transaction(Limits::LEDGER, "recording the pause", |tx| {
            ledger::change::set_paused(tx, change, Some(reason))?;
            log::write(tx, change, runner, Level::Warning, &format!("paused: {}", reason.name()))
        })
    }

    /// Writes something down where that is possible: it has happened whether or not it can be.
    pub fn note(&mut self, doing: &str, work: impl FnOnce(&mut Transaction<'_>) -> Result<()>) {
        let _ = self.transaction(Limits::LEDGER, doing, work);
    }
}

/// Gives the lease back, so that the next runner need not wait for it to expire.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        let change = self.plan.change.as_str();
        let Fence::Lease { token, .. } = self.fence else { return };
        let release = |run: &mut Self| {
            run.transaction(Limits::LEDGER, "giving back the lease", |tx| ledger::lease::release(tx, change, token))
        };
        // Where nothing can be reached any more, it expires.
        if release(self).is_err_and(|error| error.is_connection_loss() || self.session.is_closed())
            && let Ok(session) = Session::open(self.database, "coexist")
        {
            *self.session = session;
            let _ = release(self);
        }
    }
}

fn commit(tx: Transaction<'_>, doing: &str) -> Result<()> {
    tx.commit().map_err(Error::database(doing))
}
