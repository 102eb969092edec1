//! What a kind of change is to this test: tables, a declaration, what code writes through both shapes, and what each shape then has to say.

use std::fmt;

use coexist::plan::Phase;

/// The values of some columns, as text.
pub type Cells = Vec<String>;

/// A cell without a value.
pub const NULL: &str = "-";

/// A cell for which a statement says `default`.
pub const DEFAULT: &str = "default";

/// What one shape says of what the other says; nothing where it cannot be.
pub type Convert = fn(&[String]) -> Option<Cells>;

/// One kind of change of a table `$t` that has a primary key `id` of type `$key` and whatever `columns` says. `$n` is another number for
/// each change, so that several are in flight side by side.
pub struct Kind {
    pub name: &'static str,
    /// What has to be there before the table.
    pub first: &'static str,
    /// Columns of the table, as in `create table`.
    pub columns: &'static str,
    /// What comes after the table.
    pub then: &'static str,
    /// Rows of other tables.
    pub data: &'static str,
    /// The operations.
    pub change: &'static str,
    pub before: Place,
    pub after: Place,
    /// What old code writes.
    pub old: &'static [&'static [&'static str]],
    /// What new code writes.
    pub new: &'static [&'static [&'static str]],
    /// What new code finds of what old code wrote. Nothing: the write has to fail, or a row that is there stands in the way.
    pub forward: Convert,
    /// What old code finds of what new code wrote.
    pub backward: Convert,
    /// What becomes of a row that is there.
    pub mend: fn(&[String]) -> Cells,
    pub way: Way,
    /// Neither shape takes a null.
    pub not_null: bool,
    pub unique: Unique,
    /// What an INSERT gives to columns that it leaves out; empty where that is null.
    pub default: fn(Phase) -> &'static [&'static str],
    /// An INSERT that gives the default to the before shape, and nothing to the after shape, is new code's.
    pub nulls_take_after: bool,
    /// Rows share values: those of odd ids, and those of even ones.
    pub grouped: bool,
    /// Whether what stands in the columns before keeps the change from its contract.
    pub held: fn(&[String]) -> bool,
    /// What new code writes never reaches the before shape.
    pub irreversible: bool,
    /// No other change of the table beside it.
    pub alone: bool,
    /// Only a key of this type.
    pub key: Option<Key>,
    pub partitioned: bool,
}

/// Where a shape has the columns.
#[derive(Clone, Copy)]
pub enum Place {
    /// In the table itself.
    Table(&'static [&'static str]),
    /// In the table, under another name of it.
    Through(&'static str, &'static [&'static str]),
    /// In a table of its own, in a row whose key `t_id` is that of the table.
    Beside(&'static str, &'static [&'static str]),
    /// In rows of another table that any number of rows refer to by `<table>_id`, each value once.
    Shared(&'static str, &'static [&'static str]),
    /// In rows of another table that are there, by `<table>_id`.
    Related(&'static str, &'static [&'static str]),
}

impl Place {
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Table(columns)
            | Self::Through(_, columns)
            | Self::Beside(_, columns)
            | Self::Shared(_, columns)
            | Self::Related(_, columns) => columns,
        }
    }
}

/// What is done to the columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Both shapes have columns of their own.
    Copy,
    /// Both shapes have the same, of which a rule comes to hold with dual-writing.
    Tightens,
    /// Both shapes have the same, of which a rule holds until this phase.
    Loosens(Phase),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    Never,
    From(Phase),
    UntilContract,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Integer,
    Text,
    Uuid,
}

impl Key {
    pub const ALL: [Self; 3] = [Self::Integer, Self::Text, Self::Uuid];

    pub fn sql_type(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Text => "text collate \"C\"",
            Self::Uuid => "uuid",
        }
    }

    /// As a query gives it.
    pub fn of(self, id: u8) -> String {
        match self {
            Self::Integer => id.to_string(),
            Self::Text => format!("k{id}"),
            Self::Uuid => format!("00000000-0000-0000-0000-0000000000{id:02}"),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

pub fn same(cells: &[String]) -> Option<Cells> {
    Some(cells.to_vec())
}

pub fn cells(cells: &[&str]) -> Cells {
    cells.iter().map(|&cell| cell.to_owned()).collect()
}

/// A column that becomes another one.
pub const COPY: Kind = Kind {
    name: "",
    first: "",
    columns: "a$n text",
    then: "",
    data: "",
    change: "",
    before: Place::Table(&["a$n"]),
    after: Place::Table(&["b$n"]),
    old: &[&["1"], &["2"], &["3"], &[NULL]],
    new: &[&["1"], &["2"], &["3"], &[NULL]],
    forward: same,
    backward: same,
    mend: <[String]>::to_vec,
    way: Way::Copy,
    not_null: false,
    unique: Unique::Never,
    default: |_| &[],
    nulls_take_after: false,
    grouped: false,
    held: |_| false,
    irreversible: false,
    alone: false,
    key: None,
    partitioned: false,
};

/// A column that stays where it is.
pub const IN_PLACE: Kind = Kind { after: Place::Table(&["a$n"]), way: Way::Tightens, ..COPY };
