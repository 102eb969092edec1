use coexist_core::schema::IndexTarget;

use crate::{index, index_names, name, schema, table, target};

#[test]
fn all_that_an_index_says() {
    let schema = schema(
        "CREATE TABLE app.t (a int, b text, c numeric);
         CREATE UNIQUE INDEX i ON app.t USING btree (a DESC NULLS LAST, lower(b) COLLATE \"C\" text_pattern_ops) INCLUDE (c)
             NULLS NOT DISTINCT WITH (fillfactor='70', deduplicate_items=off) TABLESPACE fast WHERE ((a > 0) AND (b IS NOT NULL));
         COMMENT ON INDEX app.i IS 'why';
         ALTER TABLE app.t CLUSTER ON i;
         ALTER INDEX app.i ALTER COLUMN 2 SET STATISTICS 33;",
    );
    let i = index(&schema, "app.t", "i");
    assert!(i.unique && i.nulls_not_distinct && i.clustered);
    assert_eq!((i.method.as_str(), i.include.join(",")), ("btree", "c".to_owned()));
    assert_eq!(i.predicate.as_ref().unwrap().text, "(a > 0) AND (b IS NOT NULL)");
    assert_eq!(
        i.with,
        [("fillfactor".to_owned(), "'70'".to_owned()), ("deduplicate_items".to_owned(), "off".to_owned())]
    );
    assert_eq!((i.tablespace.as_deref(), i.comment.as_deref(), i.line), (Some("fast"), Some("why"), 2));
    let [a, b] = i.keys.as_slice() else { panic!() };
    assert_eq!((target(&a.on), a.descending, a.nulls_first), ("a".to_owned(), true, Some(false)));
    assert_eq!((target(&b.on), b.descending, b.nulls_first), ("(lower(b))".to_owned(), false, None));
    assert_eq!(
        (b.collation.clone(), b.operator_class.as_deref()),
        (Some(name("pg_catalog.C")), Some("text_pattern_ops"))
    );
    assert_eq!((a.statistics_target, b.statistics_target), (None, Some(33)));
}

#[test]
fn keys_of_every_form() {
    let schema = schema(
        "CREATE TABLE t (a int, b int, j jsonb, tags text[]);
         CREATE INDEX one ON t USING gin (j jsonb_path_ops, tags);
         CREATE INDEX two ON t ((a + b), (((a))), (t.b), ((j ->> 'k'::text)) text_ops (siglen='32') ASC NULLS FIRST);
         CREATE INDEX CONCURRENTLY three ON ONLY t USING brin (a) WITH (pages_per_range=32);
         CREATE INDEX four ON t (public.f(a, ')'), (true));",
    );
    let keys = |name| index(&schema, "t", name).keys.iter().map(|key| target(&key.on)).collect::<Vec<_>>().join(" | ");
    assert_eq!(keys("one"), "j | tags");
    assert_eq!(keys("two"), "(a + b) | a | b | (j ->> 'k'::text)");
    assert_eq!(keys("four"), "(public.f(a, ')')) | (true)");
    assert_eq!(index(&schema, "t", "one").keys[0].operator_class.as_deref(), Some("jsonb_path_ops"));
    let last = &index(&schema, "t", "two").keys[3];
    assert_eq!((last.operator_class.as_deref(), last.nulls_first), (Some("text_ops (siglen='32')"), Some(true)));
    assert_eq!(index(&schema, "t", "three").method, "brin");
}

#[test]
fn an_index_can_be_altered_and_dropped() {
    let schema = schema(
        "CREATE TABLE t (a int PRIMARY KEY, b int);
         CREATE INDEX i ON t (b) WITH (fillfactor=70);
         CREATE INDEX gone ON t (b);
         CREATE INDEX IF NOT EXISTS i ON t (a);
         ALTER INDEX i RENAME TO j;
         ALTER INDEX j SET (fillfactor = 80, deduplicate_items = off);
         ALTER INDEX j RESET (deduplicate_items);
         ALTER INDEX j SET TABLESPACE fast;
         ALTER INDEX t_pkey RENAME TO pk;
         ALTER INDEX pk SET (fillfactor = 50);
         COMMENT ON INDEX pk IS 'key';
         DROP INDEX IF EXISTS gone, nothing;",
    );
    assert_eq!(index_names(table(&schema, "t")), ["j"]);
    let j = index(&schema, "t", "j");
    assert_eq!(
        (j.with.clone(), j.tablespace.as_deref()),
        (vec![("fillfactor".to_owned(), "80".to_owned())], Some("fast"))
    );
    let pk = &table(&schema, "t").constraints[0];
    assert_eq!((pk.name.as_str(), pk.index_comment.as_deref()), ("pk", Some("key")));
    assert!(schema.relation(&name("gone")).is_none() && schema.relation(&name("i")).is_none());
}

#[test]
fn materialized_views_have_indexes() {
    let schema = schema(
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
         CREATE UNIQUE INDEX ON m (a);
         ALTER TABLE m CLUSTER ON m_a_idx;",
    );
    let view = &schema.views[&name("m")];
    assert_eq!(view.indexes[0].name, "m_a_idx");
    assert!(view.indexes[0].clustered);
    assert!(matches!(&view.indexes[0].keys[0].on, IndexTarget::Column(column) if column == "a"));
}
