//! The JSON that programs read: `docs/command.md` shows the same shapes.

use serde_json::{Value, json};

use super::plans::{USERS, rename};
use super::support::Project;

/// With every number that depends on time or machine replaced by zero, every text that does by nothing.
fn stable(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(stable).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| {
                let varies = key.ends_with("_ms")
                    || key.ends_with("_seconds")
                    || key.contains("per_second")
                    || key.ends_with("_bytes")
                    || matches!(key.as_str(), "bytes" | "batch_rows" | "batches");
                let value = if varies && value.is_number() { json!(0) } else { stable(value) };
                (key.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&stable(value)).unwrap()
}

#[test]
fn of_status() {
    let project = Project::live(&[rename()], USERS);
    insta::assert_snapshot!("status_before", pretty(&project.run("status --json").ends_with(0).json()));
    project.run("up").ends_with(0);
    project.execute("alter table users disable trigger user; update users set name = 'x' where id = 7");
    project.run("verify").ends_with(7);
    insta::assert_snapshot!("status_after", pretty(&project.run("status --json").ends_with(0).json()));
}

#[test]
fn of_plan() {
    let project = Project::live(&[rename()], USERS);
    project.execute("analyze users");
    project.run("up --to expanded").ends_with(0);
    insta::assert_snapshot!("plan", pretty(&project.run("plan --json").ends_with(0).json()));
}

#[test]
fn of_a_run() {
    let project = Project::live(&[rename()], USERS);
    let ran = project.run("up --json").ends_with(0);
    assert_eq!(ran.err, "");
    let mut lines = ran.lines();
    // How far a build is, is told where it takes long enough. PostgreSQL 13 is asked at once where rows are pending, so its last pass, which
    // finds none, has no batch.
    lines.retain(|line| {
        line["event"] != "statement"
            && line["event"] != "building"
            && (line["event"] != "progress" || line["pass"] == 1)
    });
    // How many batches and pieces there are depends on the speed of the machine: the last one counts.
    lines.reverse();
    lines.dedup_by_key(|line| (line["event"].clone(), line["step"].clone(), line["phase"].clone()));
    lines.reverse();
    let lines: Vec<String> = lines.iter().map(|line| stable(line).to_string()).collect();
    insta::assert_snapshot!("up", lines.join("\n"));
}

#[test]
fn of_verify_that_finds_a_difference() {
    let project = Project::live(&[rename()], USERS);
    project.run("up").ends_with(0);
    project.execute("alter table users disable trigger user; update users set name = 'x' where id = 7");
    insta::assert_snapshot!("verify", pretty(&project.run("verify --json").ends_with(7).json()));
}

#[test]
fn of_a_failure() {
    let project = Project::live(&[rename()], USERS);
    let ran = project.run("contract rename_user_name --json").ends_with(4);
    insta::assert_snapshot!("failure", pretty(&ran.json()));
    assert!(ran.err.starts_with("error: the contract of change"), "{}", ran.err);
}

#[test]
fn quiet_leaves_results_and_errors() {
    let project = Project::live(&[rename()], USERS);
    let ran = project.run("up --quiet").ends_with(0);
    assert_eq!(ran.err, "");
    assert!(ran.out.starts_with("rename_user_name: validated"), "{}", ran.out);
    project.run("contract rename_user_name -q").ends_with(4).says("error: ");
}

#[test]
fn nobody_who_reads_is_no_reason_to_stop() {
    use std::process::Stdio;
    let project = Project::live(&[rename()], USERS);
    let mut child = project.command("up --json").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
