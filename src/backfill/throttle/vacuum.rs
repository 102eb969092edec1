//! Whether autovacuum is at work on a table that rows are written to.

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

pub(super) struct Vacuum;

impl Gauge for Vacuum {
    fn read(&mut self, tx: &mut Transaction<'_>, about: &About) -> Result<Reading> {
        let tables: Vec<String> = about.tables.iter().map(|table| table.quoted()).collect();
        // Who may not see that a process is an autovacuum sees no kind at all; a session of users' has one or a name.
        let row = tx
            .query_opt(
                "select age(class.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::integer, class.relname::text, lock.pid
                from unnest($1::text[]) as named (name)
                join pg_class as class on class.oid = to_regclass(named.name)
                join pg_locks as lock on lock.relation = class.oid and lock.granted and lock.mode = 'ShareUpdateExclusiveLock'
                    and lock.database = (select oid from pg_database where datname = current_database())
                left join pg_stat_activity as activity on activity.pid = lock.pid
                where activity.backend_type = 'autovacuum worker' or activity.backend_type is null and activity.usename is null
                order by 1 desc limit 1",
                &[&tables],
            )
            .map_err(reading(Throttle::Vacuum))?;
        Ok(row.map_or(Reading::level(0.0, ""), |row| {
            let (wraparound, table, pid): (Option<bool>, String, i32) = (row.get(0), row.get(1), row.get(2));
            let wraparound = wraparound == Some(true);
            let why = if wraparound { " to prevent wraparound" } else { "" };
            Reading::level(if wraparound { 2.0 } else { 1.0 }, format!(", at work on {table}{why} (process {pid})"))
        }))
    }
}
