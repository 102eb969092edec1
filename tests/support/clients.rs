//! Applications that write through both shapes at once, at random, while a change goes through its phases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use coexist::sandbox::Database;
use postgres::Client;
use postgres::error::SqlState;

/// Numbers that look random, and are the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One of `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Applications at work.
pub struct Clients {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<usize>>,
}

impl Clients {
    /// Starts `count` of them. `statement` gives one that an application runs next, as a transaction of its own.
    pub fn start(
        database: &Database,
        count: u64,
        statement: impl Fn(&mut Random) -> String + Clone + Send + 'static,
    ) -> Self {
        Self::working(database, count, move |client, random| client.batch_execute(&statement(random)))
    }

    /// Starts `count` of them. `write` is what an application does next.
    ///
    /// An application tries again what a deadlock ended (H12), and goes on where a key is taken or a row is not there: anything else fails.
    pub fn working(
        database: &Database,
        count: u64,
        write: impl Fn(&mut Client, &mut Random) -> Result<(), postgres::Error> + Clone + Send + 'static,
    ) -> Self {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..count).map(|n| {
            let mut client = database.connect().unwrap();
            client.batch_execute("set deadlock_timeout = '20ms'").unwrap();
            let (stop, written, write) = (Arc::clone(&stop), Arc::clone(&written), write.clone());
            thread::spawn(move || {
                let mut random = Random::new(n + 1);
                let mut deadlocks = 0;
                while !stop.load(Ordering::Relaxed) {
                    let expected = [
                        SqlState::UNIQUE_VIOLATION,
                        SqlState::FOREIGN_KEY_VIOLATION,
                        SqlState::NOT_NULL_VIOLATION,
                        SqlState::T_R_DEADLOCK_DETECTED,
                    ];
                    if let Err(error) = write(&mut client, &mut random) {
                        let code = error.code().cloned().unwrap_or(SqlState::INTERNAL_ERROR);
                        assert!(expected.contains(&code), "{error:?}");
                        deadlocks += usize::from(code == SqlState::T_R_DEADLOCK_DETECTED);
                        client.batch_execute("rollback").unwrap();
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
                deadlocks
            })
        });
        let threads = threads.collect();
        Self { stop, written, threads }
    }

    /// Waits until so many more statements were run.
    pub fn go_on_for(&self, statements: usize) {
        let goal = self.written.load(Ordering::Relaxed) + statements;
        while self.written.load(Ordering::Relaxed) < goal {
            assert!(self.threads.iter().all(|thread| !thread.is_finished()), "an application failed");
            thread::yield_now();
        }
    }

    /// Ends them, and says how often a deadlock ended what one of them did.
    pub fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    }
}
