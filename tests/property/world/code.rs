//! What code of both shapes writes.

use coexist::plan::Phase;

use super::{Result, World};
use crate::history::Write;
use crate::kind::{Cells, NULL, Place, cells};
use crate::model::{Outcome, State};
use crate::piece::{Insert, Piece, Row};

impl World {
    pub(super) fn insert(&mut self, table: usize, id: u8, writes: &[Write]) -> Result {
        let row = Row { id, born: id };
        if self.tables[table].contains_key(&id) || !self.is_open(table) {
            return Ok(());
        }
        let mut insert = Insert::of(&self.models[self.of_table(table)[0]].piece, id);
        let mut outcomes = Vec::new();
        for (piece, write) in self.of_table(table).into_iter().zip(writes) {
            let (model, progress) = (&self.models[piece], self.progress_of(piece));
            let new = progress.writes_new(write.new);
            let mut cells = chosen(model.piece, new, write.value);
            // Before the rows of a group are kept alike, code keeps them so.
            if model.piece.kind.grouped
                && progress.phase < Phase::DualWriting
                && self.groups(table).contains(&row.group())
            {
                cells.clone_from(&model.state(&row).before);
            }
            model.piece.insert(new, &row, &cells, &mut insert);
            outcomes.push((piece, model.insert(progress, new, &row, &cells)));
        }
        if self.write(&insert.sql(), &row, outcomes)? {
            self.tables[table].insert(id, id);
        }
        Ok(())
    }

    pub(super) fn update(&mut self, piece: usize, id: u8, write: Write, mask: u8) -> Result {
        let model = &self.models[piece];
        let (kind, table) = (model.piece.kind, model.piece.table - 1);
        let progress = self.progress_of(piece);
        let new = progress.writes_new(write.new);
        let Some(row) = self.row(table, id).filter(|_| self.is_open(table)) else { return Ok(()) };
        let written = chosen(model.piece, new, write.value);
        if written.is_empty() {
            return Ok(());
        }
        let state = model.state(&row);
        let current = if new { &state.after } else { &state.before };
        let all = (1 << written.len()) - 1;
        let mask = if mask & all == 0 { mask | all } else { mask };
        let cells: Cells =
            (0..written.len()).map(|n| if mask >> n & 1 == 1 { &written[n] } else { &current[n] }.clone()).collect();
        let sql = model.piece.update(new, &row, &cells, mask, progress.phase);
        let mut outcomes = vec![(piece, model.update(progress, new, &row, &cells))];
        let place = if new { kind.after } else { kind.before };
        if matches!(place, Place::Table(_) | Place::Through(..) | Place::Shared(..)) {
            for other in self.of_table(table).into_iter().filter(|other| *other != piece) {
                outcomes.push((other, self.touched(other, &row)));
            }
        }
        self.write(&sql, &row, outcomes).map(drop)
    }

    pub(super) fn edit(&mut self, piece: usize, id: u8, value: usize) -> Result {
        let (model, progress) = (&self.models[piece], self.progress_of(piece));
        let (kind, table) = (model.piece.kind, model.piece.table - 1);
        let Some(row) = self.row(table, id).filter(|_| self.is_open(table)) else { return Ok(()) };
        let cells = chosen(model.piece, true, value);
        let shared = model.state(&row).after.clone();
        let refers = shared.iter().any(|cell| cell != NULL) && shared != cells;
        let refers_then =
            cells.iter().any(|cell| cell != NULL) && !(kind.not_null && cells.iter().any(|cell| cell == NULL));
        let filled = progress.phase >= Phase::Backfilled && !progress.going_back;
        let Some((taken, sql)) = model.piece.edit(&shared, &cells).filter(|_| refers && refers_then && filled) else {
            return Ok(());
        };
        if self.db.row(&taken) == "t" {
            return self.write(&sql, &row, vec![(piece, Outcome::Rejected)]).map(drop);
        }
        let rows = self.tables[table].iter().map(|(&id, &born)| Row { id, born });
        let rows: Vec<Row> = rows.filter(|row| model.state(row).after == shared).collect();
        self.write(&sql, &row, Vec::new())?;
        for row in rows {
            for other in self.of_table(table) {
                if let Outcome::Becomes(state) = self.touched(other, &row) {
                    self.models[other].set(&row, state);
                }
            }
            let state = State { before: (kind.backward)(&cells).unwrap(), after: cells.clone(), in_step: true };
            self.models[piece].set(&row, state);
        }
        Ok(())
    }

