//! What the runner's role may do, and what those may do who write the tables.

use std::collections::BTreeSet;

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Backfill, Phase};

use super::{Kind, Look, listed, looking};
use crate::database::Transaction;
use crate::error::Result;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    ledger(look, tx)?;
    tables(look, tx)?;
    schemas(look, tx)?;
    other_tables(look, tx)?;
    writers(look, tx)
}

fn ledger(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let row = tx
        .query_one(
            "select current_user::text, current_database()::text, to_regnamespace('coexist') is not null,
                has_database_privilege(current_database(), 'CREATE'),
                (select has_table_privilege(oid, 'INSERT') and has_table_privilege(oid, 'UPDATE')
                    from pg_class where oid = to_regclass('coexist.changes'))",
            &[],
        )
        .map_err(looking("the privileges of the role"))?;
    let (role, database): (String, String) = (row.get(0), row.get(1));
    let (exists, may_create, may_write): (bool, bool, Option<bool>) = (row.get(2), row.get(3), row.get(4));
    if !exists && !may_create {
        look.add(
            Kind::DatabasePrivilege,
            format!("database {database}"),
            format!("role {role} may not create a schema in it, and the ledger needs one (coexist)"),
            format!("grant create on database {database} to {role}, or create schema coexist authorization {role}"),
        );
    }
    if may_write == Some(false) {
        look.add(
            Kind::LedgerPrivilege,
            "schema coexist",
            format!("role {role} may not write to the ledger: another role made it"),
            "run as the role that made it, or make this role a member of it",
        );
    }
    Ok(())
}

/// The tables that are altered: only their owner may.
fn tables(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select case nspname when 'public' then '' else nspname || '.' end || relname, pg_get_userbyid(relowner)::text,
                current_user::text, pg_has_role(relowner, 'USAGE'),
                has_table_privilege(class.oid, 'TRIGGER') and has_table_privilege(class.oid, 'REFERENCES'),
                row_security_active(class.oid)
            from pg_class as class join pg_namespace as namespace on namespace.oid = relnamespace
            where class.oid in (select to_regclass(name) from unnest($1::text[]) as name)
            order by 1",
            &[&look.tables()],
        )
        .map_err(looking("the owners of the tables"))?;
    for row in rows {
        let (table, owner, role): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let object = format!("table {table}");
        if !row.get::<_, bool>(3) {
            look.add(
                Kind::NotOwner,
                object.clone(),
                format!("role {role} is not its owner, {owner}, nor a member that inherits from it: only such a role may alter it"),
                format!("run as {owner}, or grant {owner} to {role}"),
            );
        } else if !row.get::<_, bool>(4) {
            look.add(
                Kind::TablePrivilege,
                object.clone(),
                format!("role {role} owns it, and was deprived of TRIGGER or REFERENCES"),
                format!("grant trigger, references on {table} to {role}"),
            );
        }
        if row.get(5) {
            look.add_at(
                Kind::RowSecurity,
                Phase::Backfilled,
                object,
                format!("its row level security policies hide rows from role {role}, which must fill and compare all of them"),
                format!("alter role {role} bypassrls, or alter table {table} no force row level security"),
            );
        }
    }
    Ok(())
}

/// Columns, indexes, functions and tables are made in the schemas of the plan's tables. From 15 on, the owner of a table in `public` may well
/// not be allowed to.
fn schemas(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let schemas: BTreeSet<&str> = look.plan.tables.iter().map(|table| table.schema.as_str()).collect();
    let schemas: Vec<&str> = schemas.into_iter().collect();
    let rows = tx
        .query(
            "select nspname::text, current_user::text from pg_namespace
            where nspname = any ($1) and not has_schema_privilege(oid, 'CREATE') order by nspname",
            &[&schemas],
        )
        .map_err(looking("the privileges on schemas"))?;
    for row in rows {
        let (schema, role): (String, String) = (row.get(0), row.get(1));
        look.add(
            Kind::SchemaPrivilege,
            format!("schema {schema}"),
            format!("role {role} may not create anything in it, neither the change's functions nor its indexes"),
            format!("grant create on schema {schema} to {role}"),
        );
    }
    Ok(())
}

