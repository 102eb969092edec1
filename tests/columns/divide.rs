//! `divide`: one column becomes several.

use coexist::plan::Phase;

use crate::support::in_flight::InFlight;
use crate::support::life::Life;

const PEOPLE: &str = "create table people (id integer primary key, name text not null, email text);";
const ROWS: &str = "insert into people values (1, 'Ada Lovelace', 'a@x'), (2, 'Ben', null);";
const DIVIDE: &str = r#"change it {
    divide people.name into first_name: text not null, last_name: text {
        forward first_name "split_part(name, ' ', 1)" or reject,
        forward last_name "nullif(substr(name, length(split_part(name, ' ', 1)) + 2), '')" or reject,
        backward "first_name || coalesce(' ' || last_name, '')" or reject,
    }
    stage expand;
}"#;

fn dividing() -> InFlight {
    let mut db = InFlight::new(PEOPLE, ROWS, DIVIDE);
    db.reach(Phase::DualWriting);
    db
}

fn person(db: &mut InFlight, id: i32) -> String {
    db.row(&format!("select name, first_name, last_name from people where id = {id}"))
}

#[test]
fn both_shapes_through_every_phase() {
    let mut db = InFlight::new(PEOPLE, ROWS, DIVIDE);
    db.reach(Phase::Expanded).run("insert into people values (3, 'Cy Young')");
    assert_eq!(person(&mut db, 3), "Cy Young|-|-");
    db.reach(Phase::DualWriting).run(
        "insert into people (id, name) values (4, 'Di Ex'); insert into people (id, first_name, last_name) values (5, 'Ed', 'Fox');
         insert into people (id, first_name) values (6, 'Flo')",
    );
    assert_eq!(person(&mut db, 4), "Di Ex|Di|Ex");
    assert_eq!(person(&mut db, 5), "Ed Fox|Ed|Fox");
    assert_eq!(person(&mut db, 6), "Flo|Flo|-");
    db.reach(Phase::Backfilled);
    assert_eq!(person(&mut db, 1), "Ada Lovelace|Ada|Lovelace");
    assert_eq!(person(&mut db, 2), "Ben|Ben|-");
    db.run("update people set name = 'Eve Moore' where id = 1; update people set last_name = 'Bell' where id = 2");
    assert_eq!(person(&mut db, 1), "Eve Moore|Eve|Moore");
    assert_eq!(person(&mut db, 2), "Ben Bell|Ben|Bell");
    db.run("update people set last_name = null where id = 1; delete from people where id = 3");
    assert_eq!(person(&mut db, 1), "Eve|Eve|-");
    db.reach(Phase::Validated).run("update people set id = 7 where id = 6");
    assert_eq!(person(&mut db, 7), "Flo|Flo|-");
}

#[test]
fn new_code_that_writes_one_part_of_a_row_that_is_not_in_step_keeps_the_other() {
    let mut db = dividing();
    db.run("update people set first_name = 'Eve' where id = 1; update people set last_name = 'Bell' where id = 2");
    assert_eq!(person(&mut db, 1), "Eve Lovelace|Eve|Lovelace");
    assert_eq!(person(&mut db, 2), "Ben Bell|Ben|Bell");
    db.reach(Phase::Validated);
    assert_eq!(person(&mut db, 1), "Eve Lovelace|Eve|Lovelace");
}

#[test]
fn h35_a_blind_null_in_one_part_was_written() {
    let mut db = dividing();
    db.run("update people set last_name = null where id = 1");
    assert_eq!(person(&mut db, 1), "Ada|Ada|-");
    let mut db = dividing();
    db.run("update people set first_name = 'Eve', last_name = null where id = 1");
    assert_eq!(person(&mut db, 1), "Eve|Eve|-");
    let (code, message) = db.fails("update people set first_name = null where id = 2");
    assert_eq!(code, "23502");
    assert!(message.contains("\"first_name\""), "{message}");
    db.reach(Phase::Validated);
    assert_eq!(person(&mut db, 1), "Eve|Eve|-");
}

#[test]
fn h34_both_written_lets_after_win_and_counts() {
    let conflicts = "select coalesce(sum(count), 0) from coexist.conflicts";
    let mut db = dividing();
    db.reach(Phase::Backfilled).run("update people set name = 'Old Name', last_name = 'New' where id = 1");
    assert_eq!(person(&mut db, 1), "Ada New|Ada|New");
    assert_eq!(db.row(conflicts), "1");
    // As an ORM writes: all columns, of which one is another.
    db.run("update people set id = 2, name = 'Ben', first_name = 'Bea', last_name = null, email = 'b@x' where id = 2");
    assert_eq!(person(&mut db, 2), "Bea|Bea|-");
    assert_eq!(db.row(conflicts), "1");
}

