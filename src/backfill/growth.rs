//! Keeps a table from growing beyond a bound while its rows are copied in place: what copies leave behind is vacuumed away and used again.

use std::time::Duration;

use coexist_core::ident::QualifiedName;

use super::crew::Task;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::ledger::segment::TableSize;
use crate::runner::{Run, Watched};

/// How much of what a table may grow is used between two vacuums. The copies are somewhat larger than the rows were, and others write too.
const PORTION: f64 = 0.7;

/// The same where blocks are filled slice by slice. About half of the copies stay in their block; where they cannot, because old transactions
/// still see what is to be cleared up, a vacuum could not remove it either.
const PORTION_IN_SLICES: f64 = 1.2;

/// What is not worth a vacuum: 1 MB.
const LEAST: i64 = 128;

pub(super) struct Growth {
    tables: Vec<QualifiedName>,
    /// How many blocks may be filled between two vacuums.
    allowance: i64,
}

impl Growth {
    /// `None` where nothing is copied in place, or only what an earlier pass left over.
    pub fn new(times: f64, task: Task, sizes: &[TableSize], server: u32) -> Option<Self> {
        let smallest = sizes.iter().map(|size| size.blocks).filter(|blocks| *blocks > 0).min()?;
        let portion = if task.slices(server) > 1 { PORTION_IN_SLICES } else { PORTION };
        // Partitions are filled one after the other, so each has the bound by itself.
        let allowance = ((smallest as f64 * (times - 1.0) * portion) as i64).max(LEAST);
        let tables = sizes.iter().map(|size| size.table.clone()).collect();
        (task.backfill.in_place() && task.pass == 1).then_some(Self { tables, allowance })
    }

    pub fn allowance(&self) -> i64 {
        self.allowance
    }

    /// Has the space of what was copied used again. Where autovacuum is at work on a table, that does it.
    pub fn vacuum(&mut self, run: &mut Run) -> Result<()> {
        for table in &self.tables {
            let doing = format!("vacuuming {table}");
            let watched = Watched {
                step: doing.clone(),
                every: Duration::from_millis(250),
                patience: None,
                builds: false,
                interrupt: run.options.stop.clone(),
            };
            let statement = format!("vacuum (truncate false, skip_locked) {}", table.quoted());
            run.persist(&doing, |run, _| {
                let (vacuumed, _) = run.watched(watched.clone(), |run| run.session.run_alone(&statement));
                match vacuumed.map_err(Error::database(doing.clone())) {
                    Err(error) if error.is_cancelled() && run.options.must_stop() => {
                        Err(Error::Stopped { change: run.change().to_string() })
                    }
                    other => other,
                }
            })?;
            run.options.tell(Event::Note(format!("vacuumed {table}, so that the space of copied rows is used again")));
        }
        Ok(())
    }
}
