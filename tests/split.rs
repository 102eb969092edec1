//! The rules of dual-writing between two tables (`docs/dual-writing.md`), each by itself, on a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use coexist::plan::Phase;
use support::in_flight::InFlight;

const USERS: &str = "create table users (id bigint primary key, name text not null, bio text, avatar_url text);
    create table posts (id bigint primary key, user_id bigint references users on delete cascade on update cascade);";
const ROWS: &str = "insert into users values (1, 'Ada', 'a', 'a.png'), (2, 'Ben', null, null), (3, 'Cy', 'c', null);
    insert into posts values (1, 1);";
const SPLIT: &str = "change split { split users into profiles { key user_id, move bio, avatar_url } stage expand; }";

fn splitting() -> InFlight {
    let mut db = InFlight::new(USERS, ROWS, SPLIT);
    db.reach(Phase::DualWriting);
    db
}

fn split() -> InFlight {
    let mut db = InFlight::new(USERS, ROWS, SPLIT);
    db.reach(Phase::Backfilled);
    db
}

fn user(db: &mut InFlight, id: i64) -> Vec<String> {
    db.rows(&format!("select bio, avatar_url from users where id = {id}"))
}

fn profile(db: &mut InFlight, id: i64) -> Vec<String> {
    db.rows(&format!("select bio, avatar_url from profiles where user_id = {id}"))
}

/// Both tables say the same of this row.
#[track_caller]
fn both(db: &mut InFlight, id: i64, expected: &str) {
    assert_eq!((user(db, id), profile(db, id)), (vec![expected.to_owned()], vec![expected.to_owned()]));
}

const NONE: Vec<String> = Vec::new();

// --- the backfill ---

#[test]
fn the_backfill_copies_rows_that_have_something_to_copy() {
    let mut db = split();
    assert_eq!(db.rows("select user_id, bio, avatar_url from profiles order by 1"), ["1|a|a.png", "3|c|-"]);
}

#[test]
fn always_copies_every_row() {
    let change =
        "change split { split users into profiles { key user_id, move bio, avatar_url, always } stage expand; }";
    let mut db = InFlight::new(USERS, ROWS, change);
    db.reach(Phase::Validated).run("insert into users (id, name) values (4, 'Di')");
    assert_eq!(db.rows("select user_id from profiles order by 1"), ["1", "2", "3", "4"]);
    db.run("insert into users (id, name) values (5, 'Ed'); insert into profiles (user_id, bio) values (5, 'e')");
    both(&mut db, 5, "e|-");
}

#[test]
fn the_backfill_leaves_what_new_code_wrote() {
    let mut db = splitting();
    db.run("insert into profiles (user_id, bio) values (1, 'new')").reach(Phase::Validated);
    both(&mut db, 1, "new|-");
}

#[test]
fn h51_a_row_that_was_deleted_meanwhile_leaves_no_ghost() {
    let mut db = splitting();
    db.run("delete from users where id = 1").reach(Phase::Validated);
    assert_eq!(profile(&mut db, 1), NONE);
}

// --- old code writes ---

#[test]
fn insert_by_old_code() {
    let mut db = splitting();
    db.run("insert into users values (4, 'Di', 'd', null), (5, 'Ed', null, null)");
    both(&mut db, 4, "d|-");
    assert_eq!(profile(&mut db, 5), NONE);
}

#[test]
fn update_by_old_code() {
    let mut db = split();
    db.run("update users set bio = 'x' where id = 1; update users set bio = 'y' where id = 2; update users set name = 'z' where id = 3");
    both(&mut db, 1, "x|a.png");
    both(&mut db, 2, "y|-");
    both(&mut db, 3, "c|-");
}

#[test]
fn update_by_old_code_of_a_row_that_is_not_copied_yet() {
    let mut db = splitting();
    db.run("update users set avatar_url = 'x' where id = 3");
    both(&mut db, 3, "c|x");
}

