//! What both shapes have to say: plain values that follow the rules of `docs/`, and know nothing of triggers.

use std::collections::BTreeMap;

use coexist::plan::Phase;

use crate::kind::{Cells, DEFAULT, NULL, Place, Unique, Way};
use crate::piece::{Piece, Row};

/// What a write does.
pub enum Outcome {
    Becomes(State),
    /// It has to fail.
    Rejected,
    /// Two answers are right, or the change could not go on after it: nobody writes this.
    Open,
}

/// What both shapes say of one row.
#[derive(Clone, Debug)]
pub struct State {
    pub before: Cells,
    /// What is there, or what the backfill will make of the before shape.
    pub after: Cells,
    /// The row is filled for sure: somebody wrote it, or the backfill is over.
    pub in_step: bool,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub phase: Phase,
    /// The way to the next phase was cut off somewhere.
    pub cut_off: bool,
    /// The way back was.
    pub going_back: bool,
}

impl Progress {
    pub const DECLARED: Self = Self { phase: Phase::Declared, cut_off: false, going_back: false };

    pub fn is_certain(self) -> bool {
        !self.cut_off && !self.going_back
    }

    /// Which shape code writes that would like to write the new one.
    pub fn writes_new(self, wish: bool) -> bool {
        (wish && self.phase >= Phase::DualWriting && !self.going_back) || self.phase == Phase::Contracted
    }
}

/// What a piece has to say.
pub struct Model {
    pub piece: Piece,
    /// Rows share values, as far as they still do.
    grouped: bool,
    /// By id, or by group.
    states: BTreeMap<u8, State>,
}

impl Model {
    pub fn new(piece: Piece) -> Self {
        let mut model = Self { piece, grouped: piece.kind.grouped, states: BTreeMap::new() };
        if piece.kind.grouped {
            let nulls = vec![NULL.to_owned()];
            for group in [1, 2] {
                model.states.insert(group, State { before: nulls.clone(), after: nulls.clone(), in_step: false });
            }
        }
        model
    }

    fn name(&self, row: &Row) -> u8 {
        if self.grouped { row.group() } else { row.id }
    }

    pub fn state(&self, row: &Row) -> &State {
        &self.states[&self.name(row)]
    }

    pub fn set(&mut self, row: &Row, state: State) {
        self.states.insert(self.name(row), state);
    }

    /// Whether rows of the table may be written at all while a step may be half done.
    pub fn is_open(&self, progress: Progress) -> bool {
        progress.is_certain() || (self.piece.kind.way == Way::Copy && !self.grouped)
    }

    /// What stands in the columns when `default` is said for some of them.
    fn resolve(&self, progress: Progress, cells: &[String]) -> Cells {
        let default = (self.piece.kind.default)(progress.phase);
        let of = |(n, cell): (usize, &String)| if cell == DEFAULT { default[n].to_owned() } else { cell.clone() };
        cells.iter().enumerate().map(of).collect()
    }

    /// The row comes, with these cells in one shape.
    pub fn insert(&self, progress: Progress, new: bool, row: &Row, cells: &[String]) -> Outcome {
        let kind = self.piece.kind;
        let has_default = !(kind.default)(progress.phase).is_empty();
        if !progress.is_certain() && has_default {
            return Outcome::Open;
        }
        if self.grouped {
            let current = self.state(row);
            // Before the rows of a group are kept alike, code writes what the others have.
            let same = if progress.phase < Phase::DualWriting { cells == current.before } else { cells[0] == NULL };
            return if same { Outcome::Becomes(current.clone()) } else { self.update(progress, new, row, cells) };
        }
        let cells = self.resolve(progress, cells);
        let outcome = if progress.phase == Phase::Contracted {
            self.after_the_end(&cells)
        } else if kind.not_null && cells.iter().any(|cell| cell == NULL) {
            // Where all are null, the default of the other shape stands in.
            if new && has_default { Outcome::Open } else { Outcome::Rejected }
        } else if kind.way != Way::Copy {
            self.in_place(progress, &cells)
        } else if new && cells.iter().any(|cell| cell != NULL) {
            match (kind.backward)(&cells) {
                Some(_) if kind.irreversible => Outcome::Becomes(self.in_step(progress, vec![NULL.to_owned()], cells)),
                Some(before) => Outcome::Becomes(self.in_step(progress, before, cells)),
                None => Outcome::Rejected,
            }
        } else {
            // Nothing tells it from an INSERT of old code that leaves its columns out.
            let left_out = (kind.default)(progress.phase).iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
            let columns = kind.before.columns().len();
            let before = match (new, left_out.len() == columns) {
                (false, _) => cells,
                (true, true) => left_out.clone(),
                (true, false) => vec![NULL.to_owned(); columns],
            };
            if kind.nulls_take_after && progress.phase >= Phase::DualWriting && before == left_out {
                let nulls = vec![NULL.to_owned(); columns];
                return Outcome::Becomes(self.in_step(progress, nulls.clone(), nulls));
            }
            let comes = columns == 0 && has_default && progress.phase >= Phase::Expanded;
            self.forward(progress, before, comes.then_some(left_out))
        };
        self.unless_taken(progress, row, outcome)
    }

