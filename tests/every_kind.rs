//! Each kind of change, from its declaration to the contract and the retirement, on a server: what PostgreSQL refuses of the SQL that is
//! held byte for byte in `core/tests/golden.rs`, it refuses here.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[macro_use]
#[path = "../core/tests/declarations/mod.rs"]
mod declarations;
mod support;

use coexist::plan::Phase;
use declarations::SCHEMA;
use support::in_flight::InFlight;

/// Rows that no declaration refuses, of which some have nothing but what they must have.
const ROWS: &str = r#"
    insert into users (name, email, total, code, bio) select 'Ann ' || n, n || '@x', n, n::text, 'bio ' || n from generate_series(1, 30) n;
    insert into users (email, bio) select n || '@x', '' from generate_series(31, 40) n;
    insert into orders (user_id, note, user_email) select n, 'n' || n, n || '@x' from generate_series(1, 20) n;
    insert into orders (user_id) select null from generate_series(1, 5);
    insert into "settings of users" (user_id, notes) select n, 'n' || n from generate_series(1, 40, 2) n;
    insert into "Weird Schema"."Order Items" select n, 'm' || n, null from generate_series(1, 10) n;
"#;

test_each!(lives);

fn lives(name: &str, change: &str) {
    let mut db = InFlight::new(SCHEMA, ROWS, &format!("change {name} {{ {change} stage contract; }}"));
    let before = support::catalog_dump(&mut db.client);
    db.reach(Phase::Validated).roll_back();
    let back = support::catalog_dump(&mut db.client);
    assert_eq!(coexist::catalog::diff(&before, &back), "");
    db.reach(Phase::Contracted).retire();
}
