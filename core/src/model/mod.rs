//! What a declaration means: each change with its two shapes, resolved against the schema. Plain data; made by
//! [`resolve`](resolve::resolve) from a tree that may still contain mistakes, and only passed on to the planner when there are none.

pub mod apply;
mod objects;
pub mod resolve;
pub mod rules;
mod shape;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use proc_macro2::{Span, TokenStream};

use crate::ident::{QualifiedName, fitting};
use crate::plan::{Stage, Values};
use crate::schema::{Column, Schema, SqlType, Table};
use crate::sql::expression::Expression;

pub use objects::{AddColumn, CreateIndex, DropColumn, DropIndex};
pub use shape::Shape;
pub use tables::{AddLabel, AddTable, Custom, CustomPart, DropTable, RenameTable};

/// A whole declaration.
#[derive(Clone, Debug)]
pub struct Model {
    /// What is live, as the dump says.
    pub schema: Arc<Schema>,
    /// The oldest server that the SQL must work on.
    pub server: u32,
    /// In the order of the source.
    pub changes: Vec<Change>,
    /// Rust types of columns that the declaration overrides.
    pub types: Vec<TypeOverride>,
}

/// At which stage each change was when its files were last written to `migrations/`.
#[derive(Clone, Debug)]
pub enum Committed {
    /// Nothing writes the files of this crate, so the sequence of stages cannot be checked.
    Unknown,
    /// Each change that has files. One that has none is new.
    Stages(BTreeMap<String, Stage>),
}

/// A Rust type of the user's own for a column, in both shapes.
#[derive(Clone, Debug)]
pub struct TypeOverride {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: String,
    /// As written.
    pub rust: TokenStream,
    /// Where.
    pub span: Span,
}

/// One parallel change.
#[derive(Clone, Debug)]
pub struct Change {
    /// A Rust identifier.
    pub name: String,
    /// The name's.
    pub span: Span,
    /// The doc comment.
    pub docs: Vec<String>,
    /// What the source promises.
    pub stage: Stage,
    /// The changes that it builds on.
    pub after: Vec<String>,
    /// What changes, in the order of the source. None builds on another.
    pub operations: Vec<Operation>,
    /// The before shape: the schema with every change at stage `contract`, without this one.
    pub before: Shape,
    /// The after shape: the same with this change.
    pub after_shape: Shape,
    /// The tables of the before shape that the change touches.
    pub before_tables: Vec<QualifiedName>,
    /// The tables of the after shape that the change touches.
    pub after_tables: Vec<QualifiedName>,
    /// Rows in the first batch of the backfill, where the declaration says it.
    pub batch: Option<u32>,
    /// The day by which the contract is promised, `2027-02-01`.
    pub contract_by: Option<String>,
}

/// One operation of a change, between the shape that it finds and the one that it leaves behind.
#[derive(Clone, Debug)]
pub struct Operation {
    /// What changes.
    pub kind: OperationKind,
    /// The change's before shape, with what the operations before this one made of it.
    pub before: Shape,
    /// The same with this one.
    pub after: Shape,
}

/// What changes.
#[derive(Clone, Debug)]
pub enum OperationKind {
    /// Columns of a table become other columns of the same table: rename and retype.
    Columns(ColumnsChange),
    /// Columns move to a new table: split.
    Split(SplitChange),
    /// Integer columns become wider under their own names.
    Widen(WidenChange),
    /// The columns of a 1:1 table move into the table that it belongs to: merge.
    Merge(MergeChange),
    /// A column comes.
    AddColumn(AddColumn),
    /// A column goes.
    DropColumn(DropColumn),
    /// An index comes.
    CreateIndex(CreateIndex),
    /// An index goes.
    DropIndex(DropIndex),
    /// What a table says of its rows changes: NOT NULL, constraints, defaults, comments.
    Rule(Box<rules::RuleChange>),
    /// A table comes.
    AddTable(AddTable),
    /// A table goes.
    DropTable(DropTable),
    /// A table gets another name.
    RenameTable(RenameTable),
    /// An enum type gets a label.
    AddLabel(AddLabel),
    /// Anything else.
    Custom(Custom),
    /// A column moves to a table that is related by a foreign key: move.
    Move(MoveChange),
    /// Repeated values become a table of their own: extract.
    Extract(ExtractChange),
}

