//! A folder of changes, a database, and the command run as a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use coexist::catalog::{self, CatalogDump};
use coexist::plan::Plan;
use coexist::sandbox::{Database, Sandbox};
use coexist_core::render::files::files;
use postgres::Client;
use serde_json::Value;
use tempfile::TempDir;

/// A place to run the command in, with nothing of this process's environment.
pub struct Project {
    pub folder: TempDir,
    environment: Vec<(String, String)>,
    database: Option<Database>,
}

impl Project {
    /// An empty folder, and no database.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), environment: Vec::new(), database: None }
    }

    /// The folder of some changes, and a database of these tables in `DATABASE_URL`.
    pub fn live(plans: &[Plan], schema: &str) -> Self {
        let database = Sandbox::shared().unwrap().database("command").unwrap();
        database.connect().unwrap().batch_execute(schema).unwrap();
        let url = database.url();
        let project = Self { database: Some(database), ..Self::new() }.env("DATABASE_URL", &url);
        project.write(plans);
        project
    }

    /// The folder of some changes, and no database.
    pub fn with(plans: &[Plan]) -> Self {
        let project = Self::new();
        project.write(plans);
        project
    }

    /// With a variable in the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes `migrations/`, as a build does.
    pub fn write(&self, plans: &[Plan]) {
        for plan in plans {
            let folder = self.path("migrations").join(&plan.change);
            fs::create_dir_all(&folder).unwrap();
            for file in files(plan) {
                fs::write(folder.join(file.name), file.text).unwrap();
            }
        }
    }

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    pub fn client(&self) -> Client {
        self.database().connect().unwrap()
    }

    /// What the catalog says about everything but the ledger.
    pub fn catalog(&self) -> CatalogDump {
        catalog::dump(&mut self.client(), &["coexist"]).unwrap()
    }

    /// Ends all sessions, and lets nobody in; or lets them in again.
    pub fn let_in(&self, allowed: bool) {
        let (name, other) = (self.database().name(), Sandbox::shared().unwrap().database("admin").unwrap());
        let mut admin = other.connect().unwrap();
        admin.batch_execute(&format!("alter database {name} allow_connections {allowed}")).unwrap();
        if !allowed {
            admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", &[&name]).unwrap();
        }
    }

    pub fn execute(&self, sql: &str) {
        self.client().batch_execute(sql).unwrap();
    }

    /// The command, to be started.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coexist"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, arguments: &str) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }
}

/// Waits until `condition` holds. The limit is for a test that would hang, not for a slow machine.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(120), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }
}

impl Ran {
    /// Fails unless it ended with `code`.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Fails unless standard error says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.err.contains(text), "not `{text}`, but:\n{}", self.err);
        self
    }

    /// The only JSON document, or the last line of several.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.out.lines().last().unwrap()).unwrap()
    }

    /// Every line, as JSON.
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
