//! Later statements change what earlier ones made.

use coexist_core::schema::ConstraintKind;

use crate::{
    check, column, column_names, constraint, constraint_names, index, index_names, name, schema, table, target,
};

#[test]
fn columns_and_constraints_are_added() {
    let schema = schema(
        "CREATE TABLE p (id int PRIMARY KEY);
         CREATE TABLE t (a int);
         ALTER TABLE IF EXISTS t
             ADD PRIMARY KEY (a),
             ADD COLUMN b text UNIQUE NOT NULL CHECK (b <> ''),
             ADD c int REFERENCES p DEFAULT 3,
             ADD COLUMN IF NOT EXISTS a text,
             ADD CONSTRAINT two CHECK (c > 1),
             ALTER a SET DEFAULT 7,
             ALTER COLUMN a TYPE bigint USING a::bigint;",
    );
    assert_eq!(column_names(table(&schema, "t")), ["a", "b", "c"]);
    assert_eq!(constraint_names(table(&schema, "t")), ["t_b_check", "two", "t_pkey", "t_b_key", "t_c_fkey"]);
    assert_eq!(column(&schema, "t", "a").ty.to_string(), "bigint");
    assert_eq!(column(&schema, "t", "a").default.as_ref().unwrap().text, "7");
    assert!(column(&schema, "t", "b").not_null);
}

#[test]
fn columns_change() {
    let schema = schema(
        "CREATE TABLE t (a varchar(3) NOT NULL DEFAULT 'x', b int GENERATED ALWAYS AS (1) STORED, c int, d int GENERATED ALWAYS AS (1) STORED);
         ALTER TABLE t ALTER a DROP NOT NULL, ALTER a DROP DEFAULT, ALTER a SET DATA TYPE text COLLATE \"C\";
         ALTER TABLE t ALTER b DROP EXPRESSION, ALTER c SET NOT NULL, ALTER d SET EXPRESSION AS (2);
         ALTER TABLE t ALTER c SET (n_distinct = 5, n_distinct_inherited = 6), ALTER c RESET (n_distinct), ALTER c SET STATISTICS 7;
         ALTER TABLE t ALTER c SET STATISTICS -1, ALTER a SET STORAGE DEFAULT;",
    );
    let a = column(&schema, "t", "a");
    assert!(!a.not_null && a.default.is_none() && a.ty.is("text"));
    assert_eq!(a.collation, Some(name("pg_catalog.C")));
    assert!(column(&schema, "t", "b").generated.is_none() && column(&schema, "t", "c").not_null);
    assert_eq!(column(&schema, "t", "d").generated.as_ref().unwrap().expression.text, "2");
    assert_eq!(column(&schema, "t", "c").options, [("n_distinct_inherited".to_owned(), "6".to_owned())]);
    assert_eq!(column(&schema, "t", "c").statistics_target, None);
}

#[test]
fn h68_a_dropped_column_takes_along_what_hangs_on_it() {
    let schema = schema(
        "CREATE TABLE t (a serial, b int, c int, PRIMARY KEY (a), UNIQUE (a, b), CHECK (a > b), CHECK (c > 0), UNIQUE (c));
         CREATE INDEX ON t (b) WHERE a > 1;
         CREATE INDEX ON t (lower(a::text));
         CREATE INDEX kept ON t (b);
         CREATE STATISTICS s ON a, b FROM t;
         GRANT SELECT (a), SELECT (a, b) ON t TO r;
         ALTER TABLE t DROP COLUMN IF EXISTS a CASCADE;",
    );
    let t = table(&schema, "t");
    assert_eq!(column_names(t), ["b", "c"]);
    assert_eq!(constraint_names(t), ["t_c_check", "t_c_key"]);
    assert_eq!(index_names(t), ["kept"]);
    assert!(t.statistics.is_empty() && schema.sequences.is_empty());
    assert_eq!(t.grants.iter().map(|grant| grant.columns.join(",")).collect::<Vec<_>>(), ["b"]);
    assert!(schema.relation(&name("t_pkey")).is_none());
}

