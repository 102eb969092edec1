//! Which changes of a column's type PostgreSQL makes in its catalog alone, and what `keeps_values` says of them.

use std::collections::BTreeMap;

use coexist_core::schema::Schema;
use coexist_core::schema::load::load;
use coexist_core::sql::storage::keeps_values;
use coexist_core::sql::types::parse_type;
use postgres::Client;

use crate::support::{code, database};

const DOMAINS: &str = "create domain label as text; create domain short as varchar(9); create domain email as text check (value like '%@%');
    create domain filled as text not null;";

/// Old type, new type, and what stands on the column.
#[rustfmt::skip]
const CHANGES: &[(&str, &str, &str)] = &[
    ("varchar(10)", "varchar(20)", "create index i on t (a)"), ("varchar(10)", "varchar(10)", ""), ("varchar(10)", "varchar", "create index i on t (a)"),
    ("varchar(10)", "text", "create unique index i on t (a, id) include (id)"), ("text", "varchar", "create index i on t (a)"),
    ("text", "varchar(10)", ""), ("varchar(20)", "varchar(10)", ""), ("varchar", "varchar(10)", ""), ("char(5)", "text", ""), ("char(5)", "char(9)", ""), ("varchar(9)", "char(9)", ""),
    ("numeric(8,2)", "numeric(10,2)", "create index i on t (a)"), ("numeric(8,2)", "numeric", "create index i on t (a)"), ("numeric(8)", "numeric(9,0)", ""),
    ("numeric(8,2)", "numeric(10,3)", ""), ("numeric(8,2)", "numeric(7,2)", ""), ("numeric", "numeric(10,2)", ""), ("integer", "numeric", ""),
    ("timestamp(3)", "timestamp(6)", "create index i on t (a)"), ("timestamp(3)", "timestamp", "create index i on t (a)"), ("timestamp(6)", "timestamp(3)", ""),
    ("timestamptz(3)", "timestamptz(4)", ""), ("timestamptz(3)", "timestamptz", "create index i on t (a)"), ("time(3)", "time", ""), ("timetz(2)", "timetz(4)", ""),
    ("interval(3)", "interval(6)", ""), ("interval(3)", "interval", ""), ("date", "timestamp", ""),
    ("varbit(5)", "varbit(9)", "create index i on t (a)"), ("varbit(5)", "varbit", ""), ("bit(5)", "varbit", ""), ("bit(5)", "varbit(9)", ""), ("bit(5)", "bit(6)", ""), ("varbit", "varbit(5)", ""),
    ("cidr", "inet", "create index i on t (a)"), ("inet", "cidr", ""), ("xml", "text", ""),
    ("smallint", "integer", ""), ("integer", "bigint", "create index i on t (a)"), ("bigint", "integer", ""), ("real", "double precision", ""),
    ("json", "jsonb", ""), ("jsonb", "json", ""), ("json", "text", ""), ("uuid", "text", ""), ("money", "numeric", ""), ("name", "text", ""), ("\"char\"", "text", ""),
    ("varchar(10)[]", "text[]", ""), ("varchar(10)[]", "varchar(20)[]", ""), ("integer[]", "bigint[]", ""),
    ("text", "label", ""), ("label", "text", "create index i on t (a)"), ("label", "varchar", ""), ("varchar(9)", "label", ""), ("varchar(8)", "short", ""), ("short", "text", ""), ("short", "varchar(20)", ""),
    ("text", "email", ""), ("email", "text", ""), ("text", "filled", ""), ("filled", "text", ""), ("varchar(12)", "short", ""),
];

