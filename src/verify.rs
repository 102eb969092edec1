//! Compares the two shapes, row by row, in bounded pieces: no snapshot lives longer than one of them.

use std::ops::ControlFlow;
use std::time::Duration;

use coexist_core::plan::{Backfill, Phase};
use postgres::Transaction;

use crate::database::Limits;
use crate::error::Result;
use crate::event::Event;
use crate::ledger::{self, Reconciliation};
use crate::pieces::compare::{Reader, compare};
use crate::runner::Run;

/// How many keys of rows that differ are kept.
const SAMPLES: usize = 20;

/// The last comparison that still counts: none of the change's steps was done after it.
pub(crate) fn latest(run: &mut Run) -> Result<Option<Reconciliation>> {
    let (plan, change) = (run.plan, run.change());
    let contract: Vec<&str> = plan.steps_to(Phase::Contracted).map(|step| step.id.as_str()).collect();
    run.ledger("reading the comparisons", |tx| ledger::evidence::latest_reconciliation(tx, change, &contract))
}

/// Compares every row, and records the result.
pub(crate) fn verify(run: &mut Run) -> Result<Reconciliation> {
    let (plan, change) = (run.plan, run.change());
    let (id, after_step) = run.ledger("recording the comparison", |tx| {
        let after_step = ledger::step::last_done(tx, change)?;
        let id = ledger::evidence::begin_reconciliation(tx, change, after_step.as_deref())?;
        Ok((id, after_step))
    })?;
    let mut found = Findings::default();
    let options = run.options;
    for reconcile in &plan.reconcile {
        compare(run, reconcile, |piece| {
            found.rows += piece.rows;
            found.mismatches += piece.mismatches;
            let room = SAMPLES.saturating_sub(found.samples.len());
            found.samples.extend(piece.samples.iter().take(room).map(|key| format!("{} {key}", reconcile.table)));
            options.tell(Event::Compared {
                title: reconcile.title.clone(),
                rows: found.rows,
                mismatches: found.mismatches,
            });
            ControlFlow::Continue(())
        })?;
    }
    run.ledger("recording the comparison", |tx| {
        ledger::evidence::finish_reconciliation(tx, change, id, found.rows, found.mismatches, &found.samples)?;
        ledger::evidence::fold_conflicts(tx, change)
    })?;
    Ok(Reconciliation {
        rows: found.rows,
        mismatches: found.mismatches,
        samples: found.samples,
        after_step,
        age: Duration::ZERO,
    })
}

/// Takes out of quarantine what was mended since.
pub(crate) fn release_mended(run: &mut Run) -> Result<()> {
    let (plan, change) = (run.plan, run.change());
    for held in run.ledger("reading the quarantine", |tx| ledger::evidence::quarantined(tx, change))? {
        for backfill in &plan.backfill {
            let Backfill::Update { table, set, key, .. } = backfill else { continue };
            if table.to_string() == held.table && !key.is_empty() {
                let conversion = set.iter().find(|(column, _)| *column == held.column).map(|(_, sql)| sql.as_str());
                run.ledger("looking after the quarantine", |tx| {
                    ledger::evidence::look_again(tx, change, table, key, &held.column, conversion)
                })?;
            }
        }
    }
    Ok(())
}

/// What all pieces came to so far.
#[derive(Clone, Debug, Default)]
struct Findings {
    rows: i64,
    mismatches: i64,
    samples: Vec<String>,
}

impl Reader for Run<'_> {
    fn server(&self) -> u32 {
        self.session.server
    }

    fn read<T>(&mut self, doing: &str, mut work: impl FnMut(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let limits = Limits { lock: Some(self.options.lock_timeout), statement: None };
        self.persist("verify", |run, _| run.transaction(limits, doing, &mut work))
    }
}
