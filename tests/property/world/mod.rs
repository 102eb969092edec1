//! A database to which a history happens, and the model beside it. Whatever differs is told with all that led to it.

mod changes;
mod checks;
mod code;

use std::collections::BTreeMap;

use coexist::catalog::CatalogDump;
use coexist::plan::Phase;
use coexist::{Options, Runner};

use crate::declaration;
use crate::history::{Case, Op};
use crate::model::{Model, Outcome, Progress};
use crate::piece::Row;
use crate::support::in_flight::InFlight;

/// What differs, and all that led to it.
pub type Result<T = ()> = std::result::Result<T, String>;

pub struct World {
    db: InFlight,
    runner: Runner,
    schema: String,
    models: Vec<Model>,
    /// Of each change.
    progress: Vec<Progress>,
    at_contract: Vec<bool>,
    /// The changes that were expanded, the last one last.
    expanded: Vec<usize>,
    /// The rows of each table: their ids, and those that they were born with.
    tables: Vec<BTreeMap<u8, u8>>,
    /// What the catalog was when these changes were contracted, and the others not in flight.
    catalogs: BTreeMap<Vec<bool>, CatalogDump>,
    told: Vec<String>,
}

impl World {
    pub fn new(case: &Case) -> Self {
        let pieces = &case.pieces;
        let changes = pieces.last().unwrap().change;
        let schema = declaration::tables(pieces);
        let data: String = pieces.iter().map(|piece| piece.fill(piece.kind.data)).collect();
        let at_contract = vec![false; changes];
        let declared = declaration::changes(pieces, &at_contract);
        let db = InFlight::new(&schema, &data, &declared);
        Self {
            told: vec![schema.clone(), data, declared],
            runner: db.runner(Options::default()),
            db,
            schema,
            models: pieces.iter().copied().map(Model::new).collect(),
            progress: vec![Progress::DECLARED; changes],
            at_contract,
            expanded: Vec::new(),
            tables: vec![BTreeMap::new(); pieces.last().unwrap().table],
            catalogs: BTreeMap::new(),
        }
    }

    /// All of it.
    pub fn live(case: &Case) -> Result {
        let mut world = Self::new(case);
        world.go_through(case).map_err(|difference| format!("{}\n\n{difference}", world.told.join("\n")))
    }

    fn go_through(&mut self, case: &Case) -> Result {
        self.compare_catalogs()?;
        for op in &case.history {
            self.apply(op)?;
        }
        for change in 0..self.progress.len() {
            while self.progress[change].phase < Phase::Validated {
                self.forward(change, None)?;
            }
        }
        self.check()?;
        for (change, contracted) in case.contracted.iter().enumerate().take(self.progress.len()) {
            if *contracted {
                self.contract(change, None)?;
            }
        }
        for op in &case.last {
            self.apply(op)?;
        }
        for change in 0..self.progress.len() {
            self.back(change, None)?;
            self.check()?;
        }
        self.compare_with_those_that_were_contracted_alone()?;
        match self.db.row("select coalesce(sum(count), 0) from coexist.conflicts").as_str() {
            "0" => Ok(()),
            count => Err(format!("{count} writes are said to have been of both shapes")),
        }
    }

    fn apply(&mut self, op: &Op) -> Result {
        let (tables, changes) = (self.tables.len(), self.progress.len());
        match op {
            Op::Insert { table, id, writes } => self.insert(table % tables, *id, writes)?,
            Op::Update { piece, id, write, mask } => self.update(piece % self.models.len(), *id, *write, *mask)?,
            Op::Edit { piece, id, value } => self.edit(piece % self.models.len(), *id, *value)?,
            Op::Touch { table, id } => self.touch(table % tables, *id)?,
            Op::Rekey { table, id, to } => self.rekey(table % tables, *id, *to)?,
            Op::Delete { table, id } => self.delete(table % tables, *id)?,
            Op::Forward { change, phases, cut } => {
                for n in 1..=*phases {
                    self.forward(change % changes, cut.filter(|_| n == *phases))?;
                }
            }
            Op::Back { change, cut } => self.back(change % changes, *cut)?,
            Op::Contract { change, cut } => self.contract(change % changes, *cut)?,
        }
        self.check()
    }

    fn of_table(&self, table: usize) -> Vec<usize> {
        (0..self.models.len()).filter(|piece| self.models[*piece].piece.table == table + 1).collect()
    }

    fn progress_of(&self, piece: usize) -> Progress {
        self.progress[self.models[piece].piece.change - 1]
    }

    fn touched(&self, piece: usize, row: &Row) -> Outcome {
        Outcome::Becomes(self.models[piece].touched(self.progress_of(piece), row))
    }

    fn is_open(&self, table: usize) -> bool {
        self.of_table(table).into_iter().all(|piece| self.models[piece].is_open(self.progress_of(piece)))
    }

    fn row(&self, table: usize, id: u8) -> Option<Row> {
        self.tables[table].get(&id).map(|&born| Row { id, born })
    }

    /// The groups that have rows.
    fn groups(&self, table: usize) -> Vec<u8> {
        self.tables[table].iter().map(|(&id, &born)| Row { id, born }.group()).collect()
    }

    /// What the table is called by now.
    fn name(&self, table: usize) -> String {
        let first = self.of_table(table)[0];
        self.models[first].piece.table_of(self.progress_of(first).phase == Phase::Contracted)
    }
}
