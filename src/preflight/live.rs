//! The live catalog, in the words of a plan.

use coexist_core::ident::QualifiedName;
use coexist_core::plan::ObjectKind;
use postgres::error::SqlState;

use super::looking;
use crate::database::Transaction;
use crate::error::Result;

/// A column as it is.
pub(super) struct LiveColumn {
    pub name: String,
    pub ty: String,
    pub not_null: bool,
    pub expression: Option<String>,
    pub identity: bool,
    pub generated: bool,
    /// Whether a change in flight has a constraint on it, and with it what it says of NULL or its default.
    pub is_ruled: bool,
}

/// A constraint, an index or statistics, as they are.
pub(super) struct LiveObject {
    pub kind: ObjectKind,
    pub name: String,
    pub definition: String,
    pub expressions: Vec<String>,
    /// The columns of the table that it stands on.
    pub columns: Vec<String>,
    /// Whether a change in flight made it.
    pub ours: bool,
}

/// A foreign key that points at a table.
pub(super) struct Reference {
    pub name: String,
    pub from: QualifiedName,
    /// The columns that it points at.
    pub columns: Vec<String>,
    pub ours: bool,
}

/// The columns of a table; `None` where there is no such table.
pub(super) fn columns(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<Option<Vec<LiveColumn>>> {
    let exists = tx
        .query_one("select to_regclass($1) is not null", &[&table.quoted()])
        .map_err(looking(&format!("table {table}")))?;
    if !exists.get::<_, bool>(0) {
        return Ok(None);
    }
    let rows = tx
        .query(
            "select attname::text, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid),
                attidentity <> '', attgenerated <> '',
                exists (select from pg_constraint as c where c.conrelid = attrelid and c.conkey @> array[attnum]
                    and obj_description(c.oid, 'pg_constraint') like 'coexist: %')
            from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
            where attrelid = to_regclass($1) and attnum > 0 and not attisdropped",
            &[&table.quoted()],
        )
        .map_err(looking(&format!("the columns of {table}")))?;
    let columns = rows.iter().map(|row| LiveColumn {
        name: row.get(0),
        ty: row.get(1),
        not_null: row.get(2),
        expression: row.get(3),
        identity: row.get(4),
        generated: row.get(5),
        is_ruled: row.get(6),
    });
    Ok(Some(columns.collect()))
}

/// What hangs on the columns of a table.
pub(super) fn objects(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<Vec<LiveObject>> {
    let rows = tx
        .query(include_str!("sql/objects.sql"), &[&table.quoted()])
        .map_err(looking(&format!("constraints and indexes of {table}")))?;
    let objects = rows.iter().filter_map(|row| {
        Some(LiveObject {
            kind: ObjectKind::from_name(row.get(0))?,
            name: row.get(1),
            definition: row.get(2),
            expressions: row.get(3),
            columns: row.get(4),
            ours: row.get(5),
        })
    });
    Ok(objects.collect())
}

/// The foreign keys that point at a table.
pub(super) fn references(tx: &mut Transaction<'_>, table: &QualifiedName) -> Result<Vec<Reference>> {
    let rows = tx
        .query(
            "select conname::text, nspname::text, relname::text,
                array(select attname::text from pg_attribute where attrelid = confrelid and attnum = any (confkey)),
                coalesce(obj_description(c.oid, 'pg_constraint') like 'coexist: %', false) or conname like 'coexist\\_%'
            from pg_constraint as c
            join pg_class as class on class.oid = conrelid
            join pg_namespace as namespace on namespace.oid = relnamespace
            where contype = 'f' and confrelid = to_regclass($1) and conparentid = 0",
            &[&table.quoted()],
        )
        .map_err(looking(&format!("foreign keys to {table}")))?;
    let references = rows.iter().map(|row| Reference {
        name: row.get(0),
        from: QualifiedName::new(row.get::<_, String>(1), row.get::<_, String>(2)),
        columns: row.get(3),
        ours: row.get(4),
    });
    Ok(references.collect())
}

/// Whether two expressions over the columns of a table mean the same to the server. Where the texts differ, it says how it reads each of them:
/// `x in (1, 2)` and `x = ANY (ARRAY[1, 2])` are one.
pub(super) fn same_expression(tx: &mut Transaction<'_>, table: &QualifiedName, a: &str, b: &str) -> Result<bool> {
    if a == b {
        return Ok(true);
    }
    let from = format!("from only {}", table.quoted());
    same_reading(tx, a, b, &from)
}

/// Whether two texts name the same type.
pub(super) fn same_type(tx: &mut Transaction<'_>, a: &str, b: &str) -> Result<bool> {
    let plain = |text: &str| text.replace('"', "");
    if plain(a) == plain(b) {
        return Ok(true);
    }
    let null = |ty: &str| format!("null::{ty}");
    same_reading(tx, &null(a), &null(b), "")
}

/// A role that may not even read the table has worse to hear than a difference, and is told that.
fn same_reading(tx: &mut Transaction<'_>, a: &str, b: &str, from: &str) -> Result<bool> {
    Ok(match (reading(tx, a, from)?, reading(tx, b, from)?) {
        (Reading::Forbidden, _) | (_, Reading::Forbidden) => true,
        (Reading::As(a), Reading::As(b)) => a == b,
        _ => false,
    })
}

enum Reading {
    As(String),
    Forbidden,
    /// The server does not understand it.
    Nonsense,
}

/// How the server reads an expression, without carrying it out.
fn reading(tx: &mut Transaction<'_>, expression: &str, from: &str) -> Result<Reading> {
    let plan = tx.attempt(&format!("explain (verbose, costs off) select ({expression}) {from}"));
    let plan = plan.map_err(looking("an expression"))?;
    Ok(match plan {
        Ok(lines) => lines
            .iter()
            .map(|line| line.get::<_, String>(0))
            .find(|line| line.trim_start().starts_with("Output: "))
            .map_or(Reading::Nonsense, Reading::As),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Reading::Forbidden,
        Err(_) => Reading::Nonsense,
    })
}