/// Tables that are only locked or referenced.
fn other_tables(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    let locks = plan.steps.iter().flat_map(|step| &step.action.locks);
    let others: BTreeSet<&QualifiedName> =
        locks.map(|lock| &lock.table).filter(|table| !plan.tables.contains(table)).collect();
    let names: Vec<String> = others.into_iter().map(QualifiedName::quoted).collect();
    let rows = tx
        .query(
            "select case nspname when 'public' then '' else nspname || '.' end || relname, current_user::text
            from pg_class as class join pg_namespace as namespace on namespace.oid = relnamespace
            where class.oid in (select to_regclass(name) from unnest($1::text[]) as name)
                and not (has_table_privilege(class.oid, 'REFERENCES')
                    and (has_table_privilege(class.oid, 'UPDATE') or has_table_privilege(class.oid, 'DELETE')
                        or has_table_privilege(class.oid, 'TRUNCATE')))
            order by 1",
            &[&names],
        )
        .map_err(looking("the privileges on referenced tables"))?;
    for row in rows {
        let (table, role): (String, String) = (row.get(0), row.get(1));
        look.add(
            Kind::TablePrivilege,
            format!("table {table}"),
            format!(
                "a foreign key refers to it, and role {role} may not reference it (REFERENCES) and lock it (UPDATE)"
            ),
            format!("grant references, update on {table} to {role}"),
        );
    }
    Ok(())
}

/// Roles that write a table of the before shape, and would be refused in the after shape (H41).
fn writers(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    for backfill in &plan.backfill {
        let after: Vec<&str> = match backfill {
            Backfill::Insert { source, target, .. } => {
                writers_of_target(look, tx, source, target)?;
                continue;
            }
            Backfill::Refer { reference, .. } => vec![reference],
            Backfill::Update { set, .. } | Backfill::UpdateFrom { set, .. } => {
                set.iter().map(|(column, _)| column.as_str()).collect()
            }
        };
        if look.reached > Phase::Declared {
            writers_of_columns(look, tx, backfill.target(), &after)?;
        }
    }
    Ok(())
}

fn writers_of_target(
    look: &mut Look<'_>,
    tx: &mut Transaction<'_>,
    source: &QualifiedName,
    target: &QualifiedName,
) -> Result<()> {
    let rows = tx
        .query(
            "with writer as (
                select grantee, array_agg(privilege_type order by privilege_type) as privileges
                from pg_class, aclexplode(relacl)
                where pg_class.oid = to_regclass($1) and privilege_type in ('INSERT', 'UPDATE', 'DELETE')
                    and grantee not in (0, relowner)
                group by grantee
            )
            select rolname::text,
                exists (select from pg_namespace where nspname = $3) and not has_schema_privilege(rolname, $3, 'USAGE'),
                case when to_regclass($2) is null then '{}' else
                    array(select p from unnest(privileges) as p where not has_table_privilege(rolname, to_regclass($2), p))
                end
            from writer join pg_roles on pg_roles.oid = grantee
            order by rolname",
            &[&source.quoted(), &target.quoted(), &target.schema],
        )
        .map_err(looking(&format!("who writes {source}")))?;
    for row in rows {
        let role: String = row.get(0);
        if row.get(1) {
            look.add(
                Kind::WriterLacks,
                format!("role {role}"),
                format!("it writes {source}, and may not use schema {}, where {target} is", target.schema),
                format!("grant usage on schema {} to {role}", target.schema),
            );
        }
        let missing: Vec<String> = row.get(2);
        if !missing.is_empty() {
            look.add(
                Kind::WriterLacks,
                format!("role {role}"),
                format!(
                    "it writes {source}, and has no {} on {target}: code that uses the after shape fails",
                    listed(&missing)
                ),
                format!("grant {} on {target} to {role}", missing.join(", ").to_lowercase()),
            );
        }
    }
    Ok(())
}

fn writers_of_columns(
    look: &mut Look<'_>,
    tx: &mut Transaction<'_>,
    table: &QualifiedName,
    after: &[&str],
) -> Result<()> {
    let going: Vec<&str> = look.going().filter(|(of, ..)| *of == table).map(|(_, column, _)| column).collect();
    let rows = tx
        .query(
            "select distinct rolname::text, privilege_type, column_name
            from pg_attribute, aclexplode(attacl), pg_roles, unnest($3::text[]) as column_name
            where attrelid = to_regclass($1) and attname = any ($2) and not attisdropped
                and privilege_type in ('INSERT', 'UPDATE') and pg_roles.oid = grantee
                and exists (select from pg_attribute where attrelid = to_regclass($1) and attname = column_name and not attisdropped)
                and not has_column_privilege(rolname, to_regclass($1), column_name, privilege_type)
            order by 1, 3, 2",
            &[&table.quoted(), &going, &after],
        )
        .map_err(looking(&format!("who writes columns of {table}")))?;
    for row in rows {
        let (role, privilege, column): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        look.add(
            Kind::WriterLacks,
            format!("role {role}"),
            format!("it writes before columns of {table}, and has no {privilege} on {column}: code that uses the after shape fails"),
            format!("grant {} ({column}) on {table} to {role}", privilege.to_lowercase()),
        );
    }
    Ok(())
}
