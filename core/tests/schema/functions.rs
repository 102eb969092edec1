use coexist_core::schema::Volatility;

use crate::{name, schema};

#[test]
fn what_a_function_says_about_itself() {
    let schema = schema(
        "CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql
             AS $fn$ BEGIN NEW.updated_at := now(); RETURN NEW; END $fn$;
         CREATE FUNCTION rows(VARIADIC xs integer[]) RETURNS TABLE(x integer, y text) LANGUAGE sql STABLE AS 'SELECT 1, ''a''';
         CREATE FUNCTION s(a int DEFAULT 1) RETURNS SETOF int IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$ SELECT 1 $$;
         CREATE FUNCTION w() RETURNS int LANGUAGE c WINDOW STRICT AS 'lib', 'symbol';
         CREATE FUNCTION p() RETURNS int LANGUAGE sql SET search_path TO immutable, stable AS 'SELECT 1';
         CREATE PROCEDURE proc(INOUT a integer) LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
         CREATE AGGREGATE app.mysum(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');",
    );
    let function = |function: &str| schema.functions.iter().find(|known| known.name == name(function)).unwrap();
    assert_eq!(function("app.touch").body, " BEGIN NEW.updated_at := now(); RETURN NEW; END ");
    assert_eq!(function("app.touch").volatility, Volatility::Volatile);
    let rows = function("rows");
    assert_eq!((rows.volatility, rows.returns_set, rows.body.as_str()), (Volatility::Stable, true, "SELECT 1, 'a'"));
    assert_eq!(rows.arguments, "VARIADIC xs integer[]");
    assert_eq!((function("s").volatility, function("s").returns_set), (Volatility::Immutable, true));
    assert!(function("w").aggregate_or_window && !function("s").aggregate_or_window);
    assert_eq!(function("p").volatility, Volatility::Volatile);
    assert!(function("app.mysum").aggregate_or_window);
    assert_eq!(function("proc").line, 7);
}

#[test]
fn bodies_may_hold_statements() {
    let schema = schema(
        "CREATE FUNCTION a(x int) RETURNS int LANGUAGE sql IMMUTABLE
             BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN 2 END; SELECT 3; END;
         CREATE PROCEDURE b() LANGUAGE sql BEGIN ATOMIC INSERT INTO t (a) VALUES (1); DELETE FROM t; END;
         CREATE FUNCTION c(x int) RETURNS int LANGUAGE sql RETURN x + 1;
         CREATE TABLE t (a int);",
    );
    assert_eq!(schema.functions.len(), 3);
    assert!(schema.functions[0].body.starts_with("BEGIN ATOMIC") && schema.functions[0].body.ends_with("END"));
    assert_eq!(schema.functions[2].body, "RETURN x + 1");
    assert!(schema.tables.contains_key(&name("t")));
}

#[test]
fn overloads_stand_next_to_each_other() {
    let schema = schema(
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE FUNCTION f(a text, b int DEFAULT 3) RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 2';
         CREATE FUNCTION f(numeric(5,2), OUT o int) RETURNS int LANGUAGE sql AS 'SELECT 3';
         DROP FUNCTION f(numeric);
         CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS 'SELECT 1';
         DROP FUNCTION IF EXISTS gone;",
    );
    let bodies: Vec<&str> = schema.functions.iter().map(|function| function.body.as_str()).collect();
    assert_eq!(bodies, ["SELECT 1", "SELECT 2"]);
}
