//! A run that is asked to stop, or killed, leaves a state from which the same command goes on.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::plans::{USERS, rename};
use super::support::{Project, Ran, eventually};

/// Makes every update of a row take a while, so that a backfill is caught in the middle.
const SLOW: &str = "
    create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.02); return new; end $$;
    create trigger slow before update on users for each row execute function slow();";

fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn backfilled(project: &Project) -> i64 {
    let rows = project
        .client()
        .query_one("select case when to_regclass('coexist.segments') is null then 0 else 1 end", &[])
        .unwrap()
        .get::<_, i32>(0);
    if rows == 0 {
        return 0;
    }
    project.client().query_one("select coalesce(sum(rows), 0)::int8 from coexist.segments", &[]).unwrap().get(0)
}

/// Starts `up`, and waits until it has filled some rows.
fn caught_in_the_middle() -> (Project, Child) {
    let project = Project::live(&[rename()], &format!("{USERS};{SLOW}"));
    let child = start(project.command("up --target-ms 20 --batch 1"));
    eventually("a first batch", || backfilled(&project) > 0);
    (project, child)
}

#[test]
fn h15_sigterm_and_ctrl_c_end_a_run_after_its_batch_with_6() {
    for asked in [Signal::TERM, Signal::INT] {
        let (project, child) = caught_in_the_middle();
        signal(&child, asked);
        let ran = Ran::from(child.wait_with_output().unwrap()).ends_with(6);
        assert!(ran.err.contains("stopping at the next safe point"), "{}", ran.err);
        assert!(ran.err.contains("run the same command again to go on"), "{}", ran.err);
        let filled = backfilled(&project);
        assert!((1..1000).contains(&filled), "{filled}");

        project.execute("drop trigger slow on users");
        project.run("status").ends_with(0);
        project.run("up").ends_with(0);
    }
}

#[test]
fn a_run_that_waits_for_a_lock_stops_at_once() {
    let project = Project::live(&[rename()], USERS);
    let mut reader = project.client();
    reader.batch_execute("begin; select from users").unwrap();
    let child = start(project.command("up --lock-timeout 30s"));
    eventually("it waits", || {
        project.client().query_one("select count(*) from pg_locks where not granted", &[]).unwrap().get::<_, i64>(0) > 0
    });
    signal(&child, Signal::TERM);
    Ran::from(child.wait_with_output().unwrap()).ends_with(6);
    reader.batch_execute("rollback").unwrap();
    project.run("up").ends_with(0);
}

#[test]
fn h03_a_run_that_was_killed_is_told_by_status_and_goes_on() {
    let (project, mut child) = caught_in_the_middle();
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    project.execute("drop trigger slow on users; update coexist.leases set expires_at = clock_timestamp()");
    let status = project.run("status").ends_with(0);
    assert!(status.out.contains("was cut off and last seen"), "{}", status.out);
    assert!(status.out.contains("coexist up rename_user_name"), "{}", status.out);
    project.run("up").ends_with(0);
    assert!(!project.run("status").ends_with(0).out.contains("was cut off"));
}
