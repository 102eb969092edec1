//! The thread that has the change in hand: it looks after its workers, into the ledger and at the server, and says when they hold still.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use coexist_core::plan::Phase;

use super::crew::{Shared, Task};
use super::growth::Growth;
use super::orders::Orders;
use super::throttle::{About, Look, Throttle, Throttles};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::control::Control;
use crate::ledger::history::{self, Sample};
use crate::ledger::segment::{self, Open};
use crate::ledger::{self, Direction, Held, PauseReason};
use crate::pace::Pace;
use crate::runner::Run;

/// How long a batch may go on when the work must hold still or end; then it is cancelled.
const GRACE: Duration = Duration::from_millis(500);

/// How often the history gets a sample.
const SAMPLE: Duration = Duration::from_secs(5);

/// What the leading thread does next.
pub(super) enum Next {
    /// The work is over, one way or the other.
    Done,
    Wait,
    /// Starts up to `most` of the `workers` that there should be.
    Start {
        most: usize,
        workers: usize,
    },
}

/// The leading thread.
pub(super) struct Lead<'r, 'a, 's> {
    run: &'r mut Run<'a>,
    shared: &'s Shared<'s>,
    /// As the run was begun with.
    pace: &'s Pace,
    throttles: &'s mut Throttles,
    about: About,
    growth: Option<Growth>,
    /// What was wanted before the work began.
    stops: i64,
    failed: Option<Error>,
    ending_since: Option<Instant>,
    held_since: Option<Instant>,
    /// Why it holds still, by name, as it was told last.
    told: Vec<String>,
    reasons: Vec<String>,
    holds: Holds,
    sampled: Instant,
    /// Where the server was in its WAL at the last sample.
    wal_position: Option<i64>,
}

impl<'r, 'a, 's> Lead<'r, 'a, 's> {
    pub fn new(
        run: &'r mut Run<'a>,
        shared: &'s Shared<'s>,
        pace: &'s Pace,
        throttles: &'s mut Throttles,
    ) -> Result<Self> {
        let Task { of, pass, backfill, .. } = shared.task;
        let (stops, sizes) = run.ledger("looking into the ledger", |tx| {
            Ok((ledger::control::find(tx, of.change)?.stops, segment::sizes(tx, of, pass)?))
        })?;
        let mut tables: Vec<_> = sizes.iter().map(|size| size.table.clone()).collect();
        if !tables.contains(backfill.target()) {
            tables.push(backfill.target().clone());
        }
        let about = About { tables, server: run.session.server };
        let growth = pace.growth.and_then(|times| Growth::new(times, shared.task, &sizes, run.session.server));
        if let Some(growth) = &growth {
            shared.orders.allow(growth.allowance());
        }
        let mut lead = Self {
            run,
            shared,
            pace,
            throttles,
            about,
            growth,
            stops,
            failed: None,
            ending_since: None,
            held_since: None,
            told: Vec::new(),
            reasons: Vec::new(),
            holds: Holds::new(),
            sampled: Instant::now(),
            wal_position: None,
        };
        // Before anything begins.
        lead.look_at_server()?;
        lead.sample(0)?;
        Ok(lead)
    }

    /// The first failure ends the work.
    pub fn fail(&mut self, error: Error) {
        self.shared.orders.end();
        self.failed.get_or_insert(error);
    }

    /// What the work came to.
    pub fn end(mut self) -> Result<()> {
        let sampled = self.sample(0);
        let Some(failed) = self.failed else { return sampled };
        if matches!(failed, Error::Stopped { .. }) && self.run.leads() {
            let _ = self.run.pause(PauseReason::Interrupted);
        }
        Err(failed)
    }

    pub fn look_after(&mut self, working: usize) -> Next {
        if let Err(stopped) = self.run.stop_if_asked() {
            self.fail(stopped);
        }
        if self.shared.orders.is_ending() {
            interrupt_after_grace(&self.shared.orders, &mut self.ending_since);
            return if working == 0 { Next::Done } else { Next::Wait };
        }
        match self.look(working) {
            Ok(next) => next,
            Err(error) => {
                self.fail(error);
                Next::Wait
            }
        }
    }

    fn look(&mut self, working: usize) -> Result<Next> {
        let orders = &self.shared.orders;
        let Task { of, pass, .. } = self.shared.task;
        if orders.take_full_disk() {
            // Where not even that can be written down, the run ends: batches must not fail without end.
            self.run.pause(PauseReason::DiskFull)?;
        }
        let change = self.run.change();
        let (open, control, record) = self.run.ledger("looking into the ledger", |tx| {
            let record = ledger::change::find(tx, change)?;
            Ok((segment::open(tx, of, pass)?, ledger::control::find(tx, change)?, record))
        })?;
        let record = record.ok_or_else(|| Error::UnknownChange { change: change.to_string() })?;
        self.obey(&control)?;
        self.look_at_server()?;
        let pause = record.paused.then(|| record.pause_reason.unwrap_or_else(|| PauseReason::Asked.name().to_string()));
        if self.hold_or_go_on(pause)? {
            self.sample(working)?;
        }
        if self.sampled.elapsed() >= SAMPLE {
            self.sample(working)?;
        }
        let goes_on = record.phase == Phase::DualWriting && record.direction == Direction::Forward;
        self.next(&open, goes_on, working)
    }

