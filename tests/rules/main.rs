//! Changes of what a table says of its rows, on a real server: NOT NULL, constraints, defaults, comments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[path = "../support/mod.rs"]
mod support;

mod constrain;
mod keys;
mod references;
mod require;
mod settings;
mod together;

use coexist::plan::{Phase, Plan, Search};
use support::in_flight::InFlight;

/// What a change's probe of this id finds, each row as text.
fn found(db: &mut InFlight, id: &str) -> Vec<String> {
    let probe = db.plans.iter().flat_map(|plan| &plan.probes).find(|probe| probe.id == id).unwrap();
    let query = match &probe.search {
        Search::Groups { query, .. } => query.clone(),
        Search::Rows { table, key, join, condition } => {
            let key: Vec<String> = key.iter().map(|column| format!("source.\"{}\"", column.name)).collect();
            let join = join.as_ref().map(|(table, on)| format!("left join {} as target on {on}", table.quoted()));
            let (key, join) = (key.join(", "), join.unwrap_or_default());
            format!("select {key} from {} as source {join} where {condition} order by {key}", table.quoted())
        }
    };
    db.rows(&query)
}

/// The phase that the probe of this id keeps from coming.
fn blocks(plan: &Plan, id: &str) -> Phase {
    plan.probes.iter().find(|probe| probe.id == id).unwrap().blocks
}
