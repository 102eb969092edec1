//! Values of the types that come with a crate.

use chrono::{DateTime, NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::{client, database};

mod declared {
    coexist::migrations! {
        schema sql "
            create table featured (
                id uuid primary key,
                day date,
                hour time,
                moment timestamp,
                instant timestamptz,
                document json,
                facts jsonb,
                price numeric(10,2),
                ids uuid[],
                prices numeric[],
                label text not null
            )";

        change rename_label {
            rename featured.label to title;
            stage expand;
        }
    }
}

#[test]
fn a_value_of_every_type_goes_in_and_comes_out() {
    use declared::rename_label::before::featured::{self, Insert, Row, Update};
    let database = database();
    let mut db = client(&database);
    db.batch_execute(
        "create table featured (id uuid primary key, day date, hour time, moment timestamp, instant timestamptz,
             document json, facts jsonb, price numeric(10,2), ids uuid[], prices numeric[], label text not null)",
    )
    .unwrap();
    let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let day = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
    let hour = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap();
    let insert = Insert {
        day: Some(day),
        hour: Some(hour),
        moment: Some(day.and_time(hour)),
        instant: Some(DateTime::from_timestamp(1_700_000_000, 0).unwrap()),
        document: Some(json!({ "a": [1, null] })),
        facts: Some(json!("text")),
        price: Some(Decimal::new(12_345, 2)),
        ids: Some(vec![Some(id), None]),
        prices: Some(vec![Some(Decimal::new(-1, 3)), None]),
        ..Insert::new(id, "label")
    };
    let expected = Row {
        id,
        day: insert.day,
        hour: insert.hour,
        moment: insert.moment,
        instant: insert.instant,
        document: insert.document.clone(),
        facts: insert.facts.clone(),
        price: insert.price,
        ids: insert.ids.clone(),
        prices: insert.prices.clone(),
        label: "label".to_owned(),
    };
    assert_eq!(featured::insert(&mut db, &insert).unwrap(), expected);
    assert_eq!(featured::find(&mut db, id).unwrap(), Some(expected.clone()));
    assert_eq!(featured::insert_many(&mut db, &[Insert::new(other, "empty")]).unwrap(), 1);
    let emptied = Update { day: None.into(), facts: None.into(), ..Update::default() };
    let emptied = featured::update(&mut db, id, &emptied).unwrap().unwrap();
    assert_eq!((emptied.day, &emptied.facts, emptied.hour), (None, &None, expected.hour));
    assert_eq!(featured::page(&mut db, Some(id), 9).unwrap()[0].id, other);
    assert!(featured::delete(&mut db, other).unwrap());
}
