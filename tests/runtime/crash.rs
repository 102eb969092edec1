//! Sessions that are terminated, processes that are killed and servers that crash, at every point of a run.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use coexist::plan::{Plan, Stage};
use coexist::sandbox::Sandbox;
use coexist::{Database, Error, Event, Options, Pace, Phase, Runner};
use postgres::NoTls;

use crate::plans::{USERS, declared, rename};
use crate::support::cut_off::terminator;
use crate::world::{World, eventually};

/// Where a run is, in words that are the same when it comes there again; `None` for what a run tells by the way.
fn place(event: &Event) -> Option<String> {
    match event {
        Event::StepStarted { step, undo, .. } => Some(format!("{step} begins, undo: {undo}")),
        // The server sees to it that a transaction leaves the same behind wherever it is cut off.
        Event::Statement { step, sql } if sql == "commit" || sql.contains("concurrently") => {
            Some(format!("{step}: {sql}"))
        }
        Event::StepDone { step, undo, .. } => Some(format!("{step} is done, undo: {undo}")),
        Event::Progress(batch) => Some(format!("pass {} over {}, {} rows", batch.pass, batch.table, batch.rows)),
        Event::Compared { title, rows, .. } => Some(format!("{title}: {rows} rows compared")),
        Event::PhaseReached { phase } => Some(phase.name().to_string()),
        _ => None,
    }
}

/// The places where something was done to runs.
#[derive(Clone, Debug, Default)]
struct Places(Arc<Mutex<BTreeSet<String>>>);

