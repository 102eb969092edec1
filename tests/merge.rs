//! A 1:1 table that is merged into the table that it belongs to (`docs/changes/merge.md`), on a real server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use coexist::plan::Phase;
use support::clients::{Clients, Random};
use support::in_flight::InFlight;

const SCHEMA: &str = "create table users (id bigint primary key, name text not null);
    create table profiles (user_id bigint primary key references users, bio text, avatar_url text);";
const ROWS: &str = "insert into users values (1, 'Ada'), (2, 'Ben'), (3, 'Cy');
    insert into profiles values (1, 'a', 'a.png'), (3, 'c', null);";
const MERGE: &str =
    "change merge { merge profiles into users { key user_id, move bio, avatar_url as photo } stage contract; }";

fn at(phase: Phase) -> InFlight {
    let mut db = InFlight::new(SCHEMA, ROWS, MERGE);
    db.reach(phase);
    db
}

/// Before any row was filled.
fn merging() -> InFlight {
    at(Phase::DualWriting)
}

fn merged() -> InFlight {
    at(Phase::Validated)
}

fn user(db: &mut InFlight, id: i64) -> Vec<String> {
    db.rows(&format!("select bio, photo from users where id = {id}"))
}

fn profile(db: &mut InFlight, id: i64) -> Vec<String> {
    db.rows(&format!("select bio, avatar_url from profiles where user_id = {id}"))
}

/// Both tables say the same of this row.
#[track_caller]
fn both(db: &mut InFlight, id: i64, expected: &str) {
    assert_eq!((user(db, id), profile(db, id)), (vec![expected.to_owned()], vec![expected.to_owned()]));
}

/// The row has no partner.
#[track_caller]
fn alone(db: &mut InFlight, id: i64) {
    assert_eq!((user(db, id), profile(db, id)), (vec!["-|-".to_owned()], NONE));
}

const NONE: Vec<String> = Vec::new();

// --- the backfill ---

#[test]
fn the_backfill_fills_rows_that_have_a_partner() {
    let mut db = merged();
    both(&mut db, 1, "a|a.png");
    alone(&mut db, 2);
    both(&mut db, 3, "c|-");
}

#[test]
fn the_backfill_leaves_what_either_side_wrote() {
    let mut db = merging();
    db.run("update users set bio = 'new' where id = 1; update profiles set bio = null where user_id = 3")
        .reach(Phase::Validated);
    both(&mut db, 1, "new|a.png");
    assert_eq!((user(&mut db, 3), profile(&mut db, 3)), (vec!["-|-".to_owned()], vec!["-|-".to_owned()]));
}

#[test]
fn h50_the_tables_own_triggers_leave_no_trace_of_the_backfill() {
    let schema = "create table users (id bigint primary key, name text, updated_at int default 0);
        create table profiles (user_id bigint primary key references users, bio text);
        create function touch() returns trigger language plpgsql as $$ begin new.updated_at := new.updated_at + 1; return new; end $$;
        create trigger touch before update on users for each row execute function touch();";
    let change = "change merge { merge profiles into users { key user_id, move bio } stage expand; }";
    let mut db =
        InFlight::new(schema, "insert into users values (1, 'Ada'); insert into profiles values (1, 'a')", change);
    db.reach(Phase::Backfilled);
    assert_eq!(db.row("select bio, updated_at from users"), "a|0");
}

