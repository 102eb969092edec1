//! How many checkpoints were forced of late.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use postgres::Transaction;

use super::{About, Gauge, Reading, Throttle, reading};
use crate::error::Result;

/// Of what time they are counted.
const WINDOW: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Checkpoints {
    /// How many there were when.
    counts: VecDeque<(Instant, i64)>,
}

impl Gauge for Checkpoints {
    fn read(&mut self, tx: &mut Transaction<'_>, about: &About) -> Result<Reading> {
        let sql = if about.server >= 17 {
            "select num_requested from pg_stat_checkpointer"
        } else {
            "select checkpoints_req from pg_stat_bgwriter"
        };
        let row = tx.query_one(sql, &[]).map_err(reading(Throttle::ForcedCheckpoints))?;
        let now = Instant::now();
        let count = row.get(0);
        self.counts.push_back((now, count));
        while self.counts.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.counts.pop_front();
        }
        let first = self.counts.front().map_or(count, |(_, first)| *first);
        // The statistics may have been reset.
        Ok(Reading::level((count - first).max(0) as f64, " in the last 5 min"))
    }
}
