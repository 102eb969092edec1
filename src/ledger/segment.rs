//! Segments: pieces of tables that workers claim, with a cursor that commits together with the rows.

use std::time::Duration;

use coexist_core::ident::QualifiedName;
use postgres::Row;

use crate::database::Transaction;
use crate::error::{Error, Result};

/// Which backfill of which change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    pub change: &'a str,
    /// Its position in the plan.
    pub backfill: i32,
}

/// A piece of a table. Its bounds are block numbers or keys, as text; `None` is an open end.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub pass: i32,
    pub id: i32,
    pub table: QualifiedName,
    /// The file that the block numbers belong to; `None` where the bounds are keys.
    pub file_node: Option<u32>,
    pub after: Option<Vec<String>>,
    pub upto: Option<Vec<String>>,
    /// The highest line of a block that has a row to fill, where that was found out.
    pub lines: Option<i32>,
    /// Blocks where the bounds are blocks, else rows, estimated.
    pub size: i64,
    /// Grows with every claim: a former worker that comes back finds another one.
    pub token: i64,
}

/// What a batch may do with its segment.
#[derive(Clone, Debug)]
pub(crate) enum Hold {
    /// Nobody else can move its cursor until the transaction ends.
    Held(Held),
    /// The ledger says pause.
    Paused,
    /// It is somebody else's by now, or given up, or the change goes another way.
    Lost,
}

/// A segment in hand.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub cursor: Option<Vec<String>>,
    /// The file that the table is in now.
    pub file_node: Option<u32>,
    /// Where the server is in its WAL, in bytes.
    pub wal: f64,
}

/// The segments of a pass that are not done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    /// All of them.
    pub all: usize,
    /// Those that a worker can claim now.
    pub free: usize,
}

impl Segment {
    /// The block at which the cursor stands; `None` where the bounds are no blocks.
    pub fn block_at(&self, cursor: Option<&Vec<String>>) -> Option<i64> {
        block(cursor.or(self.after.as_ref()))
    }

    /// Where the blocks at the cursor are filled slice by slice: the slice that is next, and the first block that no longer belongs to them.
    pub fn round_at(&self, cursor: Option<&Vec<String>>) -> Option<(i32, i64)> {
        match cursor?.as_slice() {
            [_, slice, end] => Some((slice.parse().ok()?, end.parse().ok()?)),
            _ => None,
        }
    }

    /// The first block that no longer belongs to it; `None` where the bounds are no blocks.
    pub fn end_block(&self) -> Option<i64> {
        block(self.upto.as_ref())
    }
}

fn block(bound: Option<&Vec<String>>) -> Option<i64> {
    bound?.first()?.parse().ok()
}

/// What a batch came to.
#[derive(Clone, Debug)]
pub(crate) struct Advance {
    /// The new cursor; `None` leaves it.
    pub cursor: Option<Vec<String>>,
    /// Blocks or rows that were read.
    pub read: i64,
    /// Rows that were changed.
    pub rows: i64,
    /// Whether the segment is done with it.
    pub done: bool,
}

/// How far a pass is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PassProgress {
    pub size: i64,
    pub read: i64,
    pub rows: i64,
    /// Where the server is in its WAL, in bytes.
    pub wal: f64,
}

impl PassProgress {
    /// How much of it is done, from 0 to 1. The size is an estimate where it counts rows; an empty table is done.
    pub fn done(self) -> f64 {
        let size = self.size.max(self.read);
        if size == 0 { 1.0 } else { self.read as f64 / size as f64 }
    }
}

/// How one table came out of the passes so far.
#[derive(Clone, Debug)]
pub(crate) struct TablePasses {
    pub table: QualifiedName,
    /// Passes in which rows were found that were not in the after shape.
    pub with_rows: i64,
    /// Whether one pass went through all of it and found none.
    pub clean: bool,
}

