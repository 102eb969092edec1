//! How the text is split and what its names mean.

use crate::{column, column_names, name, schema, table};

#[test]
fn dumps_begin_with_settings() {
    let schema = schema(
        "\\restrict 0123456789abcdef\n\
         SET statement_timeout = 0;\n\
         SET standard_conforming_strings = on;\n\
         SELECT pg_catalog.set_config('search_path', '', false);\n\
         SET default_tablespace = '';\n\
         CREATE TABLE public.t (a integer);\n\
         \\unrestrict 0123456789abcdef\n",
    );
    assert_eq!(table(&schema, "t").line, 6);
    assert!(schema.opaque.is_empty());
}

#[test]
fn unqualified_names_follow_the_search_path() {
    let schema = schema(
        "CREATE TABLE in_public (a int);
         SET search_path = app, pg_catalog;
         CREATE TYPE mood AS ENUM ('ok');
         CREATE TABLE in_app (a mood);
         SET search_path TO \"$user\", 'other', app, public;
         CREATE TABLE in_other (a mood, r int);
         CREATE INDEX ON in_app (a);
         ALTER TABLE in_public ADD b int;
         SET search_path TO DEFAULT;
         CREATE TABLE again (a app.mood);
         SELECT set_config('search_path', '\"My Schema\", app', false);
         CREATE TABLE mine (a int);
         RESET search_path;
         CREATE TABLE last (a int);",
    );
    let tables: Vec<String> = schema.tables.keys().map(ToString::to_string).collect();
    assert_eq!(tables, ["My Schema.mine", "app.in_app", "other.in_other", "again", "in_public", "last"]);
    assert_eq!(column(&schema, "other.in_other", "a").ty.qualified(), Some(name("app.mood")));
    assert_eq!(table(&schema, "app.in_app").indexes.len(), 1);
    assert_eq!(column_names(table(&schema, "in_public")), ["a", "b"]);
}

#[test]
fn rows_of_copy_are_skipped() {
    let schema = schema(
        "CREATE TABLE t (a int, b text);\n\
         COPY public.t (a, b) FROM stdin;\n\
         1\tit's; a 'string\n\
         2\t$$ /* \"\n\
         \\.\n\
         CREATE TABLE u (a int);\n\
         COPY t FROM STDIN WITH (FORMAT csv);\n\
         \\.\n\
         CREATE TABLE v (a int);",
    );
    assert_eq!(schema.tables.len(), 3);
    assert_eq!((table(&schema, "u").line, table(&schema, "v").line), (6, 9));
}

#[test]
fn semicolons_end_statements_only_where_they_do() {
    let schema = schema(
        "CREATE TABLE a (x text DEFAULT ';', y text DEFAULT $q$;$$;$q$, \"z;\" int); -- not; here
         /* nor /* ; */ ; here */ CREATE TABLE b (x int /* ; */ DEFAULT 1 -- ;
             , y int);;
         INSERT INTO a VALUES (';'), (E'it\\'s;');
         CREATE TABLE c (x int)",
    );
    assert_eq!(schema.tables.len(), 3);
    assert_eq!(column_names(table(&schema, "a")), ["x", "y", "z;"]);
    assert_eq!(column_names(table(&schema, "b")), ["x", "y"]);
}

#[test]
fn data_and_maintenance_are_passed_over() {
    let schema = schema(
        "BEGIN; INSERT INTO t VALUES (1); UPDATE t SET a = 1; DELETE FROM t; WITH x AS (SELECT 1) SELECT * FROM x; (SELECT 1);
         SELECT pg_catalog.setval('s', 1, false); ANALYZE t; VACUUM; COMMIT; SET TIME ZONE 'UTC'; LOCK TABLE t;
         ALTER FUNCTION f() OWNER TO postgres; ALTER SCHEMA app OWNER TO postgres; CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION joe;",
    );
    assert!(schema.tables.is_empty() && schema.opaque.is_empty());
}

#[test]
fn what_is_not_modelled_is_kept_with_its_names() {
    let schema = schema(
        "CREATE CAST (app.addr AS text) WITH INOUT AS ASSIGNMENT;
         CREATE OPERATOR app.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
         CREATE TABLE made AS SELECT \"Full Name\" FROM users;
         DO $$ BEGIN ALTER TABLE Orders ADD total int; END $$;
         CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();
         CREATE SCHEMA app CREATE TABLE inside (a int);",
    );
    let lines: Vec<u32> = schema.opaque.iter().map(|statement| statement.line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6]);
    assert!(schema.opaque[2].identifiers.contains(&"Full Name".to_owned()));
    assert!(schema.opaque[3].identifiers.contains(&"orders".to_owned()));
    assert!(schema.opaque[0].text.starts_with("CREATE CAST"));
}

#[test]
fn extensions_are_names() {
    let schema = schema(
        "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public; CREATE EXTENSION \"uuid-ossp\"; CREATE EXTENSION hstore;",
    );
    assert_eq!(schema.extensions, ["hstore", "uuid-ossp"]);
}

#[test]
fn nothing_is_a_schema_too() {
    for sql in ["", ";;", "-- nothing\n", "\u{feff}", "\\restrict x"] {
        assert!(schema(sql).tables.is_empty());
    }
}