/// The files of all relations of the schema.
fn files(client: &mut Client) -> BTreeMap<String, u32> {
    let files = "select relname::text, pg_relation_filenode(oid) from pg_class where relnamespace = 'probe'::regnamespace and relkind in ('r', 'i')";
    client.query(files, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn reads(client: &mut impl postgres::GenericClient) -> i64 {
    let reads = "select coalesce(sum(seq_scan), 0)::bigint from pg_stat_xact_user_tables where schemaname = 'probe'";
    client.query_one(reads, &[]).unwrap().get(0)
}

/// What becomes of the table: nothing, the relations that are written anew, `reads`, or an error.
fn alter(client: &mut Client, column: &str, to: &str, on_it: &str) -> String {
    client
        .batch_execute(&format!(
            "drop schema if exists probe cascade; create schema probe; set search_path = probe, public; set time zone 'Europe/Berlin';
            create table t (id integer primary key, a {column}); {on_it}"
        ))
        .unwrap();
    let before = files(client);
    let mut transaction = client.transaction().unwrap();
    let scans = reads(&mut transaction);
    if let Err(error) = transaction.batch_execute(&format!("alter table t alter column a type {to}")) {
        return code(&error).to_owned();
    }
    let read = reads(&mut transaction) > scans;
    transaction.commit().unwrap();
    let after = files(client);
    let mut does: Vec<&str> =
        after.iter().filter(|(name, file)| before.get(*name) != Some(file)).map(|(name, _)| name.as_str()).collect();
    does.extend(read.then_some("reads"));
    does.join(" ")
}

#[test]
fn a_type_of_the_same_bytes_is_a_matter_of_the_catalog() {
    let database = database("types");
    let mut client = database.connect().unwrap();
    client.batch_execute(DOMAINS).unwrap();
    let schema: Schema = load("schema.sql", DOMAINS).unwrap();
    let mut wrong = Vec::new();
    for (from, to, on_it) in CHANGES {
        let does = alter(&mut client, from, to, on_it);
        let believed = keeps_values(&parse_type(from).unwrap(), &parse_type(to).unwrap(), &schema);
        // Of a value too many that is written anew, only time is lost; of one too few, an hour of an outage.
        if believed && !does.is_empty() {
            wrong.push(format!("{from} to {to} is believed to be free: {does}"));
        }
        if !believed
            && does.is_empty()
            && !["label", "short", "filled", "email"].iter().any(|name| from == name || to == name)
        {
            wrong.push(format!("{from} to {to} is free, and believed not to be"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What stands on a column from varchar(10) to text, and what becomes of it.
#[rustfmt::skip]
const DEPENDENTS: &[(&str, &str)] = &[
    ("create index i on t (lower(a))", "i reads"), ("create index i on t (a) where id > 3", "i reads"), ("create index i on t (id) where a is not null", "i reads"),
    ("create index i on t (id) where id > 3", ""), ("create index i on t using hash (a)", ""), ("create index i on t (a varchar_pattern_ops desc)", ""), ("create index i on t using brin (a)", ""),
    ("alter table t add check (a <> 'x')", "reads"), ("alter table t add check (a <> 'x') not valid", ""), ("alter table t add check (id > 0)", ""),
    ("alter table t alter a set not null", ""), ("alter table t alter a set default 'x'", ""), ("create statistics s on id, a from t", ""),
    ("alter table t add unique (a); create table c (a varchar(10) references t (a))", ""), ("alter table t add unique (a); create table c (a text references t (a))", ""),
    ("create table p (a text primary key); alter table t add foreign key (a) references p", ""),
    ("create view v as select a from t", "0A000"), ("create table w (x t)", "0A000"), ("create policy p on t using (a = 'x')", "0A000"),
];

#[test]
fn h67_h70_what_stands_on_a_column_whose_type_changes() {
    let database = database("types");
    let mut client = database.connect().unwrap();
    for (on_it, expected) in DEPENDENTS {
        assert_eq!(alter(&mut client, "varchar(10)", "text", on_it), *expected, "{on_it}");
    }
    // Without saying so, the collation and the way of storing would be those of the type; with it, the index stays.
    assert_eq!(alter(&mut client, "varchar(10) collate \"C\"", "text collate \"C\"", "create index i on t (a)"), "");
    assert_eq!(alter(&mut client, "varchar(10) collate \"C\"", "text", "create index i on t (a)"), "i reads");
    alter(
        &mut client,
        "varchar(10)",
        "text",
        "alter table t alter a set storage external; insert into t values (1, 'x'); analyze t",
    );
    let storage: String = client
        .query_one("select attstorage::text from pg_attribute where attrelid = 't'::regclass and attname = 'a'", &[])
        .unwrap()
        .get(0);
    assert_eq!(storage, "x");
    assert!(client.query("select from pg_stats where schemaname = 'probe' and attname = 'a'", &[]).unwrap().is_empty());
}
