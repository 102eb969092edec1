//! What a column gets that a statement does not name.

use coexist::Value;

use crate::declared::rename_default_name::before::defaults::{self, Insert, Update};
use crate::{client, database};

#[test]
fn a_column_that_is_not_set_gets_its_default() {
    let database = database();
    let mut db = client(&database);
    let row = defaults::insert(&mut db, &Insert::new("Ada")).unwrap();
    assert_eq!((row.id, row.counter, row.name.as_str()), (1, 1, "Ada"));
    assert_eq!((row.status.as_str(), row.nickname.as_deref(), row.note.as_deref()), ("new", Some("nick"), None));
    assert_eq!((row.base, row.doubled, row.grade.as_deref()), (21, Some(42), Some("ungraded")));
}

#[test]
fn null_is_not_the_same_as_not_set() {
    let database = database();
    let mut db = client(&database);
    let insert = Insert {
        id: 7.into(),
        status: "old".into(),
        nickname: Value::Set(None),
        note: Some("a note".to_owned()),
        base: 1.into(),
        grade: None.into(),
        ..Insert::new("Grace")
    };
    let row = defaults::insert(&mut db, &insert).unwrap();
    assert_eq!((row.id, row.status.as_str(), row.nickname, row.grade), (7, "old", None, None));
    assert_eq!((row.note.as_deref(), row.base, row.doubled), (Some("a note"), 1, Some(2)));
}

#[test]
fn an_update_leaves_alone_what_is_not_set() {
    let database = database();
    let mut db = client(&database);
    let id = defaults::insert(&mut db, &Insert::new("Ada")).unwrap().id;
    let renamed = defaults::update(&mut db, id, &Update { name: "Ada Lovelace".into(), ..Update::default() });
    let renamed = renamed.unwrap().unwrap();
    assert_eq!((renamed.name.as_str(), renamed.nickname.as_deref()), ("Ada Lovelace", Some("nick")));
    let emptied = defaults::update(&mut db, id, &Update { nickname: None.into(), ..Update::default() });
    assert_eq!(emptied.unwrap().unwrap().nickname, None);
    // Nothing to set is nothing to do.
    let untouched = defaults::update(&mut db, id, &Update::default()).unwrap().unwrap();
    assert_eq!(untouched.name, "Ada Lovelace");
    assert_eq!(defaults::update(&mut db, 99, &Update::default()).unwrap(), None);
    let moved = defaults::update(&mut db, id, &Update { id: 5.into(), ..Update::default() }).unwrap().unwrap();
    assert_eq!(moved.id, 5);
}

#[test]
fn many_rows_may_set_different_columns() {
    let database = database();
    let mut db = client(&database);
    let rows = [
        Insert::new("a"),
        Insert { nickname: None.into(), base: 3.into(), ..Insert::new("b") },
        Insert { status: "odd".into(), note: Some("n".to_owned()), ..Insert::new("c") },
    ];
    assert_eq!(defaults::insert_many(&mut db, &rows).unwrap(), 3);
    let rows: Vec<_> = defaults::page(&mut db, None, 10).unwrap();
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.name.as_str(), row.status.as_str(), row.nickname.as_deref(), row.note.as_deref(), row.doubled))
        .collect();
    let expected = [
        ("a", "new", Some("nick"), None, Some(42)),
        ("b", "new", None, None, Some(6)),
        ("c", "odd", Some("nick"), Some("n"), Some(42)),
    ];
    assert_eq!(rows, expected);
    assert_eq!(defaults::insert_many(&mut db, &[]).unwrap(), 0);
}

/// More parameters than the protocol can count.
#[test]
fn many_rows_take_several_statements() {
    let database = database();
    let mut db = client(&database);
    let rows: Vec<Insert> = (0..40_000).map(|n| Insert { base: n.into(), ..Insert::new(format!("row {n}")) }).collect();
    assert_eq!(defaults::insert_many(&mut db, &rows).unwrap(), 40_000);
    let last = defaults::page(&mut db, Some(39_999), 10).unwrap();
    assert_eq!(last.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["row 39999"]);
}

/// A column grant on what is set is enough: nothing else is named.
#[test]
fn h41_a_role_needs_no_right_on_columns_that_are_not_set() {
    let database = database();
    let mut db = client(&database);
    db.batch_execute(
        "create role writer; grant usage on schema public to writer; grant select on defaults to writer;
         grant insert (name, base) on defaults to writer; grant update (name) on defaults to writer; set role writer",
    )
    .unwrap();
    let id = defaults::insert(&mut db, &Insert { base: 2.into(), ..Insert::new("Ada") }).unwrap().id;
    assert_eq!(
        defaults::insert_many(&mut db, &[Insert::new("b"), Insert { base: 2.into(), ..Insert::new("c") }]).unwrap(),
        2
    );
    assert!(defaults::update(&mut db, id, &Update { name: "b".into(), ..Update::default() }).unwrap().is_some());
}

#[test]
fn a_row_that_a_trigger_keeps_out_is_an_error() {
    let database = database();
    let mut db = client(&database);
    db.batch_execute(
        "create function keep_out() returns trigger language plpgsql as 'begin return null; end';
         create trigger keep_out before insert on defaults for each row execute function keep_out()",
    )
    .unwrap();
    assert!(defaults::insert(&mut db, &Insert::new("Ada")).is_err());
    assert_eq!(defaults::insert_many(&mut db, &[Insert::new("Ada")]).unwrap(), 0);
}
