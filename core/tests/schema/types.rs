use crate::{column, name, schema};

#[test]
fn enums_keep_their_order() {
    let schema = schema(
        "CREATE TYPE app.status AS ENUM ('new', 'paid', 'it''s');
         ALTER TYPE app.status ADD VALUE 'old' AFTER 'new';
         ALTER TYPE app.status ADD VALUE IF NOT EXISTS 'paid';
         ALTER TYPE app.status ADD VALUE 'first' BEFORE 'new';
         ALTER TYPE app.status ADD VALUE 'last';
         ALTER TYPE app.status RENAME VALUE 'paid' TO 'settled';
         ALTER TYPE app.status OWNER TO postgres;",
    );
    assert_eq!(schema.enums[&name("app.status")].labels, ["first", "new", "old", "settled", "it's", "last"]);
}

#[test]
fn domains() {
    let schema = schema(
        "CREATE DOMAIN app.email AS text COLLATE \"C\" DEFAULT 'x@y' NOT NULL CONSTRAINT email_check CHECK ((VALUE ~ '@'::text));
         ALTER DOMAIN app.email ADD CHECK (length(VALUE) < 100) NOT VALID;
         CREATE DOMAIN year integer CHECK (VALUE > 1900);
         ALTER DOMAIN year SET NOT NULL;
         ALTER DOMAIN year SET DEFAULT 2000;",
    );
    let email = &schema.domains[&name("app.email")];
    assert!(email.base.is("text") && email.not_null);
    let checks: Vec<&str> = email.checks.iter().map(|check| check.text.as_str()).collect();
    assert_eq!(checks, ["VALUE ~ '@'::text", "length(VALUE) < 100"]);
    assert_eq!(email.default.as_ref().unwrap().text, "'x@y'");
    let year = &schema.domains[&name("year")];
    assert!(year.not_null && year.default.is_some());
}

#[test]
fn a_domain_that_loses_a_check_is_not_understood() {
    let schema = schema("CREATE DOMAIN d AS int CHECK (VALUE > 0);\nALTER DOMAIN d DROP CONSTRAINT d_check;");
    assert_eq!(schema.opaque[0].line, 2);
}

#[test]
fn ranges_come_with_a_multirange() {
    let schema = schema(
        "CREATE TYPE app.floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
         CREATE TYPE price AS RANGE (subtype = numeric, multirange_type_name = app.prices);
         CREATE TYPE shell;",
    );
    let types: Vec<String> = schema.other_types.keys().map(ToString::to_string).collect();
    assert_eq!(types, ["app.floatmultirange", "app.floatrange", "app.prices", "price", "shell"]);
}

#[test]
fn composite_types_can_be_what_a_table_is_made_of() {
    let schema = schema(
        "CREATE TYPE pair AS (a int, b text COLLATE \"C\", gone int);
         ALTER TYPE pair ADD ATTRIBUTE c numeric(5), DROP ATTRIBUTE gone;
         ALTER TYPE pair RENAME ATTRIBUTE a TO x;
         ALTER TYPE pair ALTER ATTRIBUTE x TYPE bigint CASCADE;
         CREATE TABLE t OF pair;",
    );
    assert_eq!(column(&schema, "t", "x").ty.to_string(), "bigint");
    assert_eq!(column(&schema, "t", "c").ty.to_string(), "numeric(5,0)");
    assert_eq!(column(&schema, "t", "b").collation, Some(name("pg_catalog.C")));
    assert!(schema.tables[&name("t")].column("gone").is_none());
}

#[test]
fn a_renamed_type_is_renamed_in_columns() {
    let schema = schema(
        "CREATE TYPE mood AS ENUM ('ok');
         CREATE DOMAIN d AS mood;
         CREATE TABLE t (m mood[], d d);
         ALTER TYPE mood RENAME TO \"Feeling\";
         ALTER DOMAIN d SET SCHEMA app;
         CREATE TYPE gone AS ENUM ();
         DROP TYPE gone;",
    );
    assert_eq!(column(&schema, "t", "m").ty.to_string(), "\"public\".\"Feeling\"[]");
    assert_eq!(column(&schema, "t", "d").ty.to_string(), "\"app\".\"d\"");
    assert_eq!(schema.domains[&name("app.d")].base.to_string(), "\"public\".\"Feeling\"");
    assert_eq!(schema.enums.len(), 1);
}
