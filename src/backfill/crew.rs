//! Several workers on one pass: threads that are started as they are needed, while one looks after them.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use coexist_core::plan::Backfill;
use coexist_core::render::statement::{SLICES, TID_RANGE_SCAN};

use super::lead::{Lead, Next};
use super::orders::Orders;
use super::progress::Meter;
use super::throttle::Throttles;
use super::worker;
use crate::error::{Error, Result};
use crate::ledger::segment::{self, Of};
use crate::options::Options;
use crate::pace::Pace;
use crate::runner::Run;
use crate::trace::Span;

/// How often the leading thread looks after its workers, and into the ledger.
const TICK: Duration = Duration::from_millis(250);

/// What is to be done: one pass over the tables of one backfill.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub of: Of<'a>,
    pub backfill: &'a Backfill,
    pub pass: i32,
    /// Rows in the first batch, where the declaration says it.
    pub batch: Option<u32>,
}

impl Task<'_> {
    /// In how many batches each piece is filled.
    pub fn slices(&self, server: u32) -> i32 {
        // In a later pass, there is little to fill, and reading is what takes the time.
        let in_slices = matches!(self.backfill, Backfill::Update { .. }) && self.pass == 1 && server >= TID_RANGE_SCAN;
        if in_slices { SLICES } else { 1 }
    }
}

/// What all workers of this process share.
pub(super) struct Shared<'a> {
    pub task: Task<'a>,
    pub orders: Orders,
    pub meter: Mutex<Meter>,
    pub options: Options,
}

/// A worker that was started.
struct Hand<'scope> {
    thread: ScopedJoinHandle<'scope, Result<()>>,
    /// Its work is over. The thread itself goes on for a moment, and the one that leads, which it woke, would find it at work and sleep again.
    ended: Arc<AtomicBool>,
}

impl Hand<'_> {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) || self.thread.is_finished()
    }
}

/// Works through the segments of a pass until none is open, whoever has it.
pub(super) fn work(run: &mut Run, task: Task, pace: &Pace, throttles: &mut Throttles) -> Result<()> {
    let orders = Orders::new(pace, run.options.stop.clone());
    let now = run.ledger("measuring progress", |tx| segment::progress(tx, task.of, task.pass))?;
    let options = Options { stop: orders.end.clone(), ..run.options.clone() };
    let shared = Shared { task, orders, meter: Mutex::new(Meter::new(now)), options };
    let seat = run.seat();
    let (shared, seat) = (&shared, &seat);
    thread::scope(|scope| {
        let mut lead = Lead::new(run, shared, pace, throttles)?;
        let mut crew: Vec<Option<Hand<'_>>> = Vec::new();
        loop {
            for ended in crew.iter_mut().filter_map(|hand| hand.take_if(|hand| hand.has_ended())) {
                match ended.thread.join() {
                    Ok(Ok(())) => {}
                    // A worker that was stopped was stopped by the one that leads.
                    Ok(Err(Error::Stopped { .. })) => {}
                    Ok(Err(error)) => lead.fail(error),
                    Err(panic) => {
                        shared.orders.end();
                        resume_unwind(panic);
                    }
                }
            }
            match lead.look_after(crew.iter().flatten().count()) {
                Next::Done => return lead.end(),
                Next::Wait => {}
                Next::Start { most, workers } => {
                    crew.resize_with(workers.max(crew.len()), || None);
                    let idle = crew.iter_mut().take(workers).enumerate().filter(|(_, hand)| hand.is_none());
                    for (number, hand) in idle.take(most) {
                        let (leader, span) = (thread::current(), Span::current());
                        let ended = Arc::new(AtomicBool::new(false));
                        let ends = Arc::clone(&ended);
                        let thread = scope.spawn(move || {
                            let _span = span.enter();
                            let result = worker::work(seat, shared, number);
                            ends.store(true, Ordering::Release);
                            leader.unpark();
                            result
                        });
                        *hand = Some(Hand { thread, ended });
                    }
                }
            }
            thread::park_timeout(TICK);
        }
    })
}
