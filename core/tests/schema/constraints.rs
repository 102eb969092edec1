use coexist_core::schema::{ConstraintKind, ReferentialAction};

use crate::{check, column, constraint, constraint_names, index_names, name, schema, table};

#[test]
fn primary_keys_imply_not_null() {
    let schema = schema(
        "CREATE TABLE t (a int, b int, c text);
         ALTER TABLE ONLY t ADD CONSTRAINT t_pkey PRIMARY KEY (b, a) INCLUDE (c) WITH (fillfactor='70');",
    );
    assert_eq!(table(&schema, "t").primary_key(), ["b", "a"]);
    assert!(
        column(&schema, "t", "a").not_null && column(&schema, "t", "b").not_null && !column(&schema, "t", "c").not_null
    );
    let ConstraintKind::PrimaryKey { include, with, .. } = &constraint(&schema, "t", "t_pkey").kind else { panic!() };
    assert_eq!(include, &["c"]);
    assert_eq!(with, &[("fillfactor".to_owned(), "'70'".to_owned())]);
}

#[test]
fn unique_constraints() {
    let schema = schema(
        "CREATE TABLE t (a int, b int UNIQUE NULLS NOT DISTINCT);
         ALTER TABLE t ADD CONSTRAINT u UNIQUE (b, a) INCLUDE (a) DEFERRABLE INITIALLY DEFERRED;",
    );
    let ConstraintKind::Unique { nulls_not_distinct, .. } = &constraint(&schema, "t", "t_b_key").kind else { panic!() };
    assert!(nulls_not_distinct);
    let u = constraint(&schema, "t", "u");
    assert!(u.deferrable && u.initially_deferred);
    let ConstraintKind::Unique { columns, include, .. } = &u.kind else { panic!() };
    assert_eq!(
        (columns.as_slice(), include.as_slice()),
        (&["b".to_owned(), "a".to_owned()][..], &["a".to_owned()][..])
    );
}

#[test]
fn a_unique_of_the_primary_key_is_no_second_index() {
    let schema = schema("CREATE TABLE t (id int UNIQUE PRIMARY KEY, b int UNIQUE UNIQUE);");
    assert_eq!(constraint_names(table(&schema, "t")), ["t_pkey", "t_b_key"]);
}

#[test]
fn an_index_becomes_a_constraint() {
    let schema = schema(
        "CREATE TABLE t (a int, b int);
         CREATE UNIQUE INDEX i ON t (b) INCLUDE (a);
         ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX i;",
    );
    assert_eq!(table(&schema, "t").primary_key(), ["b"]);
    assert!(index_names(table(&schema, "t")).is_empty());
    assert_eq!(schema.relation(&name("i")), None);
    assert!(schema.relation(&name("t_pkey")).is_some());
}

#[test]
fn checks_lose_their_outer_parentheses() {
    let schema = schema(
        "CREATE TABLE t (a int CHECK (a > 0) NO INHERIT, CONSTRAINT two CHECK ((((a > 0)) AND (a < 9))));
         ALTER TABLE t ADD CONSTRAINT three CHECK (((a) IN (1, 2))) NOT VALID;
         ALTER TABLE t ADD CONSTRAINT four CHECK (a > 1) NOT ENFORCED;",
    );
    let one = constraint(&schema, "t", "t_a_check");
    assert!(matches!(one.kind, ConstraintKind::Check { no_inherit: true, .. }));
    assert_eq!(check(one), "a > 0");
    assert_eq!(check(constraint(&schema, "t", "two")), "((a > 0)) AND (a < 9)");
    let three = constraint(&schema, "t", "three");
    assert_eq!((check(three), three.not_valid), ("(a) IN (1, 2)", true));
    assert!(constraint(&schema, "t", "four").not_enforced && constraint(&schema, "t", "four").not_valid);
}

