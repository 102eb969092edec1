//! How many checkpoints were forced of late.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

/// Of what time they are counted.
const WINDOW: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Checkpoints {
    /// What was found when.
    counts: VecDeque<(Instant, Count)>,
}

/// What the server has counted since its statistics were reset.
#[derive(Clone, Copy)]
struct Count {
    /// Checkpoints that did not wait for their time: because WAL filled up, but also for a base backup, for `CREATE DATABASE` before 15, …
    requested: i64,
    /// How often WAL can have filled up: it takes at least half of `max_wal_size` (`CalculateCheckpointSegments` in PostgreSQL's xlog.c).
    fillings: f64,
}

impl Count {
    /// How many of the checkpoints since `earlier` WAL can have forced.
    fn forced_since(self, earlier: Self) -> f64 {
        // The statistics may have been reset.
        ((self.requested - earlier.requested).max(0) as f64).min(self.fillings - earlier.fillings).floor()
    }
}

impl Gauge for Checkpoints {
    fn read(&mut self, tx: &mut Transaction<'_>, about: &About) -> Result<Reading> {
        let requested = if about.server >= 17 {
            "select num_requested from pg_stat_checkpointer"
        } else {
            "select checkpoints_req from pg_stat_bgwriter"
        };
        let sql = format!(
            "select ({requested}), (pg_current_wal_insert_lsn() - '0/0')::float8
                / (pg_size_bytes(current_setting('max_wal_size')) / 2.0)"
        );
        let row = tx.query_one(&sql, &[]).map_err(reading(Throttle::ForcedCheckpoints))?;
        let now = Instant::now();
        let count = Count { requested: row.get(0), fillings: row.get(1) };
        self.counts.push_back((now, count));
        while self.counts.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.counts.pop_front();
        }
        let first = self.counts.front().map_or(count, |(_, first)| *first);
        Ok(Reading::level(count.forced_since(first), " in the last 5 min"))
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn checkpoints_that_wal_cannot_have_forced_do_not_count() {
        let before = Count { requested: 100, fillings: 7.5 };
        assert_eq!(Count { requested: 112, fillings: 7.9 }.forced_since(before), 0.0, "12 new databases");
        assert_eq!(Count { requested: 112, fillings: 10.6 }.forced_since(before), 3.0);
        assert_eq!(Count { requested: 103, fillings: 20.0 }.forced_since(before), 3.0);
        assert_eq!(Count { requested: 2, fillings: 20.0 }.forced_since(before), 0.0, "a reset");
    }
}
