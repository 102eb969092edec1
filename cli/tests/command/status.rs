//! `coexist status`: how far everything is, and what needs attention.

use std::fs;

use coexist::plan::{Plan, Stage};

use super::plans::{USERS, rename, split};
use super::support::Project;

fn attention(project: &Project) -> Vec<String> {
    let status = project.run("status --json").ends_with(0).json();
    let changes = status["changes"].as_array().unwrap().clone();
    let kinds = changes.iter().flat_map(|change| change["attention"].as_array().unwrap().clone());
    kinds.map(|attention| attention["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_table_of_changes() {
    let project = Project::live(&[rename(), split()], USERS);
    project.run("up rename_user_name").ends_with(0);
    let out = project.run("status").ends_with(0).out;
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(
        lines,
        [
            ["change", "database", "source"],
            ["rename_user_name", "validated", "expand"],
            ["split_users", "declared", "expand"]
        ]
    );
}

#[test]
fn no_change_is_no_table() {
    let project = Project::live(&[], "");
    fs::create_dir(project.path("migrations")).unwrap();
    let ran = project.run("status").ends_with(0).says("no change is declared, and none is under way");
    assert_eq!(ran.out, "");
}

#[test]
fn all_is_well() {
    let project = Project::live(&[rename()], USERS);
    assert!(attention(&project).is_empty());
    project.run("up").ends_with(0);
    assert!(attention(&project).is_empty());
}

#[test]
fn a_change_that_left_the_folder_is_told_while_it_is_under_way() {
    let project = Project::live(&[rename()], USERS);
    project.run("up").ends_with(0);
    fs::remove_dir_all(project.path("migrations/rename_user_name")).unwrap();
    assert_eq!(attention(&project), ["undeclared"]);
    project.run("rollback rename_user_name").ends_with(0);
    assert_eq!(project.run("status --json").ends_with(0).json()["changes"].as_array().unwrap().len(), 0);
}

#[test]
fn a_folder_that_cannot_be_trusted_is_told_with_how_far_the_database_is() {
    let project = Project::live(&[rename()], USERS);
    project.run("up").ends_with(0);
    fs::write(project.path("migrations/rename_user_name/verify.sql"), "").unwrap();
    assert_eq!(attention(&project), ["files"]);
    let out = project.run("status").ends_with(0).out;
    assert!(out.contains("validated"), "{out}");
    assert!(out.contains("verify.sql was edited by hand"), "{out}");
}

#[test]
fn h17_h75_another_plan_is_told() {
    let project = Project::live(&[rename()], USERS);
    project.run("up --to expanded").ends_with(0);
    let mut other = rename();
    other.steps[0].action.statements.pop();
    project.write(&[other]);
    assert_eq!(attention(&project), ["plan changed"]);
}

#[test]
fn h87_a_change_that_stands_still_is_told() {
    let project = Project::live(&[Plan { stage: Stage::Migrate, ..rename() }], USERS);
    project.run("up").ends_with(0);
    project.execute(
        "update coexist.changes set updated_at = updated_at - interval '40 days';
         update coexist.steps set finished_at = finished_at - interval '40 days'",
    );
    // It is not long since rows were filled.
    assert!(attention(&project).is_empty());
    project.execute("update coexist.segments set updated_at = updated_at - interval '40 days'");
    assert_eq!(attention(&project), ["stale"]);
    project.run("status --max-age 60d").ends_with(0);
    let ran = project.run("status --max-age 14d").ends_with(9).says("--max-age: rename_user_name");
    assert!(ran.out.contains("it stands still since 40 days"), "{}", ran.out);
    assert_eq!(project.run("status --max-age 14d --json").ends_with(9).json()["exit"], "stale");
    let out = project.run("status").ends_with(0).out;
    assert!(out.contains("it stands still since 40 days") && out.contains("`stage contract;`"), "{out}");
    // One that is complete may stand as long as it likes.
    project.execute("update coexist.changes set phase = 'contracted'");
    assert!(attention(&project).is_empty());
    project.run("status --max-age 14d").ends_with(0);
}

#[test]
fn a_contract_that_was_promised_is_told_when_its_day_is_past() {
    let promised = |day: &str| Plan { contract_by: Some(day.to_owned()), ..rename() };
    let project = Project::live(&[promised("2020-02-01")], USERS);
    assert!(attention(&project).is_empty());
    project.run("up").ends_with(0);
    assert_eq!(attention(&project), ["overdue"]);
    project.write(&[promised("9999-12-31")]);
    assert!(attention(&project).is_empty());
}

#[test]
fn what_the_triggers_recorded_is_told() {
    let project = Project::live(&[rename()], USERS);
    project.run("up").ends_with(0);
    project.execute(
        "insert into coexist.quarantine (change, tab, key, col, value) values ('rename_user_name', 'users', '{\"id\": 1}', 'name', 'x');
         insert into coexist.conflicts (change) values ('rename_user_name')",
    );
    assert_eq!(attention(&project), ["quarantine", "conflicts"]);
}

#[test]
fn a_pause_is_told() {
    let project = Project::live(&[rename()], USERS);
    project.run("up --to dual-writing").ends_with(0);
    project.execute("update coexist.changes set paused = true");
    assert_eq!(attention(&project), ["paused"]);
}