    /// All cells of one shape are these now; some of them may have been before.
    pub fn update(&self, progress: Progress, new: bool, row: &Row, cells: &[String]) -> Outcome {
        let (kind, current) = (self.piece.kind, self.state(row));
        let cells = self.resolve(progress, cells);
        if progress.phase == Phase::Contracted {
            let outcome = self.after_the_end(&cells);
            return self.unless_taken(progress, row, outcome);
        }
        if kind.not_null && cells.iter().any(|cell| cell == NULL) {
            return Outcome::Rejected;
        }
        let outcome = if kind.way != Way::Copy {
            if cells == current.before {
                Outcome::Becomes(self.touched(progress, row))
            } else {
                self.in_place(progress, &cells)
            }
        } else if !new {
            if cells == current.before {
                Outcome::Becomes(current.clone())
            } else {
                self.forward(progress, cells, None)
            }
        } else {
            let back = (kind.backward)(&cells);
            match (cells == current.after, current.in_step) {
                (true, true) => Outcome::Becomes(current.clone()),
                (true, false) if back.as_ref() != Some(&current.before) => Outcome::Open,
                // On a row that is not filled, a null of another table's row is nothing that was written.
                (_, false) if !matches!(kind.before, Place::Table(_)) && cells.iter().any(|cell| cell == NULL) => {
                    Outcome::Open
                }
                (_, false) if self.grouped && cells[0] == NULL => Outcome::Open,
                _ => match back {
                    Some(_) if kind.irreversible => {
                        Outcome::Becomes(self.in_step(progress, current.before.clone(), cells))
                    }
                    Some(before) => Outcome::Becomes(self.in_step(progress, before, cells)),
                    None => Outcome::Rejected,
                },
            }
        };
        self.unless_taken(progress, row, outcome)
    }

    /// Another column of the row was written.
    pub fn touched(&self, progress: Progress, row: &Row) -> State {
        let mut state = self.state(row).clone();
        if !(Phase::DualWriting..Phase::Contracted).contains(&progress.phase) {
            return state;
        }
        match self.piece.kind.way {
            Way::Tightens => {
                state.before = (self.piece.kind.mend)(&state.before);
                state.after.clone_from(&state.before);
            }
            Way::Copy | Way::Loosens(_) => {}
        }
        state
    }

    /// Old code wrote `before`.
    fn forward(&self, progress: Progress, before: Cells, after: Option<Cells>) -> Outcome {
        match after.or_else(|| (self.piece.kind.forward)(&before)) {
            Some(after) => Outcome::Becomes(self.in_step(progress, before, after)),
            None if progress.phase >= Phase::DualWriting && progress.is_certain() => Outcome::Rejected,
            None => Outcome::Open,
        }
    }

    fn in_step(&self, progress: Progress, before: Cells, after: Cells) -> State {
        let in_step = progress.phase >= Phase::DualWriting && !progress.going_back;
        State { before, after, in_step }
    }

    fn in_place(&self, progress: Progress, cells: &[String]) -> Outcome {
        let kind = self.piece.kind;
        let (kept, mended) = ((kind.forward)(cells), (kind.mend)(cells));
        let stored = match kind.way {
            Way::Loosens(from) if progress.phase >= from => Some(cells.to_vec()),
            Way::Tightens if progress.phase < Phase::DualWriting => {
                if (kind.forward)(&mended).is_none() {
                    return Outcome::Open;
                }
                Some(cells.to_vec())
            }
            Way::Copy | Way::Tightens | Way::Loosens(_) => kept,
        };
        match stored {
            Some(stored) => {
                let after = if kind.way == Way::Tightens { (kind.mend)(&stored) } else { stored.clone() };
                Outcome::Becomes(self.in_step(progress, stored, after))
            }
            None => Outcome::Rejected,
        }
    }

