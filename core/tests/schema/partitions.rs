//! Partitions, inheritance, and `LIKE`.

use coexist_core::schema::TableKind;

use crate::{column, column_names, constraint, constraint_names, index, index_names, name, schema, table};

#[test]
fn partitions_as_dumps_write_them() {
    let schema = schema(
        "CREATE TABLE app.orders (id uuid NOT NULL, placed date NOT NULL) PARTITION BY RANGE (placed);
         CREATE TABLE app.orders_2025 (id uuid NOT NULL, placed date NOT NULL);
         ALTER TABLE ONLY app.orders ATTACH PARTITION app.orders_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         ALTER TABLE ONLY app.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id, placed);
         ALTER TABLE ONLY app.orders_2025 ADD CONSTRAINT orders_2025_pkey PRIMARY KEY (id, placed);
         CREATE INDEX by_day ON ONLY app.orders USING btree (placed);
         CREATE INDEX by_day_2025 ON app.orders_2025 USING btree (placed);
         ALTER INDEX app.orders_pkey ATTACH PARTITION app.orders_2025_pkey;
         ALTER INDEX app.by_day ATTACH PARTITION app.by_day_2025;",
    );
    let orders = table(&schema, "app.orders");
    assert_eq!((orders.kind, orders.partition_key.as_ref().unwrap().text.as_str()), (TableKind::Partitioned, "placed"));
    assert_eq!(table(&schema, "app.orders_2025").parents, [name("app.orders")]);
    let key = constraint(&schema, "app.orders_2025", "orders_2025_pkey");
    assert_eq!(key.attached_to, Some(name("app.orders_pkey")));
    assert_eq!(index(&schema, "app.orders_2025", "by_day_2025").attached_to, Some(name("app.by_day")));
    assert_eq!(index_names(table(&schema, "app.orders_2025")), ["by_day_2025"]);
    assert_eq!(schema.children_of(&name("app.orders")).count(), 1);
}

#[test]
fn partitions_have_what_their_table_has() {
    let schema = schema(
        "CREATE TABLE p (k int NOT NULL, v text DEFAULT 'v', w int, PRIMARY KEY (k), CHECK (w > 0)) PARTITION BY LIST (k);
         CREATE INDEX ON p (v);
         CREATE TABLE p1 PARTITION OF p (v NOT NULL, w DEFAULT 8) FOR VALUES IN (1);
         CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY RANGE (k);
         CREATE TABLE p2a PARTITION OF p2 DEFAULT;
         CREATE INDEX ON p (w, lower(v));
         ALTER TABLE p ADD UNIQUE (w, k), ADD COLUMN n int, ADD CHECK (n > 1);",
    );
    for partition in ["p1", "p2", "p2a"] {
        assert_eq!(column_names(table(&schema, partition)), ["k", "v", "w", "n"]);
        let constraints = [
            "p_w_check".to_owned(),
            format!("{partition}_pkey"),
            "p_n_check".to_owned(),
            format!("{partition}_w_k_key"),
        ];
        assert_eq!(constraint_names(table(&schema, partition)), constraints);
        assert_eq!(
            index_names(table(&schema, partition)),
            [format!("{partition}_v_idx"), format!("{partition}_w_lower_idx")]
        );
    }
    assert!(column(&schema, "p1", "v").not_null && column(&schema, "p1", "w").default.is_some());
    assert_eq!(constraint(&schema, "p2a", "p2a_pkey").attached_to, Some(name("p2_pkey")));
}

#[test]
fn attaching_makes_the_indexes_that_are_missing() {
    let schema = schema(
        "CREATE TABLE p (k int PRIMARY KEY, v text) PARTITION BY LIST (k);
         CREATE INDEX ON p (v);
         CREATE TABLE part (k int NOT NULL, v text);
         CREATE INDEX own ON part (v);
         ALTER TABLE p ATTACH PARTITION part FOR VALUES IN (4);
         CREATE TABLE gone PARTITION OF p FOR VALUES IN (5);
         ALTER TABLE p DETACH PARTITION gone CONCURRENTLY;",
    );
    assert_eq!(constraint_names(table(&schema, "part")), ["part_pkey"]);
    assert_eq!(index(&schema, "part", "own").attached_to, Some(name("p_v_idx")));
    assert!(table(&schema, "gone").parents.is_empty());
    assert_eq!(index(&schema, "gone", "gone_v_idx").attached_to, None);
}

