//! How many sessions are at work.

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

pub(super) struct ActiveSessions;

impl Gauge for ActiveSessions {
    fn read(&mut self, tx: &mut Transaction<'_>, _: &About) -> Result<Reading> {
        let row = tx
            .query_one(
                "select count(*) filter (where state = 'active' and backend_type = 'client backend')::float8,
                    pg_has_role('pg_read_all_stats', 'usage')
                from pg_stat_activity where application_name not like 'coexist%'",
                &[],
            )
            .map_err(reading(Throttle::ActiveSessions))?;
        let sees_all: bool = row.get(1);
        if !sees_all {
            return Ok(Reading::Blind("only members of pg_read_all_stats see which sessions are active"));
        }
        Ok(Reading::level(row.get(0), ""))
    }
}