    /// New code writes, and there is no other.
    fn after_the_end(&self, cells: &[String]) -> Outcome {
        let kind = self.piece.kind;
        let breaks = kind.way == Way::Tightens && (kind.forward)(cells).as_deref() != Some(cells);
        // A row of a table of its own need not be there.
        let not_null = kind.not_null && !matches!(kind.after, Place::Beside(..));
        if breaks || (not_null && cells.iter().any(|cell| cell == NULL)) {
            return Outcome::Rejected;
        }
        Outcome::Becomes(State { before: Vec::new(), after: cells.to_vec(), in_step: true })
    }

    /// The same, unless another row has it.
    fn unless_taken(&self, progress: Progress, row: &Row, outcome: Outcome) -> Outcome {
        let Outcome::Becomes(state) = &outcome else { return outcome };
        let over = progress.phase == Phase::Contracted;
        let of = |state: &State| if over { state.after.clone() } else { state.before.clone() };
        let mine = of(state);
        let taken = !mine.is_empty()
            && mine.iter().all(|cell| cell != NULL)
            && self.states.iter().any(|(id, other)| *id != row.id && of(other) == mine);
        match self.piece.kind.unique {
            Unique::From(phase) if taken && progress.phase >= phase => Outcome::Rejected,
            Unique::UntilContract if taken && !over => Outcome::Rejected,
            Unique::From(_) if taken => Outcome::Open,
            Unique::From(_) | Unique::UntilContract | Unique::Never => outcome,
        }
    }

    /// The row has another id.
    pub fn rekey(&mut self, from: u8, to: u8) {
        if !self.grouped
            && let Some(state) = self.states.remove(&from)
        {
            self.states.insert(to, state);
        }
    }

    /// The row goes. `last` is whether it is the last one of its group.
    pub fn delete(&mut self, progress: Progress, row: &Row, last: bool) {
        if !self.grouped {
            self.states.remove(&row.id);
        } else if last && matches!(self.piece.kind.before, Place::Table(_)) && progress.phase < Phase::DualWriting {
            self.forget(row.group());
        }
    }

    /// Whether it is known what becomes of the value of a group when its last row goes.
    pub fn can_lose_the_last(&self, progress: Progress, row: &Row) -> bool {
        let settled = progress.phase < Phase::DualWriting || self.state(row).in_step;
        settled && progress.is_certain()
    }

    fn forget(&mut self, group: u8) {
        let nulls = vec![NULL.to_owned()];
        self.states.insert(group, State { before: nulls.clone(), after: nulls, in_step: false });
    }

    /// The change has reached a phase.
    pub fn reach(&mut self, phase: Phase) {
        if phase != Phase::Backfilled {
            return;
        }
        for state in self.states.values_mut() {
            state.in_step = true;
            if self.piece.kind.way == Way::Tightens {
                state.before = (self.piece.kind.mend)(&state.before);
                state.after.clone_from(&state.before);
            }
        }
    }

    /// The change is at its end. Rows to which a value moved have it for themselves from then on.
    pub fn contract(&mut self, rows: &[Row]) {
        if self.grouped && matches!(self.piece.kind.after, Place::Table(_)) {
            let of_rows = rows.iter().map(|row| (row.id, self.state(row).clone())).collect();
            self.states = of_rows;
            self.grouped = false;
        }
    }

    /// The change was rolled back from a phase; `groups` have rows.
    pub fn roll_back(&mut self, from: Progress, groups: &[u8]) {
        let kind = self.piece.kind;
        let mends = matches!(kind.way, Way::Loosens(Phase::DualWriting));
        for state in self.states.values_mut() {
            if mends {
                state.before = (kind.mend)(&state.before);
            }
            state.in_step = false;
            state.after = match kind.way {
                Way::Copy => (kind.forward)(&state.before).unwrap_or_else(|| state.before.clone()),
                Way::Tightens => (kind.mend)(&state.before),
                Way::Loosens(_) => state.before.clone(),
            };
        }
        if self.grouped && matches!(kind.before, Place::Table(_)) && from.phase > Phase::Declared {
            let empty: Vec<u8> = self.states.keys().copied().filter(|group| !groups.contains(group)).collect();
            empty.into_iter().for_each(|group| self.forget(group));
        }
    }

    /// Takes a row for mended where it is: who else wrote it may have, the backfill of another change among them.
    pub fn found(&mut self, row: &Row, before: &[String]) {
        let mend = self.piece.kind.mend;
        let name = self.name(row);
        if let Some(state) = self.states.get_mut(&name)
            && mend(&state.before) == before
        {
            state.before = before.to_vec();
        }
    }

    /// Whether what stands in the before shape keeps the change from its contract.
    pub fn holds_the_contract(&self) -> bool {
        self.states.values().any(|state| (self.piece.kind.held)(&state.before))
    }
}
