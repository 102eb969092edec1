//! Comments, and the objects that they mark as made by a change in flight.

use crate::{column, column_names, constraint, constraint_names, index, index_names, name, schema, table};

#[test]
fn comments_are_kept_with_what_they_are_on() {
    let schema = schema(
        "CREATE TABLE app.t (a int PRIMARY KEY, b int, CONSTRAINT c CHECK (b > 0));
         CREATE INDEX i ON app.t (b);
         COMMENT ON TABLE app.t IS 'it''s a \"table\"';
         COMMENT ON COLUMN app.t.b IS E'line\\nbreak';
         COMMENT ON CONSTRAINT c ON app.t IS 'check';
         COMMENT ON INDEX app.i IS 'index';
         COMMENT ON INDEX app.t_pkey IS 'key';
         COMMENT ON COLUMN app.t.a IS 'gone';
         COMMENT ON COLUMN app.t.a IS NULL;
         COMMENT ON EXTENSION hstore IS 'x';
         COMMENT ON LARGE OBJECT 5 IS 'x';
         COMMENT ON FUNCTION f(int, text) IS 'x';",
    );
    assert_eq!(table(&schema, "app.t").comment.as_deref(), Some("it's a \"table\""));
    assert_eq!(column(&schema, "app.t", "b").comment.as_deref(), Some("line\nbreak"));
    assert_eq!(column(&schema, "app.t", "a").comment, None);
    assert_eq!(constraint(&schema, "app.t", "c").comment.as_deref(), Some("check"));
    assert_eq!(constraint(&schema, "app.t", "t_pkey").index_comment.as_deref(), Some("key"));
    assert_eq!(index(&schema, "app.t", "i").comment.as_deref(), Some("index"));
    assert!(schema.opaque.is_empty());
}

#[test]
fn a_dump_in_the_middle_of_a_change_reads_as_one_from_before_it() {
    let before = "
        CREATE TABLE public.users (id bigint NOT NULL, name text);
        CREATE TABLE public.notes (id bigint NOT NULL);
        CREATE INDEX users_name ON public.users (name);
        CREATE FUNCTION public.f(a integer) RETURNS integer LANGUAGE sql AS 'select 1';
        CREATE PUBLICATION p FOR TABLE public.users (id, name);
        GRANT SELECT(name) ON TABLE public.users TO app;
    ";
    let during = "
        CREATE SCHEMA coexist;
        CREATE TABLE coexist.changes (name text PRIMARY KEY);
        CREATE FUNCTION coexist.sync() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
        ALTER TABLE public.users ADD COLUMN full_name text;
        COMMENT ON COLUMN public.users.full_name IS 'coexist: rename_user_name';
        GRANT SELECT(name,full_name) ON TABLE public.users TO app;
        REVOKE SELECT(name) ON TABLE public.users FROM app;
        GRANT SELECT(name) ON TABLE public.users TO app;
        ALTER TABLE public.users ADD CONSTRAINT c CHECK (full_name IS NOT NULL) NOT VALID;
        COMMENT ON CONSTRAINT c ON public.users IS 'coexist: rename_user_name';
        ALTER TABLE public.users ADD CONSTRAINT n NOT NULL id NOT VALID;
        COMMENT ON CONSTRAINT n ON public.users IS 'coexist: require_id';
        CREATE INDEX new_name ON public.users (full_name);
        CREATE UNIQUE INDEX marked ON public.users (id);
        COMMENT ON INDEX public.marked IS 'coexist: rename_user_name';
        CREATE FUNCTION public.f(a text, b integer DEFAULT 1) RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
        COMMENT ON FUNCTION public.f(a text, b integer) IS 'coexist: rename_user_name';
        CREATE TRIGGER sync BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.f();
        COMMENT ON TRIGGER sync ON public.users IS 'coexist: rename_user_name';
        CREATE STATISTICS public.s ON name, full_name FROM public.users;
        COMMENT ON STATISTICS public.s IS 'coexist: rename_user_name';
        CREATE SEQUENCE public.q;
        COMMENT ON SEQUENCE public.q IS 'coexist: x';
        CREATE TABLE public.profiles (user_id bigint PRIMARY KEY REFERENCES public.users, bio serial);
        COMMENT ON TABLE public.profiles IS 'coexist: split_user';
        CREATE SCHEMA shape;
        CREATE VIEW shape.users AS SELECT id, name AS full_name FROM public.users;
        COMMENT ON SCHEMA shape IS 'coexist: rename_through_view';
        CREATE VIEW public.v AS SELECT 1;
        COMMENT ON VIEW public.v IS 'coexist: x';
    ";
    let (before, during) = (schema(before), schema(&format!("{before}{during}")));
    assert_eq!(before.tables.keys().collect::<Vec<_>>(), during.tables.keys().collect::<Vec<_>>());
    let users = table(&during, "users");
    assert_eq!(column_names(users), ["id", "name"]);
    assert!(constraint_names(users).is_empty() && users.triggers.is_empty() && users.statistics.is_empty());
    assert_eq!(index_names(users), ["users_name"]);
    assert!(users.grants.iter().all(|grant| grant.columns == ["name"]));
    assert_eq!(during.functions.len(), 1);
    assert!(during.sequences.is_empty() && during.views.is_empty() && during.opaque.is_empty());
}

#[test]
fn only_the_mark_itself_counts() {
    let schema = schema(
        "CREATE TABLE t (a int, b int);
         COMMENT ON COLUMN t.a IS 'about coexist: nothing';
         COMMENT ON COLUMN t.b IS 'coexist: x';
         COMMENT ON COLUMN t.b IS 'mine after all';
         CREATE SEQUENCE q;
         COMMENT ON SEQUENCE q IS 'coexist: x';
         COMMENT ON SEQUENCE q IS NULL;",
    );
    assert_eq!(column_names(table(&schema, "t")), ["a", "b"]);
    assert!(schema.sequences.contains_key(&name("q")));
}
