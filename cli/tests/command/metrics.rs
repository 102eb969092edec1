//! Metrics for Prometheus.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use super::plans::{USERS, rename};
use super::support::{Project, eventually};

/// Each sample has a family with help and type, by Prometheus' conventions for names.
#[track_caller]
fn is_well_formed(text: &str) {
    let names = |kind: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(kind));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let (helps, types) = (names("# HELP "), names("# TYPE "));
    assert_eq!(helps, types);
    let samples: BTreeSet<String> = (text.lines().filter(|line| !line.starts_with('#')))
        .map(|line| line.split(['{', ' ']).next().unwrap().to_owned())
        .collect();
    assert_eq!(samples, types, "{text}");
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(name.starts_with("coexist_"), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
    }
}

#[test]
fn in_a_file_that_is_replaced() {
    let project = Project::live(&[rename()], USERS);
    project.run("up --to dual-writing --metrics coexist.prom").ends_with(0);
    let path = project.path("coexist.prom");
    let before = fs::read_to_string(&path).unwrap();
    is_well_formed(&before);
    assert!(before.contains("coexist_change_phase{change=\"rename_user_name\",phase=\"dual-writing\"} 1"), "{before}");
    project.run("up --metrics coexist.prom").ends_with(0);
    let after = fs::read_to_string(&path).unwrap();
    is_well_formed(&after);
    for sample in [
        "coexist_database_up 1",
        "coexist_change_phase{change=\"rename_user_name\",phase=\"validated\"} 1",
        "coexist_change_phase{change=\"rename_user_name\",phase=\"dual-writing\"} 0",
        "coexist_backfill_rows_total{change=\"rename_user_name\"} 1000",
        "coexist_backfill_progress_ratio{change=\"rename_user_name\"} 1",
        "coexist_mismatched_rows{change=\"rename_user_name\"} 0",
    ] {
        assert!(after.lines().any(|line| line == sample), "not `{sample}`, but:\n{after}");
    }
    // Who collects them is another user.
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    let left: Vec<_> = fs::read_dir(project.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    project.run("up --metrics nowhere/coexist.prom").ends_with(1).says("cannot write nowhere/coexist.prom");
}

/// Ends a process with this value.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is answered to a request; empty where nobody answers.
fn ask(port: u16, request: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn over_http_on_this_machine() {
    let project = Project::live(&[rename()], USERS);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = project.command(&format!("status --watch --metrics 127.0.0.1:{port}"));
    let _watching = Ending(command.stdout(Stdio::null()).spawn().unwrap());
    eventually("it answers", || ask(port, "GET /metrics").contains("phase=\"declared\"} 1"));
    let answer = ask(port, "GET /metrics");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    is_well_formed(body);
    assert!(ask(port, "GET /").starts_with("HTTP/1.1 404"));
    assert!(ask(port, "POST /metrics").starts_with("HTTP/1.1 405"));
    project
        .run(&format!("status --metrics 127.0.0.1:{port}"))
        .ends_with(1)
        .says("metrics cannot be given at 127.0.0.1");

    // Where the database does not answer, it says just that.
    project.let_in(false);
    eventually("it says that nothing is known", || ask(port, "GET /metrics").contains("\ncoexist_database_up 0\n"));
    project.let_in(true);
    eventually("it is known again", || ask(port, "GET /metrics").contains("\ncoexist_database_up 1\n"));
}

#[test]
fn other_machines_are_given_none() {
    for address in ["0.0.0.0:9187", "[::]:9187", "db.example:9187"] {
        let ran = Project::new().run(&format!("up --metrics {address}")).ends_with(2);
        assert!(ran.err.contains("to this machine alone"), "{}", ran.err);
    }
}
