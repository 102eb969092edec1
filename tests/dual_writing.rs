//! The rules of dual-writing within a row (`docs/dual-writing.md`), each by itself, on a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use coexist::plan::Phase;
use support::in_flight::InFlight;

const USERS: &str = "create table users (
    id integer primary key, name text not null default 'nobody', nick text, email text, updated_at timestamptz
);";
/// Rows that are there before the change.
const ROWS: &str = "insert into users values (1, 'Ada', 'a', 'ada@x', null), (2, 'Ben', null, 'ben@x', null);";
const RENAME: &str = "change rename { rename users.name to full_name; stage expand; }";
const RENAME_NULLABLE: &str = "change rename { rename users.nick to handle; stage expand; }";

fn names(db: &mut InFlight, id: i32) -> String {
    db.row(&format!("select name, full_name from users where id = {id}"))
}

fn nicks(db: &mut InFlight, id: i32) -> String {
    db.row(&format!("select nick, handle from users where id = {id}"))
}

fn conflicts(db: &mut InFlight) -> String {
    db.row("select coalesce(sum(count), 0) from coexist.conflicts")
}

fn renaming() -> InFlight {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.reach(Phase::DualWriting);
    db
}

fn renaming_nullable() -> InFlight {
    let mut db = InFlight::new(USERS, ROWS, RENAME_NULLABLE);
    db.reach(Phase::DualWriting);
    db
}

// --- before anything is in step ---

#[test]
fn expand_is_not_noticed_by_old_code() {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.reach(Phase::Expanded)
        .run("insert into users (id, name) values (3, 'Cy'); update users set name = 'Bea' where id = 2");
    assert_eq!(names(&mut db, 3), "Cy|-");
    assert_eq!(names(&mut db, 2), "Bea|-");
}

#[test]
fn rows_written_between_expand_and_triggers_are_backfilled() {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    db.reach(Phase::Expanded).run("insert into users (id, name) values (3, 'Cy')").reach(Phase::Validated);
    assert_eq!(names(&mut db, 3), "Cy|Cy");
}

// --- UPDATE ---

#[test]
fn update_of_before_reaches_after() {
    let mut db = renaming();
    db.run("update users set name = 'Eve' where id = 1");
    assert_eq!(names(&mut db, 1), "Eve|Eve");
}

#[test]
fn update_of_after_reaches_before() {
    let mut db = renaming();
    db.run("update users set full_name = 'Eve' where id = 1");
    assert_eq!(names(&mut db, 1), "Eve|Eve");
}

#[test]
fn h34_update_of_both_lets_after_win_and_counts() {
    let mut db = renaming();
    db.run("update users set name = 'old', full_name = 'new' where id = 1");
    assert_eq!(names(&mut db, 1), "new|new");
    assert_eq!(conflicts(&mut db), "1");
}

#[test]
fn h34_update_of_both_alike_is_no_conflict() {
    let mut db = renaming();
    db.run("update users set name = 'same', full_name = 'same' where id = 1");
    assert_eq!(names(&mut db, 1), "same|same");
    assert_eq!(conflicts(&mut db), "0");
}

#[test]
fn h34_full_row_update_with_an_unchanged_before_lets_after_win() {
    let mut db = renaming();
    db.run("update users set email = 'e' where id = 1"); // in step now
    db.run("update users set id = 1, name = 'Ada', full_name = 'Eve', email = 'f' where id = 1");
    assert_eq!(names(&mut db, 1), "Eve|Eve");
    assert_eq!(conflicts(&mut db), "0");
}

#[test]
fn update_of_another_column_syncs_a_row_that_is_not_in_step() {
    let mut db = renaming();
    db.run("update users set email = 'e' where id = 1");
    assert_eq!(names(&mut db, 1), "Ada|Ada");
}

#[test]
fn h48_update_of_another_column_of_a_synced_row_runs_no_function() {
    let mut db = renaming();
    db.reach(Phase::Backfilled).run("set track_functions = 'all'");
    let calls = "select coalesce(sum(calls), 0) from pg_stat_xact_user_functions";
    let rows = db.rows(&format!("begin; update users set email = 'e'; {calls}; rollback"));
    assert_eq!(rows, ["0"]);
    let rows = db.rows(&format!("begin; update users set name = 'e'; {calls}; rollback"));
    assert_eq!(rows, ["2"]);
}

#[test]
fn h35_null_reaches_the_other_side() {
    let mut db = renaming_nullable();
    db.run("update users set nick = null where id = 1");
    assert_eq!(nicks(&mut db, 1), "-|-");
    db.run("update users set handle = 'h' where id = 1; update users set handle = null where id = 1");
    assert_eq!(nicks(&mut db, 1), "-|-");
}