/// A row that says nothing beyond the default, or nothing at all, gives way to the one that new code inserts; old code writes it like any other.
#[test]
fn update_by_old_code_of_a_row_that_says_nothing() {
    for (columns, always) in [("bio text", ", always"), ("bio text default 'none'", "")] {
        let schema = format!("create table users (id bigint primary key, {columns});");
        let change =
            format!("change split {{ split users into profiles {{ key user_id, move bio{always} }} stage expand; }}");
        let mut db = InFlight::new(&schema, "insert into users (id) values (1), (2)", &change);
        db.reach(Phase::DualWriting).run("insert into users (id) values (3)");
        db.reach(Phase::Validated).run("update users set bio = 'x'");
        let both = "select id, u.bio, p.bio from users u join profiles p on user_id = id order by id";
        assert_eq!(db.rows(both), ["1|x|x", "2|x|x", "3|x|x"], "{columns}");
    }
}

#[test]
fn a_row_without_values_has_no_row_in_the_new_table() {
    let mut db = split();
    db.run("update users set bio = null, avatar_url = null where id = 1");
    assert_eq!(profile(&mut db, 1), NONE);
}

#[test]
fn h46_delete_and_key_update_by_old_code() {
    let mut db = split();
    db.run("delete from users where id = 1; update users set id = 30 where id = 3");
    assert_eq!(db.rows("select user_id, bio from profiles"), ["30|c"]);
    assert_eq!(db.rows("select * from posts"), NONE);
}

#[test]
fn h45_truncate_by_old_code() {
    let mut db = InFlight::new(
        "create table users (id bigint primary key, bio text);",
        "insert into users values (1, 'a')",
        "change split { split users into profiles { key user_id, move bio } stage expand; }",
    );
    db.reach(Phase::Backfilled).run("truncate users");
    assert_eq!(db.rows("select * from profiles"), NONE);
}

#[test]
fn on_conflict_by_old_code() {
    let mut db = split();
    db.run("insert into users values (1, 'Ada', 'up', null) on conflict (id) do update set bio = excluded.bio");
    both(&mut db, 1, "up|a.png");
}

// --- new code writes ---

#[test]
fn insert_by_new_code() {
    let mut db = splitting();
    db.run(
        "begin; insert into users (id, name) values (4, 'Di'); insert into profiles values (4, 'd', 'd.png'); commit",
    );
    both(&mut db, 4, "d|d.png");
}

#[test]
fn insert_by_new_code_without_a_user_fails_as_after_the_contract() {
    let mut db = splitting();
    assert_eq!(db.fails("insert into profiles values (9, 'x', null)").0, "23503");
    db.reach(Phase::Validated);
    assert_eq!(db.fails("insert into profiles values (9, 'x', null)").0, "23503");
}

#[test]
fn update_and_delete_by_new_code() {
    let mut db = split();
    db.run("update profiles set bio = 'x' where user_id = 1; delete from profiles where user_id = 3");
    both(&mut db, 1, "x|a.png");
    assert_eq!(user(&mut db, 3), ["-|-"]);
    assert_eq!(profile(&mut db, 3), NONE);
}

#[test]
fn a_row_of_nulls_by_new_code_stays() {
    let mut db = split();
    db.run("update profiles set bio = null, avatar_url = null where user_id = 1");
    both(&mut db, 1, "-|-");
    db.reach(Phase::Validated);
}

#[test]
fn truncate_by_new_code() {
    let mut db = split();
    db.run("truncate profiles");
    assert_eq!(user(&mut db, 1), ["-|-"]);
    db.reach(Phase::Validated);
}

#[test]
fn delete_of_the_user_by_new_code_cascades_once() {
    let mut db = split();
    db.reach(Phase::Validated).run("delete from users where id = 1");
    assert_eq!(profile(&mut db, 1), NONE);
}

#[test]
fn key_update_cascades_once() {
    let mut db = split();
    db.reach(Phase::Validated).run("update users set id = 10 where id = 1");
    both(&mut db, 10, "a|a.png");
    assert_eq!(profile(&mut db, 1), NONE);
}

// --- NOT NULL and defaults ---