/// The pass that is under way, if any of its segments is open.
pub(crate) fn open_pass(tx: &mut Transaction<'_>, of: Of) -> Result<Option<i32>> {
    let row = tx
        .query_one(
            "select max(pass) from coexist.segments where change = $1 and backfill = $2 and state = 'open'",
            &[&of.change, &of.backfill],
        )
        .map_err(reading(of))?;
    Ok(row.get(0))
}

/// The last pass, or 0.
pub(crate) fn last_pass(tx: &mut Transaction<'_>, of: Of) -> Result<i32> {
    let row = tx
        .query_one(
            "select coalesce(max(pass), 0) from coexist.segments where change = $1 and backfill = $2",
            &[&of.change, &of.backfill],
        )
        .map_err(reading(of))?;
    Ok(row.get(0))
}

/// What every table that was passed over came to.
pub(crate) fn passes(tx: &mut Transaction<'_>, of: Of) -> Result<Vec<TablePasses>> {
    let rows = tx
        .query(
            "select table_schema, table_name,
                count(*) filter (where found > 0 and not void), bool_or(found = 0 and not void)
            from (
                select table_schema, table_name, sum(rows) as found, bool_or(state = 'void') as void
                from coexist.segments where change = $1 and backfill = $2
                group by table_schema, table_name, pass
            ) as pass
            group by table_schema, table_name",
            &[&of.change, &of.backfill],
        )
        .map_err(reading(of))?;
    let passes = rows.iter().map(|row| TablePasses {
        table: QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
        with_rows: row.get(2),
        clean: row.get(3),
    });
    Ok(passes.collect())
}

/// Adds the segments of a pass.
pub(crate) fn add(tx: &mut Transaction<'_>, of: Of, segments: &[Segment]) -> Result<()> {
    for segment in segments {
        tx.execute(
            "insert into coexist.segments
                (change, backfill, pass, id, table_schema, table_name, file_node, after, upto, lines, size, state)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            &[
                &of.change,
                &of.backfill,
                &segment.pass,
                &segment.id,
                &segment.table.schema,
                &segment.table.name,
                &segment.file_node,
                &segment.after,
                &segment.upto,
                &segment.lines,
                &segment.size,
                // Looked at already, and nothing was found to do.
                &if segment.after.is_some() && segment.after == segment.upto { "done" } else { "open" },
            ],
        )
        .map_err(writing(of))?;
    }
    Ok(())
}

/// How long a worker that gives no sign of life keeps its segment. It gives one with each batch; and during a batch nobody can take the
/// segment over, however long that is.
const CLAIM: Duration = Duration::from_secs(5);

/// Claims the next segment that is free, or whose worker is dead.
pub(crate) fn claim(tx: &mut Transaction<'_>, of: Of, pass: i32, worker: &str) -> Result<Option<Segment>> {
    let row = tx
        .query_opt(
            "update coexist.segments as claimed
            set worker = $4, token = token + 1, worker_expires_at = clock_timestamp() + $5 * interval '1 second'
            where change = $1 and backfill = $2 and pass = $3 and id = (
                select id from coexist.segments
                where change = $1 and backfill = $2 and pass = $3 and state = 'open'
                    and exists (select from coexist.changes where name = $1 and phase = 'dual-writing' and direction = 'forward')
                    and (worker is null or worker = $4 or worker_expires_at < clock_timestamp())
                order by id
                for update skip locked
                limit 1
            )
            returning id, table_schema, table_name, file_node, after, upto, lines, size, token",
            &[&of.change, &of.backfill, &pass, &worker, &CLAIM.as_secs_f64()],
        )
        .map_err(writing(of))?;
    Ok(row.map(|row| Segment {
        pass,
        id: row.get(0),
        table: QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
        file_node: row.get(3),
        after: row.get(4),
        upto: row.get(5),
        lines: row.get(6),
        size: row.get(7),
        token: row.get(8),
    }))
}