#[test]
fn h35_null_written_by_new_code_outlives_old_updates_of_other_columns() {
    let mut db = renaming_nullable();
    db.reach(Phase::Backfilled)
        .run("update users set handle = null where id = 1; update users set email = 'e' where id = 1");
    assert_eq!(nicks(&mut db, 1), "-|-");
}

#[test]
fn blind_null_on_a_row_that_is_not_in_step_was_written() {
    let mut db = renaming_nullable();
    db.run("update users set handle = null where id = 1");
    assert_eq!(nicks(&mut db, 1), "-|-");
    db.reach(Phase::Validated);
    assert_eq!(nicks(&mut db, 1), "-|-");
}

#[test]
fn blind_null_in_a_not_null_column_fails_as_after_the_contract() {
    let mut db = renaming();
    let (code, message) = db.fails("update users set full_name = null where id = 1");
    assert_eq!(code, "23502");
    assert!(message.contains("\"full_name\""), "{message}");
    assert_eq!(names(&mut db, 1), "Ada|-");
}

#[test]
fn blind_value_on_a_row_that_is_not_in_step_is_kept_by_the_backfill() {
    let mut db = renaming();
    db.run("update users set full_name = 'Eve' where id = 1").reach(Phase::Validated);
    assert_eq!(names(&mut db, 1), "Eve|Eve");
    assert_eq!(names(&mut db, 2), "Ben|Ben");
}

// --- INSERT ---

#[test]
fn insert_by_old_code() {
    let mut db = renaming();
    db.run("insert into users (id, name) values (3, 'Cy')");
    assert_eq!(names(&mut db, 3), "Cy|Cy");
}

#[test]
fn insert_by_new_code() {
    let mut db = renaming();
    db.run("insert into users (id, full_name) values (3, 'Cy')");
    assert_eq!(names(&mut db, 3), "Cy|Cy");
}

#[test]
fn insert_of_neither_takes_the_default() {
    let mut db = renaming();
    db.run("insert into users (id) values (3)");
    assert_eq!(names(&mut db, 3), "nobody|nobody");
}

#[test]
fn insert_of_many_rows_by_both() {
    let mut db = renaming();
    db.run("insert into users (id, name, full_name) values (3, default, 'new'), (4, 'old', null), (5, default, null)");
    assert_eq!(names(&mut db, 3), "new|new");
    assert_eq!(names(&mut db, 4), "old|old");
    assert_eq!(names(&mut db, 5), "nobody|nobody");
}

#[test]
fn insert_nulls_take_before() {
    let schema = "create table t (id integer primary key, a text default 'd');";
    let change = "change c { rename t.a to b { insert nulls take before } stage expand; }";
    let mut db = InFlight::new(schema, "", change);
    db.reach(Phase::DualWriting)
        .run("insert into t (id, b) values (1, null); insert into t (id, a) values (2, 'x'), (3, null)");
    assert_eq!(db.rows("select a, b from t order by id"), ["d|d", "x|x", "-|-"]);
}

#[test]
fn insert_nulls_take_after() {
    let schema = "create table t (id integer primary key, a text default 'd');";
    let change = "change c { rename t.a to b { insert nulls take after } stage expand; }";
    let mut db = InFlight::new(schema, "", change);
    db.reach(Phase::DualWriting);
    db.run("insert into t (id, b) values (1, null); insert into t (id, a) values (2, 'x'), (3, null); insert into t (id, b) values (4, 'y')");
    assert_eq!(db.rows("select a, b from t order by id"), ["-|-", "x|x", "-|-", "y|y"]);
    db.reach(Phase::Validated);
}

#[test]
fn on_conflict_by_both() {
    let mut db = renaming();
    db.run("insert into users (id, name) values (1, 'old') on conflict (id) do update set name = excluded.name");
    assert_eq!(names(&mut db, 1), "old|old");
    db.run("insert into users (id, full_name) values (1, 'new') on conflict (id) do update set full_name = excluded.full_name");
    assert_eq!(names(&mut db, 1), "new|new");
    db.run("insert into users (id, full_name) values (2, 'not') on conflict (id) do nothing");
    assert_eq!(names(&mut db, 2), "Ben|-");
}

#[test]
fn copy_by_both() {
    use std::io::Write;
    let mut db = renaming();
    for (columns, line) in [("id, name", "3\told\n"), ("id, full_name", "4\tnew\n")] {
        let mut copy = db.client.copy_in(&format!("copy users ({columns}) from stdin")).unwrap();
        copy.write_all(line.as_bytes()).unwrap();
        copy.finish().unwrap();
    }
    assert_eq!(names(&mut db, 3), "old|old");
    assert_eq!(names(&mut db, 4), "new|new");
}

