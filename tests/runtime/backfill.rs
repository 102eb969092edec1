//! Rows that were there before: all of them, each once, whatever happens meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use coexist::plan::{Backfill, KeyColumn, Mode, Phase, Plan, Reconcile};
use coexist::{Class, Error, Event, Options, Pace};
use coexist_core::render::statement::{self, Piece};

use crate::plans::{USERS, empty, key, rename, split, step, table};
use crate::world::{Told, World, eventually};

/// Small batches, so that there are many.
fn slowly() -> Pace {
    Pace::default().batch(Duration::from_millis(1))
}

/// A copy of `note` from `items` to `notes`, by the given key.
fn copy(key: &[KeyColumn]) -> Plan {
    let names: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
    let on: Vec<String> = names.iter().map(|name| format!("target.{name} = source.{name}")).collect();
    let mut columns: Vec<(String, String)> =
        names.iter().map(|name| ((*name).to_string(), format!("source.{name}"))).collect();
    columns.push(("note".into(), "source.note".into()));
    Plan {
        tables: vec![table("items"), table("notes")],
        steps: vec![
            step("create_table", Phase::Expanded)
                .runs("create table public.notes (like public.items including all)")
                .undo(Mode::Transaction, &["drop table if exists public.notes"])
                .build(),
        ],
        backfill: vec![Backfill::Insert {
            operation: "copy".into(),
            source: table("items"),
            target: table("notes"),
            key: key.to_vec(),
            columns,
            pending: "source.note is not null".into(),
            target_key: names.iter().map(|name| (*name).to_string()).collect(),
        }],
        reconcile: vec![Reconcile {
            table: table("items"),
            key: key.to_vec(),
            join: Some((table("notes"), on.join(" and "))),
            mismatch: "target.note is distinct from source.note".into(),
            title: "notes".into(),
        }],
        batch: Some(7),
        ..empty("copy_notes")
    }
}

