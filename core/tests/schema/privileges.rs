use coexist_core::schema::Schema;

use crate::{schema, table};

/// `role: PRIVILEGE(columns)`, with `*` behind it for the grant option.
fn grants(schema: &Schema, of: &str) -> Vec<String> {
    let grants = table(schema, of).grants.iter().map(|grant| {
        let columns = if grant.columns.is_empty() { String::new() } else { format!("({})", grant.columns.join(",")) };
        let option = if grant.with_grant_option { "*" } else { "" };
        format!("{}: {}{columns}{option}", grant.role, grant.privilege)
    });
    grants.collect()
}

#[test]
fn grants_on_tables_and_columns() {
    let schema = schema(
        "CREATE TABLE t (a int, b int);
         CREATE TABLE u (a int);
         GRANT SELECT(a), SELECT(b), UPDATE ON TABLE t TO PUBLIC;
         GRANT INSERT, DELETE ON t, u TO app, GROUP \"Other Role\" WITH GRANT OPTION;
         GRANT ALL PRIVILEGES ON TABLE u TO admin GRANTED BY boss;
         GRANT app TO admin;
         GRANT USAGE ON SCHEMA public TO app;
         GRANT EXECUTE ON FUNCTION f(int) TO app;
         GRANT SELECT ON SEQUENCE s TO app;",
    );
    let other = "Other Role";
    let both = [
        "app: INSERT*".to_owned(),
        "app: DELETE*".to_owned(),
        format!("{other}: INSERT*"),
        format!("{other}: DELETE*"),
    ];
    let mut of_t = vec!["PUBLIC: SELECT(a)".to_owned(), "PUBLIC: SELECT(b)".to_owned(), "PUBLIC: UPDATE".to_owned()];
    of_t.extend(both.clone());
    assert_eq!(grants(&schema, "t"), of_t);
    assert_eq!(grants(&schema, "u"), [&both[..], &["admin: ALL".to_owned()]].concat());
    assert_eq!(table(&schema, "t").grants[0].line, 3);
}

#[test]
fn grants_on_all_tables_of_a_schema() {
    let schema = schema(
        "CREATE TABLE app.t (a int);
         CREATE TABLE u (a int);
         GRANT SELECT ON ALL TABLES IN SCHEMA app TO reader;
         CREATE TABLE app.later (a int);",
    );
    assert_eq!(grants(&schema, "app.t"), ["reader: SELECT"]);
    assert!(grants(&schema, "u").is_empty() && grants(&schema, "app.later").is_empty());
}

#[test]
fn what_is_revoked_is_gone() {
    let schema = schema(
        "CREATE TABLE t (a int, b int);
         GRANT ALL ON t TO one, two;
         GRANT SELECT (a, b), INSERT ON t TO three WITH GRANT OPTION;
         REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES ON t FROM one;
         REVOKE ALL ON t FROM two;
         REVOKE SELECT (a) ON t FROM three;
         REVOKE GRANT OPTION FOR INSERT ON t FROM three CASCADE;
         REVOKE ALL ON TABLE t FROM nobody;",
    );
    assert_eq!(grants(&schema, "t"), ["three: SELECT(b)*", "three: INSERT", "one: SELECT", "one: TRIGGER"]);
}

#[test]
fn what_is_revoked_from_a_table_is_revoked_from_its_columns() {
    let schema = schema("CREATE TABLE t (a int); GRANT SELECT (a) ON t TO one; REVOKE SELECT ON t FROM one;");
    assert!(grants(&schema, "t").is_empty());
}

#[test]
fn default_privileges_are_kept_as_they_are() {
    let schema = schema("ALTER DEFAULT PRIVILEGES FOR ROLE boss IN SCHEMA app GRANT SELECT ON TABLES TO reader;");
    assert_eq!(schema.opaque.len(), 1);
}
