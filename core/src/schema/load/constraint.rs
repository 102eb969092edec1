//! Constraints of tables.

mod add;
mod read;

pub(super) use self::add::{add, choose_key_name};
pub(super) use self::read::{attributes, begins_table_constraint, column_constraint, nulls_distinct, table_constraint};

use super::cursor::Path;
use super::index::NewKey;
use crate::schema::{ReferentialAction, SqlText};

/// A constraint as written, before it has a name and a table.
#[derive(Clone)]
pub(super) struct NewConstraint {
    pub name: Option<String>,
    pub rule: Rule,
    pub attributes: Attributes,
    /// Those of the index behind it.
    pub with: Vec<(String, String)>,
    pub tablespace: Option<String>,
    /// The whole constraint, as written.
    pub text: String,
    pub line: u32,
}

/// What a constraint says.
#[derive(Clone)]
pub(super) enum Rule {
    PrimaryKey {
        columns: Vec<String>,
        include: Vec<String>,
    },
    Unique {
        columns: Vec<String>,
        include: Vec<String>,
        nulls_not_distinct: bool,
    },
    /// `PRIMARY KEY | UNIQUE USING INDEX`.
    UsingIndex {
        primary: bool,
        index: String,
    },
    Check(SqlText),
    ForeignKey(NewForeignKey),
    Exclude {
        definition: SqlText,
        keys: Vec<NewKey>,
        include: Vec<String>,
        predicate: Option<SqlText>,
    },
    NotNull {
        column: String,
    },
    /// With `WITHOUT OVERLAPS` or `PERIOD`, PostgreSQL 18 and later: kept as a statement that is not understood. What it says all the same
    /// is which columns a primary key makes `NOT NULL`.
    Temporal {
        not_null: Vec<String>,
    },
}

#[derive(Clone)]
pub(super) struct NewForeignKey {
    pub columns: Vec<String>,
    pub references: Path,
    /// Empty where the primary key is meant.
    pub referenced: Vec<String>,
    pub on_update: ReferentialAction,
    pub on_delete: ReferentialAction,
    pub on_delete_columns: Vec<String>,
    pub match_full: bool,
}

/// What may follow any constraint.
#[derive(Clone, Default)]
pub(super) struct Attributes {
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub not_valid: bool,
    pub not_enforced: bool,
    pub no_inherit: bool,
}