#[test]
fn merge_by_both() {
    let mut db = renaming();
    if db.row("select current_setting('server_version_num')::int >= 150000") == "f" {
        return; // MERGE came with 15.
    }
    let merge = |column: &str, value: &str| {
        format!(
            "merge into users u using (values (1), (9)) v (id) on u.id = v.id
             when matched then update set {column} = '{value}' when not matched then insert (id, {column}) values (v.id, '{value}')"
        )
    };
    db.run(&merge("name", "old"));
    assert_eq!([names(&mut db, 1), names(&mut db, 9)], ["old|old", "old|old"]);
    db.run(&merge("full_name", "new"));
    assert_eq!([names(&mut db, 1), names(&mut db, 9)], ["new|new", "new|new"]);
}

// --- conversions ---

const ORDERS: &str =
    "create table orders (id integer primary key, total integer not null default 0, code text, price numeric(8,2));";

#[test]
fn a_value_that_does_not_convert_back_is_rejected() {
    let change = r#"change widen { retype orders.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject } stage expand; }"#;
    let mut db = InFlight::new(ORDERS, "insert into orders values (1, 7)", change);
    db.reach(Phase::DualWriting);
    let (code, _) = db.fails("update orders set cents = 3000000000 where id = 1");
    assert_eq!(code, "22003");
    db.run("update orders set cents = 2147483647 where id = 1");
    assert_eq!(db.row("select total, cents from orders"), "2147483647|2147483647");
}

#[test]
fn h39_a_value_that_does_not_convert_takes_the_fallback() {
    let change = r#"change number { retype orders.code to number: integer { forward "code::integer" or "-1", backward "number::text" } stage expand; }"#;
    let mut db = InFlight::new(ORDERS, "insert into orders (id, code) values (1, 'x'), (2, '12'), (3, null)", change);
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select code, number from orders order by id"), ["x|-1", "12|12", "-|-"]);
    db.run("update orders set code = 'y' where id = 2; update orders set number = 5 where id = 1");
    assert_eq!(db.rows("select code, number from orders order by id"), ["5|5", "y|-1", "-|-"]);
}

#[test]
fn h39_h55_a_value_that_does_not_convert_is_quarantined() {
    let change = r#"change number { retype orders.code to number: integer { forward "code::integer" or quarantine, backward "number::text" } stage expand; }"#;
    let mut db = InFlight::new(ORDERS, "insert into orders (id, code) values (1, 'x'), (2, '12')", change);
    db.reach(Phase::Backfilled);
    assert_eq!(db.rows("select code, number from orders order by id"), ["x|-", "12|12"]);
    db.run("update orders set code = '99999999999' where id = 2");
    let quarantine = "select key->>'id', value, code from coexist.quarantine order by 1";
    assert_eq!(db.rows(quarantine), ["1|x|22P02", "2|99999999999|22003"]);
    db.run("update orders set code = '7' where id = 1; update orders set number = 8 where id = 2");
    assert_eq!(db.rows("select code, number from orders order by id"), ["7|7", "8|8"]);
    db.reach(Phase::Validated);
}

#[test]
fn a_blind_null_where_a_marker_tells() {
    let change = r#"change number { retype orders.code to number: integer { forward "code::integer" or "-1", backward "coalesce(number::text, 'none')" or reject } stage expand; }"#;
    let mut db = InFlight::new(ORDERS, "insert into orders (id, code) values (1, 'x'), (2, '2')", change);
    db.reach(Phase::DualWriting).run("update orders set number = null where id = 1");
    assert_eq!(db.row("select code, number from orders where id = 1"), "none|-");
    db.reach(Phase::Backfilled);
    assert_eq!(db.rows("select code, number from orders order by id"), ["none|-", "2|2"]);
}

