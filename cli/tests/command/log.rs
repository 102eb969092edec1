//! What `--log` writes to standard error.

use serde_json::Value;

use super::plans::{USERS, declared, rename};
use super::support::Project;

#[test]
fn spans_and_events_as_json() {
    let project = Project::live(&[rename()], USERS).env("COEXIST_LOG", "debug");
    let ran = project.run("up --json --log-format json").ends_with(0);
    let lines: Vec<Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let spans = |message: &str| -> Vec<String> {
        let line =
            lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("no {message}: {}", ran.err));
        line["spans"].as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(spans("phase reached"), ["change", "phase"]);
    assert_eq!(spans("statement"), ["change", "phase", "step"]);
    // A worker is a thread of its own.
    assert_eq!(spans("batch"), ["change", "phase", "batch"]);
    let batch = lines.iter().find(|line| line["message"] == "batch").unwrap();
    assert_eq!((&batch["level"], &batch["spans"][0]["change"]), (&"DEBUG".into(), &"rename_user_name".into()));
}

#[test]
fn its_level_can_be_chosen() {
    let project = Project::live(&[rename()], USERS);
    let ran = project.run("up --log info").ends_with(0);
    assert!(ran.err.contains("INFO change{change=\"rename_user_name\"}:phase{phase=\"expanded\"}"), "{}", ran.err);
    assert!(!ran.err.contains("DEBUG"), "{}", ran.err);
    project.run("up --log coexist=loud").ends_with(2).says("a level is expected");
}

#[test]
fn h83_no_row_is_in_it() {
    let schema = "create table users (email text primary key, code text)";
    let plan = declared(
        schema,
        "change number_codes {
            retype users.code to code_number: integer { forward \"code::integer\" or reject, backward \"code_number::text\" }
            stage expand;
        }",
    );
    let project = Project::live(&[plan], schema);
    project.execute("insert into users values ('ann@example.org', '1'), ('eve@example.org', '3')");
    let log = |phase: &str, code| {
        let ran = project.run(&format!("up --to {phase} --log trace --log-format json")).ends_with(code);
        let logged: Vec<&str> = ran.err.lines().filter(|line| line.starts_with('{')).collect();
        assert!(!logged.is_empty());
        for value in ["secret", "ann@", "bob@", "eve@"] {
            assert!(!logged.iter().any(|line| line.contains(value)), "{value}: {}", ran.err);
        }
        assert!(!ran.err.contains("secret"), "{}", ran.err);
        ran.err
    };
    log("dual-writing", 0);
    project.execute(
        "alter table users disable trigger user; insert into users values ('bob@example.org', 'secret');
        alter table users enable trigger user",
    );
    // The row is named to who runs it, and to nobody else.
    let said = log("backfilled", 1);
    assert!(said.contains("bob@example.org"), "{said}");
    assert!(said.contains("\"class\":\"failed\",\"sqlstate\":\"22P02\""), "{said}");
}
