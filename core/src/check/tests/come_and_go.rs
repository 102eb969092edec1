use super::Case;
use crate::testing::snapshot;

#[test]
fn columns_that_come() {
    snapshot!(Case::shop().mistakes(&[
        "change x { add users.bio: text; stage expand; }",
        "change x { add users.ctid: text; stage expand; }",
        "change x { add userz.vip: boolean; stage expand; }",
        "change x { add users.vip: bolean; stage expand; }",
        "change x { add users.vip: boolean not null; stage expand; }",
        "change x { add users.vip: boolean not null default \"null\"; stage expand; }",
        "change x { add users.vip: boolean default \"level > 3\"; stage expand; }",
        "change x { add users.vip: boolean fill \"level > 3\"; stage expand; }",
        "change x { add users.vip: boolean not null fill \"levle > 3\"; stage expand; }",
        "change x { add users.vip: boolean not null fill \"level >\"; stage expand; }",
        "change x { add users.token: text default \"gen_random_uuid()\"; stage expand; }",
        "change x { add users.token: text default \"gen_random_uid()\"; stage expand; }",
        "change x { add users.number: bigserial; stage expand; }",
        "change x { add users.mail: email; stage expand; }",
        "change x { add users.vip: boolean not null fill \"age > 3\"; stage expand; } change y { rename users.age to years; stage expand; }",
        "change x { add users.vip: boolean; stage expand; } change y { add users.vip: boolean; stage expand; }",
        "change x { add users.bio: text; stage contract; }",
    ]));
    let generated = "CREATE TABLE t (id int PRIMARY KEY, a int GENERATED ALWAYS AS (id * 2) STORED);";
    snapshot!(Case::with(generated).mistakes(&["change x { add t.b: int not null fill \"a + 1\"; stage expand; }"]));
}

#[test]
fn columns_that_go() {
    let schema = "CREATE TABLE kinds (code text PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL REFERENCES kinds, b int CHECK (b > 0), c int UNIQUE, d int GENERATED ALWAYS AS IDENTITY, e text);
CREATE INDEX t_a_lower ON t (lower(a)) WHERE b > 1;
CREATE STATISTICS t_stats ON a, b FROM t;
CREATE TABLE child (c int REFERENCES t (c));
CREATE VIEW v AS SELECT e FROM t;";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { drop t.a; stage expand; }",
        "change x { drop t.a { default \"'x'\", with t_a_lower, t_stats, t_a_fkey, t_a_lower, other } stage expand; }",
        "change x { drop t.b { with t_b_chek } stage expand; }",
        "change x { drop t.c { with t_c_key } stage expand; }",
        "change x { drop t.d { default \"1\" } stage expand; }",
        "change x { drop t.e { with nothing } stage expand; }",
        "change x { drop t.id { with t_pkey } stage expand; }",
        "change x { drop t.f; stage expand; }",
        "change x { drop t.f; stage contract; }",
        "change x { drop t; stage expand; }",
    ]));
}

#[test]
fn indexes() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a text, at timestamptz, constraint t_a UNIQUE (a));
CREATE INDEX t_lower ON t (lower(a)); CREATE UNIQUE INDEX t_at ON t (at); CREATE TABLE child (at timestamptz REFERENCES t (at));
CREATE UNIQUE INDEX t_identity ON t (id, at); ALTER TABLE t REPLICA IDENTITY USING INDEX t_identity;
CREATE TABLE parts (id int) PARTITION BY RANGE (id);";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { create index on t (b, lower(c)) include (d); stage expand; }",
        "change x { create index on t (a) name t_lower; stage expand; }",
        "change x { create index on t (a b c); stage expand; }",
        "change x { create index on t (); stage expand; }",
        "change x { create index on t (a) where \"a >\"; stage expand; }",
        "change x { create index on t (date_trunc(\"day\", at)); stage expand; }",
        "change x { create index on t \"date_trunc('day', at)\"; stage expand; }",
        "change x { create index on t (a) where \"at > now()\"; stage expand; }",
        "change x { create index on parts (id); stage expand; }",
        "change x { create index on t (a) name i; stage expand; } change y { create index on t (at) name i; stage expand; }",
        "change x { create index on t (a); stage expand; } change y { rename t.a to b; stage expand; }",
        "change x { drop index t_lower; stage expand; } change y { rename t.a to b; stage expand; }",
        "change x { drop index t_a; stage expand; }",
        "change x { drop index t_lowr; stage expand; }",
        "change x { drop index t_lowr; stage contract; }",
        "change x { drop index t_at; stage expand; }",
        "change x { drop index t_identity; stage expand; }",
        "change x { create indx on t (a); stage expand; }",
        "change x { create index t (a); stage expand; }",
    ]));
}