#[test]
fn h57_tables_are_cut_by_keys_of_every_kind() {
    let kinds: [(&[(&str, &str)], &str); 8] = [
        (
            &[("k", "bigint")],
            "case i when 1 then -9223372036854775808 when 2 then 9223372036854775807 else i * 1000000007::bigint end",
        ),
        (&[("k", "uuid")], "md5(i::text)::uuid"),
        (&[("k", "text")], r#"chr(64 + i % 58) || repeat('''"\ü', i % 3) || i"#),
        (&[("k", "numeric(30,10)")], "i / 7.0 - 10"),
        (
            &[("k", "timestamp with time zone")],
            "'2024-03-31 00:00+01'::timestamptz + i * interval '7 minutes 0.000001 s'",
        ),
        (&[("k", "double precision")], "sqrt(i) - 5"),
        (&[("a", "integer"), ("b", "text")], "i % 5, 'b' || i"),
        (
            &[("a", "\"char\""), ("b", "date"), ("c", "bytea")],
            "chr(65 + i % 3)::\"char\", '2024-01-01'::date + i % 7, int4send(i)",
        ),
    ];
    for (columns, values) in kinds {
        let key = key(columns);
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let definitions: Vec<String> = columns.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
        let world = World::new(
            "keys",
            &format!(
                "create table items ({}, note text, primary key ({}));
                insert into items select {values}, case when i % 4 > 0 then 'note ' || i end from generate_series(1, 60) as i",
                definitions.join(", "),
                names.join(", ")
            ),
        );
        let plan = copy(&key);
        world.runner().up(&plan, &Pace::default()).unwrap_or_else(|error| panic!("{columns:?}: {error}"));
        assert_eq!(world.count("notes"), 45, "{columns:?}");
        assert_eq!(world.value::<i64>("select rows from coexist.reconciliations"), 60, "{columns:?}");
        assert!(world.value::<i64>("select sum(batches)::bigint from coexist.segments") > 3, "{columns:?}");
    }
}

#[test]
fn h57_a_text_key_with_a_collation_of_its_own() {
    let world = World::new(
        "collation",
        "create collation by_number (provider = icu, locale = 'en-u-kn-true');
        create table items (k text collate by_number primary key, note text);
        insert into items select 'k' || i, 'note' from generate_series(1, 60) as i",
    );
    world.runner().up(&copy(&key(&[("k", "text")])), &Pace::default()).unwrap();
    assert_eq!(world.count("notes"), 60);
}

/// Fills `filled` from `value`, in a table with or without a key.
fn fill(name: &str) -> Plan {
    Plan {
        tables: vec![table(name)],
        steps: vec![
            step("add_columns", Phase::Expanded)
                .runs(format!("alter table public.{name} add column filled text"))
                .undo(Mode::Transaction, &[&format!("alter table public.{name} drop column if exists filled")])
                .build(),
        ],
        backfill: vec![Backfill::Update {
            conversions: Vec::new(),
            operation: "fill".into(),
            table: table(name),
            set: vec![("filled".into(), "value".into())],
            pending: "filled is null".into(),
            key: Vec::new(),
        }],
        reconcile: vec![Reconcile {
            table: table(name),
            key: Vec::new(),
            join: None,
            mismatch: "source.filled is distinct from source.value".into(),
            title: "filled".into(),
        }],
        batch: Some(64),
        ..empty("fill")
    }
}

#[test]
fn h57_a_table_without_a_key_is_filled_by_position() {
    let world = World::new(
        "no_key",
        "create table facts (value text); insert into facts select repeat('x', 100) || i from generate_series(1, 5000) as i",
    );
    world.runner().up(&fill("facts"), &slowly()).unwrap();
    assert_eq!(world.count("facts where filled = value"), 5000);
    assert_eq!(world.value::<i64>("select sum(rows)::bigint from coexist.segments"), 5000);
    assert_eq!(world.value::<i64>("select rows from coexist.reconciliations"), 5000);

    world.execute("update facts set value = 'drifted' where value like '%77'");
    let found = world.runner().verify(&fill("facts")).unwrap();
    assert_eq!(found.mismatches, 50);
    assert!(found.samples[0].starts_with("facts {\"ctid\": \"("), "{:?}", found.samples);
}

#[test]
fn partitions_and_children_are_filled_one_by_one() {
    let world = World::new(
        "partitions",
        "create table facts (id int, value text) partition by list (id);
        create table facts_1 partition of facts for values in (1);
        create table facts_2 partition of facts for values in (2) partition by list (value);
        create table facts_2_rest partition of facts_2 default;
        create table facts_rest partition of facts default;
        insert into facts select i % 5, 'v' || i from generate_series(1, 1000) as i;
        create table parents (value text);
        create table children (more text) inherits (parents);
        insert into parents select 'p' || i from generate_series(1, 100) as i;
        insert into children select 'c' || i from generate_series(1, 100) as i",
    );
    let mut runner = world.runner();
    runner.up(&fill("facts"), &Pace::default()).unwrap();
    assert_eq!(world.count("facts where filled = value"), 1000);
    assert_eq!(world.count("coexist.segments where pass = 1"), 3);
    runner.up(&Plan { change: "fill_parents".into(), ..fill("parents") }, &Pace::default()).unwrap();
    assert_eq!(world.count("parents where filled = value"), 200);
}

#[test]
fn h18_h52_old_and_new_code_write_while_it_is_filled() {
    for plan in [rename(), split()] {
        let world = World::new(
            "writers",
            &format!("{USERS}; insert into users (name, bio) select name, bio from users, generate_series(1, 19)"),
        );
        let mut runner = world.runner();
        runner.expand(&plan).unwrap();
        runner.dual_write(&plan).unwrap();
        let (done, writes) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for worker in 0..3u32 {
                let (world, plan, done, writes) = (&world, &plan, &done, &writes);
                scope.spawn(move || {
                    let mut client = world.client();
                    let mut n = worker;
                    while !done.load(Ordering::SeqCst) {
                        n = n.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                        let id = i64::from(n >> 8) % 20_000 + 1;
                        let sql = match (plan.change.as_str(), n >> 4 & 7) {
                            (_, 0) => format!("delete from users where id = {id}"),
                            (_, 1) => format!("insert into users (name, bio) values ('new {n}', 'b')"),
                            ("rename_user_name", 2 | 3) => {
                                format!("update users set full_name = 'after {n}' where id = {id}")
                            }
                            ("rename_user_name", _) => format!("update users set name = 'before {n}' where id = {id}"),
                            (_, 2) => format!("update users set bio = null where id = {id}"),
                            (_, 3) => format!("delete from profiles where user_id = {id}"),
                            (_, 4) => format!("update profiles set bio = 'after {n}' where user_id = {id}"),
                            (_, _) => format!("update users set bio = 'before {n}' where id = {id}"),
                        };
                        match client.batch_execute(&sql) {
                            Ok(()) => drop(writes.fetch_add(1, Ordering::SeqCst)),
                            // Writers through both shapes at once may deadlock each other; they are told to try again.
                            Err(error) => assert_eq!(error.code().unwrap().code(), "40P01", "{sql}: {error}"),
                        }
                    }
                });
            }
            eventually("they write", || writes.load(Ordering::SeqCst) > 100);
            let filled = runner.backfill(&plan, &Pace::default().batch(Duration::from_millis(10)));
            done.store(true, Ordering::SeqCst);
            filled.unwrap();
        });
        runner.validate(&plan).unwrap();
        let found = runner.verify(&plan).unwrap();
        assert_eq!(found.mismatches, 0, "{:?}", found.samples);
    }
}