/// A row of the one table is changed while the backfill is about to read it: the backfill waits, and then finds what was written.
#[test]
fn h51_h52_a_backfill_waits_for_what_is_being_written() {
    for (write, expected) in [
        ("update profiles set bio = null, avatar_url = null where user_id = 1", vec!["-|-"]),
        ("delete from profiles where user_id = 1", vec!["-|-"]),
        ("update users set bio = 'new' where id = 1", vec!["new|a.png"]),
        ("delete from profiles where user_id = 1; delete from users where id = 1", vec![]),
        ("update users set id = 10 where id = 1", vec![]),
    ] {
        let mut db = merging();
        let mut writer = db.database.connect().unwrap();
        writer.batch_execute(&format!("begin; {write}")).unwrap();
        let mut watch = db.database.connect().unwrap();
        let filling = std::thread::spawn(move || {
            db.reach(Phase::Backfilled);
            db
        });
        let waits = "select exists (select from pg_locks where not granted)";
        while !watch.query_one(waits, &[]).unwrap().get::<_, bool>(0) {
            assert!(!filling.is_finished(), "the backfill did not wait for: {write}");
            std::thread::yield_now();
        }
        writer.batch_execute("commit").unwrap();
        let mut db = filling.join().unwrap();
        assert_eq!(user(&mut db, 1), expected, "{write}");
        db.reach(Phase::Validated);
    }
}

// --- old code writes ---

#[test]
fn insert_by_old_code() {
    for mut db in [merging(), merged()] {
        db.run("insert into users values (4, 'Di'); insert into profiles values (4, 'd', null); insert into profiles (user_id, bio) values (2, 'b')");
        both(&mut db, 4, "d|-");
        both(&mut db, 2, "b|-");
        assert_eq!(db.fails("insert into profiles values (9, 'x', null)").0, "23503");
    }
}

#[test]
fn update_by_old_code() {
    for mut db in [merging(), merged()] {
        db.run("update profiles set bio = 'x' where user_id = 1; update users set name = 'z' where id = 3; update profiles set avatar_url = 'c.png' where user_id = 3");
        both(&mut db, 1, "x|a.png");
        both(&mut db, 3, "c|c.png");
    }
}

#[test]
fn a_row_of_nulls_by_old_code_stays() {
    let mut db = merged();
    db.run("update profiles set bio = null, avatar_url = null where user_id = 1; insert into profiles (user_id) values (2)");
    both(&mut db, 1, "-|-");
    both(&mut db, 2, "-|-");
    db.run("update users set name = 'x'");
    both(&mut db, 1, "-|-");
    db.reach(Phase::Validated);
}

#[test]
fn delete_by_old_code() {
    for mut db in [merging(), merged()] {
        db.run("delete from profiles where user_id = 1; delete from users where id = 1; delete from profiles where user_id = 3");
        assert_eq!((user(&mut db, 1), profile(&mut db, 1)), (NONE, NONE));
        alone(&mut db, 3);
    }
}

#[test]
fn h46_key_updates_by_old_code() {
    for mut db in [merging(), merged()] {
        db.run("update profiles set user_id = 2 where user_id = 1");
        alone(&mut db, 1);
        both(&mut db, 2, "a|a.png");
    }
}

#[test]
fn h45_truncate_by_either_side() {
    let mut db = merged();
    db.run("truncate profiles");
    alone(&mut db, 1);
    db.run("insert into profiles values (1, 'again', null); truncate users, profiles");
    assert_eq!((user(&mut db, 1), profile(&mut db, 1)), (NONE, NONE));
}

#[test]
fn on_conflict_by_old_code() {
    for mut db in [merging(), merged()] {
        db.run("insert into profiles values (1, 'up', null), (2, 'up', null) on conflict (user_id) do update set bio = excluded.bio");
        both(&mut db, 1, "up|a.png");
        both(&mut db, 2, "up|-");
    }
}

// --- new code writes ---

#[test]
fn insert_by_new_code() {
    for mut db in [merging(), merged()] {
        db.run("insert into users values (4, 'Di', 'd', 'd.png'), (5, 'Ed', null, null)");
        both(&mut db, 4, "d|d.png");
        alone(&mut db, 5);
    }
}

#[test]
fn update_by_new_code() {
    for mut db in [merging(), merged()] {
        db.run("update users set bio = 'x' where id = 1; update users set photo = 'b.png' where id = 2");
        both(&mut db, 1, "x|a.png");
        both(&mut db, 2, "-|b.png");
        db.run("update users set photo = null where id = 2; update users set name = 'z' where id = 3");
        alone(&mut db, 2);
    }
}