#[test]
fn tables() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, a text); CREATE TABLE child (t_id int REFERENCES t);
CREATE TABLE secret (id int PRIMARY KEY); ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE TABLE sent (id int PRIMARY KEY); CREATE PUBLICATION all_of_it FOR TABLE sent; CREATE VIEW v AS SELECT id FROM sent;";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { add table; stage expand; }",
        "change x { add table \"create tabel notes (id int)\"; stage expand; }",
        "change x { add table \"create table t (id int)\"; stage expand; }",
        "change x { add table \"create table t (id int)\"; stage contract; }",
        "change x { add table \"create view w as select 1\"; stage expand; }",
        "change x { add table \"create table a (id int); create table b (id int)\"; stage expand; }",
        "change x { add table \"create table a (id int); insert into a values (1)\"; stage expand; }",
        "change x { add table \"create table a (id int) partition by range (id)\"; stage expand; }",
        "change x { add table \"create table a (id int)\"; stage expand; } change y { add table \"create table a (id int)\"; stage expand; }",
        "change x { drop table t; stage expand; }",
        "change x { drop table sent; stage expand; }",
        "change x { drop table tt; stage expand; }",
        "change x { drop table tt; stage contract; }",
        "change x { drop table child; stage expand; } change y { rename child.t_id to parent; stage expand; }",
        "change x { rename table t to child; stage expand; }",
        "change x { rename table secret to hidden; stage expand; }",
        "change x { rename table sent to received; stage expand; }",
        "change x { rename table t; stage expand; }",
        "change x { rename table t to u; stage expand; } change y { rename t.a to b; stage expand; }",
    ]));
}

#[test]
fn labels_of_enums() {
    let schema = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, mood mood);";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { enum moods add value \"x\"; stage expand; }",
        "change x { enum mood add value \"ok\"; stage expand; }",
        "change x { enum mood add value \"ok\"; stage contract; }",
        "change x { enum mood add value \"\"; stage expand; }",
        "change x { enum mood add value \"x\" after \"okay\"; stage expand; }",
        "change x { enum mood rename value \"sad\" to \"blue\"; stage expand; }",
        "change x { enum mood drop value \"sad\"; stage expand; }",
        "change x { enum mood add \"x\"; stage expand; }",
        "change x { enum mood add value x; stage expand; }",
    ]));
}

#[test]
fn statements_of_the_users_own() {
    let schema = "CREATE TABLE users (id int PRIMARY KEY, a text); CREATE INDEX users_a ON users (a);";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { sql { } stage expand; }",
        "change x { sql { expand \"selct 1\" undo \"select 1\" locks nothing } stage expand; }",
        "change x { sql { expand \"create extension hstore\" locks nothing } stage expand; }",
        "change x { sql { expand \"create extension hstore\" undo \"drop extension hstore\" } stage expand; }",
        "change x { sql { expand \"select 1\" undo \"select 1\" locks nothing, irreversible } stage expand; }",
        "change x { sql { contract \"select 1\" undo \"select 1\" locks nothing } stage expand; }",
        "change x { sql { validate \"select 1\" undo \"select 1\" locks nothing, expand \"select 1\" undo \"select 1\" locks nothing } stage expand; }",
        "change x { sql { validate \"drop index concurrently users_a\" locks users share, irreversible } stage expand; }",
        "change x { sql { validate \"create index concurrently i on users (a)\" locks users share outside transaction, irreversible } stage expand; }",
        "change x { sql { validate \"select 1\" locks nothing outside transaction, irreversible } stage expand; }",
        "change x { sql { validate \"alter table users add constraint c check (a <> '') not valid; alter table users validate constraint c\" undo \"alter table users drop constraint c\" locks users access exclusive } stage expand; }",
        "change x { sql { contract \"begin; select 1; commit\" locks nothing } stage expand; }",
        "change x { sql { contract \"drop table users cascade\" locks users access exclusive } stage expand; }",
        "change x { sql { contract \"select 1\" locks usres share } stage expand; }",
        "change x { sql { contract \"select 1\" locks users shared } stage expand; }",
        "change x { sql { contract \"select 1\" locks users } stage expand; }",
        "change x { sql { backfill \"select 1\" locks nothing } stage expand; }",
        "change x { sql { contract \"select 'a\" locks nothing } stage expand; }",
    ]));
}
