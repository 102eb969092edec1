//! How far standbys are behind.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

/// How many past positions of the primary are kept: at one a second, ten minutes. Who is further behind lags at least that much.
const POSITIONS: usize = 600;

/// Measured by where the primary was and when: the server's own `replay_lag` stands still while replay is paused, and says nothing while
/// nobody writes.
#[derive(Default)]
pub(super) struct ReplicaLag {
    /// When the primary was at which position.
    positions: VecDeque<(Instant, f64)>,
    /// The standbys that there ever were, and what is known of each.
    known: BTreeMap<String, Option<f64>>,
    /// The primary's timeline, as names of WAL files begin.
    timeline: String,
}

impl Gauge for ReplicaLag {
    fn read(&mut self, tx: &mut Transaction<'_>, _: &About) -> Result<Reading> {
        let now = Instant::now();
        let rows = tx
            .query(
                "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8,
                    case when standby.pid is not null then
                        coalesce(nullif(standby.application_name, ''), 'process ' || standby.pid)
                            || coalesce(' (' || host(standby.client_addr) || ')', '')
                    end,
                    pg_wal_lsn_diff(standby.replay_lsn, '0/0')::float8,
                    standby.state,
                    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
                from (select) as one
                left join pg_stat_replication as standby
                    on standby.state is distinct from 'backup' and not exists (
                        select from pg_replication_slots as slot
                        where slot.active_pid = standby.pid and slot.slot_type = 'logical'
                    )",
                &[],
            )
            .map_err(reading(Throttle::ReplicaLag))?;
        if let Some(row) = rows.first() {
            let timeline: String = row.get(4);
            if timeline != self.timeline {
                // After a failover one of the standbys is the primary, and the others follow it anew.
                *self = Self { timeline, ..Self::default() };
            }
            self.positions.push_back((now, row.get(0)));
            if self.positions.len() > POSITIONS {
                self.positions.pop_front();
            }
        }
        self.known.values_mut().for_each(|replayed| *replayed = None);
        for row in rows {
            match (row.get::<_, Option<String>>(1), row.get::<_, Option<f64>>(2), row.get::<_, Option<String>>(3)) {
                (Some(name), Some(replayed), _) => {
                    // Several may have the same name: the one that is furthest behind counts.
                    let known = self.known.entry(name).or_default();
                    *known = Some(known.map_or(replayed, |other| other.min(replayed)));
                }
                (Some(_), None, None) => {
                    return Ok(Reading::Blind("only members of pg_monitor see where standbys are"));
                }
                // One that is only connecting has no position yet.
                (Some(name), None, Some(_)) => drop(self.known.entry(name).or_default()),
                (None, ..) => {}
            }
        }
        let lags = self.known.iter().map(|(name, replayed)| match replayed {
            Some(replayed) => (self.lag(now, *replayed), format!(" of standby {name}")),
            None => (f64::INFINITY, format!(" of standby {name}, which cannot be seen any more")),
        });
        let furthest = lags.max_by(|a, b| a.0.total_cmp(&b.0));
        Ok(furthest.map_or(Reading::Absent, |(lag, of)| Reading::level(lag, of)))
    }
}

impl ReplicaLag {
    /// Since when the primary is beyond `replayed`, in seconds.
    fn lag(&self, now: Instant, replayed: f64) -> f64 {
        let beyond = self.positions.iter().find(|(_, position)| *position > replayed);
        beyond.map_or(0.0, |(since, _)| now.duration_since(*since).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn h07_lag_is_how_long_the_primary_is_beyond_what_was_replayed() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let positions = [(at(0), 100.0), (at(1), 200.0), (at(2), 200.0), (at(3), 300.0)].into();
        let gauge = ReplicaLag { positions, ..ReplicaLag::default() };
        assert_eq!(gauge.lag(at(10), 300.0), 0.0);
        assert_eq!(gauge.lag(at(10), 200.0), 7.0);
        assert_eq!(gauge.lag(at(10), 150.0), 9.0);
        assert_eq!(gauge.lag(at(10), 0.0), 10.0);
    }
}
