//! Compares the two shapes, row by row, in bounded pieces: no snapshot lives longer than one of them.

use std::time::{Duration, Instant};

use coexist_core::plan::{Backfill, Phase, Reconcile};
use coexist_core::render::statement::{self, MOST_LINES, Piece};
use postgres::Transaction;
use postgres::types::ToSql;

use crate::database::Limits;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::{self, Reconciliation};
use crate::pieces::keys::{self, Bounds, Key};
use crate::pieces::{PieceSize, blocks};
use crate::runner::Run;

/// How many keys of rows that differ are kept.
const SAMPLES: usize = 20;

/// How long one piece should take. Nothing is held meanwhile but a snapshot.
const PIECE: Duration = Duration::from_secs(1);

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
        if reconcile.key.is_empty() {
            by_position(run, reconcile, &mut found)?;
        } else {
            by_key(run, reconcile, &mut found)?;
        }
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

/// What one piece came to.
struct Compared {
    rows: i64,
    mismatches: i64,
    samples: Vec<String>,
}

fn by_position(run: &mut Run, reconcile: &Reconcile, found: &mut Findings) -> Result<()> {
    let piece = Piece::Blocks { from: "$1::bigint".into(), to: "$2::bigint".into(), lines: MOST_LINES.into() };
    for table in run.ledger("listing partitions", |tx| blocks::tables(tx, &reconcile.table))? {
        let sql = statement::reconcile_piece(reconcile, &table, &piece, run.session.server);
        let end = run.ledger("measuring the table", |tx| blocks::extent(tx, &table))?.blocks;
        let mut size = PieceSize::new(blocks::FIRST);
        let mut from = 0;
        while from < end {
            let to = end.min(from + size.get());
            compare(run, reconcile, &mut size, found, |tx| Ok((read(tx, &sql, &[&from, &to])?, ())))?;
            from = to;
        }
    }
    Ok(())
}

fn by_key(run: &mut Run, reconcile: &Reconcile, found: &mut Findings) -> Result<()> {
    let (table, key, server) = (&reconcile.table, reconcile.key.as_slice(), run.session.server);
    // Without a bound, a table that grows faster than it is read would keep us busy for ever.
    let Some(last) = run.ledger("finding the last key", |tx| keys::last(tx, table, key))? else { return Ok(()) };
    let mut size = PieceSize::new(keys::FIRST);
    let mut after: Option<Key> = None;
    loop {
        let rows = size.get();
        let end = compare(run, reconcile, &mut size, found, |tx| {
            let end = keys::end_of_piece(tx, table, key, after.as_ref(), &last, rows)?;
            let bounds = Bounds::new(key, after.as_ref(), end.as_ref().unwrap_or(&last));
            let sql = statement::reconcile_piece(reconcile, table, &bounds.piece, server);
            Ok((read(tx, &sql, &bounds.parameters())?, end))
        })?;
        match end {
            Some(end) => after = Some(end),
            None => return Ok(()),
        }
    }
}

/// Compares one piece, and adds it to what was found. `piece` answers with what it found and whatever else its caller wants of it.
fn compare<T>(
    run: &mut Run,
    reconcile: &Reconcile,
    size: &mut PieceSize,
    found: &mut Findings,
    mut piece: impl FnMut(&mut Transaction<'_>) -> Result<(Compared, T)>,
) -> Result<T> {
    let limits = Limits { lock: Some(run.options.lock_timeout), statement: None };
    let begun = Instant::now();
    let (compared, more) = run.persist("verify", |run, _| run.transaction(limits, "comparing rows", &mut piece))?;
    size.took(begun.elapsed(), PIECE);
    found.rows += compared.rows;
    found.mismatches += compared.mismatches;
    let room = SAMPLES.saturating_sub(found.samples.len());
    found.samples.extend(compared.samples.iter().take(room).map(|key| format!("{} {key}", reconcile.table)));
    run.options.tell(Event::Compared {
        title: reconcile.title.clone(),
        rows: found.rows,
        mismatches: found.mismatches,
    });
    Ok(more)
}

fn read(tx: &mut Transaction<'_>, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Compared> {
    let row = tx.query_one(sql, parameters).map_err(Error::database("comparing rows"))?;
    Ok(Compared { rows: row.get(0), mismatches: row.get(1), samples: row.get(2) })
}
