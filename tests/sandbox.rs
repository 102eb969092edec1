//! The throw-away server: what it gives, and that nothing of it stays behind, however its process ends.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use coexist::sandbox::{Error, Sandbox};
use postgres::{Client, NoTls};
use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use support::wait_until;

#[test]
fn each_database_is_fresh_and_removed_on_drop() {
    let server = Sandbox::shared().unwrap();
    let one = server.database("fresh").unwrap();
    let two = server.database("fresh").unwrap();
    assert_ne!(one.name(), two.name());
    one.connect().unwrap().batch_execute("create table t ()").unwrap();
    let mut client = two.connect().unwrap();
    assert_eq!(number(&mut client, "select count(*) from pg_class where relname = 't'"), 0);

    let count = format!("select count(*) from pg_database where datname = '{}'", one.name());
    assert_eq!(number(&mut client, &count), 1);
    let _still_connected = one.connect().unwrap();
    drop(one);
    assert_eq!(number(&mut client, &count), 0);
}

#[test]
fn any_hint_makes_a_valid_name_and_url() {
    let server = Sandbox::shared().unwrap();
    let long = "é".repeat(100);
    for hint in ["", "With Space", "quote\"'; drop table t", "a/b?c=d&e", &long] {
        let database = server.database(hint).unwrap();
        let mut client = Client::connect(&database.url(), NoTls).unwrap();
        let name: String = client.query_one("select current_database()::text", &[]).unwrap().get(0);
        assert_eq!(name, database.name());
    }
}

#[test]
fn the_server_is_what_it_says_and_private() {
    let server = Sandbox::shared().unwrap();
    let database = server.database("settings").unwrap();
    let mut client = database.connect().unwrap();
    let major = number(&mut client, "select current_setting('server_version_num')::bigint / 10000");
    assert_eq!(major, i64::from(server.version()));
    let settings = [
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("max_connections", "200"),
        ("fsync", "off"),
        ("autovacuum", "on"),
        ("TimeZone", "UTC"),
    ];
    for (name, expected) in settings {
        let value: String = client.query_one("select current_setting($1)", &[&name]).unwrap().get(0);
        assert_eq!(value, expected, "{name}");
    }
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(server.socket_dir()), 0o700);
    assert_eq!(mode(&server.socket_dir().join("data")), 0o700);
    assert!(server.log().unwrap().contains("database system is ready to accept connections"));
}

#[test]
fn settings_reach_the_server_as_they_are() {
    let odd = r"it's a \ 'test'";
    let server = Sandbox::builder().setting("wal_level", "logical").setting("coexist.odd", odd).start().unwrap();
    let database = server.database("settings").unwrap();
    let mut client = database.connect().unwrap();
    let row = client.query_one("select current_setting('wal_level'), current_setting('coexist.odd')", &[]).unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("logical", odd));
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = Sandbox::builder().setting("wal_level", "nonsense").start().unwrap_err();
    assert!(matches!(error, Error::Server { what: "started", .. }), "{error}");
    assert!(error.to_string().contains("invalid value for parameter \"wal_level\""), "{error}");
}

#[test]
fn a_version_that_is_not_there_is_an_error_with_all_that_was_found() {
    let error = Sandbox::builder().major(12).start().unwrap_err().to_string();
    assert!(error.starts_with("no PostgreSQL 12 server binaries (initdb, pg_ctl, postgres) found"), "{error}");
    let own = format!("has version {}", Sandbox::shared().unwrap().version());
    assert!(error.contains(&own), "{error}");
}

#[test]
fn data_outlives_a_stop_and_a_crash() {
    let mut server = Sandbox::start().unwrap();
    let database = server.database("crash").unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute("create table t as select 1 as n").unwrap();

    server.stop().unwrap();
    assert!(client.batch_execute("select 1").is_err());
    assert!(database.connect().is_err());
    server.restart().unwrap();
    let mut client = database.connect().unwrap();
    assert_eq!(number(&mut client, "select count(*) from t"), 1);

    client.batch_execute("insert into t values (2)").unwrap();
    let mut open = database.connect().unwrap();
    let mut transaction = open.transaction().unwrap();
    transaction.batch_execute("insert into t values (3)").unwrap();
    server.kill().unwrap();
    assert!(client.batch_execute("select 1").is_err());
    assert!(transaction.commit().is_err());
    server.restart().unwrap();
    assert_eq!(number(&mut database.connect().unwrap(), "select count(*) from t"), 2);
    assert!(server.log().unwrap().contains("database system was not properly shut down"));

    server.restart().unwrap(); // while it runs
    assert_eq!(number(&mut database.connect().unwrap(), "select count(*) from t"), 2);
    server.stop().unwrap();
    assert!(server.stop().unwrap_err().to_string().contains("could not be stopped"));
}

#[test]
fn dropping_it_removes_everything_but_a_database_keeps_it() {
    let server = Sandbox::start().unwrap();
    let folder = server.socket_dir().to_owned();
    let database = server.database("kept").unwrap();
    drop(server);
    let mut client = database.connect().unwrap();
    drop(database);
    assert!(!folder.exists());
    assert!(client.batch_execute("select 1").is_err());
}

