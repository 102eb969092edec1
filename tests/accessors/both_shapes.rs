//! Old and new code on the same rows, each with the accessors of its shape.
#![allow(deprecated, reason = "the before shape of a change at stage migrate is what is tested")]

use coexist::{Phase, proof::ProofError};

use crate::declared::{rename_default_name, split_user_profile, widen_order_total};
use crate::{backfill, client, database};

#[test]
fn each_shape_sees_what_the_other_writes() {
    use rename_default_name::{Backfilled, CHANGE, DualWriting, after, before};
    let database = database();
    let mut db = client(&database);
    let early = before::defaults::insert(&mut db, &before::defaults::Insert::new("early")).unwrap();
    let refused = DualWriting::prove(&mut db).unwrap_err();
    assert!(matches!(refused, ProofError::NotYet { found: Phase::Declared, .. }), "{refused}");

    backfill(&database, &CHANGE);
    let backfilled = Backfilled::prove(&mut db).unwrap();
    let found = after::defaults::find(backfilled.on(&mut db), early.id).unwrap().unwrap();
    assert_eq!(found.full_name, "early");

    let dual_writing = DualWriting::from(backfilled);
    let new = after::defaults::insert(dual_writing.on(&mut db), &after::defaults::Insert::new("new")).unwrap();
    assert_eq!(before::defaults::find(&mut db, new.id).unwrap().unwrap().name, "new");
    let update = after::defaults::Update { full_name: "newer".into(), ..Default::default() };
    let updated = after::defaults::update(dual_writing.on(&mut db), new.id, &update).unwrap().unwrap();
    assert_eq!((updated.full_name.as_str(), updated.status.as_str()), ("newer", "new"));
    assert_eq!(before::defaults::find(&mut db, new.id).unwrap().unwrap().name, "newer");

    let update = before::defaults::Update { name: "old".into(), ..Default::default() };
    before::defaults::update(&mut db, new.id, &update).unwrap();
    let mut transaction = db.transaction().unwrap();
    let mut both = backfilled.on(&mut transaction);
    let page = after::defaults::page(&mut both, Some(early.id), 5).unwrap();
    assert_eq!(page.iter().map(|row| row.full_name.as_str()).collect::<Vec<_>>(), ["old"]);
    assert!(after::defaults::delete(&mut both, new.id).unwrap());
    let many = [after::defaults::Insert::new("x"), after::defaults::Insert::new("y")];
    assert_eq!(after::defaults::insert_many(&mut both, &many).unwrap(), 2);
    transaction.commit().unwrap();
    let names: Vec<String> =
        before::defaults::page(&mut db, None, 9).unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["early", "x", "y"]);
}

#[test]
fn h40_a_value_that_the_old_type_cannot_hold_is_refused() {
    use widen_order_total::{Backfilled, CHANGE, after, before};
    let database = database();
    let mut db = client(&database);
    backfill(&database, &CHANGE);
    let backfilled = Backfilled::prove(&mut db).unwrap();
    let order = after::orders::insert(backfilled.on(&mut db), &after::orders::Insert::new(5)).unwrap();
    assert_eq!(before::orders::find(&mut db, order.id).unwrap().unwrap().total, 5);
    let too_much = after::orders::Insert::new(i64::from(i32::MAX) + 1);
    let error = after::orders::insert(backfilled.on(&mut db), &too_much).unwrap_err();
    assert_eq!(error.code().unwrap().code(), "22003");
}

#[test]
fn a_split_table_has_accessors_of_its_own() {
    use split_user_profile::{Backfilled, CHANGE, after, before};
    let database = database();
    let mut db = client(&database);
    let with_bio = before::users::Insert { bio: Some("first".to_owned()), ..before::users::Insert::new(1, "Ada") };
    before::users::insert_many(&mut db, &[with_bio, before::users::Insert::new(2, "Grace")]).unwrap();
    backfill(&database, &CHANGE);
    let backfilled = Backfilled::prove(&mut db).unwrap();

    let user = after::users::find(backfilled.on(&mut db), 1).unwrap().unwrap();
    assert_eq!(user.name, "Ada");
    assert_eq!(after::users::COLUMNS, ["id", "name"]);
    let profile = after::profiles::find(backfilled.on(&mut db), 1).unwrap().unwrap();
    assert_eq!(profile.bio.as_deref(), Some("first"));
    assert_eq!(after::profiles::find(backfilled.on(&mut db), 2).unwrap(), None);

    let profile = after::profiles::Insert { bio: Some("second".to_owned()), ..after::profiles::Insert::new(2) };
    after::profiles::insert(backfilled.on(&mut db), &profile).unwrap();
    let update = after::profiles::Update { bio: "third".into(), ..Default::default() };
    after::profiles::update(backfilled.on(&mut db), 1, &update).unwrap();
    let bios: Vec<Option<String>> =
        before::users::page(&mut db, None, 9).unwrap().into_iter().map(|row| row.bio).collect();
    assert_eq!(bios, [Some("third".to_owned()), Some("second".to_owned())]);

    assert!(after::profiles::delete(backfilled.on(&mut db), 1).unwrap());
    assert_eq!(before::users::find(&mut db, 1).unwrap().unwrap().bio, None);
    assert!(after::users::delete(backfilled.on(&mut db), 2).unwrap());
    assert_eq!(after::profiles::page(backfilled.on(&mut db), None, 9).unwrap(), []);
}
