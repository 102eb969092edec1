//! The files of a change, run by psql and nothing else; with and without a ledger.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use coexist::plan::{Phase, Plan};
use coexist::sandbox::Database;
use coexist::{Options, Pace, Runner};
use coexist_core::render::files::files;
use support::in_flight::plans;

const SCHEMA: &str = "create table users (id bigint primary key, name text not null, total integer, bio text, place text);
    create index users_name on users (lower(name)); alter table users add constraint users_total check (total >= 0);
    create table notes (id bigint primary key, body text); create table prices (id bigint primary key, price integer not null, code varchar(9) check (code <> ''));
    create table settings (user_id bigint primary key references users on delete cascade, theme text not null, note text);
    create table orders (id bigint primary key, user_id bigint references users on delete cascade, city text);
    create index on orders (user_id);
    create table addresses (id bigint primary key, country text not null, code text);";
const DATA: &str =
    "insert into users (id, name, total, bio) select n, 'n' || n, n, case when n % 3 = 0 then 'b' || n end from generate_series(1, 12000) n;
    insert into notes values (1, 'n'); insert into prices select n, n, 'c' from generate_series(1, 1000) n;
    insert into settings select n, 't' || n, null from generate_series(1, 12000, 5) n;
    insert into orders select n, 1 + n % 4000, 'c' || n % 4000 from generate_series(1, 12000) n;
    insert into addresses select n, 'c' || n % 50, nullif('c' || n % 60, 'c0') from generate_series(1, 3000) n";
const CHANGES: &str = r#"
    change rename_name { rename users.name to full_name; stage contract; }
    change widen_total { retype users.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject } stage contract; }
    change show_text { rename notes.body to content through view; stage contract; }
    change widen_price { retype prices.price to bigint { forward "price::bigint", backward "price::integer" or reject } stage contract; }
    change divide_place {
        divide users.place into town: text, country: text {
            forward town "split_part(place, ',', 1)" or reject, forward country "split_part(place, ',', 2)" or "'?'",
            backward "town || ',' || country" or reject, insert nulls take before,
        }
        stage contract;
    }
    change split_bio { split users into profiles { key user_id, move bio } stage contract; backfill { batch 700 } }
    change merge_settings { merge settings into users { key user_id, move theme or "'light'", note } stage contract; backfill { batch 700 } }
    change extract_countries { extract countries from addresses (country as name, code) { key id: integer, reference country_id } stage contract; }
    change move_city { move orders.city to users.city { via orders.user_id, conflicting rows refuse } stage contract; backfill { batch 700 } }
"#;
const FORWARD: [&str; 4] = ["1_expand.sql", "2_trigger.sql", "3_backfill.sql", "4_validate.sql"];

/// psql, which comes with the server in most packages, but is not part of it.
fn psql() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("psql")).find(|psql| psql.is_file());
    if found.is_none() {
        println!("psql is not on the PATH: the files cannot be run by it, and this test shows nothing");
    }
    found
}

struct Shell {
    psql: PathBuf,
    database: Database,
    folder: tempfile::TempDir,
}

impl Shell {
    fn new(psql: &Path, schema: &str, data: &str) -> Self {
        let database = support::database("psql");
        let mut client = database.connect().unwrap();
        client.batch_execute(schema).unwrap();
        client.batch_execute(data).unwrap();
        Self { psql: psql.to_owned(), database, folder: tempfile::tempdir().unwrap() }
    }

    /// What psql says of a file: nothing, where it went well.
    fn run(&self, plan: &Plan, name: &str) -> Result<(), String> {
        let file = files(plan).into_iter().find(|file| file.name == name).unwrap();
        let path = self.folder.path().join(name);
        std::fs::write(&path, file.text).unwrap();
        let output = Command::new(&self.psql)
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--file"])
            .arg(&path)
            .arg("--dbname")
            .arg(self.database.url())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        if output.status.success() && said.is_empty() { Ok(()) } else { Err(said) }
    }