#[test]
fn h46_delete_and_key_update_by_new_code() {
    for action in [
        "",
        "on delete cascade on update cascade",
        "on delete restrict on update restrict",
        "deferrable initially deferred",
    ] {
        for phase in [Phase::DualWriting, Phase::Validated] {
            let schema = SCHEMA.replace("references users", &format!("references users {action}"));
            let mut db = InFlight::new(&schema, ROWS, MERGE);
            db.reach(phase).run("delete from users where id = 1; update users set id = 30 where id = 3");
            assert_eq!(db.rows("select user_id, bio, avatar_url from profiles"), ["30|c|-"], "{action}");
            db.run("update users set id = 31, bio = 'x' where id = 30; delete from users");
            assert_eq!(db.rows("select * from profiles"), NONE, "{action}");
        }
    }
}

#[test]
fn old_code_may_insert_the_partner_first_where_the_foreign_key_waits() {
    let schema = SCHEMA.replace("references users", "references users deferrable initially deferred");
    for phase in [Phase::DualWriting, Phase::Validated] {
        let mut db = InFlight::new(&schema, ROWS, MERGE);
        db.reach(phase)
            .run("begin; insert into profiles values (4, 'd', null); insert into users values (4, 'Di'); commit");
        both(&mut db, 4, "d|-");
        assert_eq!(db.fails("insert into profiles values (9, 'x', null)").0, "23503");
    }
}

#[test]
fn always_makes_a_partner_for_every_new_row() {
    let change =
        "change merge { merge profiles into users { key user_id, move bio, avatar_url, always } stage expand; }";
    let mut db = InFlight::new(SCHEMA, ROWS, change);
    db.reach(Phase::Validated).run(
        "insert into users (id, name) values (4, 'Di'); update users set bio = null, avatar_url = null where id = 1",
    );
    assert_eq!(db.rows("select user_id, bio from profiles where user_id in (1, 4) order by 1"), ["1|-", "4|-"]);
    db.run("insert into users (id, name) values (5, 'Ed'); insert into profiles (user_id, bio) values (5, 'e')");
    assert_eq!(db.row("select u.bio, p.bio from users u join profiles p on p.user_id = u.id where id = 5"), "e|e");
    assert_eq!(db.fails("insert into profiles (user_id, bio) values (5, 'twice')").0, "23505");
}

// --- NOT NULL, defaults, rules ---

const STRICT: &str = "create table users (id bigint primary key, name text);
    create table profiles (user_id bigint primary key references users on delete cascade, theme text not null default 'dark',
        bio text constraint bio_is_short check (length(bio) < 10), note text not null,
        constraint says_something check (bio is not null or note <> ''));
    comment on column profiles.theme is 'How it looks';";
const STRICT_ROWS: &str = "insert into users values (1, 'Ada'), (2, 'Ben'), (3, 'Cy');
    insert into profiles values (1, 'blue', 'a', 'n'), (3, 'light', null, 'x');";
const STRICT_MERGE: &str = "change merge { merge profiles into users { key user_id, move theme or \"'light'\", bio, note or null } stage contract; }";

