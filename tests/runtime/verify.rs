//! Comparisons of the two shapes, row by row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
