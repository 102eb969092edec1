//! What has to be, whatever happened.

use coexist::plan::Phase;
use coexist::{Options, catalog};

use super::{Result, World};
use crate::kind::{Cells, Way};
use crate::model::{Progress, State};
use crate::piece::Row;
use crate::support;
use crate::support::in_flight::InFlight;

impl World {
    /// Both shapes say what the model says.
    pub(super) fn check(&mut self) -> Result {
        for piece in 0..self.models.len() {
            let progress = self.progress_of(piece);
            let way = self.models[piece].piece.kind.way;
            if progress.phase == Phase::DualWriting {
                self.find_mended(piece);
            }
            if progress.phase < Phase::Contracted && (way == Way::Copy || progress.is_certain()) {
                self.check_shape(piece, false, |state| &state.before)?;
            }
            if progress.phase >= Phase::Backfilled && !progress.going_back {
                self.check_shape(piece, true, |state| &state.after)?;
            }
        }
        Ok(())
    }

    /// Until the backfill is over, whoever writes a row mends it.
    pub(super) fn find_mended(&mut self, piece: usize) {
        let model = &mut self.models[piece];
        if model.piece.kind.way != Way::Tightens {
            return;
        }
        let found = self.db.rows(&model.piece.read(false));
        for ((&id, &born), found) in self.tables[model.piece.table - 1].iter().zip(&found) {
            let cells: Cells = found.split('|').skip(1).map(str::to_owned).collect();
            model.found(&Row { id, born }, &cells);
        }
    }

    pub(super) fn check_shape(&mut self, piece: usize, new: bool, of: impl Fn(&State) -> &Cells) -> Result {
        let model = &self.models[piece];
        let expected: Vec<String> = self.tables[model.piece.table - 1]
            .iter()
            .map(|(&id, &born)| {
                let cells = of(model.state(&Row { id, born }));
                [model.piece.key.of(id)].iter().chain(cells).cloned().collect::<Vec<_>>().join("|")
            })
            .collect();
        let sql = model.piece.read(new);
        let found = self.db.rows(&sql);
        if found == expected {
            return Ok(());
        }
        let shape = if new { "after" } else { "before" };
        Err(format!(
            "the shape {shape} the change `{}` says\n    {found:?}, and has to say\n    {expected:?}\n    ({sql})",
            model.piece.kind.name
        ))
    }

    /// How often each row was updated, where its table counts that.
    pub(super) fn updates(&mut self) -> Vec<String> {
        let tables = (0..self.tables.len()).filter(|table| self.models[self.of_table(*table)[0]].piece.counted);
        let counts: Vec<String> =
            tables.map(|table| format!("select id, updates from {} order by id", self.name(table))).collect();
        counts.iter().flat_map(|sql| self.db.rows(sql)).collect()
    }

    /// Where nothing is in flight, the catalog is what it was when the same changes were contracted.
    pub(super) fn compare_catalogs(&mut self) -> Result {
        let over = |progress: &Progress| progress.phase == Phase::Contracted;
        if self.progress.iter().any(|progress| !over(progress) && *progress != Progress::DECLARED) {
            return Ok(());
        }
        let now = support::catalog_dump(&mut self.db.client);
        let earlier = self.catalogs.entry(self.progress.iter().map(over).collect()).or_insert_with(|| now.clone());
        if *earlier == now { Ok(()) } else { Err(format!("the catalog is another:\n{}", catalog::diff(earlier, &now))) }
    }

    /// What rollbacks left behind is what is there where only the contracted changes ever were.
    pub(super) fn compare_with_those_that_were_contracted_alone(&mut self) -> Result {
        let contracted = |change: &usize| self.progress[*change].phase == Phase::Contracted;
        let contracted: Vec<usize> = self.expanded.iter().copied().filter(contracted).collect();
        if contracted.is_empty() || contracted.len() == self.progress.len() {
            return Ok(());
        }
        let mut alone = InFlight::new(&self.schema, "", "");
        let mut runner = alone.runner(Options::default());
        for phase in [Phase::Expanded, Phase::Validated, Phase::Contracted] {
            for plan in contracted.iter().map(|change| &self.db.plans[*change]) {
                let result = match phase {
                    Phase::Contracted => runner.contract(plan, &plan.change),
                    Phase::Validated => runner.up(plan, &coexist::Pace::default()),
                    _ => runner.expand(plan),
                };
                result.map_err(|error| format!("alone, {}: {error}", plan.change))?;
            }
        }
        let (alone, now) = (support::catalog_dump(&mut alone.client), support::catalog_dump(&mut self.db.client));
        if alone == now { Ok(()) } else { Err(format!("the catalog is another:\n{}", catalog::diff(&alone, &now))) }
    }
}
