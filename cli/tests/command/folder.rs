//! The folder `migrations/` is only trusted where it is what a build wrote.

use std::fs;

use coexist::plan::{Plan, Stage};

use super::plans::{rename, split};
use super::support::Project;

/// A command that reads the folder and no database.
const READ: &str = "plan --offline";

fn edit(project: &Project, file: &str, edit: impl FnOnce(&str) -> String) {
    let path = project.path("migrations").join(file);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, edit(&text)).unwrap();
}

#[test]
fn a_missing_folder_says_where_to_run_and_what_writes_it() {
    let ran = Project::new().run(READ).ends_with(4).says("cannot read the folder migrations: No such file");
    assert!(ran.err.contains("`cargo build` writes it"), "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[test]
fn another_folder_can_be_named() {
    let project = Project::with(&[rename()]);
    fs::rename(project.path("migrations"), project.path("elsewhere")).unwrap();
    assert!(project.run("plan --offline --migrations elsewhere").ends_with(0).out.contains("rename_user_name"));
}

#[test]
fn an_empty_folder_has_nothing_to_show() {
    let project = Project::new();
    fs::create_dir(project.path("migrations")).unwrap();
    assert_eq!(project.run(READ).ends_with(0).out, "");
}

#[test]
fn what_is_no_change_is_left_alone() {
    let project = Project::with(&[rename()]);
    fs::write(project.path("migrations/README.md"), "ours").unwrap();
    fs::create_dir(project.path("migrations/other_tool")).unwrap();
    fs::write(project.path("migrations/other_tool/up.sql"), "select 1").unwrap();
    project.run(READ).ends_with(0);
}

#[test]
fn a_file_that_was_edited_by_hand_is_refused_with_its_line() {
    let project = Project::with(&[rename()]);
    edit(&project, "rename_user_name/1_expand.sql", |text| text.replacen("text", "varchar", 1));
    let expected = fs::read_to_string(project.path("migrations/rename_user_name/1_expand.sql")).unwrap();
    let line = 1 + expected.lines().position(|line| line.contains("varchar")).unwrap();
    project
        .run(READ)
        .ends_with(4)
        .says(&format!("migrations/rename_user_name/1_expand.sql was edited by hand, or written by another version of coexist: line {line} "))
        .says("help: change the declaration instead");
}

#[test]
fn a_change_that_can_be_trusted_runs_although_another_cannot() {
    let project = Project::with(&[rename(), split()]);
    edit(&project, "split_users/verify.sql", |text| format!("{text}\n"));
    project.run("plan --offline rename_user_name").ends_with(0);
    project.run("plan --offline split_users").ends_with(4);
    project.run(READ).ends_with(4);
}

#[test]
fn a_missing_file_is_refused() {
    let project = Project::with(&[rename()]);
    fs::remove_file(project.path("migrations/rename_user_name/rollback.sql")).unwrap();
    project.run(READ).ends_with(4).says("migrations/rename_user_name/rollback.sql is missing");
}

#[test]
fn a_missing_plan_is_refused() {
    let project = Project::with(&[rename()]);
    fs::remove_file(project.path("migrations/rename_user_name/change.toml")).unwrap();
    project.run(READ).ends_with(4).says("cannot read migrations/rename_user_name/change.toml");
}

#[test]
fn a_contract_before_its_stage_is_refused() {
    let project = Project::with(&[rename()]);
    fs::write(project.path("migrations/rename_user_name/5_contract.sql"), "drop table users;").unwrap();
    project.run(READ).ends_with(4).says("5_contract.sql is there, and the plan of the change has none");
}

#[test]
fn a_plan_that_is_not_toml_is_refused_with_its_line() {
    let project = Project::with(&[rename()]);
    edit(&project, "rename_user_name/change.toml", |text| text.replacen("way = ", "way : ", 1));
    project.run(READ).ends_with(4).says("migrations/rename_user_name/change.toml:6: not TOML");
}

#[test]
fn a_plan_that_was_edited_is_refused() {
    let project = Project::with(&[rename()]);
    edit(&project, "rename_user_name/change.toml", |text| {
        text.replace("column full_name text", "column full_name varchar")
    });
    project.run(READ).ends_with(4).says("was edited by hand, or merged");
}

#[test]
fn a_plan_in_a_folder_of_another_name_is_refused() {
    let project = Project::with(&[rename()]);
    fs::rename(project.path("migrations/rename_user_name"), project.path("migrations/rename")).unwrap();
    project.run(READ).ends_with(4).says("is the plan of change `rename_user_name`, in a folder of another name");
}

#[test]
fn changes_come_after_those_that_they_build_on() {
    let first = Plan { change: "z_first".into(), ..rename() };
    let second = Plan { change: "a_second".into(), after: vec!["z_first".into()], ..split() };
    let plans = Project::with(&[second, first]).run("plan --offline --json").ends_with(0).json();
    let names: Vec<&str> = plans["changes"].as_array().unwrap().iter().map(|c| c["change"].as_str().unwrap()).collect();
    assert_eq!(names, ["z_first", "a_second"]);
}

#[test]
fn the_stage_may_move_while_the_plan_stays() {
    let project = Project::with(&[rename()]);
    project.write(&[Plan { stage: Stage::Contract, ..rename() }]);
    assert!(project.path("migrations/rename_user_name/5_contract.sql").exists());
    project.run(READ).ends_with(0);
}
