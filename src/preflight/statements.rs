//! Which statements name a column that is about to go, of those that the server has counted (`pg_stat_statements`).
//!
//! Only before the contract: until then, old code is right to name it. Statements are shown by their number alone: where they were written
//! with values in them, their text has what is nobody's business.

use coexist_core::ident::quote_ident;
use coexist_core::plan::Stage;

use super::dependents::escaped;
use super::{Kind, Look, listed, looking};
use crate::database::Transaction;
use crate::error::{Result, Seconds};

/// For how long the server must have counted, so that what it did not count may be taken not to run, in seconds: a day.
const LONG_ENOUGH: f64 = 86_400.0;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    if look.plan.stage != Stage::Contract || look.going().next().is_none() {
        return Ok(());
    }
    let row = tx
        .query_one(
            "select (select nspname::text from pg_extension join pg_namespace as schema on schema.oid = extnamespace
                    where extname = 'pg_stat_statements'),
                current_setting('pg_stat_statements.max', true) is not null",
            &[],
        )
        .map_err(looking("extensions"))?;
    let (schema, is_loaded): (Option<String>, bool) = (row.get(0), row.get(1));
    let Some(schema) = schema.filter(|_| is_loaded) else {
        unknown(look, "it is not installed in this database, or not loaded (shared_preload_libraries)");
        return Ok(());
    };
    let schema = quote_ident(&schema);
    statements(look, tx, &schema)?;
    let doubts = doubts(look.server, tx, &schema)?;
    if !doubts.is_empty() {
        unknown(look, &listed(&doubts));
    }
    Ok(())
}

fn statements(look: &mut Look<'_>, tx: &mut Transaction<'_>, schema: &str) -> Result<()> {
    // Without what looks into the catalog, what only migrations send, and what a backfill and a comparison of ours send.
    let sql = format!(
        r"select queryid, coalesce(rolname::text, 'unknown'), sum(calls)::bigint
        from {schema}.pg_stat_statements left join pg_roles on pg_roles.oid = userid
        where dbid = (select oid from pg_database where datname = current_database()) and queryid is not null
            and query ~* ('\m' || $1 || '\M') and query ~* ('\m' || $2 || '\M')
            and query !~* '\m(coexist|ctid|pg_class|pg_attribute|pg_catalog)\M' and query !~* '\mas source\M'
            and query !~* '^\s*(alter|create|comment|drop|vacuum|analyze|explain|prepare|grant|revoke|truncate)\M'
        group by queryid, rolname order by 3 desc limit 20"
    );
    for (table, column, phase) in look.going().collect::<Vec<_>>() {
        let found = tx
            .query(&sql, &[&escaped(&table.name), &escaped(column)])
            .map_err(looking("the statements that the server has counted"))?;
        for row in found {
            let (id, role, calls): (i64, String, i64) = (row.get(0), row.get(1), row.get(2));
            look.add_at(
                Kind::StatementText,
                phase,
                format!("statement {id}"),
                format!(
                    "role {role} sent it {calls} times, and its text has the words {} and {column}: if that means the column, it fails once \
                     that is gone (phase {})",
                    table.name,
                    phase.name()
                ),
                format!(
                    "read it: select query from {schema}.pg_stat_statements where queryid = {id}; if its code is gone, call \
                     {schema}.pg_stat_statements_reset() and look again later"
                ),
            );
        }
    }
    Ok(())
}

/// Why a statement that was not found may run nevertheless.
fn doubts(server: u32, tx: &mut Transaction<'_>, schema: &str) -> Result<Vec<String>> {
    let mut doubts = Vec::new();
    let row = tx
        .query_one("select pg_has_role('pg_read_all_stats', 'USAGE'), exists (select from pg_stat_replication)", &[])
        .map_err(looking("what the role may see"))?;
    if !row.get::<_, bool>(0) {
        doubts.push("the role does not see the statements of others".to_string());
    }
    if row.get(1) {
        doubts.push("there are standbys, and each counts for itself".to_string());
    }
    if server < 14 {
        doubts.push("this server does not tell what it forgot".to_string());
        return Ok(doubts);
    }
    let info = format!(
        "select dealloc, extract(epoch from clock_timestamp() - stats_reset)::float8 from {schema}.pg_stat_statements_info"
    );
    let row = tx.query_one(&info, &[]).map_err(looking("since when the server counts statements"))?;
    let (forgotten, counts_for): (i64, Option<f64>) = (row.get(0), row.get(1));
    if forgotten > 0 {
        doubts.push("there were more statements than it keeps, and it forgot some".to_string());
    }
    if let Some(seconds) = counts_for.filter(|seconds| *seconds < LONG_ENOUGH) {
        doubts.push(format!("it counts only for {}", Seconds(seconds)));
    }
    Ok(doubts)
}

/// That no statement was found proves nothing (H86).
fn unknown(look: &mut Look<'_>, why: &str) {
    look.add(
        Kind::StatementsUnknown,
        "pg_stat_statements",
        format!("whether statements that still run name what goes is not known: {why}"),
        "look on each server, once it has counted for as long as it takes the rarest job to come round",
    );
}