    fn run_all(&self, plan: &Plan, names: &[&str]) {
        for name in names {
            self.run(plan, name).unwrap_or_else(|said| panic!("{} of {}: {said}", name, plan.change));
        }
    }

    fn text(&self, sql: &str) -> String {
        self.database.connect().unwrap().query_one(sql, &[]).unwrap().get(0)
    }
}

#[test]
fn each_file_runs_by_itself_and_back() {
    let Some(psql) = psql() else { return };
    for plan in plans(SCHEMA, CHANGES) {
        let shell = Shell::new(&psql, SCHEMA, DATA);
        let before = support::catalog_dump(&mut shell.database.connect().unwrap());
        for last in 1..=FORWARD.len() {
            shell.run_all(&plan, &FORWARD[..last]);
            shell.run_all(&plan, &["rollback.sql", "rollback.sql"]);
            let now = support::catalog_dump(&mut shell.database.connect().unwrap());
            assert!(now == before, "{} back from {}", plan.change, FORWARD[last - 1]);
        }
        shell.run_all(&plan, &FORWARD);
        shell.run_all(&plan, &["3_backfill.sql", "verify.sql", "5_contract.sql"]);
        let said = shell.run(&plan, "rollback.sql").unwrap_err();
        assert!(said.contains("does not belong to the change"), "{said}");
        if !plan.retire.is_empty() {
            shell.run_all(&plan, &["retire.sql", "retire.sql"]);
        }
    }
}

/// Further tables, for changes that need neither many rows nor each other's columns.
const SMALL: &str = "
    create type mood as enum ('sad', 'glad');
    create table boxes (id serial primary key, mood mood, label varchar(20));
    create table items (id bigint primary key, box_id integer references boxes);";
const SMALL_DATA: &str = "
    insert into users (id, name, total, bio) select n, 'n' || n, n, case when n % 3 = 0 then 'b' || n end from generate_series(1, 300) n;
    insert into orders (id, user_id) select n, n from generate_series(1, 300) n;
    insert into boxes (mood) select 'sad' from generate_series(1, 300); insert into items select n, n from generate_series(1, 300) n;";

/// What needs no second shape of a column, or no triggers.
const IN_PLACE: &[&str] = &[
    r#"change require_bio { require users.bio { fill "name" } stage contract; backfill { batch 700 } }"#,
    r#"change relax_name { relax users.name { nulls from dual_write, backward "''" } stage contract; }"#,
    r#"change relax_name_later { relax users.name { nulls from contract } stage contract; }"#,
    r#"change small_totals { constrain users: check small "total < 10000" { fix total "9999" } stage contract; }"#,
    r#"change unique_name { constrain users: unique (name) or reject; stage contract; }"#,
    r#"change orders_of_boxes { constrain boxes: foreign key of_an_order (id) references orders (id) or reject; stage contract; }"#,
    r#"change default_total { default users.total: "3"; comment users: "People"; unconstrain users: users_total; stage contract; }"#,
    r#"change free_items { unconstrain items: items_box_id_fkey; stage contract; }"#,
    r#"change add_visits { add users.visits: bigint not null default "0"; stage contract; }"#,
    r#"change add_handle { add users.handle: text not null fill "lower(name)"; stage contract; backfill { batch 700 } }"#,
    r#"change drop_total { drop users.total { with users_total } stage contract; }"#,
    r#"change add_labels { add table "create table labels (id bigserial primary key, box_id integer references boxes)"; stage contract; }"#,
    r#"change drop_prices { drop table prices; stage contract; }"#,
    r#"change rename_notes { rename table notes to remarks; stage contract; }"#,
    r#"change index_totals { create index on users (total) unique where "total > 0" name by_total; stage contract; }"#,
    r#"change unindex_names { drop index users_name; stage contract; }"#,
    r#"change calm { enum mood add value "calm" before "glad"; stage contract; }"#,
    r#"change own_words { sql { expand "create function f() returns integer language sql as 'select 1'" undo "drop function if exists f()" locks nothing, contract "drop function f()" locks nothing } stage contract; }"#,
    r#"change long_labels { retype boxes.label to text; stage contract; }"#,
    r#"change more_boxes { widen boxes.id to bigint; stage contract; backfill { batch 100 } }"#,
];

