//! Logical replication, on both of its ends.

use coexist_core::plan::{Backfill, Phase};

use super::{Kind, Look, looking};
use crate::database::Transaction;
use crate::error::Result;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    published(look, tx)?;
    subscribed(look, tx)?;
    replica_roles(look, tx)
}

fn published(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    for table in &plan.tables {
        let rows = tx
            .query(
                "select string_agg(publication.pubname, ', ' order by publication.pubname), bool_or(pubupdate or pubdelete),
                    bool_or(case relreplident when 'n' then true
                        when 'd' then not exists (select from pg_index where indrelid = class.oid and indisprimary)
                        when 'i' then not exists (select from pg_index where indrelid = class.oid and indisreplident)
                        else false end)
                from pg_publication_tables as published
                join pg_publication as publication using (pubname)
                join pg_namespace as namespace on nspname = schemaname
                join pg_class as class on relnamespace = namespace.oid and relname = tablename
                where class.oid = to_regclass($1) or class.oid in (select relid from pg_partition_tree(to_regclass($1)))
                having count(*) > 0",
                &[&table.quoted()],
            )
            .map_err(looking(&format!("publications of {table}")))?;
        let Some(row) = rows.first() else { continue };
        let (publications, changes, anonymous): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
        let updates = |backfill: &Backfill| !matches!(backfill, Backfill::Insert { .. }) && backfill.target() == table;
        let writes = plan.backfill.iter().any(updates);
        if changes && anonymous && writes {
            look.add_at(
                Kind::NoReplicaIdentity,
                Phase::Backfilled,
                format!("table {table}"),
                format!("it is published ({publications}) and has no replica identity: the server refuses every update, and with it the backfill"),
                format!("give it a primary key, or: alter table {table} replica identity full"),
            );
        }
        if look.reached < Phase::Validated {
            look.add(
                Kind::Published,
                format!("table {table}"),
                format!(
                    "it is published ({publications}): a subscriber that lacks the new columns stops, and sync triggers do not fire there for \
                     what is replicated"
                ),
                "add the after shape on each subscriber first; replicate only one shape to those that have triggers of their own",
            );
        }
    }
    Ok(())
}

fn subscribed(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select distinct case nspname when 'public' then '' else nspname || '.' end || relname
            from pg_subscription_rel
            join pg_class as class on class.oid = srrelid
            join pg_namespace as namespace on namespace.oid = relnamespace
            where srrelid in (select to_regclass(name) from unnest($1::text[]) as name)
            order by 1",
            &[&look.tables()],
        )
        .map_err(looking("subscriptions"))?;
    for row in rows {
        look.add_at(
            Kind::Subscribed,
            Phase::DualWriting,
            format!("table {}", row.get::<_, String>(0)),
            "a subscription writes to it, and the sync triggers do not fire for what it writes: those rows stay in one shape",
            "carry the change out on the publisher, or: alter table … enable always trigger, for each sync trigger, and override this",
        );
    }
    Ok(())
}

/// Writers whose sessions skip triggers (H44).
fn replica_roles(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select concat_ws(' in ', 'role ' || rolname, 'database ' || datname)
            from pg_db_role_setting
            left join pg_roles on pg_roles.oid = setrole
            left join pg_database on pg_database.oid = setdatabase
            where 'session_replication_role=replica' = any (setconfig)
                and (setdatabase = 0 or datname = current_database())
            order by 1",
            &[],
        )
        .map_err(looking("settings of roles"))?;
    for row in rows {
        look.add(
            Kind::ReplicaRole,
            row.get::<_, String>(0),
            "its sessions run with session_replication_role = replica: no trigger fires for what they write, and it stays in one shape",
            "let it write with session_replication_role = origin while the change is under way",
        );
    }
    Ok(())
}
