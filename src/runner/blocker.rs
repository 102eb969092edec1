//! Who holds the locks that a step needs.

use std::fmt;
use std::time::Duration;

use coexist_core::plan::{Lock, LockLevel};
use postgres::Row;

use crate::database::Transaction;
use crate::error::{Error, Result};
use crate::event::ago;

/// A transaction that holds what a step needs. Queries are left out: they may contain what is nobody's business.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocker {
    /// The process on the server; `None` for a prepared transaction.
    pub pid: Option<i32>,
    /// The name of a prepared transaction.
    pub prepared: Option<String>,
    /// Its role.
    pub role: Option<String>,
    /// Its `application_name`, or what kind of process it is (`autovacuum worker`).
    pub application: Option<String>,
    /// `active`, `idle in transaction`, …; unknown to roles that may not see it.
    pub state: Option<String>,
    /// How long ago its transaction began.
    pub age: Option<Duration>,
    /// What it holds, as the server names the lock.
    pub lock: Option<String>,
    /// On which table.
    pub table: Option<String>,
}

impl Blocker {
    /// Whether it is an autovacuum. Who may not see what kind of process it is sees that no role runs it.
    pub(crate) fn is_autovacuum(&self) -> bool {
        let named = self.application.as_ref().is_none_or(|application| application == "autovacuum worker");
        self.prepared.is_none() && self.pid.is_some() && self.role.is_none() && named
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.prepared, self.pid) {
            (Some(name), _) => {
                write!(f, "prepared transaction '{name}' (it waits for commit prepared or rollback prepared)")?
            }
            (None, Some(pid)) => write!(f, "process {pid}")?,
            (None, None) => f.write_str("a transaction without a process")?,
        }
        let mut about = Vec::new();
        about.extend(self.role.as_ref().map(|role| format!("role {role}")));
        about.extend(
            self.application.as_ref().filter(|name| !name.is_empty()).map(|name| format!("application \"{name}\"")),
        );
        about.extend(self.state.clone());
        about.extend(self.age.map(|age| format!("transaction open for {}", ago(age))));
        if self.pid.is_some() && self.state.is_none() {
            about.push("more is visible to members of pg_read_all_stats".to_string());
        }
        if !about.is_empty() {
            write!(f, " ({})", about.join(", "))?;
        }
        match (&self.lock, &self.table) {
            (Some(lock), Some(table)) => write!(f, " holds {lock} on {table}"),
            (Some(lock), None) => write!(f, " holds {lock}"),
            _ => Ok(()),
        }
    }
}

/// What both questions below have in common: everything about holders, given as `held (pid, virtualtransaction, mode, relation)`.
const ABOUT: &str = "
    select held.pid, prepared.gid, coalesce(activity.usename, prepared.owner)::text, 
        coalesce(nullif(activity.application_name, ''), nullif(activity.backend_type, 'client backend')), activity.state,
        extract(epoch from clock_timestamp() - coalesce(activity.xact_start, prepared.prepared))::float8,
        held.mode, (case namespace.nspname when 'public' then '' else namespace.nspname || '.' end) || class.relname
    from held
    left join pg_class as class on class.oid = held.relation
    left join pg_namespace as namespace on namespace.oid = class.relnamespace
    left join pg_stat_activity as activity on activity.pid = held.pid
    left join lateral (
        select prepared.gid, prepared.owner, prepared.prepared
        from pg_locks as own join pg_prepared_xacts as prepared on prepared.transaction = own.transactionid
        where held.pid is null and own.pid is null and own.locktype = 'transactionid' and own.granted
            and own.virtualtransaction = held.virtualtransaction
        limit 1
    ) as prepared on true
    order by 6 desc nulls last, held.pid";

/// Who holds a lock now that conflicts with one of `locks`.
pub(crate) fn holders(tx: &mut Transaction<'_>, locks: &[Lock]) -> Result<Vec<Blocker>> {
    let (mut tables, mut modes) = (Vec::new(), Vec::new());
    for lock in locks {
        for other in LockLevel::ALL.into_iter().filter(|other| lock.level.conflicts_with(*other)) {
            tables.push(lock.table.quoted());
            modes.push(lock_mode(other));
        }
    }
    let sql = format!(
        "with held as (
            select distinct on (lock.pid, lock.virtualtransaction, lock.relation)
                lock.pid, lock.virtualtransaction, lock.mode, lock.relation
            from unnest($1::text[], $2::text[]) as needed (name, mode)
            join pg_locks as lock on lock.relation = to_regclass(needed.name) and lock.mode = needed.mode
            where lock.granted and lock.pid is distinct from pg_backend_pid()
                and lock.database = (select oid from pg_database where datname = current_database())
        ){ABOUT}"
    );
    let rows = tx.query(&sql, &[&tables, &modes]).map_err(Error::database("looking for who holds locks"))?;
    Ok(rows.iter().map(blocker).collect())
}

/// Who keeps process `pid` waiting.
pub(crate) fn blocking(tx: &mut Transaction<'_>, pid: i32) -> Result<Vec<Blocker>> {
    let sql = format!(
        "with awaited as (
            select locktype, relation, transactionid, virtualxid from pg_locks where pid = $1 and not granted
        ), held as (
            select distinct on (lock.pid, lock.virtualtransaction)
                lock.pid, lock.virtualtransaction,
                case when lock.locktype = 'relation' then lock.mode end as mode,
                lock.relation
            from awaited join pg_locks as lock on lock.granted and lock.locktype = awaited.locktype
                and (lock.relation = awaited.relation or lock.transactionid = awaited.transactionid
                    or lock.virtualxid = awaited.virtualxid)
            where lock.pid = any (pg_blocking_pids($1)) or lock.pid is null and 0 = any (pg_blocking_pids($1))
        ){ABOUT}"
    );
    let rows = tx.query(&sql, &[&pid]).map_err(Error::database("looking for who holds locks"))?;
    Ok(rows.iter().map(blocker).collect())
}

fn blocker(row: &Row) -> Blocker {
    Blocker {
        pid: row.get(0),
        prepared: row.get(1),
        role: row.get(2),
        application: row.get(3),
        state: row.get(4),
        age: row.get::<_, Option<f64>>(5).map(|age| Duration::from_secs_f64(age.max(0.0))),
        lock: row.get(6),
        table: row.get(7),
    }
}

/// As `pg_locks` spells it.
fn lock_mode(level: LockLevel) -> &'static str {
    match level {
        LockLevel::AccessShare => "AccessShareLock",
        LockLevel::RowShare => "RowShareLock",
        LockLevel::RowExclusive => "RowExclusiveLock",
        LockLevel::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
        LockLevel::Share => "ShareLock",
        LockLevel::ShareRowExclusive => "ShareRowExclusiveLock",
        LockLevel::Exclusive => "ExclusiveLock",
        LockLevel::AccessExclusive => "AccessExclusiveLock",
    }
}
