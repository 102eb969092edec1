//! `coexist plan`: what runs, with its locks.

use super::plans::{USERS, rename, split};
use super::support::Project;

#[test]
fn without_a_database_it_says_what_the_files_say() {
    insta::assert_snapshot!(Project::with(&[rename()]).run("plan").ends_with(0).out);
}

#[test]
fn with_a_database_it_says_what_is_done_and_how_large_the_tables_are() {
    let project = Project::live(&[split()], USERS);
    project.run("up --to expanded").ends_with(0);
    project.execute("analyze users");
    let out = project.run("plan").ends_with(0).out;
    assert!(out.contains("the database is expanded"), "{out}");
    assert!(out.contains("create_table: test: create_table [done]"), "{out}");
    assert!(out.contains("users has about 1,000 rows, "), "{out}");
    assert!(
        out.contains("locks users in SHARE ROW EXCLUSIVE mode: writes wait, reads go on (INSERT, UPDATE, DELETE, VACUUM, CREATE INDEX, ALTER TABLE)"),
        "{out}"
    );
    assert!(out.contains("takes about 10 ms"), "{out}");
    assert!(!project.run("plan --offline").ends_with(0).out.contains("[done]"));
}

#[test]
fn a_partitioned_table_is_as_large_as_its_partitions() {
    let project = Project::live(
        &[rename()],
        "create table users (id bigint, name text) partition by range (id);
         create table users_1 partition of users for values from (0) to (100);
         create table users_2 partition of users for values from (100) to (200);
         insert into users select i, 'name' from generate_series(0, 199) as i; analyze users",
    );
    let out = project.run("plan").ends_with(0).out;
    assert!(out.contains("users has about 200 rows, "), "{out}");
}

#[test]
fn how_long_a_scan_takes_grows_with_the_table() {
    let project = Project::live(&[rename()], USERS);
    project.execute("analyze users");
    let estimate = |project: &Project| {
        let plan = &project.run("plan --json").ends_with(0).json()["changes"][0];
        let check = plan["steps"].as_array().unwrap().iter().find(|step| step["id"] == "check").unwrap();
        (check["estimate_ms"].as_u64().unwrap(), plan["backfill"][0]["estimate_ms"].as_u64().unwrap())
    };
    estimate(&project);
    // What the server believes, not what there is: nobody waits for millions of rows to be written.
    project.execute("update pg_class set reltuples = 5e9 where relname = 'users'");
    let (check, fill) = estimate(&project);
    assert!(check > 1_000 && fill > check, "{check} {fill}");
    // Without an estimate of the rows there is none of the time.
    project.execute("update pg_class set reltuples = -1 where relname = 'users'");
    let plan = project.run("plan --json").ends_with(0).json();
    assert!(plan["changes"][0]["backfill"][0]["estimate_ms"].is_null());
}

#[test]
fn a_table_that_is_not_there_is_told() {
    let project = Project::live(&[rename()], "");
    assert!(project.run("plan").ends_with(0).out.contains("users does not exist yet"));
}

#[test]
fn h92_nothing_is_written() {
    let project = Project::live(&[rename()], USERS);
    project.run("plan").ends_with(0);
    project.run("status").ends_with(0);
    let ledger: bool = project.client().query_one("select to_regnamespace('coexist') is not null", &[]).unwrap().get(0);
    assert!(!ledger);
}
