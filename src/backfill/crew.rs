//! Several workers on one pass: started, watched over and ended by the thread that has the change in hand.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use coexist_core::plan::{Backfill, Phase};

use super::orders::Orders;
use super::progress::Meter;
use super::worker;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::Direction;
use crate::ledger::segment::{self, Of};
use crate::options::{Options, Pace};
use crate::runner::Run;

/// How often the leading thread looks after its workers, and after the ledger.
const TICK: Duration = Duration::from_millis(250);

/// How long a batch may go on when the work must hold still or end; then it is cancelled.
const GRACE: Duration = Duration::from_millis(500);

/// What is to be done: one pass over the tables of one backfill.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub of: Of<'a>,
    pub backfill: &'a Backfill,
    pub pass: i32,
    /// Rows in the first batch, where the declaration says it.
    pub batch: Option<u32>,
}

/// What all workers of this process share.
pub(super) struct Shared<'a> {
    pub task: Task<'a>,
    pub orders: Orders,
    pub meter: Mutex<Meter>,
    pub options: Options,
}

/// Works through the segments of a pass until none is open, whoever has it.
pub(super) fn work(run: &mut Run, task: Task, pace: &Pace) -> Result<()> {
    let orders = Orders::new(pace, run.options.stop.clone());
    let now = run.ledger("measuring progress", |tx| segment::progress(tx, task.of, task.pass))?;
    let options = Options { stop: orders.end.clone(), ..run.options.clone() };
    let shared = Shared { task, orders, meter: Mutex::new(Meter::new(now)), options };
    let seat = run.seat();
    let (shared, seat) = (&shared, &seat);
    thread::scope(|scope| {
        let mut lead = Lead { run, shared, failed: None, ending_since: None, held_since: None };
        let mut crew: Vec<Option<ScopedJoinHandle<'_, Result<()>>>> = Vec::new();
        loop {
            for hand in &mut crew {
                if let Some(ended) = hand.take_if(|hand| hand.is_finished()) {
                    match ended.join() {
                        Ok(Err(error)) => lead.fail(error),
                        Ok(Ok(())) => {}
                        Err(panic) => {
                            shared.orders.end();
                            resume_unwind(panic);
                        }
                    }
                }
            }
            let working = crew.iter().flatten().count();
            match lead.look_after(working) {
                Next::Done => return lead.failed.map_or(Ok(()), Err),
                Next::Wait => {}
                Next::Start { most, workers } => {
                    crew.resize_with(workers.max(crew.len()), || None);
                    let idle = crew.iter_mut().take(workers).enumerate().filter(|(_, hand)| hand.is_none());
                    for (number, hand) in idle.take(most) {
                        let leader = thread::current();
                        *hand = Some(scope.spawn(move || {
                            let result = worker::work(seat, shared, number);
                            leader.unpark();
                            result
                        }));
                    }
                }
            }
            thread::park_timeout(TICK);
        }
    })
}

/// What the leading thread does next.
enum Next {
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
struct Lead<'r, 'a, 's> {
    run: &'r mut Run<'a>,
    shared: &'s Shared<'s>,
    failed: Option<Error>,
    ending_since: Option<Instant>,
    held_since: Option<Instant>,
}

impl Lead<'_, '_, '_> {
    /// The first failure ends the work.
    fn fail(&mut self, error: Error) {
        self.shared.orders.end();
        // A worker that was stopped was stopped by us.
        if !matches!(error, Error::Stopped { .. }) {
            self.failed.get_or_insert(error);
        }
    }

    fn look_after(&mut self, working: usize) -> Next {
        if let Err(stopped) = self.run.stop_if_asked() {
            self.shared.orders.end();
            self.failed.get_or_insert(stopped);
        }
        let orders = &self.shared.orders;
        if orders.is_ending() {
            interrupt_after_grace(orders, &mut self.ending_since);
            return if working == 0 { Next::Done } else { Next::Wait };
        }
        match self.look_into_ledger(working) {
            Ok(next) => next,
            Err(error) => {
                self.fail(error);
                Next::Wait
            }
        }
    }

    fn look_into_ledger(&mut self, working: usize) -> Result<Next> {
        let Task { of, pass, .. } = self.shared.task;
        let open = self.run.ledger("looking after the segments", |tx| segment::open(tx, of, pass))?;
        let goes_on = self.pause_or_go_on()?;
        if (open.all == 0 || !goes_on) && working == 0 {
            return Ok(Next::Done);
        }
        let workers = self.shared.orders.workers();
        if self.shared.orders.is_held() || open.free == 0 {
            return Ok(Next::Wait);
        }
        Ok(Next::Start { most: open.free, workers })
    }

    /// Does what the ledger says, which somebody may have changed from another session. Answers whether the change still goes forward.
    fn pause_or_go_on(&mut self) -> Result<bool> {
        let record = self.run.record()?;
        let paused = record.paused;
        let orders = &self.shared.orders;
        if paused != orders.is_held() {
            orders.hold(paused);
            self.run.options.tell(if paused { Event::Paused } else { Event::Resumed });
        }
        if paused {
            interrupt_after_grace(orders, &mut self.held_since);
        } else {
            self.held_since = None;
            orders.interrupt.store(false, Ordering::Relaxed);
        }
        Ok(record.phase == Phase::DualWriting && record.direction == Direction::Forward)
    }
}

fn interrupt_after_grace(orders: &Orders, since: &mut Option<Instant>) {
    if since.get_or_insert_with(Instant::now).elapsed() >= GRACE {
        orders.interrupt.store(true, Ordering::Relaxed);
    }
}