/// Columns of a table become other columns of the same table.
#[derive(Clone, Debug)]
pub struct ColumnsChange {
    /// The table.
    pub table: QualifiedName,
    /// Which columns become which, at least one. No column is part of two of them.
    pub mappings: Vec<Mapping>,
    /// How the after columns come to be.
    pub way: Way,
}

/// Columns that become other columns, and nothing else does.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The names of the before columns.
    pub before: Vec<String>,
    /// The after columns, each with the expression that makes it from the before columns.
    pub after: Vec<AfterColumn>,
    /// For each before column, in the same order, the expression over the after columns that makes it; empty when `irreversible`.
    pub backward: Vec<Conversion>,
    /// The one after column holds the same values as the one before column, under another name.
    pub rename: bool,
    /// What an INSERT without any value for the after columns means, where the declaration has to say it.
    pub insert_nulls: Option<Side>,
}

/// How columns become other columns of the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// New columns beside the old ones, kept in step.
    Copy,
    /// The before columns, which a view shows under the new names.
    View,
    /// New columns under names of our own, which a view shows under the names that they share with the before columns.
    ViewOfCopy,
    /// The before columns, whose type the contract changes in the catalog alone.
    InPlace,
}

/// One of the two shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The old shape.
    Before,
    /// The new shape.
    After,
}

/// A column of the after shape.
#[derive(Clone, Debug)]
pub struct AfterColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// Whether it is NOT NULL in the after shape.
    pub not_null: bool,
    /// How it is made.
    pub forward: Conversion,
}

/// An expression that makes one column of a shape from columns of the other.
#[derive(Clone, Debug)]
pub struct Conversion {
    /// The SQL.
    pub expression: Expression,
    /// Declared to lose information.
    pub lossy: bool,
    /// What a value that does not convert does.
    pub on_failure: OnFailure,
}

/// What a value that does not convert does.
#[derive(Clone, Debug)]
pub enum OnFailure {
    /// Every value converts.
    Never,
    /// The write fails.
    Reject,
    /// NULL, and the row is recorded.
    Quarantine,
    /// This expression over the same columns stands in.
    Expression(Expression),
}

/// Columns move to a new 1:1 table.
#[derive(Clone, Debug)]
pub struct SplitChange {
    /// The table that is split.
    pub source: QualifiedName,
    /// The new table.
    pub target: QualifiedName,
    /// The primary key: the source's column and the target's.
    pub key: Vec<(String, String)>,
    /// The columns that move, under the same names.
    pub moved: Vec<String>,
    /// A row for every row, also where all moved columns are null.
    pub always: bool,
}

/// Integer columns become wider under their own names: one, and every column that references it, directly or through others.
#[derive(Clone, Debug)]
pub struct WidenChange {
    /// The table of the column that the declaration names, then those that reference it; each behind one that it references.
    pub tables: Vec<WidenedTable>,
    /// What all these columns become.
    pub ty: SqlType,
}

/// The columns of one table that become wider.
#[derive(Clone, Debug)]
pub struct WidenedTable {
    /// The table.
    pub name: QualifiedName,
    /// Its columns.
    pub columns: Vec<String>,
}

impl WidenChange {
    /// The columns of this table that become wider.
    pub fn columns_of(&self, table: &QualifiedName) -> &[String] {
        self.tables.iter().find(|widened| widened.name == *table).map_or(&[], |widened| &widened.columns)
    }
}

impl ColumnsChange {
    /// The mapping that a before column is part of.
    pub fn mapping_of(&self, column: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.before.iter().any(|name| name == column))
    }

    /// The names of all before columns.
    pub fn before_names(&self) -> Vec<String> {
        self.mappings.iter().flat_map(|mapping| mapping.before.iter().cloned()).collect()
    }

    /// All after columns.
    pub fn after(&self) -> impl Iterator<Item = &AfterColumn> {
        self.mappings.iter().flat_map(|mapping| &mapping.after)
    }
}

impl Mapping {
    /// The names of the after columns.
    pub fn after_names(&self) -> impl Iterator<Item = &str> {
        self.after.iter().map(|column| column.name.as_str())
    }

    /// Whether each shape follows from the other without loss.
    pub fn is_exact(&self) -> bool {
        let exact = |conversion: &Conversion| {
            !conversion.lossy && matches!(conversion.on_failure, OnFailure::Never | OnFailure::Reject)
        };
        !self.backward.is_empty()
            && self.after.iter().all(|column| exact(&column.forward))
            && self.backward.iter().all(exact)
    }

