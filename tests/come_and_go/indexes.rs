//! `create index`, `drop index`.

use coexist::plan::Phase;

use crate::support;
use crate::support::in_flight::{InFlight, plans};
use crate::support::life::Life;

const USERS: &str = "create table users (id integer primary key, name text, email text, data jsonb);";
const ROWS: &str = "insert into users select n, 'n' || n, 'e' || n, '{}' from generate_series(1, 300) n;";

#[test]
fn indexes_of_all_kinds() {
    for (declared, sql) in [
        ("create index on users (name);", "create index on users (name)"),
        ("create index on users (name desc, lower(email));", "create index on users (name desc, lower(email))"),
        (
            r#"create index on users (name) unique include (email) where "id > 7" name by_name;"#,
            "create unique index by_name on users (name) include (email) where id > 7",
        ),
        ("create index on users (data) using gin;", "create index on users using gin (data)"),
        (
            r#"create index on users "(data->>'a') collate \"C\" text_pattern_ops desc nulls last, id" name "it's; \"mine\"";"#,
            r#"create index "it's; ""mine""" on users ((data->>'a') collate "C" text_pattern_ops desc nulls last, id)"#,
        ),
        ("create index on users (coalesce(name, email), id);", "create index on users (coalesce(name, email), id)"),
    ] {
        let after = format!("{USERS} {sql}");
        Life { before: USERS, data: ROWS, change: declared, after: after.leak() }.check();
    }
}

#[test]
fn an_index_that_goes() {
    let before = "create table t (id integer primary key, a text); create index \"T a\" on t (a);";
    Life {
        before,
        data: "",
        change: r#"drop index "T a";"#,
        after: "create table t (id integer primary key, a text);",
    }
    .check();
}

/// H76: an index of the same name that appears meanwhile is somebody else's.
#[test]
fn a_name_that_is_taken_meanwhile() {
    let mut db = InFlight::new(USERS, ROWS, "change it { create index on users (name) name by_name; stage contract; }");
    db.reach(Phase::Validated).run("create index by_name on users (email)");
    let plan = db.plans[0].clone();
    let mut runner =
        coexist::Runner::new(coexist::Database::at(&db.database.url()).unwrap(), coexist::Options::default()).unwrap();
    runner.contract(&plan, "it").expect_err("the name is taken");
    assert_eq!(db.row("select pg_get_indexdef('by_name'::regclass) like '%(email)'"), "t");
    db.run("drop index by_name");
    runner.contract(&plan, "it").unwrap();
    assert_eq!(db.row("select pg_get_indexdef('by_name'::regclass) like '%(name)'"), "t");
}

/// H28, and peers' failure 8: an invalid index that a cut-off build leaves behind is dropped, and built again.
#[test]
fn h28_an_invalid_leftover() {
    let mut db = InFlight::new(
        USERS,
        "insert into users select n, 'n' || n, 'e', '{}' from generate_series(1, 3) n",
        "change it { create index on users (name) unique name by_name; stage contract; }",
    );
    db.reach(Phase::Backfilled).run("update users set name = 'same'");
    let mut plan = db.plans[0].clone();
    let mut runner =
        coexist::Runner::new(coexist::Database::at(&db.database.url()).unwrap(), coexist::Options::default()).unwrap();
    let refused = runner.validate(&plan).expect_err("the names are not unique").to_string();
    assert!(refused.contains("rows duplicates_by_name: "), "{refused}");
    // As if they came after that was looked at.
    plan.probes.clear();
    let failed = runner.validate(&plan).expect_err("the names are not unique");
    assert_eq!(failed.sqlstate().map(|code| code.code()), Some("23505"), "{failed}");
    assert_eq!(db.row("select count(*) from pg_index where not indisvalid"), "0", "nothing invalid stays behind");
    db.run("update users set name = 'n' || id").reach(Phase::Contracted);
    assert_eq!(db.row("select indisvalid and indisunique from pg_index where indexrelid = 'by_name'::regclass"), "t");
}

/// H54: what stands in the way is found by a query that shows no values (H83).
#[test]
fn h54_duplicates_are_looked_for() {
    let schema = "create table t (a integer, b integer, note text, primary key (a, b));";
    let declared = r#"change it { create index on t (lower(note)) unique where "a > 0"; stage expand; }"#;
    let mut db = InFlight::new(
        schema,
        "insert into t values (1, 1, 'Secret'), (1, 2, 'secret'), (2, 1, null), (2, 2, null), (0, 1, 'secret'), (3, 3, 'other')",
        declared,
    );
    let probe = plans(schema, declared).remove(0).probes.remove(0);
    assert_eq!(probe.blocks, Phase::Validated);
    let coexist::plan::Search::Groups { query, .. } = probe.search else { panic!("a search for groups") };
    assert_eq!(db.rows(&query), ["2 rows share one value, with key (1,1), (1,2)"]);
}

/// Peers' failure 8: an old transaction is waited for, and nothing invalid is left where the wait ends without it.
#[test]
fn h27_an_old_transaction_is_waited_for() {
    let mut db = InFlight::new(USERS, ROWS, "change it { create index on users (name); stage contract; }");
    let mut other = db.database.connect().unwrap();
    other.batch_execute("begin; update users set name = name where id = 1").unwrap();
    let ended = std::thread::spawn({
        let mut watcher = db.database.connect().unwrap();
        move || {
            support::wait_until("the build waits for the old transaction", || {
                let waiting = "select from pg_stat_progress_create_index where phase like 'waiting%'";
                !watcher.query(waiting, &[]).unwrap().is_empty()
            });
            other.batch_execute("commit").unwrap();
        }
    });
    db.reach(Phase::Contracted);
    ended.join().unwrap();
    assert_eq!(db.row("select indisvalid from pg_index where indexrelid = 'users_name_idx'::regclass"), "t");
}
