use crate::{name, schema};

#[test]
fn publications_as_dumps_write_them() {
    let schema = schema(
        "CREATE TABLE app.t (a int, b int);
         CREATE TABLE u (a int);
         CREATE PUBLICATION p WITH (publish = 'insert, update');
         ALTER PUBLICATION p OWNER TO postgres;
         ALTER PUBLICATION p ADD TABLE ONLY app.t (a, b) WHERE ((a > 5));
         ALTER PUBLICATION p ADD TABLES IN SCHEMA other;",
    );
    let [publication] = schema.publications.as_slice() else { panic!() };
    let [(table, columns, filter)] = publication.tables.as_slice() else { panic!() };
    assert_eq!((table, columns.join(",").as_str()), (&name("app.t"), "a,b"));
    assert_eq!(filter.as_ref().unwrap().text, "a > 5");
    assert_eq!(publication.schemas, ["other"]);
    assert_eq!(schema.publications_of(&name("app.t")).count(), 1);
    assert_eq!(schema.publications_of(&name("other.any")).count(), 1);
    assert_eq!(schema.publications_of(&name("u")).count(), 0);
}

#[test]
fn publications_by_hand() {
    let schema = schema(
        "CREATE TABLE t (a int);
         CREATE TABLE u (a int);
         CREATE PUBLICATION everything FOR ALL TABLES;
         CREATE PUBLICATION some FOR TABLE t, u (a), TABLES IN SCHEMA s1, s2, TABLE s3.v;
         ALTER PUBLICATION some DROP TABLE t;
         ALTER PUBLICATION some RENAME TO few;
         CREATE PUBLICATION gone;
         DROP PUBLICATION gone;",
    );
    let [everything, few] = schema.publications.as_slice() else { panic!() };
    assert!(everything.all_tables && !few.all_tables);
    assert_eq!(few.name, "few");
    assert_eq!(few.tables.iter().map(|(table, ..)| table.to_string()).collect::<Vec<_>>(), ["u", "s3.v"]);
    assert_eq!(few.schemas, ["s1", "s2"]);
}