    /// Whether one column becomes one column.
    pub fn is_one_to_one(&self) -> bool {
        self.before.len() == 1 && self.after.len() == 1
    }
}

/// The columns of a 1:1 table move into the table that it belongs to, and the table goes.
#[derive(Clone, Debug)]
pub struct MergeChange {
    /// The table that goes.
    pub source: QualifiedName,
    /// The table that gets its columns.
    pub target: QualifiedName,
    /// The primary key of the target, in its order: the target's column and the source's.
    pub key: Vec<(String, String)>,
    /// The columns that move.
    pub moved: Vec<MergedColumn>,
    /// Columns of the source that go with it.
    pub dropped: Vec<String>,
    /// A row that new code makes or empties has a row in the source, also where all moved columns are absent.
    pub always: bool,
}

/// A column that moves into another table.
#[derive(Clone, Debug)]
pub struct MergedColumn {
    /// Its name in the source.
    pub from: String,
    /// Its name in the target.
    pub to: String,
    /// What a row of the target holds that has no row in the source; `None` for NULL. With a value the column is NOT NULL.
    pub absent: Option<Expression>,
}

/// A column moves to a table that is related by a foreign key.
#[derive(Clone, Debug)]
pub struct MoveChange {
    /// The table that has the column.
    pub from: QualifiedName,
    /// The column.
    pub column: String,
    /// The table that it moves to.
    pub to: QualifiedName,
    /// Its name there.
    pub new_column: String,
    /// Whether the table that has the column references the other one.
    pub upwards: bool,
    /// The foreign key: the referencing column and the referenced one.
    pub reference: Vec<(String, String)>,
    /// A row that is referenced has one row at most that references it.
    pub one_to_one: bool,
    /// What several rows come to that belong to one and do not agree, as an aggregate over the column; without it they are refused.
    pub take: Option<Expression>,
    /// The value of a row that has no row in the other table goes; otherwise such a row is refused.
    pub discard: bool,
}

impl MoveChange {
    /// The table that references the other one, with its column that holds the value.
    pub fn many(&self) -> (&QualifiedName, &str) {
        if self.upwards { (&self.from, &self.column) } else { (&self.to, &self.new_column) }
    }

    /// The table that is referenced, with its column that holds the value.
    pub fn one(&self) -> (&QualifiedName, &str) {
        if self.upwards { (&self.to, &self.new_column) } else { (&self.from, &self.column) }
    }
}

/// Repeated values become a table of their own, and the rows that had them refer to it.
#[derive(Clone, Debug)]
pub struct ExtractChange {
    /// The table that has the columns.
    pub source: QualifiedName,
    /// The new table.
    pub target: QualifiedName,
    /// The new table's key, whose values the database makes.
    pub key: String,
    /// Its type, and that of the reference.
    pub key_type: SqlType,
    /// The column by which a row refers to the new table.
    pub reference: String,
    /// The columns that go, each with its name in the new table.
    pub columns: Vec<(String, String)>,
    /// Every row refers to one of the new table, also where all columns are null.
    pub always: bool,
}

impl ExtractChange {
    /// Whether every row of the source, as it was, has a reference.
    pub fn refers_always(&self, source: &Table) -> bool {
        self.always || self.of(source).any(|column| column.not_null)
    }

    /// Whether a column of the source, as it was, is NOT NULL in the new table: a row without any value has none there.
    pub fn is_not_null(&self, column: &Column) -> bool {
        column.not_null || self.columns.len() == 1 && !self.always
    }

    /// Whether a row of the new table could have no value at all, which the source knows as no row.
    pub fn may_be_empty(&self, source: &Table) -> bool {
        self.columns.len() > 1 && !self.refers_always(source)
    }

    /// The new table as a set of values.
    pub fn values(&self, source: &Table) -> Values {
        Values {
            table: self.target.clone(),
            key: self.key.clone(),
            columns: self.columns.iter().map(|(from, to)| (to.clone(), from.clone())).collect(),
            nulls: self.of(source).any(|column| !self.is_not_null(column)),
        }
    }

    /// The names of the columns that go.
    pub fn gone(&self) -> Vec<String> {
        self.columns.iter().map(|(from, _)| from.clone()).collect()
    }