#[test]
fn rows_without_a_partner_hold_what_is_declared() {
    let mut db = InFlight::new(STRICT, STRICT_ROWS, STRICT_MERGE);
    db.reach(Phase::DualWriting);
    db.run("insert into users (id, name) values (4, 'Di'); update users set name = 'B' where id = 2; update users set name = 'A' where id = 1");
    assert_eq!(
        db.rows("select id, theme, bio, note from users order by 1"),
        ["1|blue|a|n", "2|light|-|-", "3|-|-|-", "4|light|-|-"]
    );
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select user_id from profiles order by 1"), ["1", "3"]);
    db.run("update users set theme = 'dark', note = 'n' where id = 4; update users set theme = 'light', bio = null, note = null where id = 1");
    assert_eq!(db.rows("select user_id, theme, note from profiles order by 1"), ["3|light|x", "4|dark|n"]);
    assert_eq!(db.fails("update users set theme = null where id = 1").0, "23514");
    assert_eq!(db.fails("update users set bio = 'much too long a text' where id = 4").0, "23514");
    db.run("insert into users (id, name) values (5, 'Ed'); insert into profiles (user_id, note) values (5, 'e')");
    assert_eq!(db.row("select theme, bio, note from users where id = 5"), "dark|-|e");
    db.reach(Phase::Contracted).run("insert into users (id, name) values (6, 'Flo')");
    assert_eq!(db.row("select theme, bio, note from users where id = 6"), "light|-|-");
    assert_eq!(db.fails("update users set theme = null where id = 1").0, "23502");
    assert_eq!(
        db.row("select col_description('users'::regclass, attnum) from pg_attribute where attname = 'theme'"),
        "How it looks"
    );
}

#[test]
fn a_column_that_goes_with_its_table() {
    let schema = "create table users (id bigint primary key, name text);
        create table profiles (id bigserial primary key, user_id bigint not null unique references users, bio text);";
    let data = "insert into users values (1, 'Ada'), (2, 'Ben'); insert into profiles (user_id, bio) values (1, 'a')";
    let change = "change merge { merge profiles into users { key user_id, move bio, drop id } stage contract; }";
    let mut db = InFlight::new(schema, data, change);
    db.reach(Phase::Validated).run("update users set bio = 'b' where id = 2");
    assert_eq!(db.rows("select id, user_id, bio from profiles order by 1"), ["1|1|a", "2|2|b"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.rows("select id, name, bio from users order by 1"), ["1|Ada|a", "2|Ben|b"]);
}

#[test]
fn what_hangs_on_the_columns_is_carried_and_what_pointed_at_the_table_points_at_the_other() {
    let schema = "create table users (id bigint primary key, name text);
        create table profiles (user_id bigint primary key references users on delete cascade on update cascade, bio text, nick text constraint one_nick unique,
            friend bigint constraint friends references profiles);
        create index bios on profiles (lower(bio)) where bio <> '';
        create statistics wide on bio, nick from profiles;
        create table badges (id int primary key, profile_id bigint constraint of_profile references profiles on delete cascade on update cascade);";
    let data = "insert into users values (1, 'Ada'), (2, 'Ben'); insert into profiles values (1, 'a', 'n', null), (2, 'b', 'm', null); update profiles set friend = 1; insert into badges values (1, 1)";
    let change = "change merge { merge profiles into users { key user_id, move bio, nick as nickname, friend } stage contract; }";
    let fresh = "create table users (id bigint primary key, name text, bio text, nickname text constraint one_nick unique,
            friend bigint constraint friends references users);
        create index bios on users (lower(bio)) where bio <> '';
        create statistics wide on bio, nickname from users;
        create table badges (id int primary key, profile_id bigint constraint of_profile references users on delete cascade on update cascade);";
    let mut db = InFlight::new(schema, data, change);
    db.reach(Phase::Validated).run("update users set id = 7 where id = 2; insert into badges values (2, 7); update users set bio = 'b' where id = 1");
    assert_eq!(db.rows("select id, profile_id from badges order by 1"), ["1|1", "2|7"]);
    assert_eq!(db.rows("select id, friend from users order by 1"), ["1|1", "7|1"]);
    db.reach(Phase::Contracted);
    let freshly_made = InFlight::new(fresh, "", "");
    let expected = support::catalog_dump(&mut freshly_made.database.connect().unwrap());
    assert_eq!(support::catalog_dump(&mut db.client), expected);
}

