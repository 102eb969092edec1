//! Rows that stand in the way of a phase.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{KeyColumn, Probe, Reconcile, Search};
use postgres::error::SqlState;

use super::{Kind, Look, listed};
use crate::database::{Limits, Session, Transaction};
use crate::error::{Error, Result};
use crate::pieces::compare::{self, Compared, Reader};

/// How long one search may take where it is made only to report what it finds.
pub(super) const BUDGET: Duration = Duration::from_secs(30);

/// How many keys of rows are told.
const SAMPLES: usize = 10;

/// Makes one search. With a budget, one that is not over by then says how far it came.
pub(super) fn look(look: &mut Look<'_>, session: &mut Session, probe: &Probe, budget: Option<Duration>) -> Result<()> {
    let found = match &probe.search {
        Search::Rows { table, key, join, condition } => each_row(
            session,
            look.options.lock_timeout,
            &reconcile(probe, table, key, join.as_ref(), condition),
            budget,
        )?,
        Search::Groups { query, .. } => groups(session, look.options.lock_timeout, query, budget)?,
    };
    let object = probe.id.as_str();
    if found.count > 0 {
        let more = if found.complete { "" } else { " so far" };
        let samples =
            if found.samples.is_empty() { String::new() } else { format!(", for example {}", listed(&found.samples)) };
        let reason = format!("{}: {}{more}{samples}", probe.title, found.count);
        look.add_at(Kind::Rows, probe.blocks, object, reason, probe.remedy.as_str());
    }
    if !found.complete {
        look.add(
            Kind::NotChecked,
            object,
            match found.read {
                Some(rows) => {
                    format!("{}: the table is large, and only its first {rows} rows were looked at", probe.title)
                }
                None => format!("{}: the search took longer than {} s and was given up", probe.title, BUDGET.as_secs()),
            },
            format!("all rows are looked at before the change becomes {}", probe.blocks.name()),
        );
    }
    Ok(())
}

struct Found {
    count: i64,
    samples: Vec<String>,
    /// Rows that were read, where that is known.
    read: Option<i64>,
    complete: bool,
}

fn reconcile(
    probe: &Probe,
    table: &QualifiedName,
    key: &[KeyColumn],
    join: Option<&(QualifiedName, String)>,
    condition: &str,
) -> Reconcile {
    Reconcile {
        table: table.clone(),
        key: key.to_vec(),
        join: join.cloned(),
        mismatch: condition.to_string(),
        title: probe.title.clone(),
    }
}

fn each_row(session: &mut Session, lock: Duration, search: &Reconcile, budget: Option<Duration>) -> Result<Found> {
    let begun = Instant::now();
    let mut found = Found { count: 0, samples: Vec::new(), read: Some(0), complete: true };
    let mut reader = Glance { session, limits: Limits { lock: Some(lock), statement: budget } };
    let mut size = compare::first_size(search);
    let mut each = |_, piece: Compared| {
        found.count += piece.mismatches;
        found.read = found.read.map(|rows| rows + piece.rows);
        let room = SAMPLES.saturating_sub(found.samples.len());
        found.samples.extend(piece.samples.into_iter().take(room));
        if budget.is_some_and(|budget| begun.elapsed() >= budget) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let all = compare::stretches(&mut reader, search).and_then(|stretches| {
        for stretch in &stretches {
            if !compare::compare(&mut reader, search, stretch, &mut size, &mut each)? {
                return Ok(false);
            }
        }
        Ok(true)
    });
    found.complete = match all {
        Ok(all) => all,
        Err(error) if budget.is_some() && is_timeout(&error) => false,
        Err(error) => return Err(error),
    };
    Ok(found)
}

/// One query over the whole table.
fn groups(session: &mut Session, lock: Duration, query: &str, budget: Option<Duration>) -> Result<Found> {
    let limits = Limits { lock: Some(lock), statement: budget };
    let sql = format!(
        "select count(*), coalesce((array_agg(said order by said) filter (where said is not null))[1:{SAMPLES}], '{{}}') from ({query}) as found (said)"
    );
    let counting = || Error::database("looking for rows that stand in the way");
    let row = session.begin(limits).and_then(|mut tx| tx.query_one(&sql, &[]).map_err(counting()));
    match row {
        Ok(row) => Ok(Found { count: row.get(0), samples: row.get(1), read: None, complete: true }),
        Err(error) if budget.is_some() && is_timeout(&error) => {
            Ok(Found { count: 0, samples: Vec::new(), read: None, complete: false })
        }
        Err(error) => Err(error),
    }
}

fn is_timeout(error: &Error) -> bool {
    error.sqlstate() == Some(&SqlState::QUERY_CANCELED)
}

/// Reads without a lease, and does not try twice.
struct Glance<'a> {
    session: &'a mut Session,
    limits: Limits,
}

impl Reader for Glance<'_> {
    fn server(&self) -> u32 {
        self.session.server
    }

    fn read<T>(&mut self, _: &str, mut work: impl FnMut(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        work(&mut self.session.begin(self.limits)?)
    }
}
