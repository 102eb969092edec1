//! Room for what the change adds: columns in a row, bytes on a disk, transaction ids.

use std::path::Path;

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Backfill, Phase};

use super::{Kind, Look, looking};
use crate::database::Transaction;
use crate::error::Result;

/// A row has no more columns than this; dropped ones count for ever.
const MOST_COLUMNS: i64 = 1600;

/// What an entry of an index takes that has none to be measured by.
const INDEX_ENTRY: i64 = 32;

/// What a row takes beside its values.
const ROW_OVERHEAD: i64 = 28;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    columns(look, tx)?;
    if look.reached < Phase::Backfilled {
        disk(look, tx)?;
    }
    transaction_ids(look, tx)
}

fn columns(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    for expected in plan.expected.iter().filter(|expected| expected.adds > 0) {
        let row = tx
            .query_one(
                "select count(*), count(*) filter (where attisdropped) from pg_attribute
                where attrelid = to_regclass($1) and attnum > 0",
                &[&expected.table.quoted()],
            )
            .map_err(looking(&format!("the columns of {}", expected.table)))?;
        let (used, dropped): (i64, i64) = (row.get(0), row.get(1));
        if used + i64::from(expected.adds) > MOST_COLUMNS {
            look.add_at(
                Kind::TooManyColumns,
                Phase::Expanded,
                format!("table {}", expected.table),
                format!(
                    "it has used {used} columns, {dropped} of which were dropped, the change adds {}, and a table has at most \
                     {MOST_COLUMNS} in all its life",
                    expected.adds
                ),
                "copy the table into a new one, which has no dropped columns",
            );
        }
    }
    Ok(())
}

/// What a backfill needs, in bytes.
#[derive(Clone, Copy, Default)]
struct Need {
    /// For rows and indexes, to stay.
    data: i64,
    /// Of the write-ahead log, until it is archived and replicated.
    wal: i64,
}

fn disk(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    let mut need = Need::default();
    let mut elsewhere = false;
    let mut tables = Vec::new();
    for backfill in &plan.backfill {
        let written = backfill.target();
        let read = if matches!(backfill, Backfill::Insert { .. }) { backfill.source() } else { written };
        let size = size(tx, read)?;
        let built = indexes_built(look, written);
        let for_indexes = built * size.index();
        let of_rows = if let Backfill::Insert { columns, .. } = backfill {
            let names: Vec<&str> = columns.iter().map(|(column, _)| column.as_str()).collect();
            size.rows * (width(tx, read, &names)? + ROW_OVERHEAD + INDEX_ENTRY)
        } else {
            // Each row gets a new version, and each index an entry for it, before VACUUM makes room.
            size.heap + size.indexes
        };
        need.data += of_rows + for_indexes;
        // A page is logged as a whole the first time that it is changed after a checkpoint, and its rows besides.
        need.wal += 2 * of_rows + for_indexes;
        elsewhere |= size.elsewhere;
        tables.push(written.to_string());
    }
    if tables.is_empty() {
        return Ok(());
    }
    let object = format!("table {}", tables.join(", "));
    look.add(
        Kind::DiskSpace,
        object.clone(),
        format!(
            "the backfill and the new indexes need about {} more, and write about {} of WAL",
            bytes(need.data),
            bytes(need.wal)
        ),
        "see that there is room, also where WAL is archived, and on replicas",
    );
    if let Some(free) = free_space(tx)?.filter(|_| !elsewhere)
        && free < need.data + need.wal
    {
        look.add_at(
            Kind::DiskFull,
            Phase::Backfilled,
            object,
            format!("{} are free where the data is, and about {} are needed", bytes(free), bytes(need.data + need.wal)),
            "make room; where WAL goes elsewhere, or is archived as fast as it is written, override this",
        );
    }
    Ok(())
}

struct Size {
    heap: i64,
    indexes: i64,
    rows: i64,
    /// How many indexes there are.
    count: i64,
    /// In another tablespace.
    elsewhere: bool,
}

