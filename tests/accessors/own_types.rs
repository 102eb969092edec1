//! Columns with types of the user's own.

use std::error::Error;

use bytes::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{backfill, client, database};

mod declared {
    use super::{Markdown, Mood, PetId};

    coexist::migrations! {
        schema sql "
            create type mood as enum ('sad', 'ok', 'happy');
            create table pets (
                mood mood not null default 'ok',
                id integer not null,
                name text not null,
                bio text,
                age numeric,
                primary key (mood, id)
            )";

        // Names of this module, and types of three kinds: of PostgreSQL's own, of the database's own, and the text form of one that would
        // need a feature.
        type pets.id = PetId;
        type pets.mood = Mood;
        type pets.bio = Markdown;
        type pets.age = String;

        change split_pets {
            split pets into tales { key mood, id, move bio }
            stage expand;
        }
    }
}

/// Neither `Clone` nor `PartialEq`.
#[derive(Debug)]
pub struct Markdown(String);

/// The key of a pet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PetId(i32);

/// What the database has as an enum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Sad,
    Ok,
}

type Converted<T> = Result<T, Box<dyn Error + Sync + Send>>;

impl ToSql for Markdown {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Markdown {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Converted<Self> {
        String::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TEXT
    }
}

impl ToSql for PetId {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Converted<IsNull> {
        self.0.to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INT4
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for PetId {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Converted<Self> {
        i32::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INT4
    }
}

impl ToSql for Mood {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Converted<IsNull> {
        out.extend_from_slice(match self {
            Self::Sad => b"sad",
            Self::Ok => b"ok",
        });
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "mood"
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Mood {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Converted<Self> {
        match raw {
            b"sad" => Ok(Self::Sad),
            b"ok" => Ok(Self::Ok),
            other => Err(format!("no mood: {other:?}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "mood"
    }
}

#[test]
fn types_of_the_users_own_go_in_and_come_out() {
    use declared::split_pets::{Backfilled, CHANGE, after, before};
    let database = database();
    let mut db = client(&database);
    db.batch_execute(
        "create table pets (mood mood not null default 'ok', id integer not null, name text not null, bio text, age numeric,
             primary key (mood, id))",
    )
    .unwrap();
    let insert = before::pets::Insert {
        bio: Some(Markdown("# Rex".to_owned())),
        age: Some("1.50".to_owned()),
        ..before::pets::Insert::new(PetId(1), "Rex")
    };
    let row = before::pets::insert(&mut db, &insert).unwrap();
    assert_eq!(
        (row.mood, row.id, row.age.as_deref(), row.bio.unwrap().0.as_str()),
        (Mood::Ok, PetId(1), Some("1.50"), "# Rex")
    );
    let sad = before::pets::Insert { mood: Mood::Sad.into(), ..before::pets::Insert::new(PetId(2), "Bo") };
    assert_eq!(before::pets::insert_many(&mut db, &[sad]).unwrap(), 1);
    let page = before::pets::page(&mut db, Some((&Mood::Sad, &PetId(2))), 9).unwrap();
    assert_eq!(page.iter().map(|row| row.id).collect::<Vec<_>>(), [PetId(1)]);

    backfill(&database, &CHANGE);
    let backfilled = Backfilled::prove(&mut db).unwrap();
    let tale = after::tales::find(backfilled.on(&mut db), &Mood::Ok, &PetId(1)).unwrap().unwrap();
    assert_eq!(tale.bio.unwrap().0, "# Rex");
    let tale = after::tales::Insert {
        bio: Some(Markdown("# Bo".to_owned())),
        ..after::tales::Insert::new(Mood::Sad, PetId(2))
    };
    after::tales::insert(backfilled.on(&mut db), &tale).unwrap();
    let update = after::tales::Update { bio: Markdown("# Bo!".to_owned()).into(), ..Default::default() };
    after::tales::update(backfilled.on(&mut db), &Mood::Sad, &PetId(2), &update).unwrap();
    let bo = before::pets::find(&mut db, &Mood::Sad, &PetId(2)).unwrap().unwrap();
    assert_eq!(bo.bio.unwrap().0, "# Bo!");
    assert!(after::tales::delete(backfilled.on(&mut db), &Mood::Sad, &PetId(2)).unwrap());
}