impl Places {
    /// Calls `act` at each new place.
    fn at_each(&self, act: impl Fn() + Send + Sync + 'static) -> impl Fn(&Event) + Send + Sync + 'static {
        let places = self.0.clone();
        move |event| {
            if place(event).is_some_and(|place| places.lock().unwrap().insert(place)) {
                act();
            }
        }
    }

    /// Calls `act` at the first new place of each observer.
    fn at_next(&self, act: impl Fn() + Send + Sync + 'static) -> impl Fn(&Event) + Send + Sync + 'static {
        let (places, done) = (self.0.clone(), AtomicBool::new(false));
        move |event| {
            let Some(place) = place(event) else { return };
            if !done.load(Ordering::SeqCst) && places.lock().unwrap().insert(place) {
                done.store(true, Ordering::SeqCst);
                act();
            }
        }
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Cuts `run` off at every place, one after the other, each time going on where the last try stopped, and calls `then` after each time.
    fn cut_off_at_each(
        &self,
        world: &World,
        run: impl Fn(&mut Runner) -> Result<(), Error>,
        mut then: impl FnMut(bool),
    ) {
        loop {
            let before = self.count();
            let options =
                Options::default().reconnect_for(Duration::ZERO).on_event(self.at_next(terminator(&world.database)));
            let result = run(&mut world.runner_with(options));
            if self.count() == before {
                return result.unwrap();
            }
            // After the last event nothing is left to fail.
            then(result.is_err());
        }
    }
}

fn up(runner: &mut Runner, plan: &Plan) -> Result<(), Error> {
    runner.up(plan, &Pace::default())
}

fn in_step(world: &World) {
    assert_eq!(world.count("users where full_name is distinct from name"), 0);
}

#[test]
fn a_rename_that_is_cut_off_anywhere_can_go_on_and_back() {
    let schema = "
        create table users (id bigint primary key, name text not null, email text not null unique);
        create table orders (id bigint primary key, email text references users (email) on update cascade);
        create index users_email on users (lower(email));
        alter table users add constraint users_email_check check (length(email) < 100);";
    let rows = "insert into users select i, 'name ' || i, i || '@x' from generate_series(1, 500) as i;
        insert into orders select i, i || '@x' from generate_series(1, 500) as i";
    cut_off_anywhere(schema, rows, "change rename { rename users.email to address; stage expand; }");
}

#[test]
fn a_retype_that_is_cut_off_anywhere_can_go_on_and_back() {
    let schema = "create table orders (id bigint primary key, code text);";
    let rows = "insert into orders select i, case when i % 50 = 0 then 'none' else i::text end from generate_series(1, 500) as i";
    let change = r#"change retype {
        retype orders.code to number: integer { forward "code::integer" or quarantine, backward "number::text" }
        stage expand;
    }"#;
    cut_off_anywhere(schema, rows, change);
}

#[test]
fn a_split_that_is_cut_off_anywhere_can_go_on_and_back() {
    let schema = "create table users (id bigint primary key, name text not null, bio text, avatar text);";
    let rows = "insert into users select i, 'name ' || i, case when i % 3 > 0 then 'bio ' || i end from generate_series(1, 500) as i";
    cut_off_anywhere(
        schema,
        rows,
        "change split { split users into profiles { key user_id, move bio, avatar } stage expand; }",
    );
}

/// Tables for the changes below, with a few rows.
const SHOP: &str = "
    create table users (id bigint primary key, name text not null, code text, total integer not null default 0, city text);
    create index users_name on users (name);
    create table orders (id bigint primary key, user_id bigint references users on delete cascade, note text);
    create index orders_user on orders (user_id);
    create table settings (user_id bigint primary key references users on delete cascade, theme text not null);
    create table boxes (id serial primary key, label text);
    create table items (id bigint primary key, box_id integer references boxes);
    create type mood as enum ('sad', 'glad');
    insert into users select i, 'name ' || i, i::text, i, 'city ' || i % 7 from generate_series(1, 60) as i;
    insert into orders select i, i, 'note ' || i from generate_series(1, 60) as i;
    insert into settings select i, 'dark' from generate_series(1, 60, 2) as i;
    insert into boxes (label) select 'box ' || i from generate_series(1, 60) as i; insert into items select i, i from generate_series(1, 60) as i;";

macro_rules! cut_off_between_steps {
    ($($name:ident: $change:literal;)*) => {
        /// Kinds of change whose steps are others than those of a copy.
        mod between_steps {
            $(#[test] fn $name() { super::cut_off_between_steps($change); })*
        }
    };
}

cut_off_between_steps! {
    create_index: "create index on users (lower(name)) name by_name;";
    drop_index: "drop index users_name;";
    reference: "constrain items: foreign key of_a_user (id) references users or reject;";
    require: r#"require users.code { fill "name" }"#;
    drop: "drop users.city;";
    add_table: r#"add table "create table notes (id bigserial primary key, user_id bigint references users)";"#;
    rename_table: "rename table orders to purchases;";
    view: "rename users.name to full_name through view;";
    retype_behind_a_view: r#"retype users.total to bigint { forward "total::bigint", backward "total::integer" or reject }"#;
    widen: "widen boxes.id to bigint;";
    extract: "extract cities from users (city as name) { key id: bigint, reference city_id }";
    move_column: "move orders.note to users.last_note { via orders.user_id, conflicting rows refuse }";
    merge: "merge settings into users { key user_id, move theme or \"'light'\" }";
    label: r#"enum mood add value "calm" before "glad";"#;
    custom: r#"sql { expand "create function f() returns integer language sql as 'select 1'" undo "drop function if exists f()" locks nothing, contract "drop function f()" locks nothing }"#;
}

/// The same through the contract, and without what it leaves.
fn cut_off_between_steps(change: &str) {
    let schema = SHOP.split("insert into").next().unwrap();
    let plan = &declared(schema, &format!("change it {{ {change} stage contract; }}"));
    let (world, _) = forward_and_back(plan, SHOP);
    Places::default().cut_off_at_each(&world, |runner| runner.contract(plan, &plan.change), |_| {});
    assert_eq!(world.phase(plan), "contracted");
    world.runner().retire(plan).unwrap();
}

fn cut_off_anywhere(schema: &str, rows: &str, change: &str) {
    let plan = &declared(schema, change);
    let (world, states) = forward_and_back(plan, &format!("{schema} {rows}"));
    assert!(states > 2 * plan.steps_to(Phase::Validated).count(), "{states}");
    world.runner().rollback(plan, None).unwrap();
}

/// Goes forward through all places where a change can be cut off, and from the state at each of them back. Answers with how many states these
/// were.
fn forward_and_back(plan: &Plan, schema: &str) -> (World, usize) {
    let world = World::new("cut_off_anywhere", schema);
    let (before, places) = (world.catalog(), Places::default());
    let mut states = BTreeSet::new();
    places.cut_off_at_each(
        &world,
        |runner| up(runner, plan),
        |_| {
            if states.insert((world.catalog(), ledger(&world))) {
                let copy = world.copy("cut_off");
                copy.runner().rollback(plan, None).unwrap_or_else(|error| panic!("back after {places:?}: {error}"));
                assert_eq!(copy.catalog(), before, "after {places:?}");
            }
        },
    );
    assert_eq!(world.phase(plan), "validated");
    assert!(world.runner().verify(plan).unwrap().is_clean());
    (world, states.len())
}

/// How far the ledger says that everything is.
fn ledger(world: &World) -> String {
    world.value(
        "select concat(
            (select string_agg(concat_ws(' ', name, phase, direction), ',' order by name) from coexist.changes),
            (select string_agg(concat_ws(' ', id, state), ',' order by id) from coexist.steps),
            (select string_agg(concat_ws(' ', backfill, pass, id, cursor, rows, state), ',' order by backfill, pass, id) from coexist.segments)
        )",
    )
}

#[test]
fn a_rollback_that_is_cut_off_goes_on() {
    let plan = rename();
    let world = World::new("cut_off", USERS);
    let before = world.catalog();
    up(&mut world.runner(), &plan).unwrap();
    let mut refused = 0;
    Places::default().cut_off_at_each(
        &world,
        |runner| runner.rollback(&plan, None),
        |cut_off| {
            if cut_off {
                let forward = up(&mut world.runner(), &plan).unwrap_err().to_string();
                assert!(forward.contains("is rolling back, and must be rolled back first"), "{forward}");
                refused += 1;
            }
        },
    );
    assert!(refused > 3, "{refused}");
    assert_eq!(world.catalog(), before);
    up(&mut world.runner(), &plan).unwrap();
}

#[test]
fn a_contract_that_is_cut_off_goes_on() {
    let mut plan = rename();
    plan.stage = Stage::Contract;
    let world = World::new("contract_cut_off", USERS);
    up(&mut world.runner(), &plan).unwrap();
    Places::default().cut_off_at_each(&world, |runner| runner.contract(&plan, &plan.change), |_| {});
    assert_eq!(world.phase(&plan), "contracted");
    let back = world.runner().rollback(&plan, None).unwrap_err().to_string();
    assert!(back.contains("past the point of no return: step `drop_columns`"), "{back}");
}

#[test]
fn h01_h05_a_run_reconnects_and_goes_on_by_itself() {
    let plan = rename();
    let world = World::new("reconnects", USERS);
    let places = Places::default();
    let options = Options::default().on_event(places.at_each(terminator(&world.database)));
    up(&mut world.runner_with(options), &plan).unwrap_or_else(|error| panic!("after {places:?}: {error}"));
    assert!(places.count() > 10, "{places:?}");
    in_step(&world);
    assert_eq!(world.value::<i64>("select sum(rows)::bigint from coexist.segments"), 1000, "each row counted once");
}

#[test]
fn h02_a_run_outlives_a_crash_of_the_server() {
    let mut sandbox = Sandbox::builder().setting("autovacuum", "off").start().unwrap();
    let database = sandbox.database("crash").unwrap();
    database.connect().unwrap().batch_execute(USERS).unwrap();
    let (reached, arrived) = std::sync::mpsc::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let options = Options::default().on_event(move |event| {
        if matches!(event, Event::Progress(_)) && reached.send(()).is_ok() {
            let _ = wait.lock().unwrap().recv();
        }
    });
    let mut runner = Runner::new(Database::at(&database.url()).unwrap(), options).unwrap();
    let plan = rename();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.up(&plan, &Pace::default().batch(Duration::from_millis(1))));
        arrived.recv().unwrap();
        sandbox.kill().unwrap();
        drop(arrived);
        drop(go_on);
        sandbox.restart().unwrap();
        run.join().unwrap().unwrap();
    });
    let left: i64 = database
        .connect()
        .unwrap()
        .query_one("select count(*) from users where full_name is null", &[])
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
}