#[test]
fn parts_that_are_all_not_null_need_no_marker() {
    let change = r#"change it {
        divide t.at into day: date not null, clock: time not null {
            forward day "at::date" or reject, forward clock "at::time" or reject, backward "day + clock" or reject,
        }
        stage expand;
    }"#;
    let mut db = InFlight::new(
        "create table t (id integer primary key, at timestamp not null default '2020-01-01 10:00');",
        "insert into t values (1, '2024-05-06 07:08:09')",
        change,
    );
    db.reach(Phase::DualWriting).run("update t set day = '2025-01-02' where id = 1; insert into t (id) values (2)");
    db.run("insert into t (id, day, clock) values (3, '2022-02-02', '22:22')");
    let rows = [
        "2025-01-02 07:08:09|2025-01-02|07:08:09",
        "2020-01-01 10:00:00|2020-01-01|10:00:00",
        "2022-02-02 22:22:00|2022-02-02|22:22:00",
    ];
    assert_eq!(db.rows("select at, day, clock from t order by id"), rows);
    assert_eq!(db.fails("update t set clock = null where id = 1").0, "23502");
    assert_eq!(db.row("select count(*) from pg_attribute where attrelid = 't'::regclass and attnum > 0"), "4");
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select at, day, clock from t order by id"), rows);
}

#[test]
fn h39_h55_each_part_has_a_policy_of_its_own() {
    let change = r#"change it {
        divide t.size into width: integer, height: integer {
            forward width "split_part(size, 'x', 1)::integer" or quarantine,
            forward height "split_part(size, 'x', 2)::integer" or "-1",
            backward "width || 'x' || height" or reject,
            insert nulls take before,
        }
        stage expand;
    }"#;
    let schema = "create table t (id integer primary key, size text);";
    let mut db = InFlight::new(schema, "insert into t values (1, '3x4'), (2, 'ax7'), (3, '8xb'), (4, null)", change);
    db.reach(Phase::Backfilled);
    assert_eq!(db.rows("select size, width, height from t order by id"), ["3x4|3|4", "ax7|-|7", "8xb|8|-1", "-|-|-"]);
    assert_eq!(db.rows("select key->>'id', value, code from coexist.quarantine"), ["2|ax7|22P02"]);
    db.run("update t set width = 5, height = 7 where id = 2; update t set size = '1x2' where id = 3");
    assert_eq!(db.rows("select size, width, height from t order by id"), ["3x4|3|4", "5x7|5|7", "1x2|1|2", "-|-|-"]);
    db.reach(Phase::Validated);
}

#[test]
fn null_where_a_part_takes_none_is_a_value_that_does_not_convert() {
    let change = r#"change it {
        divide t.a into b: text not null, c: text {
            forward b "split_part(a, '/', 1)" or "'none'", forward c "split_part(a, '/', 2)" or reject, backward "b || '/' || c" or reject,
        }
        stage expand;
    }"#;
    let mut db =
        InFlight::new("create table t (id integer primary key, a text);", "insert into t values (1, null)", change);
    db.reach(Phase::DualWriting).run("insert into t (id, a) values (2, null), (3, 'x/y')");
    db.reach(Phase::Backfilled);
    assert_eq!(db.rows("select a, b, c from t order by id"), ["-|none|-", "-|none|-", "x/y|x|y"]);
}

#[test]
fn a_whole_life() {
    Life {
        before: "create table t (id integer primary key, name text collate \"C\" not null default 'Ada Lovelace', n integer not null);
            alter table t add constraint t_name_key unique (name, n); create index t_name on t (name desc, id);
            alter table t add constraint t_long check (length(name) < 100); create statistics t_stats (ndistinct) on name, n from t;
            create index t_lower on t (lower(name)) where name <> ''; comment on column t.name is 'whole';",
        data: "insert into t select n, 'a' || n || ' b', n from generate_series(1, 50) n",
        change: r#"divide t.name into first: text not null, last: text not null {
            forward first "split_part(name, ' ', 1)" or reject,
            forward last "substr(name, length(split_part(name, ' ', 1)) + 2)" or reject,
            backward "first || ' ' || last" or reject,
        }"#,
        after: "create table t (id integer primary key, n integer not null,
                first text collate \"C\" not null default split_part('Ada Lovelace', ' ', 1),
                last text collate \"C\" not null default substr('Ada Lovelace', length(split_part('Ada Lovelace', ' ', 1)) + 2));
            alter table t add constraint t_name_key unique (first, last, n); create index t_name on t (first desc, last desc, id);
            alter table t add constraint t_long check (length(first || ' ' || last) < 100);
            create statistics t_stats (ndistinct) on first, last, n from t;
            create index t_lower on t (lower(first || ' ' || last)) where (first || ' ' || last) <> '';",
    }
    .check();
}
