//! How far a backfill is, how fast, and until when.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use crate::error::Seconds;
use crate::ledger::segment::PassProgress;

/// Over how many batches rates are measured.
const WINDOW: usize = 20;

/// How far a backfill is, after a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The table that is filled.
    pub table: String,
    /// Which pass over it: the first fills, the next ones look for what is left.
    pub pass: i32,
    /// Rows that were changed in this pass, also by earlier runs.
    pub rows: u64,
    /// How much of the pass is done, from 0 to 1.
    pub done: f64,
    /// Rows changed per second, of late.
    pub rows_per_second: f64,
    /// How long the pass still takes at the pace of late; unknown at first.
    pub remaining: Option<Duration>,
    /// Rows changed by the last batch.
    pub batch_rows: u64,
    /// How long it took.
    pub batch_took: Duration,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.pass == 1 { "filling" } else { "checking" };
        write!(
            f,
            "{what} {}: {:.1} %, {} rows, {:.0} rows/s",
            self.table,
            self.done * 100.0,
            self.rows,
            self.rows_per_second
        )?;
        match self.remaining {
            Some(remaining) => write!(f, ", {} to go", Seconds(remaining.as_secs_f64())),
            None => Ok(()),
        }
    }
}

/// Measures the pace of the last batches.
#[derive(Debug)]
pub(super) struct Meter {
    /// When, and how far it was then.
    samples: VecDeque<(Instant, PassProgress)>,
}

impl Meter {
    /// Begins where the pass is now.
    pub fn new(now: PassProgress) -> Self {
        Self { samples: VecDeque::from([(Instant::now(), now)]) }
    }

    /// How far it was after the last batch, and how many rows were changed per second of late.
    pub fn latest(&self) -> (PassProgress, f64) {
        let (Some((since, first)), Some((at, last))) = (self.samples.front(), self.samples.back()) else {
            return Default::default();
        };
        let seconds = at.duration_since(*since).as_secs_f64();
        let rows = (last.rows - first.rows).max(0) as f64;
        (*last, if seconds > 0.0 { rows / seconds } else { 0.0 })
    }

    /// After a batch.
    pub fn measure(
        &mut self,
        table: String,
        pass: i32,
        now: PassProgress,
        batch_rows: i64,
        batch_took: Duration,
    ) -> Progress {
        let at = Instant::now();
        self.samples.push_back((at, now));
        if self.samples.len() > WINDOW {
            self.samples.pop_front();
        }
        let (since, first) = self.samples[0];
        let seconds = at.duration_since(since).as_secs_f64();
        let per_second = |amount: i64| if seconds > 0.0 { amount.max(0) as f64 / seconds } else { 0.0 };
        let size = now.size.max(now.read);
        let done = now.done();
        let pace = per_second(now.read - first.read);
        let remaining = (pace > 0.0).then(|| Duration::from_secs_f64((size - now.read) as f64 / pace));
        Progress {
            table,
            pass,
            rows: now.rows.unsigned_abs(),
            done,
            rows_per_second: per_second(now.rows - first.rows),
            remaining,
            batch_rows: batch_rows.unsigned_abs(),
            batch_took,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h18_h19_progress_stays_between_nothing_and_all() {
        let mut meter = Meter::new(PassProgress::default());
        let empty = meter.measure("t".into(), 1, PassProgress::default(), 0, Duration::ZERO);
        assert_eq!((empty.done, empty.rows), (1.0, 0));
        let more_than_estimated = PassProgress { size: 10, read: 25, rows: 25, wal: 0.0 };
        let progress = meter.measure("t".into(), 1, more_than_estimated, 25, Duration::from_millis(3));
        assert_eq!(progress.done, 1.0);
        assert_eq!(progress.remaining, Some(Duration::ZERO));
    }
}
