//! Changes that go forward, back, and to their end.

use std::time::Duration;

use coexist::plan::{Phase, Plan};
use coexist::{Options, Runner};

use super::{Result, World};
use crate::declaration::changes;
use crate::model::Progress;
use crate::piece::{Piece, Row};
use crate::support::cut_off::{at_event, terminator};
use crate::support::in_flight::{go, plans};

impl World {
    /// Takes a change to its next phase.
    pub(super) fn forward(&mut self, change: usize, cut: Option<u8>) -> Result {
        let progress = self.progress[change];
        if progress.going_back {
            return self.back(change, None);
        }
        let Some(next) = Phase::ALL.into_iter().find(|phase| *phase > progress.phase && *phase < Phase::Contracted)
        else {
            return Ok(());
        };
        let updates = self.updates();
        let phase = match self.run(change, cut, next.name(), |runner, plan| go(runner, plan, next)) {
            Ok(()) => next,
            Err(_) if cut.is_some() => self.phase(change)?,
            Err(error) => return Err(format!("{}: {error}", next.name())),
        };
        if self.updates() != updates {
            return Err(format!("{}: the table's own trigger has seen it", next.name()));
        }
        if next == Phase::Expanded {
            self.expanded.retain(|expanded| *expanded != change);
            self.expanded.push(change);
        }
        self.progress[change] = Progress { phase, cut_off: phase != next, going_back: false };
        if phase == next {
            let models = self.models.iter_mut().filter(|model| model.piece.change == change + 1);
            models.for_each(|model| model.reach(next));
        }
        self.compare_catalogs()
    }

    pub(super) fn back(&mut self, change: usize, cut: Option<u8>) -> Result {
        let from = self.progress[change];
        if from == Progress::DECLARED || from.phase == Phase::Contracted {
            return Ok(());
        }
        let result = self.run(change, cut, "rollback", |runner, plan| runner.rollback(plan, Some(&plan.change)));
        match result {
            // The session was over before the first thing was done.
            Err(coexist::Error::UnknownChange { .. }) if from.phase == Phase::Declared => {}
            Err(_) if cut.is_some() => {
                let phase = self.phase(change)?;
                self.progress[change] = Progress { phase, cut_off: from.cut_off, going_back: true };
                return Ok(());
            }
            Err(error) => return Err(format!("rollback: {error}")),
            Ok(()) => {}
        }
        self.progress[change] = Progress::DECLARED;
        for piece in 0..self.models.len() {
            let table = self.models[piece].piece.table - 1;
            if self.models[piece].piece.change != change + 1 {
                continue;
            }
            if !from.is_certain() {
                self.find_mended(piece);
            }
            let groups = self.groups(table);
            self.models[piece].roll_back(from, &groups);
        }
        self.compare_catalogs()
    }

    pub(super) fn contract(&mut self, change: usize, cut: Option<u8>) -> Result {
        let valid = Progress { phase: Phase::Validated, ..Progress::DECLARED };
        if self.progress[change] != valid {
            return Ok(());
        }
        // The source says that no code uses the before shape any more.
        self.at_contract[change] = true;
        let pieces: Vec<Piece> = self.models.iter().map(|model| model.piece).collect();
        self.db.plans = plans(&self.schema, &changes(&pieces, &self.at_contract));
        let held = self.models.iter().any(|model| model.piece.change == change + 1 && model.holds_the_contract());
        let contract = |runner: &mut Runner, plan: &Plan| runner.contract(plan, &plan.change);
        let mut result = self.run(change, cut, "contract", contract);
        if result.is_err() && cut.is_some() {
            result = self.run(change, None, "contract", contract);
        }
        match result {
            Ok(()) if held => Err("values that did not convert are lost".to_owned()),
            Err(coexist::Error::NoEvidence { .. }) if held => Ok(()),
            Ok(()) => {
                self.progress[change].phase = Phase::Contracted;
                for model in self.models.iter_mut().filter(|model| model.piece.change == change + 1) {
                    let rows = self.tables[model.piece.table - 1].iter().map(|(&id, &born)| Row { id, born });
                    model.contract(&rows.collect::<Vec<_>>());
                }
                self.compare_catalogs()
            }
            Err(error) => Err(format!("contract: {error}")),
        }
    }

    /// Runs a part of a change. At event `cut` its sessions end.
    pub(super) fn run(
        &mut self,
        change: usize,
        cut: Option<u8>,
        what: &str,
        act: impl FnOnce(&mut Runner, &Plan) -> coexist::Result<()>,
    ) -> coexist::Result<()> {
        let plan = &self.db.plans[change];
        let until = cut.map_or_else(String::new, |event| format!(", and is cut off at event {event}"));
        self.told.push(format!("-- {}: {what}{until}", plan.change));
        let Some(event) = cut else { return act(&mut self.runner, plan) };
        let end = at_event(usize::from(event), terminator(&self.db.database));
        act(&mut self.db.runner(Options::default().reconnect_for(Duration::ZERO).on_event(end)), plan)
    }

    pub(super) fn phase(&mut self, change: usize) -> Result<Phase> {
        let name = self.db.plans[change].change.clone();
        self.runner.phase(&name).map_err(|error| error.to_string())
    }
}