    /// The columns that go, as the source has them.
    pub fn of<'a>(&'a self, source: &'a Table) -> impl Iterator<Item = &'a Column> {
        self.columns.iter().filter_map(|(from, _)| source.column(from))
    }
}

impl OperationKind {
    /// Puts into one what operations do to columns of one table: it costs one set of triggers and one backfill then. No operation of a change
    /// builds on another, so their order is of no matter.
    pub fn merged(kinds: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::with_capacity(kinds.len());
        for kind in kinds {
            let Self::Columns(columns) = kind else {
                merged.push(kind);
                continue;
            };
            let same_table = merged.iter_mut().find_map(|known| match known {
                Self::Columns(known) if known.table == columns.table && known.way == columns.way => Some(known),
                _ => None,
            });
            match same_table {
                Some(known) => known.mappings.extend(columns.mappings),
                None => merged.push(Self::Columns(columns)),
            }
        }
        merged
    }

    /// The tables of a shape whose rows look different in the other one, and tables that come or go.
    pub fn tables(&self, side: Side) -> Vec<&QualifiedName> {
        match (self, side) {
            (Self::Columns(columns), _) => vec![&columns.table],
            (Self::Split(split), Side::Before) => vec![&split.source],
            (Self::Split(split), Side::After) => vec![&split.source, &split.target],
            (Self::Extract(extract), Side::Before) => vec![&extract.source],
            (Self::Extract(extract), Side::After) => vec![&extract.source, &extract.target],
            (Self::Widen(widen), _) => widen.tables.iter().map(|table| &table.name).collect(),
            (Self::Merge(merge), Side::Before) => vec![&merge.target, &merge.source],
            (Self::Merge(merge), Side::After) => vec![&merge.target],
            (Self::AddColumn(add), _) => vec![&add.table],
            (Self::DropColumn(drop), _) => vec![&drop.table],
            (Self::Rule(rule), side) => rule.tables(side),
            (Self::AddTable(add), Side::After) => vec![&add.table.name],
            (Self::DropTable(drop), Side::Before) => vec![&drop.table],
            (Self::RenameTable(rename), Side::Before) => vec![&rename.from],
            (Self::RenameTable(rename), Side::After) => vec![&rename.to],
            (Self::AddTable(_), Side::Before) | (Self::DropTable(_), Side::After) => Vec::new(),
            (Self::CreateIndex(_) | Self::DropIndex(_) | Self::AddLabel(_) | Self::Custom(_), _) => Vec::new(),
            (Self::Move(change), _) => vec![&change.from, &change.to],
        }
    }

    /// The table that code of the after shape reads and writes through a view.
    pub fn viewed(&self) -> Option<&QualifiedName> {
        let Self::Columns(columns) = self else { return None };
        matches!(columns.way, Way::View | Way::ViewOfCopy).then_some(&columns.table)
    }

    /// The column of the before shape that holds the very values of a column of the after shape, under another name or in another table.
    pub fn same_values(&self, table: &QualifiedName, column: &str) -> Option<(&QualifiedName, &str)> {
        match self {
            Self::Columns(change) if change.table == *table => {
                let is_it = |mapping: &&Mapping| mapping.rename && mapping.after_names().any(|name| name == column);
                let mapping = change.mappings.iter().find(is_it)?;
                Some((&change.table, mapping.before.first()?))
            }
            Self::Split(change) if change.target == *table => {
                let key = change.key.iter().find(|(_, to)| to == column).map(|(from, _)| from);
                let from = key.or_else(|| change.moved.iter().find(|moved| *moved == column))?;
                Some((&change.source, from.as_str()))
            }
            Self::Move(change) if change.to == *table && change.new_column == column => {
                Some((&change.from, change.column.as_str()))
            }
            Self::Merge(change) if change.target == *table => {
                let moved = change.moved.iter().find(|moved| moved.to == column)?;
                Some((&change.source, moved.from.as_str()))
            }
            Self::Extract(change) if change.target == *table => {
                let (from, _) = change.columns.iter().find(|(_, to)| to == column)?;
                Some((&change.source, from.as_str()))
            }
            _ => None,
        }
    }

