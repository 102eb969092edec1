//! What is found in a live database before a change is begun, and before each of its phases.
//!
//! `COEXIST_PG_BIN` chooses the server. Every test has a database of its own.
#![cfg(all(unix, feature = "sandbox"))]
// A test ends where something is not as it should be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../runtime/plans.rs"]
mod plans;
#[path = "../support/pooler.rs"]
mod pooler_of_ones_own;
#[path = "../runtime/world.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod world;

mod activity;
mod book;
mod dependents;
mod drift;
mod own;
mod pooler;
mod privileges;
mod replication;
mod room;
mod rows;
mod server;
mod statements;

use coexist::plan::Plan;
use coexist::{Finding, Severity};

use self::world::World;

/// A table with all kinds of things on the column that goes.
const SHOP: &str = "
    create table users (
        id bigint generated always as identity primary key,
        name text not null default 'x',
        email text,
        constraint users_name_check check (length(name) < 100),
        constraint users_name_key unique (name)
    );
    create index users_lower_idx on users (lower(name) desc nulls last) where name <> '';
    create statistics users_stats on name, email from users";

const RENAME: &str = "change rename_user_name { rename users.name to full_name; stage expand; }";

/// The plan of [`RENAME`] over [`SHOP`], and a database that is as declared.
fn shop(hint: &str) -> (World, Plan) {
    (World::new(hint, SHOP), plans::declared(SHOP, RENAME))
}

/// What is found, but for what every database has.
fn findings(world: &World, plan: &Plan) -> Vec<Finding> {
    let mut found = world.runner().check(plan).unwrap();
    found.retain(|finding| finding.severity > Severity::Informs);
    found
}

/// Fails unless exactly these are found, each as `id object`; answers with them.
#[track_caller]
fn finds(world: &World, plan: &Plan, expected: &[&str]) -> Vec<Finding> {
    let found = findings(world, plan);
    let names: Vec<String> = found.iter().map(|finding| format!("{} {}", finding.kind.id(), finding.object)).collect();
    let text: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(names, expected, "{}", text.join("\n"));
    found
}
