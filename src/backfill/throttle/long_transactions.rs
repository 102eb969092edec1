//! For how long the oldest transaction is open: `VACUUM` removes nothing that it might still see.

use super::{About, Gauge, Reading, Throttle, reading};
use crate::database::Transaction;
use crate::error::Result;

pub(super) struct LongTransactions;

impl Gauge for LongTransactions {
    fn read(&mut self, tx: &mut Transaction<'_>, _: &About) -> Result<Reading> {
        let row = tx
            .query_one(
                "select oldest.age, oldest.who,
                    pg_has_role('pg_read_all_stats', 'usage')
                from (select) as one left join lateral (
                    select extract(epoch from clock_timestamp() - xact_start)::float8, 'process ' || pid
                    from pg_stat_activity
                    where datname = current_database() and xact_start is not null and application_name not like 'coexist%'
                    union all
                    select extract(epoch from clock_timestamp() - prepared)::float8, 'prepared transaction ' || gid
                    from pg_prepared_xacts where database = current_database()
                    order by 1 desc limit 1
                ) as oldest (age, who) on true",
                &[],
            )
            .map_err(reading(Throttle::LongTransactions))?;
        let sees_all: bool = row.get(2);
        if !sees_all {
            return Ok(Reading::Blind("only members of pg_read_all_stats see when others' transactions began"));
        }
        let who: Option<String> = row.get(1);
        let age: Option<f64> = row.get(0);
        Ok(Reading::level(age.unwrap_or_default(), who.map_or(String::new(), |who| format!(" ({who})"))))
    }
}
