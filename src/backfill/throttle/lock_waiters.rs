//! How many sessions wait behind our workers.

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

pub(super) struct LockWaiters;

impl Gauge for LockWaiters {
    fn read(&mut self, tx: &mut Transaction<'_>, _: &About) -> Result<Reading> {
        // Our sessions are those of our role that say so; other processes' workers are among them.
        let row = tx
            .query_one(
                "with ours as (
                    select array_agg(pid) as pids from pg_stat_activity
                    where application_name like 'coexist: %' and datname = current_database()
                )
                select count(distinct waiting.pid)::float8
                from pg_locks as waiting, ours
                where not waiting.granted and not waiting.pid = any (ours.pids)
                    and pg_blocking_pids(waiting.pid) && ours.pids",
                &[],
            )
            .map_err(reading(Throttle::LockWaiters))?;
        Ok(Reading::level(row.get(0), " behind this backfill"))
    }
}
