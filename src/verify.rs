//! Compares the two shapes, row by row, in bounded pieces: no snapshot lives longer than one of them.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Backfill, Phase, Reconcile};

use crate::database::{Limits, Transaction};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::{self, Reconciliation};
use crate::options::Options;
use crate::pieces::compare::{self, Compared, Reader, Stretch, compare};
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
    for reconcile in &plan.reconcile {
        let comparison = Comparison::new(reconcile, compare::stretches(run, reconcile)?, found);
        comparison.go_through(run)?;
        found = comparison.look_again(run)?;
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
            let Backfill::Update { table, set, conversions, key, .. } = backfill else { continue };
            if table.to_string() == held.table && !key.is_empty() {
                let mut conversions = conversions.iter().chain(set);
                let conversion = conversions.find(|(column, _)| *column == held.column).map(|(_, sql)| sql.as_str());
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

impl Findings {
    fn add_mismatches(&mut self, table: &QualifiedName, piece: &Compared) {
        self.mismatches += piece.mismatches;
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(piece.samples.iter().take(room).map(|key| format!("{table} {key}")));
    }
}

/// One comparison, which several sessions share.
struct Comparison<'a> {
    reconcile: &'a Reconcile,
    state: Mutex<State>,
    /// Ends the work of all of them, between two pieces.
    end: Arc<AtomicBool>,
}

struct State {
    /// What nobody went through yet.
    left: VecDeque<Stretch>,
    found: Findings,
    /// Pieces in which rows differed, to be looked at again.
    differing: Vec<(Stretch, Compared)>,
}

impl<'a> Comparison<'a> {
    fn new(reconcile: &'a Reconcile, stretches: Vec<Stretch>, found: Findings) -> Self {
        let state = State { left: stretches.into(), found, differing: Vec::new() };
        Self { reconcile, state: Mutex::new(state), end: Arc::default() }
    }

    /// Reads every row once.
    fn go_through(&self, run: &mut Run) -> Result<()> {
        let seat = run.seat();
        let helpers = run.options.readers.min(self.lock().left.len()).saturating_sub(1);
        let options = Options { stop: Arc::clone(&self.end), ..run.options.clone() };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..helpers)
                .map(|_| {
                    scope.spawn(|| {
                        let mut session = seat.open(&options)?;
                        self.work(&mut Run::beside(&seat, &options, &mut session, seat.runner))
                    })
                })
                .collect();
            let mut result = self.work(run);
            for thread in threads {
                // One that was stopped was stopped because another one failed.
                match thread.join().unwrap_or_else(|panic| resume_unwind(panic)) {
                    Ok(()) => {}
                    Err(error) if result.is_ok() || matches!(result, Err(Error::Stopped { .. })) => result = Err(error),
                    Err(_) => {}
                }
            }
            result
        })
    }

    fn work(&self, run: &mut Run) -> Result<()> {
        let mut size = compare::first_size(self.reconcile);
        loop {
            let Some(stretch) = self.lock().left.pop_front() else { return Ok(()) };
            let options = run.options;
            let gone_through = compare(run, self.reconcile, &stretch, &mut size, |piece, compared| {
                options.tell(self.note(piece, compared));
                if self.end.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            match gone_through {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.end.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }

    fn note(&self, piece: Stretch, compared: Compared) -> Event {
        let mut state = self.lock();
        state.found.rows += compared.rows;
        if compared.mismatches > 0 {
            state.differing.push((piece, compared));
        }
        let differing: i64 = state.differing.iter().map(|(_, compared)| compared.mismatches).sum();
        Event::Compared {
            title: self.reconcile.title.clone(),
            rows: state.found.rows,
            mismatches: state.found.mismatches + differing,
        }
    }

    /// Looks again at the pieces in which rows differed: those that somebody mended meanwhile are none of it. Without a key a row may have gone
    /// elsewhere by now, and then what was seen first counts.
    fn look_again(self, run: &mut Run) -> Result<Findings> {
        let State { mut found, differing, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut size = compare::first_size(self.reconcile);
        for (piece, first) in differing {
            if matches!(piece, Stretch::Blocks { .. }) {
                found.add_mismatches(&self.reconcile.table, &first);
                continue;
            }
            compare(run, self.reconcile, &piece, &mut size, |_, compared| {
                found.add_mismatches(&self.reconcile.table, &compared);
                ControlFlow::Continue(())
            })?;
        }
        Ok(found)
    }

    /// A panic elsewhere leaves nothing half done in there.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for Run<'_> {
    fn server(&self) -> u32 {
        self.session.server
    }

    fn read<T>(&mut self, doing: &str, mut work: impl FnMut(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        let limits = Limits { lock: Some(self.options.lock_timeout), statement: None };
        self.persist("verify", |run, _| run.uncancelled(doing, |run| run.transaction(limits, doing, &mut work)))
    }
}
