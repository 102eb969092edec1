//! One kind of change on a table of its own or beside others: names, and the statements that code of each shape runs.

use coexist::plan::Phase;

use crate::kind::{DEFAULT, Key, Kind, NULL, Place};

/// A kind with the numbers that make its names.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub kind: &'static Kind,
    /// Which table, from 1.
    pub table: usize,
    /// Which change it belongs to, from 1.
    pub change: usize,
    /// What its columns are called by, from 1.
    pub number: usize,
    pub key: Key,
    /// The table has a trigger of its own that counts how often each row was updated.
    pub counted: bool,
}

impl Piece {
    /// The names put into what the kind says.
    pub fn fill(&self, text: &str) -> String {
        text.replace("$key", self.key.sql_type())
            .replace("it$n", &format!("it{}", self.change))
            .replace("$t", &self.table())
            .replace("$n", &self.number.to_string())
    }

    pub fn table(&self) -> String {
        format!("t{}", self.table)
    }

    pub fn place(&self, new: bool) -> Place {
        if new { self.kind.after } else { self.kind.before }
    }

    pub fn columns(&self, new: bool) -> Vec<String> {
        self.place(new).columns().iter().map(|column| self.fill(column)).collect()
    }

    /// What the table is called by code of a shape.
    pub fn table_of(&self, new: bool) -> String {
        match self.place(new) {
            Place::Through(name, _) => self.fill(name),
            _ => self.table(),
        }
    }

    /// The rows as a shape shows them: the key and the cells, in the order of keys.
    pub fn read(&self, new: bool) -> String {
        let (t, place) = (self.table_of(new), self.place(new));
        let list: String = self.columns(new).iter().map(|column| format!(", shape.{column}")).collect();
        let from = match place {
            Place::Table(_) | Place::Through(..) => {
                return format!("select shape.id{list} from {t} as shape order by id");
            }
            Place::Beside(other, _) => format!("{} as shape on shape.t_id = row.id", self.fill(other)),
            Place::Shared(other, _) | Place::Related(other, _) => {
                let other = self.fill(other);
                format!("{other} as shape on shape.id = row.{other}_id")
            }
        };
        format!("select row.id{list} from {t} as row left join {from} order by row.id")
    }

    /// The statements that change the cells at the places of `mask`, all of which are then `cells`.
    pub fn update(&self, new: bool, row: &Row, cells: &[String], mask: u8, phase: Phase) -> String {
        let columns = self.columns(new);
        let list = columns.join(", ");
        let set: Vec<String> = columns
            .iter()
            .zip(cells)
            .enumerate()
            .filter(|(n, _)| mask >> n & 1 == 1)
            .map(|(_, (column, cell))| format!("{column} = {}", literal(cell)))
            .collect();
        let set = set.join(", ");
        match self.place(new) {
            // Before they are kept alike, code keeps them so.
            Place::Table(_) if self.kind.grouped && phase < Phase::DualWriting => {
                format!("update {} set {set} where {} = {}", self.table(), self.group_column(), row.group())
            }
            Place::Table(_) | Place::Through(..) => {
                format!("update {} set {set} where id = {}", self.table_of(new), self.key(row.id))
            }
            Place::Beside(other, _) => {
                let (other, key) = (self.fill(other), self.key(row.id));
                if cells.iter().all(|cell| cell == NULL) && self.deletes(new, mask) {
                    return format!("delete from {other} where t_id = {key}");
                }
                format!(
                    "insert into {other} (t_id, {list}) values ({key}, {}) on conflict (t_id) do update set {set}",
                    literals(cells)
                )
            }
            Place::Shared(other, _) => {
                let (other, row) = (self.fill(other), self.key(row.id));
                format!(
                    "begin; {}; update {} set {other}_id = {} where id = {row}; commit",
                    self.make_shared(&other, cells),
                    self.table(),
                    self.shared(&other, cells),
                )
            }
            Place::Related(other, _) => format!("update {} set {set} where id = {}", self.fill(other), row.group()),
        }
    }

    /// Whether a row beside goes when nothing is in it: it has to where its columns take no null.
    fn deletes(&self, new: bool, mask: u8) -> bool {
        let nulls = vec![NULL.to_owned(); self.columns(new).len()];
        let convert = if new { self.kind.backward } else { self.kind.forward };
        self.kind.not_null
            || mask & 128 == 0
            || convert(&nulls).is_none_or(|cells| cells.iter().any(|cell| cell != NULL))
    }

