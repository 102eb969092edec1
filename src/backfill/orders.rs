//! What the thread that leads tells those that fill, and what they tell it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::pace::Pace;

/// Shared by one leading thread and its workers.
pub(super) struct Orders {
    state: Mutex<State>,
    changed: Condvar,
    /// Ends the workers' work, between two batches.
    pub end: Arc<AtomicBool>,
    /// The user's wish that all ends.
    asked: Arc<AtomicBool>,
    /// Cancels what the workers' sessions are doing.
    pub interrupt: Arc<AtomicBool>,
}

struct State {
    pace: Pace,
    /// No new batch may begin.
    held: bool,
    /// When the next batch may begin, at the rates of the pace.
    free_at: Instant,
    /// How many blocks may be filled before the table must be vacuumed; `None` as many as there are.
    allowance: Option<i64>,
    disk_full: bool,
}

/// Leave for one batch.
pub(super) struct Leave {
    pub pace: Pace,
    /// The most blocks that it may have.
    pub blocks: i64,
}

impl Orders {
    pub fn new(pace: &Pace, asked: Arc<AtomicBool>) -> Self {
        let state =
            State { pace: pace.clone(), held: false, free_at: Instant::now(), allowance: None, disk_full: false };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            end: Arc::default(),
            asked,
            interrupt: Arc::default(),
        }
    }

    /// Leave for the next batch of worker `number`, of up to `size` blocks, once it may begin; `None` when the worker is not needed any more.
    pub fn next(&self, number: usize, size: i64) -> Option<Leave> {
        let mut state = self.lock();
        loop {
            if self.is_ending() || number >= state.pace.workers {
                return None;
            }
            let wait = state.free_at.saturating_duration_since(Instant::now());
            if !state.held && wait.is_zero() && state.allowance != Some(0) {
                let blocks = state.allowance.map_or(size, |allowance| allowance.min(size));
                state.allowance = state.allowance.map(|allowance| allowance - blocks);
                return Some(Leave { pace: state.pace.clone(), blocks });
            }
            // Not longer than a moment: the user's wish to end comes without a word to us.
            let wait = if wait.is_zero() { MOMENT } else { wait.min(MOMENT) };
            (state, _) = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A batch that had leave for `blocks` changed `rows`, wrote `wal` bytes and went through `read` blocks.
    pub fn done(&self, blocks: i64, read: i64, rows: i64, wal: f64) {
        let mut state = self.lock();
        state.allowance = state.allowance.map(|allowance| allowance + (blocks - read).max(0));
        let seconds = |amount: f64, rate: Option<f64>| rate.map_or(0.0, |rate| amount.max(0.0) / rate);
        // What is written while several batches run counts for each of them.
        let wal = wal / state.pace.workers as f64;
        let pause = seconds(rows as f64, state.pace.rows_per_second).max(seconds(wal, state.pace.wal_per_second));
        let from = state.free_at.max(Instant::now().checked_sub(MOMENT).unwrap_or(state.free_at));
        state.free_at = from + Duration::try_from_secs_f64(pause).unwrap_or(LONGEST);
    }

    /// Another pace for the batches to come.
    pub fn set_pace(&self, pace: &Pace) {
        let mut state = self.lock();
        if state.pace != *pace {
            state.pace = pace.clone();
            state.free_at = Instant::now();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// How many blocks may be filled from now on.
    pub fn allow(&self, blocks: i64) {
        self.lock().allowance = Some(blocks);
        self.changed.notify_all();
    }

    /// Whether none may be.
    pub fn is_used_up(&self) -> bool {
        self.lock().allowance == Some(0)
    }

    /// Holds batches back, or lets them go on.
    pub fn hold(&self, held: bool) {
        self.lock().held = held;
        self.changed.notify_all();
    }

    /// A worker found no room on the server's disk: nothing may begin before the leading thread has taken notice.
    pub fn report_full_disk(&self) {
        let mut state = self.lock();
        state.disk_full = true;
        state.held = true;
    }

    /// Takes notice of that.
    pub fn take_full_disk(&self) -> bool {
        std::mem::take(&mut self.lock().disk_full)
    }

    /// Ends the work.
    pub fn end(&self) {
        self.end.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Whether the work ends.
    pub fn is_ending(&self) -> bool {
        self.end.load(Ordering::Relaxed) || self.asked.load(Ordering::Relaxed)
    }

    /// How many workers there should be.
    pub fn workers(&self) -> usize {
        self.lock().pace.workers
    }

    /// Whether no new batch may begin.
    pub fn is_held(&self) -> bool {
        self.lock().held
    }

    /// A panic elsewhere leaves nothing half done in here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a worker waits before it looks again.
const MOMENT: Duration = Duration::from_millis(100);

/// The longest rest that a rate can lead to.
const LONGEST: Duration = Duration::from_secs(3600);