const STRICT: &str = "create table users (id bigint primary key, name text, bio text not null, avatar_url text not null default 'none');";
const STRICT_ROWS: &str = "insert into users values (1, 'Ada', 'a', 'a.png')";

#[test]
fn a_moved_not_null_column_is_held_until_the_end_of_the_transaction() {
    let mut db = InFlight::new(STRICT, STRICT_ROWS, SPLIT);
    db.reach(Phase::DualWriting);
    db.run("begin; insert into users (id, name) values (2, 'Ben'); insert into profiles (user_id, bio) values (2, 'b'); commit");
    both(&mut db, 2, "b|none");
    assert_eq!(db.fails("insert into users (id, name) values (3, 'Cy')").0, "23502");
    assert_eq!(db.fails("begin; insert into users (id, name) values (3, 'Cy'); commit").0, "23502");
    assert_eq!(db.fails("update users set bio = null where id = 1").0, "23502");
    db.run("begin; insert into users (id, name) values (3, 'Cy'); delete from users where id = 3; commit");
}

#[test]
fn rollback_makes_it_not_null_again() {
    let mut untouched = InFlight::new(STRICT, STRICT_ROWS, SPLIT);
    let before = support::catalog_dump(&mut untouched.client);
    for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
        let mut db = InFlight::new(STRICT, STRICT_ROWS, SPLIT);
        db.reach(phase).roll_back();
        assert_eq!(support::catalog_dump(&mut db.client), before, "after a rollback from {}", phase.name());
    }
}

#[test]
fn a_row_of_defaults_gives_way_to_the_one_that_new_code_writes() {
    let schema = "create table users (id bigint primary key, name text, theme text default 'light');";
    let change = "change split { split users into settings { key user_id, move theme } stage expand; }";
    let mut db = InFlight::new(schema, "", change);
    db.reach(Phase::DualWriting);
    db.run("begin; insert into users (id, name) values (1, 'Ada'); insert into settings (user_id, theme) values (1, 'dark'); commit");
    assert_eq!(db.row("select u.theme, s.theme from users u join settings s on s.user_id = u.id"), "dark|dark");
    assert_eq!(db.fails("insert into settings (user_id, theme) values (1, 'blue')").0, "23505");
}

// --- triggers, roles, keys ---

/// Whether they fire before our triggers or after them.
#[test]
fn h36_what_the_tables_own_triggers_write_is_carried() {
    for name in ["aaa_sign", "zzz_sign"] {
        let trigger = format!(
            "create function sign() returns trigger language plpgsql as
                $$ begin update users set bio = new.bio || '!' where id = new.id and bio not like '%!'; return null; end $$;
            create trigger {name} after insert or update on users for each row execute function sign();"
        );
        let mut db = InFlight::new(&format!("{USERS} {trigger}"), ROWS, SPLIT);
        db.reach(Phase::DualWriting).run(
            "insert into users values (4, 'Di', 'd', null); update users set name = 'x', bio = 'z' where id = 1;
            insert into profiles values (2, 'new', null)",
        );
        both(&mut db, 4, "d!|-");
        both(&mut db, 1, "z!|a.png");
        both(&mut db, 2, "new!|-");
    }
}

#[test]
fn h41_a_role_that_may_only_update_the_old_table() {
    let mut db = InFlight::new(USERS, ROWS, SPLIT);
    db.run(
        "do $$ begin create role app_update; exception when duplicate_object then null; end $$;
        grant select, update on users to app_update",
    );
    db.reach(Phase::DualWriting).run("set role app_update; update users set bio = 'x' where id = 2; reset role");
    both(&mut db, 2, "x|-");
    assert_eq!(db.fails("set role app_update; delete from profiles").0, "42501");
    db.run("set role app_update; update profiles set bio = 'y' where user_id = 2; reset role");
    both(&mut db, 2, "y|-");
}