#[test]
fn children_inherit() {
    let schema = schema(
        "CREATE TABLE par (a int NOT NULL, b text DEFAULT 'q', CHECK (a > 1), CONSTRAINT own CHECK (a > 2) NO INHERIT);
         CREATE TABLE chi (c int, b text NOT NULL) INHERITS (par);
         CREATE TABLE grand () INHERITS (chi);
         ALTER TABLE par ADD COLUMN z int DEFAULT 4, ADD CHECK (z > 3);
         ALTER TABLE par RENAME a TO aa;
         ALTER TABLE ONLY par ALTER z SET DEFAULT 5;
         ALTER TABLE par DROP COLUMN b;",
    );
    // The child declares `b` itself.
    assert_eq!(column_names(table(&schema, "chi")), ["aa", "b", "c", "z"]);
    assert_eq!(column_names(table(&schema, "grand")), ["aa", "b", "c", "z"]);
    assert_eq!(column_names(table(&schema, "par")), ["aa", "z"]);
    assert_eq!(constraint_names(table(&schema, "grand")), ["par_a_check", "par_z_check"]);
    assert!(column(&schema, "grand", "aa").not_null && column(&schema, "grand", "b").not_null);
    let defaults = ["par", "chi"].map(|table| column(&schema, table, "z").default.as_ref().unwrap().text.clone());
    assert_eq!(defaults, ["5", "4"]);
}

#[test]
fn nobody_is_its_own_ancestor() {
    let schema = schema(
        "CREATE TABLE a (x int) INHERITS (a);
         CREATE TABLE b () INHERITS (a);
         ALTER TABLE a INHERIT b;
         ALTER TABLE a DROP COLUMN x;",
    );
    assert!(table(&schema, "a").parents.is_empty());
    assert_eq!(table(&schema, "b").parents, [name("a")]);
}

#[test]
fn tables_like_others() {
    let schema = schema(
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int NOT NULL DEFAULT 3 CHECK (a > 2), b text COLLATE \"C\" UNIQUE);
         CREATE INDEX odd ON t (lower(b));
         COMMENT ON COLUMN t.a IS 'hi';
         CREATE TABLE bare (LIKE t);
         CREATE TABLE full_copy (x int, LIKE t INCLUDING ALL, y int);
         CREATE TABLE most (LIKE t INCLUDING ALL EXCLUDING INDEXES EXCLUDING COMMENTS);",
    );
    let bare = table(&schema, "bare");
    assert!(bare.constraints.is_empty() && bare.indexes.is_empty());
    assert!(column(&schema, "bare", "a").not_null && column(&schema, "bare", "a").default.is_none());
    assert_eq!(column(&schema, "bare", "b").collation, Some(name("pg_catalog.C")));
    assert!(column(&schema, "bare", "id").identity.is_none());
    assert_eq!(column_names(table(&schema, "full_copy")), ["x", "id", "a", "b", "y"]);
    assert_eq!(constraint_names(table(&schema, "full_copy")), ["t_a_check", "full_copy_pkey", "full_copy_b_key"]);
    assert_eq!(index_names(table(&schema, "full_copy")), ["full_copy_lower_idx"]);
    assert_eq!(column(&schema, "full_copy", "a").comment.as_deref(), Some("hi"));
    let identity = column(&schema, "full_copy", "id").identity.as_ref().unwrap();
    assert_eq!(identity.sequence, Some(name("full_copy_id_seq")));
    assert_eq!(constraint_names(table(&schema, "most")), ["t_a_check"]);
    assert_eq!(column(&schema, "most", "a").comment, None);
}
