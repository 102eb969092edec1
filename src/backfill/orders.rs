//! What the thread that leads tells those that fill.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::options::Pace;

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
}

impl Orders {
    pub fn new(pace: &Pace, asked: Arc<AtomicBool>) -> Self {
        Self {
            state: Mutex::new(State { pace: pace.clone(), held: false }),
            changed: Condvar::new(),
            end: Arc::default(),
            asked,
            interrupt: Arc::default(),
        }
    }

    /// The pace of the next batch of worker `number`, once it may begin; `None` when the worker is not needed any more.
    pub fn next(&self, number: usize) -> Option<Pace> {
        let mut state = self.lock();
        loop {
            if self.is_ending() || number >= state.pace.workers {
                return None;
            }
            if !state.held {
                return Some(state.pace.clone());
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Holds batches back, or lets them go on.
    pub fn hold(&self, held: bool) {
        self.lock().held = held;
        self.changed.notify_all();
    }

    /// Ends the work.
    pub fn end(&self) {
        // Under the lock, so that nobody misses it between looking and waiting.
        let state = self.lock();
        self.end.store(true, Ordering::Relaxed);
        drop(state);
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