#[test]
fn what_is_done_in_place_comes_and_goes_by_files() {
    let Some(psql) = psql() else { return };
    let schema = format!("{SCHEMA}{SMALL}");
    for plan in IN_PLACE.iter().flat_map(|change| plans(&schema, change)) {
        let shell = Shell::new(&psql, &schema, SMALL_DATA);
        let mut client = shell.database.connect().unwrap();
        let before = support::catalog_dump(&mut client);
        let does_something = |phase: Phase| plan.steps_to(phase).next().is_some() || phase == Phase::Validated;
        for last in (1..=FORWARD.len()).filter(|last| does_something(Phase::ALL[*last])) {
            shell.run_all(&plan, &FORWARD[..last]);
            shell.run_all(&plan, &["rollback.sql"]);
            let now = support::catalog_dump(&mut client);
            assert!(now == before, "{} back from {}", plan.change, FORWARD[last - 1]);
        }
        client.batch_execute(coexist::ledger::DDL).unwrap();
        shell.run_all(&plan, &FORWARD);
        shell.run_all(&plan, &["verify.sql", "5_contract.sql"]);
        // What the contract made stays, and the ledger goes on knowing it.
        let after = support::catalog_dump(&mut client);
        let said = shell.run(&plan, "rollback.sql").unwrap_err();
        assert!(said.contains(&format!("the change {} is past the point of no return", plan.change)), "{said}");
        assert!(support::catalog_dump(&mut client) == after, "{}", plan.change);
        assert_eq!(shell.text("select phase || direction from coexist.changes"), "contractedforward");
        if !plan.retire.is_empty() {
            shell.run_all(&plan, &["retire.sql"]);
            assert_eq!(shell.text("select count(*)::text from coexist.changes"), "0", "{}", plan.change);
        }
    }
}

/// Rows that a session without triggers changed (H44).
#[test]
fn verify_names_the_rows_that_differ() {
    let Some(psql) = psql() else { return };
    let plan = plans(SCHEMA, CHANGES).remove(0);
    let shell = Shell::new(&psql, SCHEMA, DATA);
    shell.run_all(&plan, &FORWARD);
    shell
        .database
        .connect()
        .unwrap()
        .batch_execute("set session_replication_role = replica; update users set name = 'x' where id in (7, 11)")
        .unwrap();
    let said = shell.run(&plan, "verify.sql").unwrap_err();
    assert!(said.contains("2 rows differ: (7), (11)"), "{said}");
}

#[test]
fn with_a_ledger_the_command_goes_on_where_psql_stopped() {
    let Some(psql) = psql() else { return };
    for plan in plans(SCHEMA, CHANGES) {
        let shell = Shell::new(&psql, SCHEMA, DATA);
        shell.database.connect().unwrap().batch_execute(coexist::ledger::DDL).unwrap();
        shell.run_all(&plan, &["1_expand.sql"]);
        let said = shell.run(&plan, "4_validate.sql").unwrap_err();
        assert!(said.contains(&format!("the change {} is not backfilled but expanded", plan.change)), "{said}");
        shell.run_all(&plan, &["2_trigger.sql"]);
        assert_eq!(shell.text("select phase from coexist.changes"), "dual-writing");
        let at = coexist::Database::at(&shell.database.url()).unwrap();
        let mut runner = Runner::new(at, Options::default()).unwrap();
        runner.up(&plan, &Pace::default()).unwrap();
        assert_eq!(runner.phase(&plan.change).unwrap(), Phase::Validated);
        shell.run_all(&plan, &["rollback.sql"]);
        assert_eq!(runner.phase(&plan.change).unwrap(), Phase::Declared);
        runner.up(&plan, &Pace::default()).unwrap();
        runner.rollback(&plan, None).unwrap();
    }
}