/// A piece whose rows are all gone when it is their turn is empty, and not the last one.
#[test]
fn h18_all_rows_of_a_piece_are_deleted_meanwhile() {
    let plan = Plan { batch: Some(50), ..split() };
    let world = World::new("deleted", USERS);
    let (config, times) = (world.database.config(), AtomicUsize::new(0));
    let options = Options::default().on_event(move |event| {
        if matches!(event, Event::Progress(_)) && times.fetch_add(1, Ordering::SeqCst) == 0 {
            let delete = "delete from users where id between 100 and 600";
            config.connect(postgres::NoTls).unwrap().batch_execute(delete).unwrap();
        }
    });
    world.runner_with(options).up(&plan, &Pace::default().rows_per_second(2000.0)).unwrap();
    assert_eq!(world.count("users where id > 600"), 400);
    assert_eq!(
        world.count("users join profiles on user_id = id where users.bio = profiles.bio"),
        world.count("users where bio is not null")
    );
}

#[test]
fn a_table_that_is_rewritten_meanwhile_is_gone_through_again() {
    let world = World::new(
        "rewritten",
        "create table facts (id int primary key, value text);
        insert into facts select i, repeat('x', 100) || i from generate_series(1, 5000) as i;
        delete from facts where id % 2 = 0",
    );
    let told = Told::default();
    let (tell, config, times) = (told.observer(), world.database.config(), AtomicUsize::new(0));
    let options = Options::default().on_event(move |event| {
        tell(event);
        // Between two batches: the rows that are left move to blocks that were passed already.
        if matches!(event, Event::Progress(_)) && times.fetch_add(1, Ordering::SeqCst) == 0 {
            config.connect(postgres::NoTls).unwrap().batch_execute("vacuum full facts").unwrap();
        }
    });
    world.runner_with(options).up(&fill("facts"), &Pace::default()).unwrap();
    assert!(told.text().contains("facts was rewritten meanwhile"), "{}", told.text());
    assert_eq!(world.count("facts where filled is distinct from value"), 0);
    assert_eq!(world.value::<i64>("select sum(rows)::bigint from coexist.segments"), 2500, "no row was filled twice");
}

#[test]
fn h20_it_ends_however_much_is_inserted() {
    let world = World::new("inserts", USERS);
    let plan = rename();
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = world.client();
            while !done.load(Ordering::SeqCst) {
                client.batch_execute("insert into users (name) select 'new' from generate_series(1, 2000)").unwrap();
            }
        });
        eventually("it grows", || world.count("users") > 10_000);
        let filled = runner.backfill(&plan, &slowly());
        done.store(true, Ordering::SeqCst);
        filled.unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
}

#[test]
fn rows_that_no_trigger_fills_are_found_and_end_it() {
    let world = World::new("never", USERS);
    let mut plan = fill("users");
    // Somebody undoes every write.
    world.execute(
        "create function undo() returns trigger language plpgsql as 'begin new.filled := null; return new; end';
        create trigger undo before update on users for each row execute function undo()",
    );
    plan.backfill = vec![Backfill::Update {
        conversions: Vec::new(),
        operation: "fill".into(),
        table: table("users"),
        set: vec![("filled".into(), "name".into())],
        pending: "filled is null".into(),
        key: Vec::new(),
    }];
    let error = world.runner().up(&plan, &Pace::default()).unwrap_err();
    assert!(matches!(error, Error::NeverDone { .. }), "{error}");
    assert_eq!(error.class(), Class::Failed);
    assert!(error.to_string().contains("after 5 passes over users there are still rows"), "{error}");
}