    pub(super) fn touch(&mut self, table: usize, id: u8) -> Result {
        let Some(row) = self.row(table, id).filter(|_| self.is_open(table)) else { return Ok(()) };
        let sql = format!(
            "update {} set other = coalesce(other, 0) + 1 where id = {}",
            self.name(table),
            self.models[self.of_table(table)[0]].piece.key(id)
        );
        let outcomes = self.of_table(table).into_iter().map(|piece| (piece, self.touched(piece, &row))).collect();
        self.write(&sql, &row, outcomes).map(drop)
    }

    pub(super) fn rekey(&mut self, table: usize, id: u8, to: u8) -> Result {
        let Some(row) = self.row(table, id).filter(|_| self.is_open(table)) else { return Ok(()) };
        // A foreign key that follows no update.
        let fixed = |piece: &usize| {
            self.progress_of(*piece).phase == Phase::Contracted
                && matches!(self.models[*piece].piece.kind.after, Place::Beside(..))
        };
        if self.tables[table].contains_key(&to) || self.of_table(table).iter().any(fixed) {
            return Ok(());
        }
        let piece = self.models[self.of_table(table)[0]].piece;
        let sql = format!("update {} set id = {} where id = {}", self.name(table), piece.key(to), piece.key(id));
        let outcomes = self.of_table(table).into_iter().map(|piece| (piece, self.touched(piece, &row))).collect();
        if self.write(&sql, &row, outcomes)? {
            self.tables[table].remove(&id);
            self.tables[table].insert(to, row.born);
            self.of_table(table).into_iter().for_each(|piece| self.models[piece].rekey(id, to));
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, table: usize, id: u8) -> Result {
        let Some(row) = self.row(table, id).filter(|_| self.is_open(table)) else { return Ok(()) };
        let last =
            self.tables[table].values().filter(|born| Row { id, born: **born }.group() == row.group()).count() == 1;
        let pieces = self.of_table(table);
        let keeps = |piece: &usize| {
            let model = &self.models[*piece];
            model.piece.kind.grouped && last && !model.can_lose_the_last(self.progress_of(*piece), &row)
        };
        if pieces.iter().any(keeps) {
            return Ok(());
        }
        let mut statements = Vec::new();
        for piece in &pieces {
            let piece_of = &self.models[*piece].piece;
            if let Place::Beside(other, _) = piece_of.kind.after
                && self.progress_of(*piece).phase == Phase::Contracted
            {
                statements.push(format!("delete from {} where t_id = {}; ", piece_of.fill(other), piece_of.key(id)));
            }
        }
        let key = self.models[pieces[0]].piece.key(id);
        let sql = format!("{}delete from {} where id = {key}", statements.concat(), self.name(table));
        self.write(&sql, &row, Vec::new())?;
        self.tables[table].remove(&id);
        for piece in pieces {
            let progress = self.progress_of(piece);
            self.models[piece].delete(progress, &row, last);
        }
        Ok(())
    }

    /// Runs a statement and holds it against what it has to do. Answers with whether it was run, and did what it says.
    pub(super) fn write(&mut self, sql: &str, row: &Row, outcomes: Vec<(usize, Outcome)>) -> Result<bool> {
        if outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Open)) {
            return Ok(false);
        }
        let rejected = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Rejected));
        self.told.push(format!("{sql};{}", if rejected { "  -- must fail" } else { "" }));
        match self.db.client.batch_execute(sql) {
            Ok(()) if rejected => Err("it did not fail".to_owned()),
            Ok(()) => {
                for (piece, outcome) in outcomes {
                    if let Outcome::Becomes(state) = outcome {
                        self.models[piece].set(row, state);
                    }
                }
                Ok(true)
            }
            Err(error) => {
                let _ = self.db.client.batch_execute("rollback");
                // Data that cannot be, or breaks a rule.
                let of_the_data = error.code().is_some_and(|code| matches!(&code.code()[..2], "22" | "23"));
                if rejected && of_the_data { Ok(false) } else { Err(format!("{error:?}")) }
            }
        }
    }
}

/// The values that code of a shape writes.
fn chosen(piece: Piece, new: bool, value: usize) -> Cells {
    let pool = if new { piece.kind.new } else { piece.kind.old };
    cells(pool[value % pool.len()])
}
