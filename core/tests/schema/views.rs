use crate::{name, schema};

#[test]
fn what_a_view_reads() {
    let schema = schema(
        "CREATE TABLE app.customers (id int, full_name text);
         CREATE TABLE app.orders (customer_id int, total int);
         CREATE VIEW app.v WITH (security_barrier='true') AS
             WITH paid AS (SELECT o.customer_id FROM app.orders o WHERE o.total > 0)
             SELECT c.id, lower(c.full_name) AS name FROM app.customers c JOIN paid ON paid.customer_id = c.id
             WITH LOCAL CHECK OPTION;",
    );
    let view = &schema.views[&name("app.v")];
    assert_eq!(view.relations, [name("app.orders"), name("app.customers")]);
    assert_eq!(view.column_names, ["customer_id", "full_name", "id", "total"]);
    assert!(view.query.starts_with("WITH paid AS") && view.query.ends_with("= c.id"));
    assert!(!view.materialized);
    assert_eq!(schema.views_of(&name("app.orders")).count(), 1);
}

#[test]
fn whole_rows_are_marked() {
    let schema =
        schema("CREATE TABLE t (a int); CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT to_jsonb(t) FROM t;");
    assert_eq!(schema.views[&name("v")].column_names, ["*"]);
    assert!(schema.views[&name("w")].column_names.contains(&"*".to_owned()));
}

#[test]
fn materialized_views() {
    let schema = schema(
        "CREATE MATERIALIZED VIEW app.m USING heap WITH (fillfactor='70') TABLESPACE fast AS SELECT a FROM t WITH NO DATA;
         ALTER TABLE app.m OWNER TO postgres;
         REFRESH MATERIALIZED VIEW app.m;",
    );
    let view = &schema.views[&name("app.m")];
    assert!(view.materialized);
    assert_eq!(view.query, "SELECT a FROM t");
    assert_eq!(view.relations, [name("t")]);
}

#[test]
fn the_last_definition_counts() {
    let schema = schema(
        "CREATE TABLE t (a int);
         CREATE VIEW v AS SELECT NULL::integer AS a;
         CREATE OR REPLACE VIEW v AS SELECT a FROM t;
         CREATE RECURSIVE VIEW n (i) AS VALUES (1) UNION ALL SELECT i + 1 FROM n, t;
         CREATE TEMP VIEW gone AS SELECT 1;
         ALTER VIEW v RENAME TO w;
         CREATE VIEW x AS SELECT 1;
         DROP VIEW x;",
    );
    assert_eq!(schema.views.keys().map(ToString::to_string).collect::<Vec<_>>(), ["n", "w"]);
    assert_eq!(schema.views[&name("w")].relations, [name("t")]);
    assert_eq!(schema.views[&name("n")].relations, [name("t")]);
}

#[test]
fn a_view_that_cannot_be_read_in_detail_reads_all_that_it_names() {
    // Longer than what is parsed.
    let many = "a, ".repeat(20_000);
    let schema =
        schema(&format!("CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE VIEW v AS SELECT {many} a FROM t;"));
    let view = &schema.views[&name("v")];
    assert_eq!((view.relations.clone(), view.column_names.clone()), (vec![name("t")], vec!["*".to_owned()]));
}
