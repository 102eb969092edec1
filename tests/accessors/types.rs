//! Values of every type, in both directions.

use crate::declared::rename_label::before::things::{self, Insert, Row, Update};
use crate::{client, database};

/// A row with a value in every column. Its key is made by the database.
fn full() -> Insert {
    Insert {
        small: Some(-32768),
        int: Some(i32::MIN),
        big: Some(i64::MAX),
        float: Some(1.5),
        double: Some(-0.1),
        truth: Some(true),
        words: Some("it's \\ \"quoted\" $1 🦀\n".to_owned()),
        short: Some("short".to_owned()),
        padded: Some("a".to_owned()),
        identifier: Some("pg_class".to_owned()),
        bytes: Some(vec![0, 255, b'\'']),
        object: Some(u32::MAX),
        letter: Some(b'x'.cast_signed()),
        price: Some(999),
        many_words: Some(vec![Some("a".to_owned()), None, Some("{\"b\",".to_owned())]),
        many_numbers: Some(vec![Some(1), None]),
        many_bytes: Some(vec![Some(vec![0, 1]), None]),
        feeling: Some("happy".to_owned()),
        feelings: Some("{ok,NULL,sad}".to_owned()),
        address: Some("10.0.0.0/8".to_owned()),
        duration: Some("1 day 02:03:04".to_owned()),
        span: Some("[1,5)".to_owned()),
        search: Some("'cat' 'rat':2".to_owned()),
        bits: Some("10101".to_owned()),
        three_bits: Some("101".to_owned()),
        cash: Some("$1.50".to_owned()),
        document: Some("<a>b</a>".to_owned()),
        place: Some("(1,2)".to_owned()),
        clock: Some("01:02:03+04".to_owned()),
        ..Insert::new("full")
    }
}

fn assert_full(row: &Row) {
    let Insert { label, small, int, big, float, double, truth, words, short, identifier, bytes, .. } = full();
    assert_eq!(row.label, label);
    assert_eq!((row.small, row.int, row.big), (small, int, big));
    assert_eq!((row.float, row.double, row.truth), (float, double, truth));
    assert_eq!((&row.words, &row.short, &row.identifier), (&words, &short, &identifier));
    // What PostgreSQL makes of `character(5)`.
    assert_eq!(row.padded.as_deref(), Some("a    "));
    assert_eq!(row.bytes, bytes);
    let Insert { object, letter, price, many_words, many_numbers, many_bytes, feeling, feelings, .. } = full();
    assert_eq!((row.object, row.letter, row.price), (object, letter, price));
    assert_eq!((&row.many_words, &row.many_numbers, &row.many_bytes), (&many_words, &many_numbers, &many_bytes));
    assert_eq!((&row.feeling, &row.feelings), (&feeling, &feelings));
    let Insert { address, duration, span, search, bits, three_bits, cash, document, place, clock, .. } = full();
    assert_eq!((&row.address, &row.duration, &row.span, &row.search), (&address, &duration, &span, &search));
    assert_eq!((&row.bits, &row.three_bits, &row.cash), (&bits, &three_bits, &cash));
    assert_eq!((&row.document, &row.place, &row.clock), (&document, &place, &clock));
}

#[test]
fn a_value_of_every_type_goes_in_and_comes_out() {
    let database = database();
    let mut db = client(&database);
    let inserted = things::insert(&mut db, &full()).unwrap();
    assert_full(&inserted);
    assert_eq!(things::find(&mut db, inserted.id).unwrap().as_ref(), Some(&inserted));
    assert_eq!(things::page(&mut db, None, 10).unwrap(), std::slice::from_ref(&inserted));
    assert_eq!(things::insert_many(&mut db, &[full(), full()]).unwrap(), 2);
    for row in things::page(&mut db, Some(inserted.id), 10).unwrap() {
        assert_full(&row);
    }
}