#[test]
fn a_temporary_folder_with_a_long_path_is_passed_over() {
    let parent = open_folder();
    let long = parent.path().join("x".repeat(100));
    std::fs::create_dir(&long).unwrap();
    std::fs::set_permissions(&long, PermissionsExt::from_mode(0o777)).unwrap();
    let other = Other::start(own_program(), "return", |command| command.env("TMPDIR", &long));
    assert!(other.folders.iter().all(|folder| !folder.starts_with(&long)), "{:?}", other.folders);
}

// How the process that owns a server may end.

#[test]
fn nothing_stays_after_the_process_returns() {
    nothing_stays("return", Other::proceed);
}

#[test]
fn nothing_stays_after_a_panic() {
    nothing_stays("panic", Other::proceed);
}

#[test]
fn nothing_stays_after_exit() {
    nothing_stays("exit", Other::proceed);
}

#[test]
fn nothing_stays_after_ctrl_c() {
    // A terminal sends the signal to the whole group.
    nothing_stays("wait", |other| kill_process_group(other.pid(), Signal::INT).unwrap());
}

#[test]
fn nothing_stays_after_sigterm() {
    nothing_stays("wait", |other| kill_process(other.pid(), Signal::TERM).unwrap());
}

#[test]
fn nothing_stays_after_kill_9() {
    nothing_stays("wait", |other| kill_process(other.pid(), Signal::KILL).unwrap());
}

#[test]
fn nothing_stays_after_kill_9_in_the_middle_of_the_start() {
    // The folder has just been made; the data directory is half made; the data directory is made.
    for file in ["log", "data/base", "data/PG_VERSION"] {
        let parent = open_folder();
        let mut other = other_process(own_program(), "wait").env("TMPDIR", parent.path()).spawn().unwrap();
        let folder = || std::fs::read_dir(parent.path()).unwrap().find_map(|entry| Some(entry.ok()?.path()));
        wait_until("the start has got so far", || folder().is_some_and(|folder| folder.join(file).exists()));
        other.kill().unwrap();
        other.wait().unwrap();
        wait_until("the folder is gone", || folder().is_none());
    }
}

#[test]
fn an_ordinary_user_can_start_one() {
    if !geteuid().is_root() {
        return; // then every other test here shows it
    }
    // The program itself may lie where that user cannot go.
    let folder = open_folder();
    let program = folder.path().join("program");
    // By another process: a child that is forked here while this one has the copy open for writing keeps it from being run (ETXTBSY).
    assert!(Command::new("cp").args([own_program(), program.clone()]).status().unwrap().success());
    let other = Other::start(program, "wait", |command| command.uid(65534).gid(65534));
    kill_process(other.pid(), Signal::KILL).unwrap();
    other.expect_nothing_left();
}

fn nothing_stays(role: &str, end: impl FnOnce(&mut Other)) {
    let mut other = Other::start(own_program(), role, |command| command);
    end(&mut other);
    other.expect_nothing_left();
}

/// Another process with two servers of its own, one that runs and one that is stopped.
struct Other {
    process: Child,
    /// One for each server.
    folders: Vec<PathBuf>,
    /// Connected to the server that runs.
    client: Client,
}

/// The environment variable that makes [`other_process_with_servers`] one.
const ROLE: &str = "COEXIST_TEST_ROLE";

/// Not a test but what [`Other`] runs.
#[test]
fn other_process_with_servers() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let shared = Sandbox::shared().unwrap();
    let mut own = Sandbox::start().unwrap();
    own.stop().unwrap();
    let database = shared.database("other").unwrap();
    let folders = [own.socket_dir(), shared.socket_dir()].map(Path::display);
    println!("\nready {} {} {}", database.url(), folders[0], folders[1]);
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match role.as_str() {
        "panic" => panic!("as asked"),
        "exit" => std::process::exit(3),
        _ => {}
    }
}

impl Other {
    /// Starts it and waits for its servers.
    fn start(program: PathBuf, role: &str, with: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut process = with(&mut other_process(program, role)).spawn().unwrap();
        let ready = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .find_map(|line| line.unwrap().strip_prefix("ready ").map(str::to_owned))
            .expect("the process ended early");
        let mut words = ready.split(' ');
        let client = Client::connect(words.next().unwrap(), NoTls).unwrap();
        Self { process, folders: words.map(PathBuf::from).collect(), client }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Lets it do what its role says.
    fn proceed(&mut self) {
        writeln!(self.process.stdin.take().unwrap()).unwrap();
    }

    fn expect_nothing_left(mut self) {
        self.process.wait().unwrap();
        for folder in &self.folders {
            wait_until("the folder is gone", || !folder.exists());
        }
        assert!(self.client.batch_execute("select 1").is_err(), "the server still runs");
    }
}

fn own_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn other_process(program: PathBuf, role: &str) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", "other_process_with_servers", "--nocapture"]).env(ROLE, role);
    command.current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A temporary folder that every user can write to.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    folder
}

fn number(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).unwrap().get(0)
}