    fn next(&mut self, open: &Open, goes_on: bool, working: usize) -> Result<Next> {
        let orders = &self.shared.orders;
        if (open.all == 0 || !goes_on) && working == 0 {
            return Ok(Next::Done);
        }
        if orders.is_held() {
            return Ok(Next::Wait);
        }
        if orders.is_used_up()
            && let Some(growth) = &mut self.growth
        {
            growth.vacuum(self.run)?;
            orders.allow(growth.allowance());
        }
        Ok(if open.free == 0 { Next::Wait } else { Next::Start { most: open.free, workers: orders.workers() } })
    }

    /// Does what somebody wants who wrote it into the ledger.
    fn obey(&mut self, control: &Control) -> Result<()> {
        if control.stops > self.stops {
            return Err(Error::Stopped { change: self.run.change().to_string() });
        }
        self.shared.orders.set_pace(&self.pace.changed(&control.pace));
        Ok(())
    }

    fn look_at_server(&mut self) -> Result<()> {
        let (throttles, about) = (&mut *self.throttles, &self.about);
        let look = self.run.persist("looking at the server", |run, _| throttles.look(run.session, about))?;
        let change = self.run.change().to_string();
        match look {
            Look::Soon => {}
            Look::Stop(reason) => return Err(Error::Throttled { change, reason }),
            Look::Found { reasons, blind } => {
                self.pace.must_see(&change, &blind)?;
                for unseen in blind {
                    self.run.options.tell(Event::Note(format!("not looked at: {unseen}")));
                }
                self.reasons = reasons;
            }
        }
        Ok(())
    }

    /// Answers whether it holds still for other reasons than before.
    fn hold_or_go_on(&mut self, pause: Option<String>) -> Result<bool> {
        let orders = &self.shared.orders;
        let holds = pause.is_some() || !self.reasons.is_empty();
        orders.hold(holds);
        let told: Vec<String> = match &pause {
            Some(reason) => vec![format!("paused: {reason}")],
            None => self.throttles.holding().iter().map(|name| (*name).to_string()).collect(),
        };
        let news = told != self.told;
        self.holds.go_on(&told);
        if news {
            self.told = told;
            self.run.options.tell(match &pause {
                Some(reason) => Event::Paused { reason: reason.clone() },
                None if holds => Event::Throttled { reasons: self.reasons.clone() },
                None => Event::Resumed,
            });
        }
        if !holds {
            self.held_since = None;
            orders.interrupt.store(false, Ordering::Relaxed);
            return Ok(news);
        }
        interrupt_after_grace(orders, &mut self.held_since);
        // Who paused it knows what to wait for.
        let patience = self.pace.patience.filter(|_| pause.is_none());
        match patience.zip(self.held_since) {
            Some((patience, since)) if since.elapsed() >= patience => Err(Error::Throttled {
                change: self.run.change().to_string(),
                reason: format!("it held still for {} s: {}", patience.as_secs(), self.reasons.join("; ")),
            }),
            _ => Ok(news),
        }
    }

    fn sample(&mut self, workers: usize) -> Result<()> {
        self.sampled = Instant::now();
        let Task { of, pass, .. } = self.shared.task;
        // A panic elsewhere leaves nothing half done in there.
        let (now, rows_per_second) = self.shared.meter.lock().unwrap_or_else(PoisonError::into_inner).latest();
        let sample = Sample {
            backfill: of.backfill,
            pass,
            done: now.done(),
            rows: now.rows,
            rows_per_second,
            workers: i32::try_from(workers).unwrap_or(i32::MAX),
            held: self.told.clone(),
            reasons: if self.told.is_empty() { Vec::new() } else { self.reasons.clone() },
            lag: self.throttles.level(Throttle::ReplicaLag),
        };
        // What is counted once for all processes is counted by the one that leads.
        let leads = self.run.leads();
        let (wal_position, held) = if leads { (self.wal_position, self.holds.take()) } else { (None, Vec::new()) };
        let mut position = None;
        self.run.note("recording the progress", |tx| {
            held.iter().try_for_each(|held| ledger::tally::held(tx, of.change, held))?;
            position = Some(history::add(tx, of.change, &sample, wal_position)?);
            Ok(())
        });
        self.wal_position = position.or(self.wal_position);
        Ok(())
    }
}

/// Why and for how long it held still since the last sample.
struct Holds {
    /// The reasons of now.
    now: Vec<String>,
    since: Instant,
    spent: BTreeMap<String, Held>,
}

impl Holds {
    fn new() -> Self {
        Self { now: Vec::new(), since: Instant::now(), spent: BTreeMap::new() }
    }

    /// From now on it holds still for these reasons.
    fn go_on(&mut self, reasons: &[String]) {
        let elapsed = std::mem::replace(&mut self.since, Instant::now()).elapsed();
        let held = |reason: &String| Held { reason: reason.clone(), times: 0, spent: Duration::ZERO };
        for reason in &self.now {
            self.spent.entry(reason.clone()).or_insert_with(|| held(reason)).spent += elapsed;
        }
        for reason in reasons.iter().filter(|reason| !self.now.contains(reason)) {
            self.spent.entry(reason.clone()).or_insert_with(|| held(reason)).times += 1;
        }
        self.now = reasons.to_vec();
    }

    /// What was not written down yet.
    fn take(&mut self) -> Vec<Held> {
        self.go_on(&self.now.clone());
        std::mem::take(&mut self.spent).into_values().collect()
    }
}

fn interrupt_after_grace(orders: &Orders, since: &mut Option<Instant>) {
    if since.get_or_insert_with(Instant::now).elapsed() >= GRACE {
        orders.interrupt.store(true, Ordering::Relaxed);
    }
}