#[test]
fn rollback_leaves_the_catalog_and_what_new_code_wrote() {
    for (schema, rows, merge) in [(SCHEMA, ROWS, MERGE), (STRICT, STRICT_ROWS, STRICT_MERGE)] {
        let mut untouched = InFlight::new(schema, rows, merge);
        let before = support::catalog_dump(&mut untouched.client);
        for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
            let mut db = InFlight::new(schema, rows, merge);
            db.reach(phase);
            if phase >= Phase::DualWriting {
                db.run("update users set bio = 'new' where id = 1");
            }
            db.roll_back();
            assert_eq!(support::catalog_dump(&mut db.client), before, "after a rollback from {}", phase.name());
            let bio = if phase >= Phase::DualWriting { "new" } else { "a" };
            assert_eq!(db.row("select bio from profiles where user_id = 1"), bio);
        }
    }
}

// --- triggers, roles, keys ---

/// Whether it fires before our trigger or after it.
#[test]
fn h36_what_the_tables_own_triggers_write_is_carried() {
    for name in ["aaa_sign", "zzz_sign"] {
        let triggers = format!(
            "create function sign() returns trigger language plpgsql as
                $$ begin update profiles set bio = new.bio || '!' where user_id = new.user_id and bio not like '%!'; return null; end $$;
            create trigger {name} after insert or update on profiles for each row execute function sign();"
        );
        let mut db = InFlight::new(&format!("{SCHEMA} {triggers}"), ROWS, MERGE);
        db.reach(Phase::Validated);
        db.run(&format!(
            "create function see() returns trigger language plpgsql as
                $$ begin update users set photo = 'seen' where id = new.id and photo is distinct from 'seen'; return null; end $$;
            create trigger {name} after update of name on users for each row execute function see()"
        ));
        db.run("insert into profiles values (2, 'b', null); update users set bio = 'x' where id = 1; update users set name = 'y', bio = 'z' where id = 3");
        both(&mut db, 2, "b!|-");
        both(&mut db, 1, "x!|a.png");
        both(&mut db, 3, "z!|seen");
    }
}

#[test]
fn h41_roles_keep_their_rights_and_the_triggers_need_none() {
    let mut db = InFlight::new(SCHEMA, ROWS, MERGE);
    db.run(
        "do $$ begin create role app_profiles; exception when duplicate_object then null; end $$;
        do $$ begin create role app_users; exception when duplicate_object then null; end $$;
        grant select, update on profiles to app_profiles; grant select (id) on users to app_profiles; grant select, insert, update, delete on users to app_users",
    );
    db.reach(Phase::Validated);
    db.run("set role app_profiles; update profiles set bio = 'x' where user_id = 1; update users set photo = 'y' where id = 1; reset role");
    both(&mut db, 1, "x|y");
    assert_eq!(db.fails("set role app_profiles; update users set name = 'no'").0, "42501");
    db.run("reset role; set role app_users; insert into users values (4, 'Di', 'd', null); update users set bio = 'n' where id = 2; delete from users where id = 3; reset role");
    both(&mut db, 4, "d|-");
    both(&mut db, 2, "n|-");
    assert_eq!(db.fails("set role app_users; select * from profiles").0, "42501");
}

#[test]
fn tables_of_different_owners_are_refused() {
    let mut db = InFlight::new(SCHEMA, ROWS, MERGE);
    db.run("do $$ begin create role other_owner; exception when duplicate_object then null; end $$; alter table profiles owner to other_owner");
    let plan = db.plans[0].clone();
    let at = coexist::Database::at(&db.database.url()).unwrap();
    let mut runner = coexist::Runner::new(at, coexist::Options::default()).unwrap();
    let error = runner.expand(&plan).unwrap_err().to_string();
    assert!(error.contains("have different owners"), "{error}");
}

