//! The catalog of a database as text, to see what a change touched and what it left behind.
//!
//! A dump holds everything that a change could touch: schemas, tables, columns, constraints, indexes, triggers, rules,
//! policies, functions, sequences, types, views, statistics, publications, rights, comments. Each line tells one fact,
//! and the text is canonical: two dumps are equal exactly when the catalogs mean the same. Left out are object
//! identifiers, dropped columns, the order in which things were made, and data, such as the last value of a sequence.
//!
//! ```no_run
//! use coexist::catalog;
//!
//! # fn migrate(_: &mut postgres::Client) {}
//! # fn example(client: &mut postgres::Client) -> Result<(), catalog::Error> {
//! let before = catalog::dump(client, &["coexist"])?;
//! migrate(client);
//! let after = catalog::dump(client, &["coexist"])?;
//! print!("{}", catalog::diff(&before, &after));
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeSet;
use std::fmt;

use postgres::types::ToSql;
use postgres::{Client, IsolationLevel, Row, Transaction};

use crate::explained::Explained;

/// The facts of a catalog at one moment. Its text has one line for each, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CatalogDump {
    facts: BTreeSet<Fact>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    /// What it is about: a kind of object and a name.
    subject: String,
    /// What it says, empty when that is only that the object exists.
    detail: String,
}

/// The catalog could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the catalog ({what}): {}", Explained(.source))]
pub struct Error {
    /// Which part of it.
    what: &'static str,
    /// What the server said.
    source: postgres::Error,
}

/// Reads the catalog as of one moment. The schemas of the system and those in `except` are left out.
///
/// # Errors
///
/// The connection is lost, or the server refuses a query.
pub fn dump(client: &mut Client, except: &[&str]) -> Result<CatalogDump, Error> {
    let mut transaction = (client.build_transaction())
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .map_err(|source| Error { what: "begin", source })?;
    // The server writes expressions and definitions as these settings say.
    transaction
        .batch_execute(
            "set local search_path = ''; set local quote_all_identifiers = off; set local TimeZone = 'UTC'; \
             set local DateStyle = 'ISO'; set local IntervalStyle = 'postgres'; set local extra_float_digits = 1; \
             set local bytea_output = 'hex'",
        )
        .map_err(|source| Error { what: "settings", source })?;
    let schemas = schemas(&mut transaction, except).map_err(|source| Error { what: "schemas", source })?;
    let version = version(&mut transaction).map_err(|source| Error { what: "version", source })?;

    let mut facts = BTreeSet::new();
    for (what, query) in queries(version) {
        let rows = rows(&mut transaction, query, &schemas).map_err(|source| Error { what, source })?;
        facts.extend(rows.iter().map(|row| Fact { subject: one_line(row.get(0)), detail: one_line(row.get(1)) }));
    }
    Ok(CatalogDump { facts })
}

/// What changed, in the style of a unified diff: `-` lines for what was, `+` lines for what is. Empty when nothing did.
pub fn diff(before: &CatalogDump, after: &CatalogDump) -> String {
    let removed = before.facts.difference(&after.facts).map(|fact| (&fact.subject, '-', fact));
    let added = after.facts.difference(&before.facts).map(|fact| (&fact.subject, '+', fact));
    let mut lines: Vec<_> = removed.chain(added).collect();
    if lines.is_empty() {
        return String::new();
    }
    // What was and what is of one object side by side.
    lines.sort_by_key(|&(subject, sign, _)| (subject, sign == '+'));
    let lines = lines.iter().map(|(_, sign, fact)| format!("{sign}{fact}\n"));
    format!("--- before\n+++ after\n{}", lines.collect::<String>())
}

/// The parts of the catalog. Each query gives rows of two texts: what a fact is about, and what it says. `$1` are the
/// schemas to tell about.
fn queries(version: i32) -> [(&'static str, &'static str); 20] {
    let published_tables = if version >= 15 {
        include_str!("facts/published_tables_15.sql")
    } else {
        include_str!("facts/published_tables.sql")
    };
    [
        ("columns", include_str!("facts/columns.sql")),
        ("comments", include_str!("facts/comments.sql")),
        ("constraints", include_str!("facts/constraints.sql")),
        ("default rights", include_str!("facts/default_rights.sql")),
        ("event triggers", include_str!("facts/event_triggers.sql")),
        ("extensions", include_str!("facts/extensions.sql")),
        ("functions", include_str!("facts/functions.sql")),
        ("indexes", include_str!("facts/indexes.sql")),
        ("other kinds", include_str!("facts/others.sql")),
        ("policies", include_str!("facts/policies.sql")),
        ("publications", include_str!("facts/publications.sql")),
        ("published tables", published_tables),
        ("relations", include_str!("facts/relations.sql")),
        ("rights", include_str!("facts/rights.sql")),
        ("rules", include_str!("facts/rules.sql")),
        ("schemas", include_str!("facts/schemas.sql")),
        ("sequences", include_str!("facts/sequences.sql")),
        ("statistics", include_str!("facts/statistics.sql")),
        ("triggers", include_str!("facts/triggers.sql")),
        ("types", include_str!("facts/types.sql")),
    ]
}

fn rows(transaction: &mut Transaction<'_>, query: &str, schemas: &Vec<u32>) -> Result<Vec<Row>, postgres::Error> {
    let statement = transaction.prepare(query)?;
    let parameters: [&(dyn ToSql + Sync); 1] = [schemas];
    // Some parts of the catalog belong to no schema.
    transaction.query(&statement, &parameters[..statement.params().len()])
}

fn schemas(transaction: &mut Transaction<'_>, except: &[&str]) -> Result<Vec<u32>, postgres::Error> {
    let query = "select oid from pg_namespace \
                 where nspname not like 'pg\\_%' and nspname <> 'information_schema' and nspname <> all ($1)";
    Ok(transaction.query(query, &[&except])?.iter().map(|row| row.get(0)).collect())
}

/// The major version of the server.
fn version(transaction: &mut Transaction<'_>) -> Result<i32, postgres::Error> {
    Ok(transaction.query_one("select current_setting('server_version_num')::int / 10000", &[])?.get(0))
}

/// Definitions and names may have line breaks in them.
fn one_line(text: &str) -> String {
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r")
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl fmt::Display for CatalogDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.iter().try_for_each(|fact| writeln!(f, "{fact}"))
    }
}
