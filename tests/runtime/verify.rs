//! Comparisons of the two shapes, row by row.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use coexist::{Event, Options, Pace};
use postgres::NoTls;

use crate::plans::{USERS, rename};
use crate::world::{World, eventually};

/// Nothing stays open between two pieces, what changes meanwhile is no difference, and what differs is named by its key.
#[test]
fn h64_rows_are_compared_in_pieces_that_leave_nothing_open() {
    let plan = rename();
    let more = "insert into users (name) select 'more ' || i from generate_series(1, 6000) as i";
    let world = World::new("verify", &format!("{USERS}; {more}"));
    world.runner().up(&plan, &Pace::default()).unwrap();
    let pieces = Arc::new(AtomicUsize::new(0));
    let (count, config) = (Arc::clone(&pieces), world.database.config());
    let options = Options::default().on_event(move |event| {
        if !matches!(event, Event::Compared { .. }) {
            return;
        }
        let mut client = config.connect(NoTls).unwrap();
        eventually("no transaction of the run is open", || {
            let open = "select count(*) from pg_stat_activity where xact_start is not null
                and datname = current_database() and application_name like 'coexist%' and pid <> pg_backend_pid()";
            client.query_one(open, &[]).unwrap().get::<_, i64>(0) == 0
        });
        // In what was compared, and in what was not.
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            let writes = "update users set name = name || '!' where id in (1, 6999);
                update users set full_name = full_name || '?' where id in (2, 6998); insert into users (name) values ('late')";
            client.batch_execute(writes).unwrap();
        }
    });
    let found = world.runner_with(options).verify(&plan).unwrap();
    assert!(found.is_clean(), "{found:?}");
    assert!(pieces.load(Ordering::SeqCst) >= 3, "{pieces:?}");
    world.execute("set session_replication_role = replica; update users set name = 'x' where id in (7, 6997)");
    let found = world.runner().verify(&plan).unwrap();
    assert_eq!((found.mismatches, found.samples), (2, vec!["users {\"id\": 7}".into(), "users {\"id\": 6997}".into()]));
}

#[test]
fn h64_several_sessions_compare() {
    // A narrow table of some stretches.
    let world = World::new(
        "readers",
        "create table users (id bigint primary key generated always as identity, name text not null, bio text);
        insert into users (name) select 'n' from generate_series(1, 110000); analyze users",
    );
    let plan = rename();
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    runner.backfill(&plan, &Pace::default()).unwrap();
    let readers = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&readers);
    let options = Options::default().readers(2).on_event(move |event| {
        if !matches!(event, Event::Compared { .. }) {
            return;
        }
        seen.lock().unwrap().insert(format!("{:?}", thread::current().id()));
        eventually("another one compares as well", || seen.lock().unwrap().len() == 2);
    });
    let found = world.runner_with(options).verify(&plan).unwrap();
    assert_eq!((found.rows, found.mismatches), (110_000, 0));
    assert_eq!(readers.lock().unwrap().len(), 2);
    let none = coexist::Runner::new(world.address(), Options::default().readers(0)).err().unwrap();
    assert_eq!(none.to_string(), "a comparison needs at least one session that reads");
}

#[test]
fn h64_what_differed_is_looked_at_again() {
    let world = World::new("again", USERS);
    let plan = rename();
    world.runner().up(&plan, &Pace::default()).unwrap();
    world.execute("set session_replication_role = replica; update users set name = 'drifted' where id in (7, 900)");
    let mended = world.database.config();
    let options = Options::default().on_event(move |event| {
        if matches!(event, Event::Compared { mismatches: 2, .. }) {
            let mut client = mended.connect(NoTls).unwrap();
            client.batch_execute("update users set full_name = 'mended' where id = 7").unwrap();
        }
    });
    let found = world.runner_with(options).verify(&plan).unwrap();
    assert_eq!((found.rows, found.mismatches), (1000, 1));
    assert_eq!(found.samples, [r#"users {"id": 900}"#]);
}