#[test]
fn h42_a_table_in_front_of_the_path_captures_nothing() {
    let mut db = merged();
    db.run("create temp table profiles (user_id bigint primary key, bio text, avatar_url text); set search_path = pg_temp, public;
        update public.users set bio = 'x' where id = 1; reset search_path; drop table pg_temp.profiles");
    both(&mut db, 1, "x|a.png");
}

#[test]
fn h57_a_composite_key_and_odd_names() {
    let schema = "create table docs (tenant uuid, \"Slug\" text collate \"C\", size numeric, primary key (tenant, \"Slug\"));
        create table \"it's bodies\" (doc text collate \"C\", \"of tenant\" uuid, body json, \"select\" point, primary key (doc, \"of tenant\"),
            foreign key (\"of tenant\", doc) references docs);";
    let change = "change merge { merge \"it's bodies\" into docs { key doc, \"of tenant\", move body, \"select\" as \"Where\" } stage contract; }";
    let tenant = "00000000-0000-0000-0000-000000000001";
    let data = format!(
        "insert into docs select '{tenant}', 'd' || n, n from generate_series(1, 20000) n;
        insert into \"it's bodies\" select 'd' || n, '{tenant}', json_build_object('n', n), point(n, n) from generate_series(1, 20000, 2) n"
    );
    let mut db = InFlight::new(schema, &data, change);
    db.reach(Phase::DualWriting)
        .run("update docs set \"Where\" = point(0, 0) where \"Slug\" = 'd5'; delete from docs where \"Slug\" = 'd7'");
    db.reach(Phase::Validated).run(
        "update docs set \"Slug\" = 'e9' where \"Slug\" = 'd9'; update docs set body = '[1]' where \"Slug\" = 'd2'",
    );
    let agree =
        "select count(*) from docs d join \"it's bodies\" b on b.\"of tenant\" = d.tenant and b.doc = d.\"Slug\"
        where b.body::text = d.body::text and b.\"select\" ~= d.\"Where\"";
    assert_eq!(db.row(agree), "9999");
    assert_eq!(db.row("select count(*), count(body) from docs"), "19999|10000");
    db.reach(Phase::Contracted);
}

#[test]
fn a_transaction_of_another_isolation_level_cannot_leave_what_the_backfill_wrote() {
    let mut db = merging();
    let mut old = db.database.connect().unwrap();
    old.batch_execute("begin isolation level repeatable read; select from users").unwrap();
    db.reach(Phase::Backfilled);
    let error = old.batch_execute("update profiles set bio = null, avatar_url = null where user_id = 1").unwrap_err();
    assert_eq!(error.code().unwrap().code(), "40001");
    old.batch_execute("rollback").unwrap();
    both(&mut db, 1, "a|a.png");
}

// --- accessors ---

mod declared {
    #![allow(missing_docs, reason = "generated for these tests")]
    coexist::migrations! {
        schema sql "
            create table users (id bigint primary key, name text not null);
            create table profiles (user_id bigint primary key references users, bio text, avatar_url text);";

        change merge {
            merge profiles into users { key user_id, move bio, avatar_url as photo }
            stage expand;
        }
    }
}

#[test]
fn accessors_of_both_shapes() {
    use declared::merge::{Backfilled, after, before};
    let mut db = merged();
    let client = &mut db.client;
    let proof = Backfilled::prove(client).unwrap();
    let written = before::profiles::Update { bio: Some("old".to_owned()).into(), ..Default::default() };
    before::profiles::update(client, 1, &written).unwrap();
    assert_eq!(after::users::find(proof.on(client), 1).unwrap().unwrap().bio.as_deref(), Some("old"));
    let written = after::users::Update { photo: Some("new".to_owned()).into(), ..Default::default() };
    after::users::update(proof.on(client), 1, &written).unwrap();
    let profile = before::profiles::find(client, 1).unwrap().unwrap();
    assert_eq!((profile.bio.as_deref(), profile.avatar_url.as_deref()), (Some("old"), Some("new")));
    before::profiles::insert(client, &before::profiles::Insert::new(2)).unwrap();
    assert!(before::profiles::delete(client, 2).unwrap());
}

/// New code holds the row of the table that stays, and goes on to the one that goes: an accessor of that one has not locked it yet.
#[test]
fn h12_an_accessor_of_the_table_that_goes_locks_the_other_one_first() {
    use declared::merge::before;
    let mut db = merged();
    let mut old = db.database.connect().unwrap();
    let pid: i32 = old.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    db.run("begin; set local lock_timeout = '10s'; select from users where id = 1 for no key update");
    let writing = std::thread::spawn(move || {
        let written = before::profiles::Update { bio: Some("old".to_owned()).into(), ..Default::default() };
        before::profiles::update(&mut old, 1, &written).unwrap()
    });
    let mut watch = db.database.connect().unwrap();
    while !watch.query_one("select cardinality(pg_blocking_pids($1)) > 0", &[&pid]).unwrap().get::<_, bool>(0) {
        assert!(!writing.is_finished(), "old code did not wait for the row of users");
        std::thread::yield_now();
    }
    db.run("update users set bio = 'new' where id = 1; commit");
    assert_eq!(writing.join().unwrap().unwrap().bio.as_deref(), Some("old"));
    both(&mut db, 1, "old|a.png");
}

// --- many at once ---

/// Whatever they write, and however the phases fall between it, both tables end alike: no ghost rows (H51), no lost updates, no difference
/// that stays.
#[test]
fn h12_h51_h52_clients_of_both_shapes_at_once() {
    let schema = "create table users (id bigint primary key, name text not null);
        create table profiles (user_id bigint primary key references users on delete cascade on update cascade, bio text, avatar_url text);";
    let data = "insert into users select n, 'u' from generate_series(1, 400) n;
        insert into profiles select n, 'b', 'a' from generate_series(1, 400, 2) n";
    let mut db = InFlight::new(schema, data, MERGE);
    db.reach(Phase::DualWriting);
    // Few rows of many are written, so that applications meet each other, and the backfill.
    let write = |random: &mut Random| {
        let (id, other, text) = (1 + random.below(12), 401 + random.below(6), random.below(1000));
        match random.below(14) {
            0 => format!("insert into users values ({other}, 'u')"),
            1 => format!("insert into users (id, name, bio) values ({other}, 'u', 'n{text}')"),
            2 => format!("delete from users where id = {other}"),
            3 => format!("update users set id = {other} where id = {}", 401 + text % 6),
            4 => format!("insert into profiles values ({id}, 'o{text}', null)"),
            5 => format!("delete from profiles where user_id = {id}"),
            6 => format!("update profiles set user_id = {id} where user_id = {}", 1 + text % 12),
            7 => format!(
                "begin; insert into users values ({other}, 'u'); insert into profiles values ({other}, 'o{text}', null); commit"
            ),
            8 => format!("update users set bio = null, photo = null where id = {id}"),
            9 => format!("update profiles set bio = null, avatar_url = null where user_id = {id}"),
            10 => format!("update users set photo = 'n{text}' where id = {id}"),
            11 => format!("update profiles set avatar_url = 'o{text}' where user_id = {id}"),
            12 => format!("update users set bio = 'n{text}' where id in ({id}, {other})"),
            _ => format!("update profiles set bio = 'o{text}' where user_id in ({id}, {other})"),
        }
    };
    let clients = Clients::start(&db.database, 4, write);
    clients.go_on_for(200);
    db.reach(Phase::Backfilled);
    clients.go_on_for(200);
    db.reach(Phase::Validated);
    clients.go_on_for(400);
    clients.stop();
    let differ = "select coalesce(id, user_id), a.bio, b.bio, photo, avatar_url from users a full join
        (select user_id, bio, avatar_url from profiles) b on user_id = id
        where id is null or a.bio is distinct from b.bio or photo is distinct from avatar_url";
    assert_eq!(db.rows(differ), NONE);
}
