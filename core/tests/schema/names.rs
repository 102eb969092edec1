//! The names that PostgreSQL chooses. Each of these was seen on a real server.

use crate::{constraint_names, index_names, name, schema, table};

#[test]
fn constraints_are_named_after_table_and_columns() {
    let schema = schema(
        "CREATE TABLE t (
             a int UNIQUE, b int CHECK (b > 0), c text, d date,
             CHECK (a > b), CHECK (length(c) > 0), CHECK (extract(year from d) > 2000), CHECK (true),
             UNIQUE (a, b), UNIQUE (b) INCLUDE (c), FOREIGN KEY (b) REFERENCES t (a), PRIMARY KEY (c)
         );",
    );
    let expected = [
        "t_b_check",
        "t_check",
        "t_c_check",
        "t_d_check",
        "t_check1",
        "t_pkey",
        "t_a_key",
        "t_a_b_key",
        "t_b_c_key",
        "t_b_fkey",
    ];
    assert_eq!(constraint_names(table(&schema, "t")), expected);
}

#[test]
fn taken_names_are_numbered() {
    let schema = schema(
        "CREATE TABLE t_pkey (a int);
         CREATE TABLE t_id_seq (a int);
         CREATE TABLE t (id serial PRIMARY KEY, a int CHECK (a > 0) CHECK (a > 1), b int CONSTRAINT t_a_key CHECK (b > 0), UNIQUE (a));
         CREATE INDEX ON t (a);
         CREATE INDEX ON t (a);
         CREATE TABLE other.t (id serial PRIMARY KEY);",
    );
    let t = table(&schema, "t");
    assert_eq!(constraint_names(t), ["t_a_check", "t_a_check1", "t_a_key", "t_pkey1", "t_a_key1"]);
    assert_eq!(index_names(t), ["t_a_idx", "t_a_idx1"]);
    assert!(schema.sequences.contains_key(&name("t_id_seq1")));
    assert_eq!(constraint_names(table(&schema, "other.t")), ["t_pkey"]);
}

#[test]
fn indexes_are_named_after_what_is_indexed() {
    let schema = schema(
        "CREATE TABLE t (a int, b int, c text, j jsonb);
         CREATE INDEX ON t (lower(c));
         CREATE INDEX ON t ((a + b), (a - b), a, a);
         CREATE INDEX ON t ((j ->> 'k'));
         CREATE INDEX ON t ((c::varchar));
         CREATE INDEX ON t ((('x' || c)::char(3)));
         CREATE INDEX ON t (coalesce(a, b));
         CREATE INDEX ON t ((CASE WHEN a > 1 THEN b ELSE a END));
         CREATE INDEX ON t (upper(c), lower(c), upper(c)) INCLUDE (a);
         CREATE INDEX ON t (trim(c));
         CREATE INDEX ON t ((b));",
    );
    let expected = [
        "t_lower_idx",
        "t_expr_expr1_a_a1_idx",
        "t_expr_idx",
        "t_c_idx",
        "t_bpchar_idx",
        "t_coalesce_idx",
        "t_a_idx",
        "t_upper_lower_upper1_a_idx",
        "t_btrim_idx",
        "t_b_idx",
    ];
    assert_eq!(index_names(table(&schema, "t")), expected);
}

#[test]
fn h65_long_names_are_cut_as_postgresql_cuts_them() {
    let schema = schema(
        "CREATE TABLE a_very_long_table_name_that_goes_on_and_on_and_on_until_the_end (
             a_very_long_column_name_that_goes_on_and_on_and_on int UNIQUE, id bigserial PRIMARY KEY, b int CHECK (b > 0)
         );
         CREATE TABLE \"ÄÖÜ tÄble with ümläuts ünd spaces that is tööööö löng für pg\" (id serial);",
    );
    let long = table(&schema, "a_very_long_table_name_that_goes_on_and_on_and_on_until_the_end");
    let expected = [
        "a_very_long_table_name_that_goes_on_and_on_and_on_until_b_check",
        "a_very_long_table_name_that_goes_on_and_on_and_on_until_th_pkey",
        "a_very_long_table_name_that_g_a_very_long_column_name_that__key",
    ];
    assert_eq!(constraint_names(long), expected);
    assert!(schema.sequences.contains_key(&name("a_very_long_table_name_that_goes_on_and_on_and_on_until__id_seq")));
    assert!(schema.tables.contains_key(&name("ÄÖÜ tÄble with ümläuts ünd spaces that is tööööö l")));
    assert!(schema.sequences.contains_key(&name("ÄÖÜ tÄble with ümläuts ünd spaces that is tööö_id_seq")));
}

#[test]
fn names_fold_unless_they_are_quoted() {
    let schema = schema(
        "CREATE TABLE Public.Users (Id INT, \"Id\" int, \"quo\"\"te\" int, ÄÖ int, U&\"d\\0061t\" int, \"select\" int, a$1 int);",
    );
    let names: Vec<&str> = table(&schema, "users").columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["id", "Id", "quo\"te", "ÄÖ", "dat", "select", "a$1"]);
}