#[test]
fn null_of_every_type_goes_in_and_comes_out() {
    let database = database();
    let mut db = client(&database);
    let inserted = things::insert(&mut db, &Insert::new("empty")).unwrap();
    let Row { id, ref label, .. } = inserted;
    assert_eq!(label, "empty");
    assert_nulls(&inserted);
    let found = things::find(&mut db, id).unwrap().unwrap();
    assert_nulls(&found);
}

fn assert_nulls(row: &Row) {
    assert_eq!((row.small, row.int, row.big, row.float, row.double, row.truth), (None, None, None, None, None, None));
    assert_eq!((&row.words, &row.short, &row.padded, &row.identifier, &row.bytes), (&None, &None, &None, &None, &None));
    assert_eq!((row.object, row.letter, row.price), (None, None, None));
    assert_eq!((&row.many_words, &row.many_numbers, &row.many_bytes), (&None, &None, &None));
    assert_eq!(
        (&row.feeling, &row.feelings, &row.address, &row.duration, &row.span),
        (&None, &None, &None, &None, &None)
    );
    assert_eq!((&row.search, &row.bits, &row.three_bits, &row.cash), (&None, &None, &None, &None));
    assert_eq!((&row.document, &row.place, &row.clock), (&None, &None, &None));
}

#[test]
fn an_update_sets_a_value_of_every_type_and_takes_it_away() {
    let database = database();
    let mut db = client(&database);
    let id = things::insert(&mut db, &Insert::new("full")).unwrap().id;
    let full = full();
    let update = Update {
        small: full.small.into(),
        int: full.int.into(),
        big: full.big.into(),
        float: full.float.into(),
        double: full.double.into(),
        truth: full.truth.into(),
        words: full.words.into(),
        short: full.short.into(),
        padded: full.padded.into(),
        identifier: full.identifier.into(),
        bytes: full.bytes.into(),
        object: full.object.into(),
        letter: full.letter.into(),
        price: full.price.into(),
        many_words: full.many_words.into(),
        many_numbers: full.many_numbers.into(),
        many_bytes: full.many_bytes.into(),
        feeling: full.feeling.into(),
        feelings: full.feelings.into(),
        address: full.address.into(),
        duration: full.duration.into(),
        span: full.span.into(),
        search: full.search.into(),
        bits: full.bits.into(),
        three_bits: full.three_bits.into(),
        cash: full.cash.into(),
        document: full.document.into(),
        place: full.place.into(),
        clock: full.clock.into(),
        ..Update::default()
    };
    assert_full(&things::update(&mut db, id, &update).unwrap().unwrap());
    let nothing = Update {
        small: None.into(),
        words: None.into(),
        many_words: None.into(),
        feeling: None.into(),
        ..Update::default()
    };
    let row = things::update(&mut db, id, &nothing).unwrap().unwrap();
    assert_eq!((row.small, &row.words, &row.many_words, &row.feeling), (None, &None, &None, &None));
    assert_eq!(row.int, Some(i32::MIN));
}

/// An explicit cast of the parameter would cut it silently.
#[test]
fn a_value_that_is_too_long_is_refused() {
    let database = database();
    let mut db = client(&database);
    let too_long = [
        Insert { short: Some("longer than ten".to_owned()), ..Insert::new("x") },
        Insert { padded: Some("longer".to_owned()), ..Insert::new("x") },
        Insert { bits: Some("101010".to_owned()), ..Insert::new("x") },
        Insert { three_bits: Some("1010".to_owned()), ..Insert::new("x") },
    ];
    for row in too_long {
        let error = things::insert(&mut db, &row).unwrap_err();
        assert!(["22001", "22026"].contains(&error.code().unwrap().code()), "{error}");
    }
}

#[test]
fn the_check_of_a_domain_holds() {
    let database = database();
    let mut db = client(&database);
    let error = things::insert(&mut db, &Insert { price: Some(-1), ..Insert::new("x") }).unwrap_err();
    assert_eq!(error.code().unwrap().code(), "23514");
}
