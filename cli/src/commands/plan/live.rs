//! What the database says about a change: how far it is, how large its tables are, how fast they are read.

use std::time::{Duration, Instant};

use coexist::plan::Plan;
use coexist::{Explained, Status};
use coexist_core::ident::QualifiedName;
use postgres::{Client, Transaction};

use crate::commands::run;
use crate::connect::Server;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Output;

/// How many rows are read to see how fast that goes.
const PROBE: i64 = 50_000;

/// What the database says about a change.
pub(super) struct Live {
    pub status: Status,
    pub tables: Vec<TableSize>,
}

/// How large a table is.
pub(super) struct TableSize {
    pub table: QualifiedName,
    /// Without it the table does not exist.
    pub size: Option<Size>,
}

#[derive(Clone, Copy)]
pub(super) struct Size {
    /// With indexes and TOAST.
    pub bytes: i64,
    /// As the server estimates them; `None` where it has not counted yet.
    pub rows: Option<i64>,
    /// As fast as its first rows were read just now.
    pub rows_per_second: Option<f64>,
}

impl Size {
    /// How long it takes to read all of it once.
    pub fn read_once(&self) -> Option<Duration> {
        let seconds = self.rows? as f64 / self.rows_per_second?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl Live {
    /// The size of one of the tables.
    pub fn size(&self, table: &QualifiedName) -> Option<Size> {
        self.tables.iter().find(|known| known.table == *table)?.size
    }
}

/// Looks, for each of the plans.
pub(super) fn look(output: Output, server: Server, plans: &[Plan]) -> Result<Vec<Live>> {
    run::warn(output, &server);
    let mut client = server.connect()?;
    let mut runner = run::looking(server)?;
    let live = plans.iter().map(|plan| {
        let status = runner.status(plan).map_err(run::failure)?;
        let tables = plan.tables.iter().map(|table| {
            let size = table_size(&mut client, table)?;
            Ok(TableSize { table: table.clone(), size })
        });
        Ok(Live { status, tables: tables.collect::<Result<_>>()? })
    });
    live.collect()
}

/// A transaction for looking only, with limits of its own: nobody should wait because of us.
fn reading(client: &mut Client) -> std::result::Result<Transaction<'_>, postgres::Error> {
    let mut tx = client.build_transaction().read_only(true).start()?;
    tx.batch_execute(
        "set local search_path = pg_catalog; set local statement_timeout = '30s'; set local lock_timeout = '2s'",
    )?;
    Ok(tx)
}

fn table_size(client: &mut Client, table: &QualifiedName) -> Result<Option<Size>> {
    // A partitioned table has no rows of its own, although it may have an estimate. A table that is not partitioned has no tree.
    let failed = |error| Failure::new(Exit::Failed, format!("measuring the table {table}: {}", Explained(&error)));
    let row = reading(client)
        .and_then(|mut tx| {
            tx.query_one(
                "select to_regclass($1) is not null, coalesce(sum(pg_total_relation_size(oid)), 0)::int8,
                case when bool_and(reltuples >= 0) then sum(reltuples)::int8 end
            from pg_class
            where relkind <> 'p' and (
                oid = to_regclass($1) or oid in (select relid from pg_partition_tree(to_regclass($1)))
            )",
                &[&table.quoted()],
            )
        })
        .map_err(failed)?;
    if !row.get::<_, bool>(0) {
        return Ok(None);
    }
    Ok(Some(Size { bytes: row.get(1), rows: row.get(2), rows_per_second: read_some(client, table) }))
}

/// Reads the first rows of a table, and says how many a second; `None` where it has none, or the role may not, or somebody keeps it locked.
fn read_some(client: &mut Client, table: &QualifiedName) -> Option<f64> {
    let begun = Instant::now();
    let sql = format!("select count(*) from (select from {} limit {PROBE}) as first", table.quoted());
    let rows: i64 = reading(client).ok()?.query_one(&sql, &[]).ok()?.get(0);
    (rows > 0).then(|| rows as f64 / begun.elapsed().as_secs_f64().max(1e-6))
}
