//! `coexist status --watch`: what is seen of a change while somebody else works on it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::plans::{USERS, rename};
use super::support::{Project, eventually};

/// A command that goes on, and what it wrote so far.
struct Watching {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Watching {
    fn start(project: &Project, arguments: &str) -> Self {
        let mut child = project.command(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (lines, out) = (Arc::<Mutex<Vec<String>>>::default(), child.stdout.take().unwrap());
        let written = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                written.lock().unwrap().push(line);
            }
        });
        Self { child, lines }
    }

    fn last(&self) -> String {
        self.lines.lock().unwrap().last().cloned().unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.last()).unwrap_or_default()
    }

    /// Ends it as Ctrl-C does, with 0.
    fn end(mut self) -> Vec<String> {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        eventually("all is read", || Arc::strong_count(&self.lines) == 1);
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn for_programs_it_is_a_line_of_json_each_time() {
    let project = Project::live(&[rename()], USERS);
    let watching = Watching::start(&project, "status --watch=20ms --json");
    eventually("it begins", || watching.json()["changes"][0]["phase"] == "declared");
    project.run("up").ends_with(0);
    eventually("it sees what happened", || watching.json()["changes"][0]["phase"] == "validated");
    let lines = watching.end();
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (end, events) = lines.split_last().unwrap();
    assert!(events.iter().all(|line| line["event"] == "status" && line["at"].is_string()));
    assert_eq!((&end["command"], &end["exit"]), (&"status".into(), &"done".into()));
    assert_eq!(end["changes"][0]["backfill"]["rows"], 1000);
}

#[test]
fn without_a_terminal_it_is_a_line_where_there_is_news() {
    let project = Project::live(&[rename()], USERS);
    let watching = Watching::start(&project, "status --watch=20ms");
    eventually("it begins", || watching.last().ends_with("rename_user_name: declared"));
    project.run("up --to dual-writing").ends_with(0);
    project.run("pause rename_user_name").ends_with(0);
    eventually("it sees the pause", || watching.last().contains("dual-writing, paused"));
    project.run("resume rename_user_name").ends_with(0);
    eventually("it sees what happened", || watching.last().ends_with("rename_user_name: dual-writing"));
    let lines = watching.end();
    assert!(lines.iter().all(|line| !line.contains('\u{1b}')), "{lines:?}");
    let mut news = lines.clone();
    news.dedup();
    assert_eq!(news, lines);
}

#[test]
fn a_server_that_comes_back_is_asked_again() {
    let project = Project::live(&[rename()], USERS);
    let watching = Watching::start(&project, "status --watch=20ms --json");
    eventually("it begins", || watching.json()["event"] == "status");
    project.let_in(false);
    eventually("it says so", || watching.json()["event"] == "unreachable");
    project.let_in(true);
    eventually("it goes on", || watching.json()["event"] == "status");
    watching.end();
}
