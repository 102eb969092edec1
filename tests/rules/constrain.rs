//! `constrain t: check …`

use coexist::plan::Phase;

use super::support::in_flight::InFlight;
use super::support::life::Life;
use super::{blocks, found};

const ORDERS: &str = "create table orders (id bigint primary key, total integer, note text);";
const ROWS: &str = "insert into orders values (1, 10, 'a'), (2, -3, 'b'), (3, null, 'c')";
const FIX: &str = "constrain orders: check positive \"total >= 0\" { fix total \"0\" }";

#[test]
fn the_whole_life() {
    let after = "create table orders (id bigint primary key, total integer, note text, constraint positive check (total >= 0));";
    for change in
        [FIX, "constrain orders: check positive \"total >= 0\" { fix total \"-total\" or reject, old writes reject }"]
    {
        Life { before: ORDERS, data: ROWS, change, after }.check();
    }
    let change = "constrain orders: check positive \"total >= 0\" or reject;";
    Life { before: ORDERS, data: "insert into orders values (1, 1, 'a')", change, after }.check();
}

#[test]
fn old_rows_and_old_writes_are_mended() {
    let mut db = InFlight::new(ORDERS, ROWS, &format!("change it {{ {FIX} stage contract; }}"));
    db.reach(Phase::DualWriting);
    db.run("insert into orders values (4, -1, 'd'); update orders set total = -7 where id = 1; update orders set note = 'x' where id = 2");
    let totals = |db: &mut InFlight| db.rows("select id, total from orders order by id");
    assert_eq!(totals(&mut db), ["1|0", "2|0", "3|-", "4|0"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.fails("insert into orders values (5, -1, 'e')").0, "23514");
    assert_eq!(totals(&mut db), ["1|0", "2|0", "3|-", "4|0"]);
}

#[test]
fn old_rows_are_mended_and_old_writes_rejected() {
    let change =
        "constrain orders: check positive \"total >= 0\" { fix total \"0\", note \"'mended'\", old writes reject }"
            .replace(", note", ", fix note");
    let mut db = InFlight::new(ORDERS, ROWS, &format!("change it {{ {change} stage contract; }}"));
    db.reach(Phase::DualWriting);
    let (code, message) = db.fails("insert into orders values (4, -1, 'd')");
    // By its final name: what the application knows is what it will see.
    assert!(code == "23514" && message.contains("positive"), "{message}");
    assert_eq!(db.fails("update orders set total = -1 where id = 1").0, "23514");
    db.run("update orders set note = 'touched' where id = 2").reach(Phase::Contracted);
    assert_eq!(db.rows("select id, total, note from orders order by id"), ["1|10|a", "2|0|mended", "3|-|c"]);
}

#[test]
fn rows_that_break_the_check_are_found_with_their_keys() {
    let change = "change it { constrain orders: check positive \"total >= 0\" or reject; stage expand; }";
    let mut db = InFlight::new(ORDERS, ROWS, change);
    assert_eq!(found(&mut db, "breaks_positive"), ["2"]);
    assert_eq!(blocks(&db.plans[0], "breaks_positive"), Phase::DualWriting);
}

/// A constraint of this name that was there before is not taken for ours (H76).
#[test]
fn h76_a_constraint_of_somebody_else_is_left_alone() {
    let change = "change it { constrain orders: check positive \"total >= 0\" or reject; stage expand; }";
    let mut db = InFlight::new(ORDERS, "", change);
    db.run("alter table orders add constraint positive check (total > 5)").reach(Phase::Expanded);
    let error = db.fails_to_reach(Phase::DualWriting);
    assert!(error.contains("already exists"), "{error}");
    let error = db.fails_to_roll_back();
    assert!(error.contains("does not belong to the change it: nothing is taken back"), "{error}");
    let definition = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'positive'";
    assert_eq!(db.row(definition), "CHECK ((total > 5))");
    db.run("alter table orders drop constraint positive").roll_back();
}

/// Names inside of other names are left alone (number 9 of what other tools break).
#[test]
fn columns_whose_names_are_part_of_others() {
    let schema = "create table t (id integer primary key, a integer, amount integer, \"order\" integer);";
    let change = "constrain t: check c \"a <= amount and \\\"order\\\" > 0\" { fix a \"amount\", fix \"order\" \"1\" }";
    let mut db = InFlight::new(
        schema,
        "insert into t values (1, 5, 3, 0)",
        &format!("change it {{ {change} stage contract; }}"),
    );
    db.reach(Phase::DualWriting).run("insert into t values (2, 9, 8, -1)").reach(Phase::Contracted);
    assert_eq!(db.rows("select a, amount, \"order\" from t order by id"), ["3|3|1", "8|8|1"]);
}