#[test]
fn h02_another_server_at_the_same_address_is_left_alone() {
    let world = World::new("here", USERS);
    let elsewhere = Sandbox::start().unwrap();
    let there = elsewhere.database("there").unwrap();
    there.connect().unwrap().batch_execute(USERS).unwrap();
    let moved = Arc::new(AtomicBool::new(false));
    let (here, address) = (world.database.config(), Arc::clone(&moved));
    let there_config = there.config();
    let database = Database::opened_by(move || {
        if address.load(Ordering::SeqCst) { there_config.connect(NoTls) } else { here.connect(NoTls) }
    });
    let terminate = terminator(&world.database);
    let options = Options::default().on_event(Places::default().at_next(move || {
        moved.store(true, Ordering::SeqCst);
        terminate();
    }));
    let refused = up(&mut Runner::new(database, options).unwrap(), &rename()).unwrap_err();
    assert!(matches!(refused, Error::OtherServer { .. }), "{refused}");
    let columns: i64 = there
        .connect()
        .unwrap()
        .query_one("select count(*) from pg_attribute where attrelid = 'users'::regclass and attnum > 0", &[])
        .unwrap()
        .get(0);
    assert_eq!(columns, 3);
}

/// Not a test by itself: the process that [`h03_a_killed_runner_is_taken_over_when_its_lease_ends`] starts and that dies.
#[test]
fn a_process_that_dies() {
    let Ok(url) = std::env::var("COEXIST_TEST_DIES_AT") else { return };
    let options = Options::default().lease(Duration::from_secs(2)).on_event(|event| {
        if matches!(event, Event::Progress(_)) {
            std::process::abort();
        }
    });
    let mut runner = Runner::new(Database::at(&url).unwrap(), options).unwrap();
    let _ = up(&mut runner, &rename());
}

#[test]
fn h03_a_killed_runner_is_taken_over_when_its_lease_ends() {
    let world = World::new("killed", USERS);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::a_process_that_dies"])
        .env("COEXIST_TEST_DIES_AT", world.database.url())
        .output()
        .unwrap();
    assert!(!child.status.success());
    let plan = rename();
    let mut runner = world.runner();
    assert_eq!(runner.phase(&plan.change).unwrap(), Phase::DualWriting);
    eventually("the lease of the dead runner ends", || match up(&mut runner, &plan) {
        Ok(()) => true,
        Err(Error::AnotherRunner { .. }) => false,
        Err(error) => panic!("{error}"),
    });
    assert_eq!(world.phase(&plan), "validated");
    in_step(&world);
}