    /// Adds to an INSERT into the table what code of a shape says of this piece.
    pub fn insert(&self, new: bool, row: &Row, cells: &[String], insert: &mut Insert) {
        let columns = self.columns(new);
        let empty = cells.iter().all(|cell| cell == NULL);
        if self.kind.grouped {
            insert.columns.push(self.group_column());
            insert.values.push(row.group().to_string());
        }
        match self.place(new) {
            Place::Table(_) => {
                insert.columns.extend(columns);
                insert.values.extend(cells.iter().map(|cell| literal(cell)));
            }
            Place::Through(..) => {
                insert.table = self.table_of(new);
                insert.columns.extend(columns);
                insert.values.extend(cells.iter().map(|cell| literal(cell)));
            }
            Place::Beside(other, _) if !empty => insert.then.push(format!(
                "insert into {} (t_id, {}) values ({}, {})",
                self.fill(other),
                columns.join(", "),
                self.key(row.id),
                literals(cells)
            )),
            Place::Shared(other, _) => {
                let other = self.fill(other);
                insert.first.push(self.make_shared(&other, cells));
                insert.columns.push(format!("{other}_id"));
                insert.values.push(self.shared(&other, cells));
            }
            Place::Related(..) if !empty => insert.then.push(self.update(new, row, cells, u8::MAX, Phase::Validated)),
            Place::Beside(..) | Place::Related(..) => {}
        }
    }

    /// Makes the row of these values, where there is none.
    fn make_shared(&self, other: &str, cells: &[String]) -> String {
        let list = self.columns(true).join(", ");
        let found = self.shared(other, cells);
        let all_null = if cells.iter().all(|cell| cell == NULL) && !self.kind.not_null { "false" } else { "true" };
        format!("insert into {other} ({list}) select {} where {all_null} and {found} is null", literals(cells))
    }

    /// Where rows share values: whether the other values are there as well, and the statement that makes them of the first.
    pub fn edit(&self, from: &[String], to: &[String]) -> Option<(String, String)> {
        let Place::Shared(other, _) = self.kind.after else { return None };
        let other = self.fill(other);
        let set: Vec<String> =
            self.columns(true).iter().zip(to).map(|(column, cell)| format!("{column} = {}", literal(cell))).collect();
        let taken = format!("select {} is not null", self.shared(&other, to));
        Some((taken, format!("update {other} set {} where id = {}", set.join(", "), self.shared(&other, from))))
    }

    /// The key of the row of these values.
    fn shared(&self, other: &str, cells: &[String]) -> String {
        let columns = self.columns(true);
        let are: Vec<String> = columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| format!("{column} is not distinct from {}", literal(cell)))
            .collect();
        format!("(select id from {other} where {})", are.join(" and "))
    }

    /// The column by which rows are grouped.
    fn group_column(&self) -> String {
        self.fill("p$n_id")
    }

    /// A key, in SQL.
    pub fn key(&self, id: u8) -> String {
        literal(&self.key.of(id))
    }
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub id: u8,
    /// The id that it was inserted with.
    pub born: u8,
}

impl Row {
    /// The row that it refers to, where rows are grouped.
    pub fn group(&self) -> u8 {
        1 + self.born % 2
    }
}

/// An INSERT of a row, and what goes before and after it in the same transaction.
pub struct Insert {
    pub table: String,
    pub columns: Vec<String>,
    pub values: Vec<String>,
    pub first: Vec<String>,
    pub then: Vec<String>,
}

impl Insert {
    /// With the key alone.
    pub fn of(piece: &Piece, id: u8) -> Self {
        let (columns, values) = (vec!["id".to_owned()], vec![piece.key(id)]);
        Self { table: piece.table(), columns, values, first: Vec::new(), then: Vec::new() }
    }

    pub fn sql(self) -> String {
        let row =
            format!("insert into {} ({}) values ({})", self.table, self.columns.join(", "), self.values.join(", "));
        if self.first.is_empty() && self.then.is_empty() {
            return row;
        }
        let statements: Vec<String> = self.first.into_iter().chain([row]).chain(self.then).collect();
        format!("begin; {}; commit", statements.join("; "))
    }
}

fn literal(cell: &str) -> String {
    match cell {
        NULL => "null".to_owned(),
        DEFAULT => DEFAULT.to_owned(),
        cell => format!("'{}'", cell.replace('\'', "''")),
    }
}

fn literals(cells: &[String]) -> String {
    cells.iter().map(|cell| literal(cell)).collect::<Vec<_>>().join(", ")
}
