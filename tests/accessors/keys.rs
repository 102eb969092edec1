//! Rows by their primary key, whatever it is made of and called.

use crate::declared::nasty_names::before::_2fa_Order__Items_____ as items;
use crate::declared::rename_line::before::log;
use crate::declared::rename_points::before::scores::{self, Insert, Update};
use crate::{client, database};

#[test]
fn h57_a_key_of_several_columns_in_the_order_of_their_types() {
    let database = database();
    let mut db = client(&database);
    // In the order of the key: that of the enum, not of its labels; of numbers, not of their text.
    let ordered = [("sad", 2, "chess"), ("sad", 10, "chess"), ("ok", 1, "chess"), ("ok", 1, "go"), ("happy", 1, "go")];
    let rows: Vec<Insert> =
        (1..6).zip(ordered).rev().map(|(points, (mood, round, game))| Insert::new(points, game, mood, round)).collect();
    assert_eq!(scores::insert_many(&mut db, &rows).unwrap(), 5);

    assert_eq!(scores::find(&mut db, "ok", 1, "go").unwrap().unwrap().points, 4);
    assert_eq!(scores::find(&mut db, "ok", 2, "go").unwrap(), None);

    let mut seen = Vec::new();
    let mut page = scores::page(&mut db, None, 2).unwrap();
    while let Some(last) = page.last() {
        let next = scores::page(&mut db, Some((&last.mood, last.round, &last.game)), 2).unwrap();
        seen.extend(page.iter().map(|row| row.points));
        page = next;
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(scores::page(&mut db, None, 0).unwrap(), []);

    let changed = scores::update(&mut db, "ok", 1, "go", &Update { mood: "sad".into(), ..Update::default() });
    assert_eq!(changed.unwrap().unwrap().mood, "sad");
    assert!(!scores::delete(&mut db, "ok", 1, "go").unwrap());
    assert!(scores::delete(&mut db, "sad", 1, "go").unwrap());
    assert_eq!(scores::find(&mut db, "sad", 1, "go").unwrap(), None);
}

#[test]
fn h66_any_name_is_quoted() {
    let database = database();
    let mut db = client(&database);
    let insert = items::Insert {
        a_b_2: Some(1),
        self_: Some("s".to_owned()),
        émoji__: Some("🦀".to_owned()),
        _1: Some("$".to_owned()),
        ..items::Insert::new("k'", "type")
    };
    let row = items::insert(&mut db, &insert).unwrap();
    assert_eq!((row.Key_of_it.as_str(), row.r#type.as_str(), row.a_b_2, row.a_b), ("k'", "type", Some(1), 7));
    assert_eq!((row.self_.as_deref(), row.émoji__.as_deref(), row._1.as_deref()), (Some("s"), Some("🦀"), Some("$")));
    let update = items::Update { r#type: "other".into(), a_b: 8.into(), ..items::Update::default() };
    let updated = items::update(&mut db, "k'", &update).unwrap().unwrap();
    assert_eq!((updated.r#type.as_str(), updated.a_b, updated.a_b_2), ("other", 8, Some(1)));
    assert_eq!(items::page(&mut db, Some("k"), 5).unwrap(), [updated]);
    assert!(items::delete(&mut db, "k'").unwrap());
    assert_eq!(items::COLUMNS, ["Key of it", "type", "a b", "a_b", "self", "émoji 🦀", "$1"]);
}

#[test]
fn without_a_key_rows_can_be_added() {
    let database = database();
    let mut db = client(&database);
    let row = log::insert(&mut db, &log::Insert { at: Some(1), ..log::Insert::new("first") }).unwrap();
    assert_eq!((row.line.as_str(), row.at), ("first", Some(1)));
    assert_eq!(log::insert_many(&mut db, &[log::Insert::new("second"), log::Insert::new("third")]).unwrap(), 2);
}