/// The cursor of a segment, for a batch. Read anew for each one, because the outcome of the last commit may not be known.
///
/// This row lock is what fences workers: a rollback, which deletes the segments, and another worker wait for it.
pub(crate) fn hold(tx: &mut Transaction<'_>, of: Of, segment: &Segment) -> Result<Hold> {
    let row = tx
        .query_opt(
            "select segment.cursor, change.paused, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8,
                pg_relation_filenode(to_regclass(format('%I.%I', segment.table_schema, segment.table_name)))
            from coexist.segments as segment join coexist.changes as change on change.name = segment.change
            where segment.change = $1 and segment.backfill = $2 and segment.pass = $3 and segment.id = $4
                and segment.token = $5 and segment.state = 'open'
                and change.phase = 'dual-writing' and change.direction = 'forward'
            for update of segment",
            &[&of.change, &of.backfill, &segment.pass, &segment.id, &segment.token],
        )
        .map_err(writing(of))?;
    Ok(match row {
        None => Hold::Lost,
        Some(row) if row.get(1) => Hold::Paused,
        Some(row) => Hold::Held(Held { cursor: row.get(0), wal: row.get(2), file_node: row.get(3) }),
    })
}

/// Gives a segment back, so that the next worker need not wait.
pub(crate) fn release(tx: &mut Transaction<'_>, of: Of, segment: &Segment) -> Result<()> {
    tx.execute(
        "update coexist.segments set worker = null
        where change = $1 and backfill = $2 and pass = $3 and id = $4 and token = $5",
        &[&of.change, &of.backfill, &segment.pass, &segment.id, &segment.token],
    )
    .map_err(writing(of))?;
    Ok(())
}

/// What is left to do of a pass.
pub(crate) fn open(tx: &mut Transaction<'_>, of: Of, pass: i32) -> Result<Open> {
    let row = tx
        .query_one(
            "select count(*), count(*) filter (where worker is null or worker_expires_at < clock_timestamp())
            from coexist.segments where change = $1 and backfill = $2 and pass = $3 and state = 'open'",
            &[&of.change, &of.backfill, &pass],
        )
        .map_err(reading(of))?;
    let count = |column| usize::try_from(row.get::<_, i64>(column)).unwrap_or(usize::MAX);
    Ok(Open { all: count(0), free: count(1) })
}

/// Moves the cursor on: in the transaction that changed the rows. Answers how far the pass is with it.
pub(crate) fn advance(tx: &mut Transaction<'_>, of: Of, segment: &Segment, advance: &Advance) -> Result<PassProgress> {
    let row = tx
        .query_one(
            "with moved as (
                update coexist.segments
                set cursor = coalesce($5, cursor), rows = rows + $7, batches = batches + 1,
                    read = case when $8 then greatest(size, read + $6) else read + $6 end,
                    state = case when $8 then 'done' else state end,
                    worker_expires_at = clock_timestamp() + $9 * interval '1 second', updated_at = clock_timestamp()
                where change = $1 and backfill = $2 and pass = $3 and id = $4
                returning id, read, rows
            )
            select coalesce(sum(segment.size), 0)::bigint,
                coalesce(sum(coalesce(moved.read, segment.read)), 0)::bigint,
                coalesce(sum(coalesce(moved.rows, segment.rows)), 0)::bigint,
                pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8
            from coexist.segments as segment left join moved on moved.id = segment.id
            where segment.change = $1 and segment.backfill = $2 and segment.pass = $3",
            &[
                &of.change,
                &of.backfill,
                &segment.pass,
                &segment.id,
                &advance.cursor,
                &advance.read,
                &advance.rows,
                &advance.done,
                &CLAIM.as_secs_f64(),
            ],
        )
        .map_err(writing(of))?;
    Ok(pass_progress(&row))
}

/// How large one table of a pass was when it was divided.
#[derive(Clone, Debug)]
pub(crate) struct TableSize {
    pub table: QualifiedName,
    /// Or rows, where it is divided by key.
    pub blocks: i64,
}