#[test]
fn a_row_that_cannot_be_filled_is_named_and_those_before_it_are_filled() {
    let rows = "insert into items select i, 'n' || i, case i when 3000 then 'secret' else i::text end from generate_series(1, 5000) as i";
    let world = World::new("row", &format!("create table items (id int primary key, note text, value text); {rows}"));
    let mut plan = fill("items");
    plan.backfill = vec![Backfill::Update {
        conversions: Vec::new(),
        operation: "fill".into(),
        table: table("items"),
        set: vec![("filled".into(), "value::integer::text".into())],
        pending: "filled is null".into(),
        key: key(&[("id", "integer")]),
    }];
    let error = world.runner().up(&plan, &Pace::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "change `fill`: row {\"id\": 3000} of items cannot be filled: invalid input syntax for type integer: \"…\" [22P02]\nhelp: \
         mend its value and run the same command again; or declare what becomes of such values (`or quarantine`, `or \"expression\"`)"
    );
    assert_eq!(error.class(), Class::Failed);
    let filled = world.count("items where filled is not null and id < 3000");
    assert!((2500..3000).contains(&filled), "{filled}");
    assert_eq!(world.count("coexist.log where message like '%secret%'"), 0, "H83");
    world.execute("update items set value = '3000' where id = 3000");
    world.runner().up(&plan, &Pace::default()).unwrap();

    let world =
        World::new("row_of_split", &format!("create table items (id int primary key, note text, value text); {rows}"));
    let mut plan = copy(&key(&[("id", "integer")]));
    let Backfill::Insert { columns, .. } = &mut plan.backfill[0] else { panic!() };
    columns.push(("value".into(), "source.value::integer::text".into()));
    let error = world.runner().up(&plan, &Pace::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("change `copy_notes`: row id = 3000 of items cannot be filled: invalid input syntax"),
        "{error}"
    );
    assert_eq!(world.count("notes"), 2999);
}

#[test]
fn it_pauses_and_goes_on_from_another_session() {
    let world = World::new("pause", USERS);
    let plan = Plan { batch: Some(1), ..rename() };
    let mut other = world.runner();
    other.expand(&plan).unwrap();
    other.dual_write(&plan).unwrap();

    let told = Told::default();
    let (tell, url, once) = (told.observer(), world.database.url(), AtomicUsize::new(0));
    let options = Options::default().on_event(move |event| {
        tell(event);
        if matches!(event, Event::Progress(_)) && once.fetch_add(1, Ordering::SeqCst) == 0 {
            let database = coexist::Database::at(&url).unwrap();
            coexist::Runner::new(database, Options::default()).unwrap().pause("rename_user_name").unwrap();
        }
    });
    let mut runner = world.runner_with(options);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &slowly()));
        eventually("it pauses", || told.text().contains("paused; waiting to be resumed"));
        assert!(other.status(&plan).unwrap().paused);
        assert!(world.count("users where full_name is null") > 0);
        other.resume(&plan.change).unwrap();
        run.join().unwrap().unwrap();
    });
    assert!(told.text().contains("resumed"));
    assert_eq!(world.count("users where full_name is null"), 0);

    // A run that begins while the change is paused does not wait.
    other.pause(&plan.change).unwrap();
    let paused = other.validate(&plan).unwrap_err();
    assert_eq!(paused.class(), Class::Paused);
    assert_eq!(paused.to_string(), "change `rename_user_name` is paused\nhelp: resume it first");
}