#[test]
fn values_that_only_look_equal_are_carried() {
    let change = r#"change price { retype orders.price to amount: numeric { forward "price::numeric", backward "amount::numeric(8,2)" or reject } stage expand; }"#;
    let mut db = InFlight::new(ORDERS, "insert into orders (id, price) values (1, 1.50)", change);
    db.reach(Phase::Backfilled);
    assert_eq!(db.row("select price, amount from orders"), "1.50|1.50");
    let schema = "create table t (id integer primary key, a json);";
    let mut db =
        InFlight::new(schema, "insert into t values (1, '{\"a\":1}')", "change c { rename t.a to b; stage expand; }");
    db.reach(Phase::Backfilled).run("update t set a = '{\"a\": 1}'");
    assert_eq!(db.row("select a, b from t"), r#"{"a": 1}|{"a": 1}"#);
}

// --- the table's own triggers ---

const TOUCH: &str = "create function touch() returns trigger language plpgsql as
    $$ begin new.updated_at := '2001-01-01'; new.email := 'touched'; return new; end $$;
    create trigger touch before update on users for each row execute function touch();";

#[test]
fn h50_the_backfill_leaves_what_the_tables_own_triggers_would_change() {
    let mut db = InFlight::new(&format!("{USERS} {TOUCH}"), ROWS, RENAME);
    db.reach(Phase::Validated);
    assert_eq!(db.row("select full_name, email, updated_at from users where id = 1"), "Ada|ada@x|-");
    db.run("update users set name = 'Eve' where id = 1");
    assert_eq!(db.row("select full_name, email, updated_at is not null from users where id = 1"), "Eve|touched|t");
}

#[test]
fn h37_what_the_tables_own_trigger_writes_is_carried() {
    let shout = "create function shout() returns trigger language plpgsql as $$ begin new.name := upper(new.name); return new; end $$;
        create trigger z_shout before insert or update on users for each row execute function shout();";
    let mut db = InFlight::new(&format!("{USERS} {shout}"), ROWS, RENAME);
    db.reach(Phase::DualWriting)
        .run("insert into users (id, name) values (3, 'cy'); update users set name = 'eve' where id = 1");
    assert_eq!(names(&mut db, 3), "CY|CY");
    assert_eq!(names(&mut db, 1), "EVE|EVE");
}

// --- sessions and roles ---

#[test]
fn h81_a_hostile_search_path_changes_nothing() {
    let mut db = renaming();
    db.run("create schema evil; create function evil.ne(text, text) returns boolean language sql as 'select false';
        create operator evil.= (leftarg = text, rightarg = text, function = evil.ne);
        set search_path = evil; update public.users set name = 'Eve' where id = 1; insert into public.users (id, full_name) values (3, 'Cy');
        reset search_path");
    assert_eq!(names(&mut db, 1), "Eve|Eve");
    assert_eq!(names(&mut db, 3), "Cy|Cy");
}

#[test]
fn h41_a_role_that_may_write_the_table_needs_nothing_else() {
    let mut db = InFlight::new(USERS, ROWS, RENAME);
    let role =
        "create role app_columns; grant insert (id, name), update (name), select (id, name) on users to app_columns;
        create role app_table; grant select, insert, update, delete on users to app_table;";
    db.run(&format!(
        "do $$ begin {role} exception when duplicate_object then
        grant insert (id, name), update (name), select (id, name) on users to app_columns;
        grant select, insert, update, delete on users to app_table; end $$"
    ));
    db.reach(Phase::DualWriting);
    for role in ["app_columns", "app_table"] {
        db.run(&format!(
            "set role {role}; insert into users (id, name) values (length('{role}'), 'x');
             update users set name = 'Old' where id = 1; update users set full_name = 'New' where id = 1;
             update users set name = 'a', full_name = 'b' where id = 1; reset role"
        ));
        assert_eq!(names(&mut db, 1), "b|b");
    }
    assert_eq!(conflicts(&mut db), "2");
}

#[test]
fn h90_two_changes_of_one_table_are_in_flight_together() {
    let changes = format!("{RENAME} {}", RENAME_NULLABLE.replace("change rename", "change handle"));
    let mut db = InFlight::new(&format!("{USERS} {TOUCH}"), ROWS, &changes);
    db.reach(Phase::DualWriting).run("insert into users (id, name, handle) values (3, 'Cy', 'c')");
    db.reach(Phase::Validated).run("update users set full_name = 'Eve', nick = 'e' where id = 2");
    assert_eq!(
        db.rows("select name, full_name, nick, handle from users order by id"),
        ["Ada|Ada|a|a", "Eve|Eve|e|e", "Cy|Cy|c|c"]
    );
    assert_eq!(db.row("select updated_at is null from users where id = 1"), "t");
}

#[test]
fn rollback_keeps_what_new_code_wrote() {
    let mut db = renaming();
    let before = {
        let mut other = InFlight::new(USERS, ROWS, RENAME);
        support::catalog_dump(&mut other.client)
    };
    db.run("update users set full_name = 'Eve' where id = 1; insert into users (id, full_name) values (3, 'Cy')");
    db.reach(Phase::Validated).roll_back();
    assert_eq!(db.rows("select name from users order by id"), ["Eve", "Ben", "Cy"]);
    assert_eq!(support::catalog_dump(&mut db.client), before);
}
