//! Old code locks a row of the table that is split, and its trigger then the row of the new table. Writes of the new table lock in the same
//! order, or the two would wait for each other.
//!
//! Each test is one interleaving: old code holds the source's row; new code writes, and waits; then old code takes the new table's row,
//! which it can only do when new code has not locked it yet.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic that it fails")]

use std::thread;

use coexist::__private::{self as generated, Carried, Field, LockedFirst, Table, Values};
use coexist::sandbox::{Database, Sandbox};
use postgres::{Client, Row};

static PROFILES: Table = Table {
    schema: "public",
    name: "profiles",
    columns: &["user_id", "bio"],
    carried: &[Carried::Native(20), Carried::Native(25)],
    key: &[0],
    locked_first: Some(LockedFirst {
        schema: "public",
        name: "users",
        columns: &["id"],
        by: &[0],
        order: &["id"],
        when: &[],
    }),
};

struct Profile(i64, Option<String>);

impl generated::FromRow for Profile {
    fn from_row(row: &Row) -> Result<Self, postgres::Error> {
        Ok(Self(row.try_get(0)?, row.try_get(1)?))
    }
}

impl Values for Profile {
    fn values(&self) -> Vec<Option<Field<'_>>> {
        vec![Some(&self.0), Some(&self.1)]
    }
}

/// The two tables with triggers that stop each other by value, as a split makes them.
const SCHEMA: &str = "
    create table users (id bigint primary key, bio text);
    create table profiles (user_id bigint primary key references users on update cascade on delete cascade, bio text);
    create function users_to_profiles() returns trigger language plpgsql as $$ begin
        if new.bio is null then
            delete from profiles where user_id = new.id;
        else
            insert into profiles as p values (new.id, new.bio) on conflict (user_id) do update set bio = excluded.bio
                where p.bio is distinct from excluded.bio;
        end if;
        return null;
    end $$;
    create function profiles_to_users() returns trigger language plpgsql as $$ begin
        if tg_op = 'DELETE' then
            update users set bio = null where id = old.user_id and bio is not null;
        else
            update users set bio = new.bio where id = new.user_id and bio is distinct from new.bio;
        end if;
        return null;
    end $$;
    create trigger sync after update on users for each row when (old.bio is distinct from new.bio) execute function users_to_profiles();
    create trigger sync after insert or update or delete on profiles for each row execute function profiles_to_users();
    insert into users values (1, 'first'), (2, null), (3, null);
    insert into profiles values (1, 'first');";

fn database() -> Database {
    let database = Sandbox::shared().unwrap().database("lock_order").unwrap();
    database.connect().unwrap().batch_execute(SCHEMA).unwrap();
    database
}

/// Runs `new_code` while old code holds the row of `user`, and `old_code` once new code waits.
fn interleave<T: Send + 'static>(
    database: &Database,
    user: i64,
    new_code: impl FnOnce(&mut Client) -> T + Send + 'static,
    old_code: impl FnOnce(&mut Client),
) -> T {
    let mut old = database.connect().unwrap();
    old.batch_execute("begin; set local lock_timeout = '10s'").unwrap();
    old.execute("select from users where id = $1 for no key update", &[&user]).unwrap();
    let mut new = database.connect().unwrap();
    let pid: i32 = new.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let writing = thread::spawn(move || new_code(&mut new));
    let mut watch = database.connect().unwrap();
    while !watch.query_one("select cardinality(pg_blocking_pids($1)) > 0", &[&pid]).unwrap().get::<_, bool>(0) {
        assert!(!writing.is_finished(), "new code did not wait for the row of the source");
        thread::yield_now();
    }
    old_code(&mut old);
    old.batch_execute("commit").unwrap();
    writing.join().unwrap()
}

fn contents(database: &Database) -> Vec<String> {
    let rows = database.connect().unwrap().query(
        "select format('%s %s %s', id, coalesce(u.bio, '-'), case when user_id is null then 'none' else coalesce(p.bio, '-') end)
         from users u left join profiles p on user_id = id order by id",
        &[],
    );
    rows.unwrap().iter().map(|row| row.get(0)).collect()
}

#[test]
fn h12_an_update_of_the_new_table_locks_the_source_first() {
    let database = database();
    let row = interleave(
        &database,
        1,
        |new| {
            let profile = Profile(1, Some("by new code".to_owned()));
            generated::update::<Profile, _>(new, &PROFILES, &[&1_i64], &profile).unwrap()
        },
        |old| old.batch_execute("update users set bio = 'by old code' where id = 1").unwrap(),
    );
    assert_eq!(row.unwrap().1.as_deref(), Some("by new code"));
    assert_eq!(contents(&database)[0], "1 by new code by new code");
}

#[test]
fn h12_a_delete_from_the_new_table_locks_the_source_first() {
    let database = database();
    let deleted = interleave(
        &database,
        1,
        |new| generated::delete(new, &PROFILES, &[&1_i64]).unwrap(),
        |old| old.batch_execute("update users set bio = 'by old code' where id = 1").unwrap(),
    );
    assert!(deleted);
    assert_eq!(contents(&database)[0], "1 - none");
}

#[test]
fn h12_an_insert_into_the_new_table_locks_the_source_first() {
    let database = database();
    let error = interleave(
        &database,
        2,
        |new| generated::insert::<Profile, _>(new, &PROFILES, &Profile(2, Some("by new code".to_owned()))).err(),
        |old| old.batch_execute("update users set bio = 'by old code' where id = 2").unwrap(),
    );
    // Old code's trigger made the row that new code wanted to make.
    assert_eq!(error.unwrap().code().unwrap().code(), "23505");
    assert_eq!(contents(&database)[1], "2 by old code by old code");
}

#[test]
fn h12_inserts_into_the_new_table_lock_all_sources_first() {
    let database = database();
    let inserted = interleave(
        &database,
        3,
        |new| {
            let rows = [Profile(2, Some("two".to_owned())), Profile(3, Some("three".to_owned()))];
            generated::insert_many(new, &PROFILES, &rows).unwrap()
        },
        |old| {
            // New code has inserted neither of the rows yet, or this would have to wait for it.
            old.batch_execute("insert into profiles values (2, null), (3, null)").unwrap();
            old.batch_execute("delete from profiles where user_id in (2, 3)").unwrap();
        },
    );
    assert_eq!(inserted, 2);
    assert_eq!(contents(&database)[1..], ["2 two two", "3 three three"]);
}

#[test]
fn a_row_without_a_source_is_refused_by_the_foreign_key() {
    let database = database();
    let mut db = database.connect().unwrap();
    let error = generated::insert::<Profile, _>(&mut db, &PROFILES, &Profile(9, None)).err().unwrap();
    assert_eq!(error.code().unwrap().code(), "23503");
}