#[test]
fn h42_a_table_in_front_of_the_path_captures_nothing() {
    let mut db = splitting();
    db.run("create temp table profiles (user_id bigint primary key, bio text, avatar_url text); set search_path = pg_temp, public;
        update users set bio = 'x' where id = 1; reset search_path; drop table pg_temp.profiles");
    both(&mut db, 1, "x|a.png");
}

#[test]
fn h57_a_composite_key() {
    let schema = "create table docs (tenant uuid, slug text collate \"C\", body text, size numeric, primary key (tenant, slug));";
    let change = "change split { split docs into bodies { key tenant_id, doc, move body } stage expand; }";
    let tenant = "00000000-0000-0000-0000-000000000001";
    let data = format!("insert into docs select '{tenant}', 'd' || n, 'b' || n, n from generate_series(1, 20000) n");
    let mut db = InFlight::new(schema, &data, change);
    db.reach(Phase::DualWriting)
        .run("update docs set body = 'x' where slug = 'd5'; delete from docs where slug = 'd6'");
    db.reach(Phase::Validated)
        .run("update bodies set body = 'y' where doc = 'd7'; update docs set slug = 'e8' where slug = 'd8'");
    assert_eq!(
        db.row(
            "select count(*) from docs d join bodies b on b.tenant_id = d.tenant and b.doc = d.slug and b.body = d.body"
        ),
        "19999"
    );
    assert_eq!(db.row("select count(*) from bodies"), "19999");
}

#[test]
fn the_contract_leaves_the_new_shape() {
    let mut db = InFlight::new(STRICT, STRICT_ROWS, &SPLIT.replace("stage expand", "stage contract"));
    db.reach(Phase::Contracted)
        .run("insert into users values (2, 'Ben'); insert into profiles (user_id, bio) values (2, 'b')");
    assert_eq!(
        db.rows("select u.*, p.* from users u join profiles p on p.user_id = u.id order by 1"),
        ["1|Ada|1|a|a.png", "2|Ben|2|b|none"]
    );
}

// --- the foreign key, while code writes both tables ---

/// An application has begun with `first`, which touches the old table; `ddl` waits for it; and then the application goes on with `then`,
/// which writes the new table, without having to wait.
fn write_while(
    mut db: InFlight,
    first: &str,
    then: &str,
    ddl: impl FnOnce(&mut InFlight) + Send + 'static,
) -> InFlight {
    let mut app = db.database.connect().unwrap();
    app.batch_execute(&format!("begin; {first}")).unwrap();
    let pid: i32 = app.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let mut watch = db.database.connect().unwrap();
    let changing = std::thread::spawn(move || {
        ddl(&mut db);
        db
    });
    let waits = "select exists (select from pg_locks where $1 = any (pg_blocking_pids(pid)))";
    while !watch.query_one(waits, &[&pid]).unwrap().get::<_, bool>(0) {
        assert!(!changing.is_finished(), "the change did not wait for the old table");
        std::thread::yield_now();
    }
    app.batch_execute(&format!("set local lock_timeout = '500ms'; {then}; commit")).unwrap();
    changing.join().unwrap()
}

const NEW_USER: &str = "insert into users (id, name) values (9, 'Zoe')";
const ITS_PROFILE: &str = "insert into profiles values (9, 'z', null)";

#[test]
fn h25_adding_the_foreign_key_locks_the_old_table_first() {
    let mut db = write_while(split(), NEW_USER, ITS_PROFILE, |db| {
        db.reach(Phase::Validated);
    });
    both(&mut db, 9, "z|-");
}

#[test]
fn h25_taking_the_foreign_key_back_locks_the_old_table_first() {
    let mut db = split();
    db.reach(Phase::Validated);
    let mut db = write_while(db, NEW_USER, ITS_PROFILE, |db| {
        db.roll_back();
    });
    assert_eq!(user(&mut db, 9), ["z|-"]);
}

#[test]
fn h12_adding_the_foreign_key_waits_for_accessors_of_the_new_table_before_it_holds_anything() {
    let lock_source = "select from users where id = 1 for no key update";
    let mut db = write_while(split(), lock_source, "update profiles set bio = 'new' where user_id = 1", |db| {
        db.reach(Phase::Validated);
    });
    both(&mut db, 1, "new|a.png");
}
