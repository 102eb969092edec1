//! `coexist check`: what stands in the way, before anything is touched.

use super::plans::declared;
use super::support::Project;

const SCHEMA: &str =
    "create table users (id bigint primary key, name text not null); create index users_name_idx on users (name);";

fn project() -> Project {
    let plan = declared(SCHEMA, "change rename_user_name { rename users.name to full_name; stage expand; }");
    Project::live(&[plan], SCHEMA)
}

#[test]
fn h92_nothing_in_the_way_and_nothing_written() {
    let project = project();
    let before = project.catalog();
    let ran = project.run("check").ends_with(0);
    assert!(ran.out.starts_with("rename_user_name: 1 informs\n  informs disk-space table users\n"), "{}", ran.out);
    assert_eq!(project.catalog(), before);
    let ledger: bool = project.client().query_one("select to_regnamespace('coexist') is not null", &[]).unwrap().get(0);
    assert!(!ledger);
    assert_eq!(project.run("check --quiet").ends_with(0).out, "rename_user_name: 1 informs\n");
    project.run("check nobody").ends_with(2);
    project.run("up").ends_with(0);
    project.run("check").ends_with(0);
}

#[test]
fn h75_drift_ends_with_seven_and_stops_up() {
    let project = project();
    project.execute("create index another on users (name)");
    let ran =
        project.run("check").ends_with(7).says("something stands in the way: object-unknown index another of users");
    insta::assert_snapshot!(ran.out);
    let ran = project.run("up").ends_with(7).says("change `rename_user_name` cannot go on:");
    assert!(ran.err.contains("what can be overridden by name: object-unknown"), "{}", ran.err);
    project.run("up --force object-unknow").ends_with(2).says("is `object-unknown` meant?");
    project.run("up --force view").ends_with(2).says("`view` cannot be overridden");
    let ran = project.run("up --force object-unknown").ends_with(0);
    assert!(ran.err.contains("blocks object-unknown index another of users"), "{}", ran.err);
}

#[test]
fn what_blocks_otherwise_ends_with_four() {
    let project = project();
    project.execute(&format!("alter database {} set default_transaction_read_only = on", project.database().name()));
    project.run("check").ends_with(4).says("something stands in the way: read-only default_transaction_read_only");
    project.run("up").ends_with(4);
}

#[test]
fn each_finding_is_a_line_of_json() {
    let project = project();
    project.execute("create view names as select name from users; create index another on users (name)");
    let lines = project.run("check --json").ends_with(7).lines();
    let kinds: Vec<String> = lines.iter().map(|line| format!("{} {}", line["event"], line["id"])).collect();
    assert_eq!(
        kinds,
        ["\"finding\" \"object-unknown\"", "\"finding\" \"view\"", "\"finding\" \"disk-space\"", "null null"]
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&lines[0]).unwrap());
    let last = lines.last().unwrap();
    assert_eq!(
        last["changes"][0],
        serde_json::json!({"change": "rename_user_name", "blocks": 1, "warns": 1, "informs": 1})
    );
    assert_eq!((last["exit"].as_str(), last["code"].as_i64()), (Some("drift"), Some(7)));
}
