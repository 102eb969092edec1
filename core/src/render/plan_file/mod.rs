//! The plan as a file, `change.toml`: what a build writes, people review, and a run reads back.
//!
//! The text is the same byte for byte for the same plan, and it carries a fingerprint of what the plan does. [`from_toml`] refuses a
//! file whose content no longer has that fingerprint: the SQL that runs is the SQL that was reviewed.

mod read;
mod write;

use std::fmt;

pub use read::from_toml;
pub use write::to_toml;

use crate::plan::{Plan, Stage};

/// The version of the file's layout; a file of another version is refused.
const FORMAT: i64 = 1;

/// Why a plan file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFileError {
    /// Where, 1-based; `None` where the whole file is meant.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for PlanFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for PlanFileError {}

/// Identifies what a plan does to a database: 16 hexadecimal digits.
///
/// Words for people (summary, way, titles, notes, promises), the pace, and the stage of the source code are not part of it: they may change while a change
/// is in flight. The rest is hashed as it stands in the file, so that the bytes people review are the bytes that count.
pub(crate) fn fingerprint(plan: &Plan) -> String {
    let mut plan = Plan {
        stage: Stage::Expand,
        summary: String::new(),
        way: String::new(),
        notes: Vec::new(),
        // They read, and refuse: what they find may be said better later on.
        probes: Vec::new(),
        expected: Vec::new(),
        batch: None,
        contract_by: None,
        ..plan.clone()
    };
    plan.steps.iter_mut().chain(&mut plan.retire).for_each(|step| step.title.clear());
    plan.reconcile.iter_mut().for_each(|reconcile| reconcile.title.clear());
    format!("{:016x}", crate::ident::fnv1a(write::body(&plan).as_bytes()))
}

#[cfg(test)]
mod tests;