#[test]
fn h05_it_goes_on_where_it_stopped() {
    let world = World::new("stop", USERS);
    let plan = Plan { batch: Some(1), ..rename() };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let options = Options::default().stop_flag(Arc::clone(&stop)).on_event(move |event| {
        if matches!(event, Event::Progress(_)) {
            asked.store(true, Ordering::SeqCst);
        }
    });
    let mut runner = world.runner_with(options);
    let mut runs = 0;
    loop {
        stop.store(false, Ordering::SeqCst);
        runs += 1;
        match runner.up(&plan, &slowly()) {
            Ok(()) => break,
            Err(Error::Stopped { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(runs > 3, "{runs}");
    assert_eq!(world.value::<i64>("select sum(rows)::bigint from coexist.segments"), 1000, "each row once");
}

/// The statement of one batch over all of `users`, with another lock clause where one is given.
fn batch(lock: Option<&str>) -> String {
    let plan = split();
    let piece = Piece::Keys { after: None, upto: None };
    let locking = statement::lock_batch(&plan.backfill[0], &piece, 13).unwrap();
    let locking = lock.map_or(locking.clone(), |lock| locking.replace("for share", lock));
    let insert = statement::insert_batch(&plan.backfill[0], &piece, 13).unwrap();
    format!("set coexist.backfill = 'split_users'; {locking}; {insert}")
}

/// Profiles without a user, or of a user without a bio, after a write that begins while a batch is open, or was open when it began.
fn ghosts(world: &World, write: &str, lock: Option<&str>, write_first: bool) -> i64 {
    world
        .execute("truncate profiles; truncate users restart identity; insert into users (name, bio) values ('a', 'b')");
    world.execute("truncate profiles"); // what the trigger copied
    let (mut copier, mut writer) = (world.client(), world.client());
    copier.batch_execute("begin").unwrap();
    writer.batch_execute("begin").unwrap();
    let done = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (first, first_sql, second, second_sql) = if write_first {
            (&mut writer, write.to_string(), &mut copier, batch(lock))
        } else {
            (&mut copier, batch(lock), &mut writer, write.to_string())
        };
        first.batch_execute(&first_sql).unwrap();
        let second = scope.spawn(move || {
            second.batch_execute(&second_sql).unwrap();
            done.store(true, Ordering::SeqCst);
            second.batch_execute("commit").unwrap();
        });
        eventually("the second waits for the first, or is done", || {
            done.load(Ordering::SeqCst) || world.count("pg_locks where not granted") > 0
        });
        first.batch_execute("commit").unwrap();
        second.join().unwrap();
    });
    world.count("profiles left join users on id = user_id where users.bio is distinct from profiles.bio")
}

#[test]
fn h51_a_copy_leaves_no_ghost_of_a_row_that_goes_meanwhile() {
    let world = World::new("ghosts", USERS);
    let mut runner = world.runner();
    runner.expand(&split()).unwrap();
    runner.dual_write(&split()).unwrap();
    let (delete, empty, change) =
        ("delete from users", "update users set bio = null", "update users set bio = 'changed'");
    for write in [delete, empty, change] {
        for write_first in [true, false] {
            assert_eq!(ghosts(&world, write, None, write_first), 0, "{write}, first: {write_first}");
        }
    }
    // Why not a weaker lock, or none: each leaves a ghost.
    assert_eq!(ghosts(&world, empty, Some("for key share"), false), 1);
    assert_eq!(ghosts(&world, delete, Some("-- no lock:"), false), 1);
}

#[test]
fn h58_pieces_are_read_by_the_index_and_by_position() {
    let world = World::new(
        "plans",
        "create table items (a integer, b bigint, note text, primary key (a, b));
        insert into items select i % 10, i, 'note' from generate_series(1, 100000) as i;
        create table notes (like items including all) with (autovacuum_enabled = off);
        insert into notes select * from items;
        analyze items",
    );
    let plan = copy(&key(&[("a", "integer"), ("b", "bigint")]));
    let Backfill::Insert { key, .. } = &plan.backfill[0] else { panic!() };
    let bound = |a: i32, b: i64| Some(vec![format!("{a}::integer"), format!("{b}::bigint")]);
    let piece = Piece::Keys { after: bound(5, 50_000), upto: bound(5, 60_000) };
    let rest = Piece::Keys { after: bound(5, 50_000), upto: bound(9, 99_999) };
    let blocks = Piece::Blocks { from: "100".into(), to: "110".into(), lines: "100".into(), slice: Some("1".into()) };
    let update =
        statement::update_batch(&table("items"), &[("note".into(), "'x'".into())], "true", &blocks, world.server);
    let by_position = if world.server >= 14 { "Tid Range Scan" } else { "Tid Scan" };
    for (sql, by, most) in [
        (statement::insert_batch(&plan.backfill[0], &piece, world.server).unwrap(), "items_pkey", 1001),
        (statement::end_of_piece(&table("items"), key, &rest, "1000"), "items_pkey", 1001),
        (statement::last_key(&table("items"), key), "items_pkey", 1),
        (statement::reconcile_piece(&plan.reconcile[0], &table("items"), &piece, world.server), "items_pkey", 1001),
        (update, by_position, 2000),
    ] {
        let mut client = world.client();
        let mut tx = client.transaction().unwrap();
        let explained = tx.query(&format!("explain (analyze, costs off, timing off, summary off) {sql}"), &[]).unwrap();
        let lines: Vec<String> = explained.iter().map(|row| row.get(0)).collect();
        let text = lines.join("\n");
        assert!(text.contains(by), "{sql}\n{text}");
        assert!(!text.contains("Seq Scan on"), "{sql}\n{text}");
        // What the scan of the table itself came to: nothing is read to be thrown away.
        let scan = lines.iter().find(|line| line.contains("on items")).unwrap();
        let rows: f64 = scan.split("rows=").nth(1).unwrap().split([' ', ')']).next().unwrap().parse().unwrap();
        assert!(rows <= f64::from(most), "{sql}\n{text}");
    }
}