#[test]
fn h70_a_renamed_column_is_renamed_wherever_it_is_named() {
    let schema = schema(
        "CREATE TABLE t (a serial PRIMARY KEY, b int CHECK (b > 0), c int GENERATED ALWAYS AS (b + 1) STORED, EXCLUDE USING btree (b WITH =));
         CREATE TABLE u (r int REFERENCES t (a));
         CREATE INDEX i ON t (b, (b + length('b'))) INCLUDE (c) WHERE b > 1;
         CREATE STATISTICS s ON b, c FROM t;
         CREATE TRIGGER g BEFORE UPDATE OF b ON t FOR EACH ROW WHEN (new.b > 1) EXECUTE FUNCTION f();
         CREATE POLICY p ON t USING (b > 1);
         CREATE VIEW v AS SELECT b FROM t;
         CREATE PUBLICATION pub FOR TABLE t (a, b) WHERE (b > 1);
         GRANT SELECT (b) ON t TO r;
         ALTER TABLE t RENAME COLUMN b TO \"B 2\";
         ALTER TABLE t RENAME a TO id;",
    );
    let t = table(&schema, "t");
    assert_eq!(column_names(t), ["id", "B 2", "c"]);
    assert_eq!(t.primary_key(), ["id"]);
    assert_eq!(check(constraint(&schema, "t", "t_b_check")), "\"B 2\" > 0");
    let ConstraintKind::Exclude { definition, columns } = &constraint(&schema, "t", "t_b_excl").kind else { panic!() };
    assert_eq!(
        (definition.text.as_str(), columns.join(",")),
        ("EXCLUDE USING btree (\"B 2\" WITH =)", "B 2".to_owned())
    );
    assert_eq!(column(&schema, "t", "c").generated.as_ref().unwrap().expression.text, "\"B 2\" + 1");
    let i = index(&schema, "t", "i");
    assert_eq!(i.keys.iter().map(|key| target(&key.on)).collect::<Vec<_>>(), ["B 2", "(\"B 2\" + length('b'))"]);
    assert_eq!(i.predicate.as_ref().unwrap().text, "\"B 2\" > 1");
    assert_eq!(target(&t.statistics[0].on[0]), "B 2");
    assert_eq!(
        (t.triggers[0].update_of.join(","), t.triggers[0].condition.as_ref().unwrap().text.as_str()),
        ("B 2".to_owned(), "\"new\".\"B 2\" > 1")
    );
    assert_eq!(t.policies[0].expressions[0].text, "\"B 2\" > 1");
    assert_eq!(t.grants[0].columns, ["B 2"]);
    assert_eq!(schema.views[&name("v")].column_names, ["B 2"]);
    assert_eq!(schema.publications[0].tables[0].1, ["id", "B 2"]);
    let ConstraintKind::ForeignKey { referenced, .. } = &constraint(&schema, "u", "u_r_fkey").kind else { panic!() };
    assert_eq!(referenced, &["id"]);
    assert_eq!(schema.sequences[&name("t_a_seq")].owned_by, Some((name("t"), "id".to_owned())));
}

#[test]
fn a_renamed_table_is_renamed_wherever_it_is_named() {
    let schema = schema(
        "CREATE TABLE t (id serial PRIMARY KEY);
         CREATE TABLE u (t int REFERENCES t);
         CREATE TABLE c () INHERITS (t);
         CREATE VIEW v AS SELECT id FROM t;
         CREATE PUBLICATION p FOR TABLE t;
         ALTER TABLE t RENAME TO \"New T\";
         ALTER TABLE \"New T\" SET SCHEMA app;",
    );
    let new = name("app.New T");
    assert_eq!(schema.tables[&new].name, new);
    assert_eq!(schema.foreign_keys_to(&new).count(), 1);
    assert_eq!(table(&schema, "c").parents.first(), Some(&new));
    assert_eq!(schema.views[&name("v")].relations.first(), Some(&new));
    assert_eq!(schema.publications[0].tables[0].0, new);
    // Sequences that a table owns follow it.
    assert_eq!(schema.sequences[&name("app.t_id_seq")].owned_by, Some((new.clone(), "id".to_owned())));
    assert!(schema.relation(&name("t_pkey")).is_none() && schema.relation(&name("app.t_pkey")).is_some());
}

#[test]
fn constraints_change() {
    let schema = schema(
        "CREATE TABLE t (a int UNIQUE, b int CONSTRAINT n NOT NULL, CONSTRAINT c CHECK (a > 0));
         ALTER TABLE t RENAME CONSTRAINT t_a_key TO k;
         ALTER TABLE t RENAME CONSTRAINT n TO m;
         ALTER TABLE t DROP CONSTRAINT IF EXISTS c, DROP CONSTRAINT IF EXISTS nothing;
         ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES t (a) NOT VALID;
         ALTER TABLE t VALIDATE CONSTRAINT t_b_fkey;
         ALTER TABLE t ALTER CONSTRAINT t_b_fkey DEFERRABLE INITIALLY DEFERRED;
         CREATE TABLE u (a int CONSTRAINT gone NOT NULL);
         ALTER TABLE u DROP CONSTRAINT gone;",
    );
    assert_eq!(constraint_names(table(&schema, "t")), ["k", "t_b_fkey"]);
    assert_eq!(column(&schema, "t", "b").not_null_name.as_deref(), Some("m"));
    let key = constraint(&schema, "t", "t_b_fkey");
    assert!(!key.not_valid && key.deferrable && key.initially_deferred);
    assert!(!column(&schema, "u", "a").not_null);
    assert!(schema.relation(&name("k")).is_some() && schema.relation(&name("t_a_key")).is_none());
}

#[test]
fn dropped_objects_are_gone_and_so_are_their_names() {
    let schema = schema(
        "DROP TABLE IF EXISTS t;
         CREATE TABLE t (id serial PRIMARY KEY);
         CREATE TABLE u (t int REFERENCES t);
         CREATE PUBLICATION p FOR TABLE t;
         DROP TABLE t CASCADE;
         CREATE TABLE t (id serial PRIMARY KEY);
         CREATE SCHEMA app;
         CREATE TABLE app.x (a app.e);
         CREATE TYPE app.e AS ENUM ();
         DROP SCHEMA app CASCADE;
         DROP EXTENSION IF EXISTS hstore;",
    );
    assert_eq!(constraint_names(table(&schema, "t")), ["t_pkey"]);
    assert!(schema.sequences.contains_key(&name("t_id_seq")));
    assert!(constraint_names(table(&schema, "u")).is_empty());
    assert!(schema.publications[0].tables.is_empty());
    assert!(!schema.tables.contains_key(&name("app.x")) && schema.enums.is_empty());
}

#[test]
fn a_table_that_nobody_created_is_not_understood() {
    let schema = schema("ALTER TABLE spatial_ref_sys ADD COLUMN a int;");
    assert!(schema.tables.is_empty());
    assert!(schema.opaque[0].identifiers.contains(&"spatial_ref_sys".to_owned()));
}