#[test]
fn foreign_keys() {
    let schema = schema(
        "CREATE TABLE app.p (a int, b int, PRIMARY KEY (a, b));
         CREATE TABLE t (
             x int, y int,
             self int REFERENCES t (self) ON DELETE SET NULL,
             UNIQUE (self),
             FOREIGN KEY (x, y) REFERENCES app.p MATCH FULL ON UPDATE CASCADE ON DELETE SET DEFAULT (y) DEFERRABLE INITIALLY DEFERRED NOT VALID
         );",
    );
    let key = constraint(&schema, "t", "t_x_y_fkey");
    assert!(key.deferrable && key.initially_deferred && key.not_valid);
    let ConstraintKind::ForeignKey {
        columns,
        references,
        referenced,
        on_update,
        on_delete,
        on_delete_columns,
        match_full,
    } = &key.kind
    else {
        panic!()
    };
    assert_eq!(
        (columns.join(","), references, referenced.join(",")),
        ("x,y".to_owned(), &name("app.p"), "a,b".to_owned())
    );
    assert_eq!((*on_update, *on_delete), (ReferentialAction::Cascade, ReferentialAction::SetDefault));
    assert_eq!((on_delete_columns.join(","), *match_full), ("y".to_owned(), true));
    let to_p: Vec<_> = schema.foreign_keys_to(references).map(|(table, key)| (&table.name.name, &key.name)).collect();
    assert_eq!(to_p, [(&"t".to_owned(), &"t_x_y_fkey".to_owned())]);
    assert!(constraint_names(table(&schema, "t")).contains(&"t_self_fkey"));
}

#[test]
fn exclusion_constraints() {
    let schema = schema(
        "CREATE TABLE t (room int, during tstzrange);
         ALTER TABLE ONLY t ADD CONSTRAINT x EXCLUDE USING gist (room WITH =, lower(during) WITH &&) WHERE ((room > 0)) DEFERRABLE;",
    );
    let x = constraint(&schema, "t", "x");
    assert!(x.deferrable);
    let ConstraintKind::Exclude { definition, columns } = &x.kind else { panic!() };
    assert_eq!(definition.text, "EXCLUDE USING gist (room WITH =, lower(during) WITH &&) WHERE ((room > 0))");
    assert_eq!(columns, &["room", "during"]);
}

#[test]
fn temporal_constraints_are_kept_as_they_are() {
    let schema = schema(
        "CREATE TABLE t (id int, during tstzrange, PRIMARY KEY (id, during WITHOUT OVERLAPS));
         CREATE TABLE u (id int, during tstzrange);
         ALTER TABLE u ADD FOREIGN KEY (id, PERIOD during) REFERENCES t (id, PERIOD during);",
    );
    assert!(constraint_names(table(&schema, "t")).is_empty() && constraint_names(table(&schema, "u")).is_empty());
    assert!(column(&schema, "t", "during").not_null);
    assert_eq!(schema.opaque.iter().map(|statement| statement.line).collect::<Vec<_>>(), [1, 3]);
    assert!(schema.opaque[0].text.starts_with("ALTER TABLE \"public\".\"t\" ADD PRIMARY KEY"));
}

#[test]
fn where_the_index_of_a_constraint_is() {
    let schema = schema(
        "SET default_tablespace = fast;
         CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE USING INDEX TABLESPACE slow);
         SET default_tablespace = '';
         CREATE TABLE u (a int PRIMARY KEY);
         ALTER TABLE t CLUSTER ON t_pkey;",
    );
    assert_eq!(constraint(&schema, "t", "t_pkey").tablespace.as_deref(), Some("fast"));
    assert_eq!(constraint(&schema, "t", "t_b_key").tablespace.as_deref(), Some("slow"));
    assert_eq!(constraint(&schema, "u", "u_pkey").tablespace, None);
    assert!(constraint(&schema, "t", "t_pkey").clustered && !constraint(&schema, "t", "t_b_key").clustered);
}
