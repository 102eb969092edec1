//! What is printed.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::changes::{Agreement, Changes, StepTook};
use crate::database::ShopDatabase;
use crate::fleet::{Clients, Version};
use crate::load::Call;
use crate::text::{count, milliseconds, seconds, wrapped};
use crate::timeline::{Chapter, Timeline};

/// How wide a line may be.
const WIDTH: usize = 98;

/// How many problems are shown one by one.
const PROBLEMS: usize = 10;

/// How it went.
pub struct Outcome {
    failed: usize,
    lost: usize,
    differ: i64,
}

impl Outcome {
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.lost == 0 && self.differ == 0
    }
}

/// What there is, and what will change.
pub fn introduction(database: &ShopDatabase, users: u64) {
    println!(
        "A shop on PostgreSQL {}, with {users} users and {users} orders. Four instances of its service read
and write all the time, as a role that owns no table. Three changes of its schema at once:

    rename_user_name     users.name                   becomes  users.full_name
    widen_order_total    orders.total integer         becomes  orders.total_cents bigint
    split_user_profile   users.bio, users.avatar_url  become   a table of their own, profiles

     time  instances    what happens",
        database.server_version(),
        users = count(users),
    );
}

/// The tables at the end.
pub fn print(
    timeline: &Timeline,
    clients: &Clients,
    changes: &Changes,
    agreement: &[Agreement],
    catalog: &str,
) -> Outcome {
    print_operations(timeline, clients);
    print_locks(timeline, changes.steps());
    print_agreement(agreement);
    print_catalog(catalog);
    let outcome = Outcome {
        failed: clients.calls().filter(|call| call.error.is_some()).count(),
        lost: clients.lost().count(),
        differ: agreement.iter().map(|agreement| agreement.differ).sum(),
    };
    print_result(clients, &outcome);
    outcome
}

fn print_operations(timeline: &Timeline, clients: &Clients) {
    println!("\nOPERATIONS  as the clients of the service saw them\n");
    let line = |cells: [&str; 9]| {
        let [phase, begins, lasts, version, operations, failed, median, most, longest] = cells;
        print!("  {phase:<12}{begins:>8}{lasts:>9}  {version:<7}");
        println!("{operations:>12}{failed:>8}{median:>11}{most:>11}{longest:>11}");
    };
    line(["phase", "begins", "lasts", "version", "operations", "failed", "median", "99 %", "longest"]);
    for chapter in timeline.chapters() {
        let begins = format!("{} s", seconds(chapter.from));
        let lasts = format!("{} s", seconds(chapter.to - chapter.from));
        let mut phase = [chapter.name, &begins, &lasts];
        for version in Version::ALL {
            let calls = calls_in(&chapter, version, timeline, clients);
            if calls.is_empty() {
                continue;
            }
            let failed = calls.iter().filter(|call| call.error.is_some()).count();
            let mut took: Vec<Duration> = calls.iter().map(|call| call.took).collect();
            took.sort_unstable();
            line([
                phase[0],
                phase[1],
                phase[2],
                &version.to_string(),
                &count(calls.len() as u64),
                &failed.to_string(),
                &latency(&took, 0.5),
                &latency(&took, 0.99),
                &latency(&took, 1.0),
            ]);
            phase = [""; 3];
        }
    }
}

fn calls_in<'a>(chapter: &Chapter, version: Version, timeline: &Timeline, clients: &'a Clients) -> Vec<&'a Call> {
    let here = |call: &&Call| call.version == version && (chapter.from..chapter.to).contains(&timeline.at(call.at));
    clients.calls().filter(here).collect()
}

/// The latency that `part` of the calls did not exceed.
fn latency(sorted: &[Duration], part: f64) -> String {
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * part).round() as usize;
    format!("{} ms", milliseconds(sorted.get(at).copied().unwrap_or_default()))
}

fn print_locks(timeline: &Timeline, steps: &[StepTook]) {
    println!("\nLOCKS  each step that reads or writes had to wait for, and at most how long\n");
    let line = |cells: [&str; 5]| {
        let [begins, change, step, waits, took] = cells;
        println!("  {begins:>7}  {change:<19}{step:<34}{waits:<26}{took:>8}");
    };
    line(["begins", "change", "step", "what waits", "took"]);
    let (locking, others): (Vec<_>, Vec<_>) = steps.iter().partition(|step| step.blocks_rows());
    for step in locking {
        let undo = if step.undo { "undo " } else { "" };
        line([
            &format!("{} s", seconds(timeline.at(step.began))),
            &step.change,
            &format!("{undo}{}", step.step),
            &waits_for(step),
            &format!("{} ms", milliseconds(step.took)),
        ]);
        if !step.waited.is_zero() {
            line(["", "", "  of it, waiting itself", "", &format!("{} ms", milliseconds(step.waited))]);
        }
    }
    println!("\n  For {} other steps nobody had to wait.", others.len());
}

/// `reads and writes of users`
fn waits_for(step: &StepTook) -> String {
    let tables: BTreeSet<&str> = step.locks.iter().map(|lock| lock.table.name.as_str()).collect();
    let what = if step.blocks_reads() { "reads and writes of" } else { "writes of" };
    format!("{what} {}", tables.into_iter().collect::<Vec<_>>().join(", "))
}

fn print_agreement(agreement: &[Agreement]) {
    println!("\nSHAPES  before and after, row by row, when the last of version 2 was gone\n");
    for Agreement { change, rows, differ } in agreement {
        println!("  {change:<20}{:>8} rows compared, {differ} differ", count(rows.unsigned_abs()));
    }
}

fn print_catalog(difference: &str) {
    println!("\nCATALOG  at the end against the beginning: the new shapes, and nothing else\n");
    let lines = difference.lines().skip(2).map(|line| without_position(line).replace("public.", ""));
    let lines: Vec<String> = lines.collect();
    // Columns behind one that is gone move up.
    let has_moved = |line: &&String| {
        let sign = if line.starts_with('-') { '+' } else { '-' };
        lines.contains(&format!("{sign}{}", &line[1..]))
    };
    for line in lines.iter().filter(|line| !has_moved(line)) {
        println!("  {}", wrapped(line, WIDTH - 2, "      "));
    }
}

/// Without the number of a column: `#3 `.
fn without_position(line: &str) -> String {
    let is_position = |word: &str| word.strip_prefix('#').is_some_and(|digits| digits.parse::<u16>().is_ok());
    line.split(' ').filter(|word| !is_position(word)).collect::<Vec<_>>().join(" ")
}

/// What failed and what was lost, if anything was.
pub fn print_problems(clients: &Clients) {
    let failed = |call: &Call| call.error.as_ref().map(|error| format!("{} {error}", call.version));
    let problems: Vec<String> = clients.calls().filter_map(failed).chain(clients.lost().cloned()).collect();
    if !problems.is_empty() {
        println!("\nPROBLEMS  {} of {}\n", problems.len().min(PROBLEMS), problems.len());
        problems.iter().take(PROBLEMS).for_each(|problem| println!("  {}", wrapped(problem, WIDTH - 2, "      ")));
    }
}

fn print_result(clients: &Clients, outcome: &Outcome) {
    let (users, orders) = clients.rows();
    println!(
        "\nRESULT  {} operations, {} failed. {} users and {} orders, {} lost updates.",
        count(clients.calls().count() as u64),
        outcome.failed,
        count(users as u64),
        count(orders as u64),
        outcome.lost
    );
    println!("        The three versions are in examples/rolling_deploy/versions. What `cargo build` made of");
    println!("        the declaration in each is in its folder migrations.");
}
