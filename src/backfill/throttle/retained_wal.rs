//! How much WAL replication slots keep the server from removing.

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

pub(super) struct RetainedWal;

impl Gauge for RetainedWal {
    fn read(&mut self, tx: &mut Transaction<'_>, _: &About) -> Result<Reading> {
        let row = tx
            .query_opt(
                "select pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8, slot_name::text, active
                from pg_replication_slots where restart_lsn is not null
                order by 1 desc limit 1",
                &[],
            )
            .map_err(reading(Throttle::RetainedWal))?;
        Ok(row.map_or(Reading::Absent, |row| {
            let (slot, active): (String, bool) = (row.get(1), row.get(2));
            let idle = if active { "" } else { ", which nobody reads from" };
            Reading::level(row.get(0), format!(", kept for slot {slot}{idle}"))
        }))
    }
}
