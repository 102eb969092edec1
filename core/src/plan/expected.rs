//! What a plan takes for granted: its tables as `schema.sql` has them, as far as the change depends on them. A live database that is
//! otherwise has drifted.

use super::Phase;
use crate::ident::QualifiedName;

/// A table that is there before the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub table: QualifiedName,
    /// How many columns the change adds to it.
    pub adds: u32,
    /// The columns that the plan's statements name.
    pub columns: Vec<ExpectedColumn>,
    /// The constraints, indexes and statistics that stand on columns which go, or that the plan's statements name.
    pub objects: Vec<ExpectedObject>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedColumn {
    /// Its name.
    pub name: String,
    /// Its type, as SQL.
    pub ty: String,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Its default or what generates it, as SQL.
    pub expression: Option<String>,
    /// Whether it is an identity column.
    pub identity: bool,
    /// Whether it is generated from other columns.
    pub generated: bool,
    /// The phase in which it goes, or gets another type; views and all else that depends on it must be gone by then.
    pub goes: Option<Phase>,
    /// Whether another change, at stage `contract`, makes it so: the database may not be there yet.
    pub unsettled: bool,
}

/// A constraint, an index or extended statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// What it says, without its expressions: `unique (name) include (id)`, `index btree (*) where`.
    pub definition: String,
    /// The expressions in it, as SQL, in order.
    pub expressions: Vec<String>,
    /// Whether another change, at stage `contract`, makes it so: the database may not be there yet.
    pub unsettled: bool,
}

/// What hangs on columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A constraint.
    Constraint,
    /// An index that stands behind no constraint.
    Index,
    /// Extended statistics.
    Statistics,
}

impl ObjectKind {
    /// As files and messages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::Statistics => "statistics",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Constraint, Self::Index, Self::Statistics].into_iter().find(|kind| kind.name() == name)
    }
}