/// The tables of a pass.
pub(crate) fn sizes(tx: &mut Transaction<'_>, of: Of, pass: i32) -> Result<Vec<TableSize>> {
    let rows = tx
        .query(
            "select table_schema, table_name, sum(size)::bigint
            from coexist.segments where change = $1 and backfill = $2 and pass = $3
            group by table_schema, table_name",
            &[&of.change, &of.backfill, &pass],
        )
        .map_err(reading(of))?;
    let sizes = rows.iter().map(|row| TableSize {
        table: QualifiedName::new(row.get::<_, String>(0), row.get::<_, String>(1)),
        blocks: row.get(2),
    });
    Ok(sizes.collect())
}

/// How far a pass is, all its segments together.
pub(crate) fn progress(tx: &mut Transaction<'_>, of: Of, pass: i32) -> Result<PassProgress> {
    let row = tx
        .query_one(
            "select coalesce(sum(size), 0)::bigint, coalesce(sum(read), 0)::bigint, coalesce(sum(rows), 0)::bigint,
                pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8
            from coexist.segments where change = $1 and backfill = $2 and pass = $3",
            &[&of.change, &of.backfill, &pass],
        )
        .map_err(reading(of))?;
    Ok(pass_progress(&row))
}

fn pass_progress(row: &Row) -> PassProgress {
    PassProgress { size: row.get(0), read: row.get(1), rows: row.get(2), wal: row.get(3) }
}

/// The pass that was begun last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastPass {
    pub backfill: i32,
    pub pass: i32,
    pub progress: PassProgress,
    /// Rows that were changed in all passes.
    pub rows: i64,
    /// Batches that were committed in all passes.
    pub batches: i64,
    /// How many workers are at work on it, in whatever processes.
    pub workers: i64,
}

/// The pass that was begun last; `None` before the first.
pub(crate) fn last_pass_of(tx: &mut Transaction<'_>, change: &str) -> Result<Option<LastPass>> {
    let row = tx
        .query_opt(
            "select backfill, pass, sum(size)::bigint, sum(read)::bigint, sum(rows)::bigint,
                (select sum(rows) from coexist.segments where change = $1)::bigint,
                (select sum(batches) from coexist.segments where change = $1)::bigint,
                count(*) filter (where state = 'open' and worker is not null and worker_expires_at > clock_timestamp())
            from coexist.segments where change = $1
            group by backfill, pass order by backfill desc, pass desc limit 1",
            &[&change],
        )
        .map_err(Error::database(format!("reading the segments of change `{change}`")))?;
    Ok(row.map(|row| LastPass {
        backfill: row.get(0),
        pass: row.get(1),
        progress: PassProgress { size: row.get(2), read: row.get(3), rows: row.get(4), wal: 0.0 },
        rows: row.get(5),
        batches: row.get(6),
        workers: row.get(7),
    }))
}

/// Gives up a table's segments of one pass: the table was rewritten, and positions in it mean nothing any more.
pub(crate) fn void(tx: &mut Transaction<'_>, of: Of, pass: i32, table: &QualifiedName) -> Result<()> {
    tx.execute(
        "update coexist.segments set state = 'void', updated_at = clock_timestamp()
        where change = $1 and backfill = $2 and pass = $3 and table_schema = $4 and table_name = $5 and state <> 'void'",
        &[&of.change, &of.backfill, &pass, &table.schema, &table.name],
    )
    .map_err(writing(of))?;
    Ok(())
}

/// Forgets all segments of a change.
pub(crate) fn clear(tx: &mut Transaction<'_>, change: &str) -> Result<()> {
    tx.execute("delete from coexist.segments where change = $1", &[&change])
        .map_err(Error::database(format!("clearing the segments of change `{change}`")))?;
    Ok(())
}

fn reading(of: Of) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("reading the segments of change `{}`", of.change))
}

fn writing(of: Of) -> impl FnOnce(postgres::Error) -> Error + use<> {
    Error::database(format!("recording a segment of change `{}`", of.change))
}
