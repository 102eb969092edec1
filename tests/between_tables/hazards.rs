//! What is known to go wrong where two tables are kept in step, for each kind of change.

use std::thread;

use coexist::plan::Phase;

use crate::kinds::{ALL, Kind};
use crate::support::in_flight::InFlight;

const VALUES: &[(i64, &str)] = &[(1, "'a'"), (2, "'b'"), (3, "null"), (4, "'b'")];
const PHASES: [Phase; 2] = [Phase::DualWriting, Phase::Validated];

#[test]
fn h34_whoever_writes_last_wins_and_full_rows_undo_nothing() {
    for kind in &ALL {
        let mut db = kind.at(Phase::Validated, VALUES);
        // What an application writes that writes all columns, having read them.
        db.run(&kind.new.set(1, "'new'")).run(&kind.old.set(1, "'new'")).run(&kind.new.set(1, "'new'"));
        kind.both(&mut db, 1, "new");
        for (first, last) in [(&kind.old, &kind.new), (&kind.new, &kind.old)] {
            db.run(&format!("begin; {}; {}; commit", first.set(1, "'first'"), last.set(1, "'last'")));
            kind.both(&mut db, 1, "last");
        }
        kind.agrees(&mut db);
    }
}

#[test]
fn h35_null_is_a_value_that_was_written() {
    for kind in &ALL {
        let mut db = kind.at(Phase::DualWriting, VALUES);
        db.run(&kind.old.set(1, "null"));
        kind.both(&mut db, 1, "-");
        db.reach(Phase::Validated).run(&kind.new.set(2, "null"));
        kind.both(&mut db, 2, "-");
        db.run(&kind.old.set(4, "null"));
        kind.both(&mut db, 4, "-");
        kind.agrees(&mut db);
    }
}

/// A trigger of the user's own that changes the value before it is stored, whoever has written it, and makes the same of another value.
#[test]
fn h37_what_another_trigger_makes_of_the_value_is_carried() {
    for kind in &ALL {
        let shout = format!(
            "create function shout() returns trigger language plpgsql as $$ begin new.{0} := upper(new.{0}); return new; end $$;
            create trigger yy_shout before insert or update on {1} for each row execute function shout();",
            kind.old.column, kind.old.table
        );
        let mut db = kind.declared("text", "", &shout, VALUES);
        db.reach(Phase::DualWriting);
        for phase in PHASES {
            db.reach(phase).run(&kind.old.set(1, "'x'")).run(&kind.old.set(3, "'y'"));
            kind.both(&mut db, 1, "X");
            kind.both(&mut db, 3, "Y");
            db.run(&kind.new.set(2, "'z'"));
        }
        kind.agrees(&mut db);
    }
}

#[test]
fn h41_who_may_write_the_old_table_alone_writes_and_gets_the_same_rights_on_the_new_column() {
    for kind in &ALL {
        let (old, new) = (kind.old.table, kind.new.table);
        let mut db = kind.declared("text", "", "", VALUES);
        db.run(&format!(
            "do $$ begin create role app_old; exception when duplicate_object then null; end $$;
            grant select, insert, update on {old} to app_old"
        ));
        db.reach(Phase::DualWriting);
        let rights =
            format!("select has_column_privilege('app_old', '{new}', '{}', 'select, update')", kind.new.column);
        assert_eq!(db.row(&rights), "t", "{}", kind.name);
        db.run(&format!("revoke all on {new} from app_old"));
        db.run(&format!("set role app_old; {}; reset role", kind.old.set(1, "'x'")));
        kind.both(&mut db, 1, "x");
    }
}

#[test]
fn h42_a_table_in_front_of_the_path_captures_nothing() {
    for kind in &ALL {
        let new = kind.new.table;
        let mut db = kind.at(Phase::Validated, VALUES);
        db.run(&format!(
            "create temp table {new} (like public.{new} including all); set search_path = pg_temp, public; {};
            reset search_path; drop table pg_temp.{new}",
            kind.old.set(1, "'x'")
        ));
        kind.both(&mut db, 1, "x");
    }
}

#[test]
fn h45_truncate_leaves_nothing_that_is_known_to_one_side_only() {
    for kind in &ALL {
        for phase in PHASES {
            let mut db = kind.at(phase, VALUES);
            db.run(&format!("truncate {} cascade", kind.old.table));
            kind.agrees(&mut db);
            db.run(&format!("truncate {} cascade; delete from people where id <= 4", kind.new.table));
            db.run("insert into people values (1)").run(&format!("begin; {}; commit", kind.old.insert(1, "'again'")));
            kind.both(&mut db, 1, "again");
            db.reach(Phase::Validated);
            kind.agrees(&mut db);
        }
    }
}

#[test]
fn h46_cascades_leave_no_ghosts() {
    for kind in &ALL {
        for phase in PHASES {
            let mut db = kind.at(phase, VALUES);
            db.run("delete from people where id = 1; update people set id = 60 where id = 2");
            for code in [&kind.old, &kind.new] {
                assert_eq!(db.rows(&code.get(1)), Vec::<String>::new(), "{}", kind.name);
            }
            db.reach(Phase::Validated);
            kind.both(&mut db, 60, "b");
            kind.agrees(&mut db);
        }
    }
}

/// Somebody writes a row that the backfill is about to copy: it waits, and then copies what was written, and no row that is gone.
#[test]
fn h51_h52_the_backfill_waits_for_what_is_being_written() {
    for kind in &ALL {
        let (gone, moved) = ("delete from people where id = 1", "update people set id = 60 where id = 1");
        for (write, id, expected) in [
            (kind.old.set(1, "'x'"), 1, Some("x")),
            (kind.new.set(1, "'x'"), 1, Some("x")),
            (kind.old.set(1, "null"), 1, Some("-")),
            (gone.to_owned(), 1, None),
            (moved.to_owned(), 60, Some("a")),
        ] {
            let db = kind.at(Phase::DualWriting, VALUES);
            let mut db = backfill_while(kind, db, &write);
            match expected {
                Some(expected) => kind.both(&mut db, id, expected),
                None => assert_eq!(db.rows(&kind.new.get(id)), Vec::<String>::new(), "{}", kind.name),
            }
            kind.agrees(&mut db);
        }
    }
}

/// Backfills, beginning while a transaction that has run `write` is open.
fn backfill_while(kind: &Kind, mut db: InFlight, write: &str) -> InFlight {
    let mut writer = db.database.connect().unwrap();
    writer.batch_execute(&format!("begin; {write}")).unwrap();
    let pid: i32 = writer.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let mut watch = db.database.connect().unwrap();
    let filling = thread::spawn(move || {
        db.reach(Phase::Backfilled);
        db
    });
    let waits = "select exists (select from pg_locks where $1 = any (pg_blocking_pids(pid)))";
    while !watch.query_one(waits, &[&pid]).unwrap().get::<_, bool>(0) {
        assert!(!filling.is_finished(), "{}: the backfill did not wait for: {write}", kind.name);
        thread::yield_now();
    }
    writer.batch_execute("commit").unwrap();
    filling.join().unwrap()
}
