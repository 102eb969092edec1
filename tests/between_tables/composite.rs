//! Values of composite types: `IS NULL` is true for one whose fields are all null, and `IS NOT NULL` false for one with a null field; for NOT
//! NULL, and for the people who wrote them, both are values.

use coexist::plan::Phase;

use crate::kinds::{ALL, EXTRACT, Kind, MOVE_DOWN, SPLIT};
use crate::support::in_flight::InFlight;

const PAIR: &str = "create type pair as (a integer, b text);";
/// As SQL, and as it is shown.
const VALUES: [(&str, &str); 4] =
    [("row(1, 'x')::pair", "(1,x)"), ("row(1, null)::pair", "(1,)"), ("row(null, null)::pair", "(,)"), ("null", "-")];

fn at(kind: &Kind, ty: &str, phase: Phase) -> InFlight {
    let values: Vec<(i64, &str)> = (1..).zip(VALUES).map(|(id, (value, _))| (id, value)).collect();
    let values = if ty.contains("not null") { &values[..3] } else { &values };
    let mut db = kind.declared(ty, PAIR, "", values);
    db.reach(phase);
    db
}

#[test]
fn values_with_null_fields_are_values() {
    // Nothing tells two of them apart for sure, so that they cannot be extracted.
    for kind in ALL.iter().filter(|kind| kind.name != EXTRACT.name) {
        for phase in [Phase::DualWriting, Phase::Validated] {
            let mut db = at(kind, "pair", phase);
            for (id, (_, shown)) in (1..).zip(VALUES).filter(|_| phase == Phase::Validated) {
                kind.both(&mut db, id, shown);
            }
            for (id, (value, shown)) in (11..).zip(VALUES) {
                db.run(&format!("begin; {}; commit", kind.old.insert(id, value)));
                kind.both(&mut db, id, shown);
                db.run(&format!("begin; {}; commit", kind.new.insert(id + 10, value)));
                kind.both(&mut db, id + 10, shown);
            }
            for (id, (value, shown)) in (12..).zip(VALUES) {
                db.run(&kind.old.set(id % 4 + 11, value));
                kind.both(&mut db, id % 4 + 11, shown);
                db.run(&kind.new.set(id % 4 + 21, value));
                kind.both(&mut db, id % 4 + 21, shown);
            }
            // Rows that the backfill has not been at, or has.
            for (id, (value, shown)) in (1..).zip(VALUES.into_iter().rev()) {
                let code = if id % 2 == 0 { &kind.old } else { &kind.new };
                db.run(&code.set(id, value));
                if phase == Phase::Validated || value != "null" {
                    kind.both(&mut db, id, shown);
                }
            }
            db.reach(Phase::Validated);
            kind.agrees(&mut db);
        }
    }
}

#[test]
fn values_with_null_fields_satisfy_not_null() {
    for kind in [SPLIT, MOVE_DOWN] {
        for phase in [Phase::DualWriting, Phase::Validated] {
            let mut db = at(&kind, "pair not null", phase);
            for (id, (value, shown)) in (11..).zip(&VALUES[..3]) {
                db.run(&format!("begin; {}; commit", kind.old.insert(id, value)));
                kind.both(&mut db, id, shown);
                db.run(&format!("begin; {}; commit", kind.new.insert(id + 10, value)));
                kind.both(&mut db, id + 10, shown);
            }
            db.reach(Phase::Validated);
            for (id, (_, shown)) in (1..).zip(&VALUES[..3]) {
                kind.both(&mut db, id, shown);
            }
            kind.agrees(&mut db);
        }
    }
}