impl Size {
    /// What one more index would take.
    fn index(&self) -> i64 {
        if self.count > 0 { self.indexes / self.count } else { self.rows * INDEX_ENTRY }
    }
}

fn size(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<Size> {
    let row = tx
        .query_one(
            "select coalesce(sum(pg_relation_size(oid)), 0)::int8, coalesce(sum(pg_indexes_size(oid)), 0)::int8,
                coalesce(sum(greatest(reltuples, 0)), 0)::int8, (select count(*) from pg_index where indrelid = to_regclass($1)),
                coalesce(bool_or(reltablespace <> 0), false)
            from pg_class
            where relkind <> 'p' and (oid = to_regclass($1) or oid in (select relid from pg_partition_tree(to_regclass($1))))",
            &[&table.quoted()],
        )
        .map_err(looking(&format!("the size of {table}")))?;
    Ok(Size { heap: row.get(0), indexes: row.get(1), rows: row.get(2), count: row.get(3), elsewhere: row.get(4) })
}

/// How wide the values of some columns are, all together, as the planner's statistics say.
fn width(tx: &mut Transaction<'_>, table: &QualifiedName, columns: &[&str]) -> Result<i64> {
    let row = tx
        .query_one(
            "select coalesce(sum(avg_width), 0)::int8 from pg_stats
            where schemaname = $1 and tablename = $2 and attname = any ($3)",
            &[&table.schema, &table.name, &columns],
        )
        .map_err(looking(&format!("the statistics of {table}")))?;
    Ok(row.get(0))
}

/// How many indexes the plan builds on a table.
fn indexes_built(look: &Look<'_>, table: &QualifiedName) -> i64 {
    let on = format!(" on {} using ", table.quoted());
    let statements = look.plan.steps.iter().flat_map(|step| &step.action.statements);
    let built = statements.filter(|sql| {
        (sql.starts_with("create index ") || sql.starts_with("create unique index ")) && sql.contains(on.as_str())
    });
    i64::try_from(built.count()).unwrap_or(i64::MAX)
}

/// The free space where the data is, where that is on this machine, and the role may know where.
fn free_space(tx: &mut Transaction<'_>) -> Result<Option<i64>> {
    let row = tx
        .query_one(
            "select inet_server_addr() is null, (select setting from pg_settings where name = 'data_directory')",
            &[],
        )
        .map_err(looking("where the data is"))?;
    let (local, folder): (bool, Option<String>) = (row.get(0), row.get(1));
    Ok(folder.filter(|_| local).and_then(|folder| free_at(Path::new(&folder))))
}

#[cfg(unix)]
fn free_at(folder: &Path) -> Option<i64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    i64::try_from(found.f_bavail.saturating_mul(found.f_frsize)).ok()
}

#[cfg(not(unix))]
fn free_at(_: &Path) -> Option<i64> {
    None
}

fn transaction_ids(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select case nspname when 'public' then '' else nspname || '.' end || relname, age(relfrozenxid)::int8
            from pg_class as class join pg_namespace as namespace on namespace.oid = relnamespace
            where class.oid in (select to_regclass(name) from unnest($1::text[]) as name) and relfrozenxid <> '0'::xid
                and age(relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int8
            order by 1",
            &[&look.tables()],
        )
        .map_err(looking("the age of the tables"))?;
    for row in rows {
        look.add(
            Kind::Wraparound,
            format!("table {}", row.get::<_, String>(0)),
            format!(
                "its oldest transaction id is {} transactions old: an autovacuum against wraparound is due, and gives way to nobody",
                row.get::<_, i64>(1)
            ),
            "vacuum (freeze) it first",
        );
    }
    Ok(())
}

/// `1.2 GB`.
fn bytes(bytes: i64) -> String {
    let mut value = bytes as f64;
    let mut units = ["bytes", "kB", "MB", "GB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{value:.1} {unit}") }
}
