//! Which server answers, and in which mood.

use super::{Kind, Look, looking};
use crate::database::Transaction;
use crate::error::Result;

/// The major versions that every test runs on.
const TESTED: std::ops::RangeInclusive<u32> = 13..=18;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let row = tx
        .query_one(
            "select current_setting('server_version'), current_setting('server_version_num')::int4, pg_is_in_recovery(),
                (select reset_val from pg_settings where name = 'default_transaction_read_only') = 'on',
                current_user::text, pg_has_role('pg_read_all_stats', 'USAGE')",
            &[],
        )
        .map_err(looking("the server"))?;
    let (version, number): (String, i32) = (row.get(0), row.get(1));
    if let Some((kind, reason, remedy)) = versions(look.server, look.plan.server) {
        look.add(kind, format!("PostgreSQL {version}"), reason, remedy);
    }
    concurrently(look, &version, number);
    read_only(look, row.get(2), row.get(3));
    if !row.get::<_, bool>(5) {
        let role: String = row.get(4);
        look.add(
            Kind::Blind,
            format!("role {role}"),
            "it does not see what sessions of other roles do: long transactions, and who holds a lock, may be missing here and in a run's \
             messages",
            format!("grant pg_read_all_stats to {role}"),
        );
    }
    settings(look, tx)
}

/// What is the matter with a server of this major version, for a plan that needs another one, and what to do.
fn versions(server: u32, needed: u32) -> Option<(Kind, String, String)> {
    let (oldest, newest) = (*TESTED.start(), *TESTED.end());
    if server < needed.max(oldest) {
        Some((
            Kind::ServerTooOld,
            format!("the plan needs PostgreSQL {} or later", needed.max(oldest)),
            format!("declare `server {server};` where that is supported, and build again; or upgrade the server"),
        ))
    } else if server > newest {
        Some((
            Kind::ServerUntested,
            format!("this release of coexist was tested with PostgreSQL {oldest} to {newest}"),
            "try the change on a copy of the database first, or use a later release".to_string(),
        ))
    } else {
        None
    }
}

fn concurrently(look: &mut Look<'_>, version: &str, number: i32) {
    let concurrently = look.plan.steps.iter().find(|step| {
        let statements = &step.action.statements;
        statements.iter().any(|sql| sql.starts_with("create ") && sql.contains(" index concurrently "))
    });
    if let Some(step) = concurrently
        && is_unsafe(number)
    {
        look.add_at(
            Kind::ConcurrentlyUnsafe,
            step.phase,
            format!("PostgreSQL {version}"),
            "14.0 to 14.3 build indexes concurrently that silently lack rows",
            "upgrade to the last 14.x first, which needs no dump",
        );
    }
}

fn is_unsafe(version_number: i32) -> bool {
    (140_000..140_004).contains(&version_number)
}

fn read_only(look: &mut Look<'_>, standby: bool, by_default: Option<bool>) {
    if standby {
        look.add(Kind::ReadOnly, "server", "it is a standby", "give the address of the primary");
    } else if by_default == Some(true) {
        look.add(
            Kind::ReadOnly,
            "default_transaction_read_only",
            "it is on, for the server, this database or this role: every write is refused",
            "give a role that may write; or take the setting away: alter role … reset default_transaction_read_only",
        );
    }
}

/// Settings that no session of ours can pin for others.
fn settings(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let row = tx
        .query_one(
            "select current_setting('autovacuum'), current_setting('track_counts'),
                (select reset_val from pg_settings where name = 'default_transaction_isolation'),
                (select setting::int8 from pg_settings where name = 'deadlock_timeout'),
                current_setting('session_replication_role')",
            &[],
        )
        .map_err(looking("the server's settings"))?;
    let (autovacuum, counts, isolation): (String, String, Option<String>) = (row.get(0), row.get(1), row.get(2));
    let deadlock: Option<i64> = row.get(3);
    let mut odd = |name: &str, reason: String, remedy: &str| look.add(Kind::Setting, name, reason, remedy);
    if autovacuum == "off" || counts == "off" {
        odd(
            if autovacuum == "off" { "autovacuum" } else { "track_counts" },
            "it is off: nothing removes the old versions of the rows that the backfill writes".to_string(),
            "turn it on, or vacuum the tables by hand while the backfill runs",
        );
    }
    if let Some(level) = isolation.filter(|level| level != "read committed") {
        odd(
            "default_transaction_isolation",
            format!(
                "it is {level}: the application's transactions fail (40001) where a batch wrote a row that they write too"
            ),
            "let the application try such transactions again",
        );
    }
    let lock_timeout = i64::try_from(look.options.lock_timeout.as_millis()).unwrap_or(i64::MAX);
    if let Some(deadlock) = deadlock.filter(|deadlock| *deadlock <= lock_timeout) {
        look.add(
            Kind::Setting,
            "deadlock_timeout",
            format!("it is {deadlock} ms, no more than the run's lock timeout ({lock_timeout} ms): in a cycle of locks the application may give way"),
            "give a shorter --lock-timeout",
        );
    }
    if row.get::<_, &str>(4) != "origin" {
        look.add(
            Kind::ReplicaRole,
            "this role",
            "session_replication_role is not origin in its sessions: no trigger fires for what it writes",
            "alter role … reset session_replication_role",
        );
    }
    tables_without_autovacuum(look, tx)
}

fn tables_without_autovacuum(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select case nspname when 'public' then '' else nspname || '.' end || relname
            from pg_class as class join pg_namespace as namespace on namespace.oid = relnamespace
            where class.oid in (select to_regclass(name) from unnest($1::text[]) as name)
                and reloptions && array['autovacuum_enabled=false', 'autovacuum_enabled=off']
            order by 1",
            &[&look.tables()],
        )
        .map_err(looking("the settings of the tables"))?;
    for row in rows {
        look.add(
            Kind::Setting,
            format!("autovacuum_enabled of table {}", row.get::<_, String>(0)),
            "it is off: nothing removes the old versions of the rows that the backfill writes",
            "turn it on, or vacuum the table by hand while the backfill runs",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h82_releases_that_corrupt_indexes() {
        assert_eq!([130_023, 140_000, 140_003, 140_004, 150_000].map(is_unsafe), [false, true, true, false, false]);
    }

    /// No such server can be had, to be asked.
    #[test]
    fn h82_a_server_older_or_newer_than_those_of_the_tests() {
        let found = |server, needed| versions(server, needed).map(|(kind, ..)| kind);
        assert_eq!(found(12, 12), Some(Kind::ServerTooOld));
        assert_eq!(found(15, 16), Some(Kind::ServerTooOld));
        assert!(TESTED.into_iter().all(|server| found(server, 13).is_none()));
        assert_eq!(found(19, 13), Some(Kind::ServerUntested));
    }
}
