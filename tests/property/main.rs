//! Changes of every kind, several in flight, random writes of old and new code in random phases, sessions that end in the middle, and rollbacks
//! in between: what was written last is what both shapes say, and the catalog after a rollback is what it was. A failure shrinks to a
//! declaration and a history that can be read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[path = "../support/mod.rs"]
mod support;

mod declaration;
mod history;
mod kind;
mod kinds;
mod model;
mod piece;
mod world;

use std::env;
use std::thread;

use kind::Kind;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// How many changes share a database.
const TOGETHER: usize = 2;

/// How many histories happen at the same time, each on a database of its own.
const THREADS: usize = 2;

/// Each kind is in one history, beside others that chance chooses. There are more with `COEXIST_PROPERTY_ROUNDS`, and with
/// `COEXIST_PROPERTY_KIND` only those of kinds whose name has this in it.
#[test]
fn what_was_written_last_is_what_both_shapes_say() {
    let rounds = env::var("COEXIST_PROPERTY_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap());
    let wanted = env::var("COEXIST_PROPERTY_KIND").unwrap_or_default();
    let mut runner = TestRunner::new(Config::default());
    let mut shuffled = || Just(kinds::all()).prop_shuffle().new_tree(&mut runner).unwrap().current();
    let rounds: Vec<_> = (0..rounds).map(|_| shuffled()).collect();
    let together = rounds.iter().flat_map(|kinds| kinds.chunks(TOGETHER));
    let together: Vec<_> = together.filter(|kinds| kinds.iter().any(|kind| kind.name.contains(&wanted))).collect();
    let failures: Vec<String> = thread::scope(|scope| {
        let live = |n| together.iter().skip(n).step_by(THREADS).filter_map(|kinds| live(kinds)).collect::<Vec<_>>();
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || live(n))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// A history of these kinds, or the shortest of those that fail.
fn live(kinds: &[&'static Kind]) -> Option<String> {
    let config = Config { cases: 1, max_shrink_iters: 100, failure_persistence: None, ..Config::default() };
    let live = |case| world::World::live(&case).map_err(TestCaseError::fail);
    match TestRunner::new(config).run(&history::case(kinds), live) {
        Ok(()) => None,
        Err(TestError::Fail(why, case)) => Some(format!("{:?}\n\n{why}", case.kinds())),
        Err(TestError::Abort(why)) => Some(why.to_string()),
    }
}
