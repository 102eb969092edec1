//! How many segments of WAL wait to be archived.

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

/// By position and not by listing files, which needs rights.
#[derive(Default)]
pub(super) struct Archive {
    /// The segment that was current at the first look: what a server that never archived anything is behind of.
    first: Option<f64>,
}

impl Gauge for Archive {
    fn read(&mut self, tx: &mut Transaction<'_>, _: &About) -> Result<Reading> {
        let row = tx
            .query_one(
                "with setting as (
                    select (select setting <> 'off' from pg_settings where name = 'archive_mode') as archives,
                        (select setting::bigint from pg_settings where name = 'wal_segment_size') as size
                ), named as (
                    select substring(last_archived_wal from '^[0-9A-F]{24}') as name, last_failed_time > last_archived_time as fails
                    from pg_stat_archiver
                )
                select setting.archives,
                    floor(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') / setting.size)::float8,
                    -- The name of a segment: timeline, then the position in units of 4 GB, then the segment within it.
                    (('x' || substr(named.name, 9, 8))::bit(32)::bigint * (4294967296 / setting.size)
                        + ('x' || substr(named.name, 17, 8))::bit(32)::bigint)::float8,
                    coalesce(named.fails, false)
                from setting, named",
                &[],
            )
            .map_err(reading(Throttle::ArchiveBacklog))?;
        let (archives, current, archived): (bool, f64, Option<f64>) = (row.get(0), row.get(1), row.get(2));
        if !archives {
            return Ok(Reading::Absent);
        }
        let first = *self.first.get_or_insert(current);
        // The current segment is never archived yet.
        let waiting = (current - archived.unwrap_or(first - 1.0) - 1.0).max(0.0);
        let fails: bool = row.get(3);
        let of = if fails { " segments, and the last try to archive one failed" } else { " segments" };
        Ok(Reading::level(waiting, of))
    }
}
