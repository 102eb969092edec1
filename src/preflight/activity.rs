//! What goes on right now: none of it need be so in a minute.

use coexist_core::plan::{Lock, Mode, Phase};

use super::{Kind, Look, looking};
use crate::database::Transaction;
use crate::error::{Result, Seconds};
use crate::runner::lock_holders;

/// From how old on a transaction is worth a word, in seconds.
const LONG: f64 = 60.0;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    long_transactions(look, tx)?;
    prepared_transactions(look, tx)?;
    locks(look, tx)?;
    invalid_indexes(look, tx)?;
    vacuums(look, tx)
}

/// Whether the plan has yet to build an index beside the writers, which waits for every transaction that was there before.
fn builds_indexes(look: &Look<'_>) -> bool {
    look.plan.steps.iter().any(|step| step.phase > look.reached && step.action.mode == Mode::Outside)
}

fn long_transactions(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select pid, usename::text, application_name, state, extract(epoch from clock_timestamp() - xact_start)::float8
            from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
                and clock_timestamp() - xact_start > make_interval(secs => $1)
            order by xact_start limit 10",
            &[&LONG],
        )
        .map_err(looking("transactions"))?;
    let why = if builds_indexes(look) {
        "VACUUM cannot remove what the backfill leaves behind, and CREATE INDEX CONCURRENTLY waits for it"
    } else {
        "VACUUM cannot remove what the backfill leaves behind while it lasts"
    };
    for row in rows {
        let (role, application, state): (Option<String>, Option<String>, Option<String>) =
            (row.get(1), row.get(2), row.get(3));
        let about = [role.map(|role| format!("role {role}")), application.filter(|name| !name.is_empty()), state];
        look.add(
            Kind::LongTransaction,
            format!("process {}", row.get::<_, i32>(0)),
            format!(
                "its transaction is open for {} ({}): {why}",
                Seconds(row.get(4)),
                about.into_iter().flatten().collect::<Vec<_>>().join(", ")
            ),
            "let it end first, or end it",
        );
    }
    Ok(())
}

fn prepared_transactions(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select gid, owner::text, extract(epoch from clock_timestamp() - prepared)::float8 from pg_prepared_xacts
            where database = current_database() order by prepared limit 10",
            &[],
        )
        .map_err(looking("prepared transactions"))?;
    for row in rows {
        look.add(
            Kind::PreparedTransaction,
            format!("prepared transaction {}", row.get::<_, String>(0)),
            format!(
                "role {} prepared it {} ago: it keeps its locks until somebody ends it, and no time limit does",
                row.get::<_, String>(1),
                Seconds(row.get(2))
            ),
            "commit prepared, or rollback prepared",
        );
    }
    Ok(())
}

/// Locks of others that the next phases would queue behind.
fn locks(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let (reached, target) = (look.reached, look.target);
    let steps = look.plan.steps.iter().filter(|step| step.phase > reached && step.phase <= target);
    let needed: Vec<Lock> = steps.flat_map(|step| &step.action.locks).cloned().collect();
    for holder in lock_holders(tx, &needed)? {
        let object = match (&holder.prepared, holder.pid) {
            (Some(name), _) => format!("prepared transaction {name}"),
            (None, Some(pid)) => format!("process {pid}"),
            (None, None) => "transaction without a process".to_string(),
        };
        look.add(
            Kind::LockHeld,
            object,
            format!("{holder}, which the change needs for itself"),
            "the run waits for it, in short tries; let it end, or end it",
        );
    }
    Ok(())
}

fn invalid_indexes(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select case nspname when 'public' then '' else nspname || '.' end || relname, relname ~ '_cc(new|old)\\d*$'
            from pg_index
            join pg_class as class on class.oid = indexrelid
            join pg_namespace as namespace on namespace.oid = relnamespace
            where not indisvalid and relkind = 'i' and indrelid in (select to_regclass(name) from unnest($1::text[]) as name)
                and indexrelid not in (select index_relid from pg_stat_progress_create_index where index_relid is not null)
            order by 1",
            &[&look.tables()],
        )
        .map_err(looking("invalid indexes"))?;
    for row in rows {
        let of_reindex: bool = row.get(1);
        look.add(
            Kind::InvalidIndex,
            format!("index {}", row.get::<_, String>(0)),
            "it is invalid, left behind by a build that failed: no query uses it, every write pays for it, and a unique one refuses writes",
            if of_reindex {
                "drop index concurrently: REINDEX CONCURRENTLY left it behind, and the index that it was made for is there"
            } else {
                "drop index concurrently, and build it again where it is wanted"
            },
        );
    }
    Ok(())
}

fn vacuums(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    if look.reached >= Phase::Validated {
        return Ok(());
    }
    let rows = tx
        .query(
            "select case nspname when 'public' then '' else nspname || '.' end || relname, progress.pid, phase,
                coalesce(query like '%(to prevent wraparound)%', false)
            from pg_stat_progress_vacuum as progress
            join pg_class as class on class.oid = relid
            join pg_namespace as namespace on namespace.oid = relnamespace
            left join pg_stat_activity as activity on activity.pid = progress.pid
            where progress.datid = (select oid from pg_database where datname = current_database())
                and relid in (select to_regclass(name) from unnest($1::text[]) as name)
            order by 1",
            &[&look.tables()],
        )
        .map_err(looking("running VACUUMs"))?;
    for row in rows {
        let gives_way = if row.get(3) { "one against wraparound gives way to nobody" } else { "it may give way" };
        look.add(
            Kind::VacuumRunning,
            format!("table {}", row.get::<_, String>(0)),
            format!(
                "process {} vacuums it ({}), under a lock that schema changes wait for; {gives_way}",
                row.get::<_, i32>(1),
                row.get::<_, String>(2)
            ),
            "let it end first",
        );
    }
    Ok(())
}
