//! A streaming standby whose replay is paused.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coexist::sandbox::Sandbox;
use coexist::{Limit, Options, Pace, PaceChange, Throttle};
use postgres::{Client, Config, NoTls};

use crate::plans::{USERS, rename};
use crate::world::{Told, World, eventually};

/// A standby in a folder beside its primary's socket, as the same user.
struct Standby {
    bin: PathBuf,
    folder: PathBuf,
    owner: (u32, u32),
}

impl Standby {
    fn of(sandbox: &Sandbox, bin: &Path) -> Self {
        let socket = sandbox.socket_dir();
        let about = socket.metadata().unwrap();
        let standby = Self { bin: bin.into(), folder: socket.join("standby"), owner: (about.uid(), about.gid()) };
        standby.run("pg_basebackup", &["-h", socket.to_str().unwrap(), "-U", "postgres", "-R", "-X", "stream", "-D"]);
        standby.start();
        standby
    }

    fn start(&self) {
        let log = self.folder.with_extension("log");
        self.run("pg_ctl", &["-o", "-p 5433", "-l", log.to_str().unwrap(), "-w", "start", "-D"]);
    }

    fn stop(&self) {
        self.run("pg_ctl", &["-m", "immediate", "-w", "stop", "-D"]);
    }

    /// One of the server's programs, with the folder as its last argument.
    fn run(&self, program: &str, arguments: &[&str]) {
        let status = Command::new(self.bin.join(program))
            .args(arguments)
            .arg(&self.folder)
            .current_dir("/")
            .uid(self.owner.0)
            .gid(self.owner.1)
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{program}");
    }

    fn client(&self, sandbox: &Sandbox) -> Client {
        Config::new()
            .host_path(sandbox.socket_dir())
            .port(5433)
            .user("postgres")
            .dbname("postgres")
            .connect(NoTls)
            .unwrap()
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where a server's programs are that make a standby; `None` where there are none on this machine.
fn programs() -> Option<&'static Path> {
    let bin = Path::new("/usr/lib/postgresql/15/bin");
    if !bin.join("pg_basebackup").exists() {
        eprintln!("skipped: there is no pg_basebackup in {}", bin.display());
        return None;
    }
    Some(bin)
}

#[test]
fn h07_a_backfill_holds_still_while_a_standby_lags() {
    let Some(bin) = programs() else { return };
    let sandbox = Sandbox::builder().bin_dir(bin).start().unwrap();
    let standby = Standby::of(&sandbox, bin);
    let world = World { database: sandbox.database("lag").unwrap(), server: sandbox.version() };
    world.execute(USERS);
    let plan = coexist::plan::Plan { batch: Some(1), ..rename() };
    let mut other = world.runner();
    other.expand(&plan).unwrap();
    other.dual_write(&plan).unwrap();
    let streams = "pg_stat_replication where state = 'streaming'";
    eventually("the standby streams", || world.count(streams) == 1);
    let mut replica = standby.client(&sandbox);
    replica.batch_execute("select pg_wal_replay_pause()").unwrap();
    eventually("replay is paused", || {
        replica.query_one("select pg_get_wal_replay_pause_state()", &[]).unwrap().get::<_, String>(0) == "paused"
    });

    let told = Told::default();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    // So slow that it is not done before the standby lags.
    let pace = Pace::default().limit(Throttle::ReplicaLag, Limit::above(1.0)).rows_per_second(100.0);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &pace));
        eventually("it holds still", || told.text().contains("holding still: replica lag is"));
        assert!(world.count("users where full_name is null") > 0);
        eventually("it is known how far the standby lags", || {
            let running = other.status(&plan).unwrap().progress.unwrap().running.unwrap();
            running.lag.is_some_and(|lag| lag > 1.0) && running.held == ["replica lag"]
        });
        replica.batch_execute("select pg_wal_replay_resume()").unwrap();
        eventually("it goes on", || told.text().contains("resumed"));
        standby.stop();
        eventually("it holds still without it", || told.text().contains("which cannot be seen any more"));
        assert!(world.count("users where full_name is null") > 0);
        standby.start();
        other.set_pace(&plan.change, &PaceChange { rows_per_second: Some(1e9), ..PaceChange::default() }).unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is null"), 0);
}

#[test]
fn h02_a_run_goes_on_at_the_standby_that_was_promoted() {
    let Some(bin) = programs() else { return };
    let mut sandbox = Sandbox::builder().bin_dir(bin).start().unwrap();
    let standby = Standby::of(&sandbox, bin);
    let world = World { database: sandbox.database("failover").unwrap(), server: sandbox.version() };
    world.execute(USERS);
    let plan = coexist::plan::Plan { batch: Some(1), ..rename() };
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    runner.dual_write(&plan).unwrap();
    drop(runner);

    let failed_over = Arc::new(AtomicBool::new(false));
    let (moved, before, mut after) = (Arc::clone(&failed_over), world.database.config(), world.database.config());
    after.port(5433);
    let there = after.clone();
    let database = coexist::Database::opened_by(move || {
        if moved.load(Ordering::SeqCst) { after.connect(NoTls) } else { before.connect(NoTls) }
    });
    let told = Told::default();
    let mut runner = coexist::Runner::new(database, Options::default().on_event(told.observer())).unwrap();
    // Held still at first, so that it is not done before the server is gone.
    let pace = Pace::default().rows_per_second(200.0);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &pace));
        eventually("the standby has a batch", || {
            let batches = "select coalesce(sum(batches), 0)::bigint > 0 from coexist.segments";
            there.connect(NoTls).is_ok_and(|mut client| client.query_one(batches, &[]).is_ok_and(|row| row.get(0)))
        });
        sandbox.kill().unwrap();
        failed_over.store(true, Ordering::SeqCst);
        eventually("it finds only a standby", || told.text().contains("connection lost"));
        assert!(!run.is_finished(), "it waits for a primary");
        standby.run("pg_ctl", &["-w", "promote", "-D"]);
        run.join().unwrap().unwrap();
    });
    let mut client = there.connect(NoTls).unwrap();
    let filled = "select count(*) filter (where full_name is distinct from name), (select sum(rows)::bigint from coexist.segments) from users";
    let row = client.query_one(filled, &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 1000), "each row once");
}