    /// Whether a column of the after shape has, until the contract, the narrower type of the before shape: its values are cast on their way.
    pub fn is_cast(&self, table: &QualifiedName, column: &str) -> bool {
        match self {
            Self::Widen(widen) => widen.columns_of(table).iter().any(|name| name == column),
            _ => false,
        }
    }

    /// What code has to lock before it writes a row of a table of a shape, so that it and the triggers lock in one order. `key` is the table's
    /// primary key.
    pub fn locked_first(&self, side: Side, table: &QualifiedName, key: &[String]) -> Option<LockedFirst<'_>> {
        // The other table's column for each column of the key.
        let of_key = |pairs: &'_ [(String, String)]| -> Option<Vec<String>> {
            let other = |name: &String| Some(pairs.iter().find(|(_, own)| own == name)?.0.clone());
            (pairs.len() == key.len()).then(|| key.iter().map(other).collect())?
        };
        match (self, side) {
            (Self::Split(split), Side::After) if split.target == *table => {
                Some(LockedFirst::of_key(&split.source, of_key(&split.key)?, key))
            }
            (Self::Merge(merge), Side::Before) if merge.source == *table => {
                Some(LockedFirst::of_key(&merge.target, of_key(&merge.key)?, key))
            }
            (Self::Extract(extract), Side::After) if extract.target == *table => {
                Some(LockedFirst::of_key(&extract.source, vec![extract.reference.clone()], key))
            }
            (Self::Move(change), _) if change.many().0 == table => {
                let (by, columns): (Vec<String>, Vec<String>) = change.reference.iter().cloned().unzip();
                let value = (change.upwards == (side == Side::Before)).then(|| change.many().1.to_owned());
                let when = by.iter().cloned().chain(value).collect();
                Some(LockedFirst { table: change.one().0, columns, by, when })
            }
            _ => None,
        }
    }

    /// Whether a row of a table of the after shape may be there in the before shape alone, or in part, until the backfill is complete: what
    /// changes it must not come before that.
    pub fn is_filled_late(&self, table: &QualifiedName) -> bool {
        match self {
            Self::Split(split) => split.target == *table,
            Self::Merge(merge) => merge.target == *table,
            Self::Move(change) => change.to == *table,
            Self::Extract(extract) => extract.target == *table,
            _ => false,
        }
    }
}

/// Rows that are locked before a row of another table is written.
#[derive(Clone, Debug)]
pub struct LockedFirst<'a> {
    /// Their table.
    pub table: &'a QualifiedName,
    /// Its columns ...
    pub columns: Vec<String>,
    /// ... that hold what is in these of the row which is written.
    pub by: Vec<String>,
    /// Only where one of these columns is written; where there is none, always.
    pub when: Vec<String>,
}

impl<'a> LockedFirst<'a> {
    /// Those that belong to a row by its primary key, whatever is written.
    fn of_key(table: &'a QualifiedName, columns: Vec<String>, key: &[String]) -> Self {
        Self { table, columns, by: key.to_vec(), when: Vec::new() }
    }
}

impl Operation {
    /// The operations of a change, each from the shape that the one before it leaves.
    pub fn chain(before: &Shape, kinds: impl IntoIterator<Item = OperationKind>) -> Vec<Self> {
        let mut shape = before.clone();
        let operations = kinds.into_iter().map(|kind| {
            let after = apply::apply(&shape, &kind);
            Self { kind, before: std::mem::replace(&mut shape, after.clone()), after }
        });
        operations.collect()
    }

    /// The tables that operations touch in one shape, each once.
    pub fn tables(operations: &[Self], side: Side) -> Vec<QualifiedName> {
        let mut tables: Vec<QualifiedName> = Vec::new();
        for table in operations.iter().flat_map(|operation| operation.kind.tables(side)) {
            if !tables.contains(table) {
                tables.push(table.clone());
            }
        }
        tables
    }
}

impl Change {
    /// The view through which code of the after shape reads and writes a table, where it does: in a schema of the change's name.
    pub fn view_of(&self, table: &QualifiedName) -> Option<QualifiedName> {
        let viewed = self.operations.iter().filter_map(|operation| operation.kind.viewed());
        viewed
            .filter(|viewed| *viewed == table)
            .map(|table| QualifiedName::new(fitting(self.name.clone()), &table.name))
            .next()
    }
}

impl Model {
    /// The change of this name.
    pub fn change(&self, name: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.name == name)
    }
}
