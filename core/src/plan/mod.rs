//! What is done to the database for one change: plain data, printed as it is run.
//!
//! A plan is complete: a command or a program carries it out without the source that it came from.

#[cfg(feature = "compile")]
mod add_column;
#[cfg(feature = "compile")]
mod carried_proof;
#[cfg(feature = "compile")]
mod carry;
#[cfg(feature = "compile")]
mod columns;
#[cfg(feature = "compile")]
mod columns_mapping;
#[cfg(feature = "compile")]
mod columns_sync;
#[cfg(feature = "compile")]
mod compare;
#[cfg(feature = "compile")]
mod custom;
#[cfg(feature = "compile")]
mod drop_column;
#[cfg(feature = "compile")]
mod duplicates;
#[cfg(feature = "compile")]
mod expect;
mod expected;
#[cfg(feature = "compile")]
mod extract;
#[cfg(feature = "compile")]
mod extract_sync;
#[cfg(feature = "compile")]
mod in_place;
#[cfg(feature = "compile")]
mod indexes;
#[cfg(feature = "compile")]
mod make;
#[cfg(feature = "compile")]
mod merge;
#[cfg(feature = "compile")]
mod move_column;
#[cfg(feature = "compile")]
mod move_sync;
#[cfg(feature = "compile")]
mod new_table;
#[cfg(feature = "compile")]
mod pair_sync;
#[cfg(feature = "compile")]
mod rules;
#[cfg(feature = "compile")]
mod split;
#[cfg(feature = "compile")]
mod sql;
#[cfg(feature = "compile")]
mod tables;
#[cfg(feature = "compile")]
mod take_over;
#[cfg(feature = "compile")]
mod triggers;
#[cfg(feature = "compile")]
mod view;
#[cfg(feature = "compile")]
mod violations;
#[cfg(feature = "compile")]
mod widen;
#[cfg(feature = "compile")]
mod widen_sync;

use crate::ident::{QualifiedName, quote_ident};

/// The first server on which a view can look at its table with the rights, and under the policies, of who reads the view.
pub const SECURITY_INVOKER: u32 = 15;

#[cfg(feature = "compile")]
pub(crate) use compare::is_exact;
pub use expected::{Expected, ExpectedColumn, ExpectedObject, ObjectKind};
#[cfg(feature = "compile")]
pub use make::{OLDEST_SERVER, make};

/// The session setting that a backfill batch sets, locally to its transaction, to the name of its [operation](Backfill::operation): the sync
/// triggers of that one then leave the row alone, and those of others do their work.
pub const BACKFILL_SETTING: &str = "coexist.backfill";

/// How far the database is with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing is done yet.
    Declared,
    /// The after shape exists; nothing fills it.
    Expanded,
    /// Every write through one shape reaches the other.
    DualWriting,
    /// Every row is in both shapes.
    Backfilled,
    /// Indexes and constraints of the after shape hold, and every row was compared.
    Validated,
    /// The before shape is gone.
    Contracted,
}

impl Phase {
    /// In order.
    pub const ALL: [Self; 6] =
        [Self::Declared, Self::Expanded, Self::DualWriting, Self::Backfilled, Self::Validated, Self::Contracted];

    /// As the ledger, the files and the messages spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Expanded => "expanded",
            Self::DualWriting => "dual-writing",
            Self::Backfilled => "backfilled",
            Self::Validated => "validated",
            Self::Contracted => "contracted",
        }
    }

    /// The phase of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// What the source code promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The code uses the before shape.
    Expand,
    /// The code moves to the after shape; every use of before warns.
    Migrate,
    /// The before shape is gone from the code.
    Contract,
}

impl Stage {
    /// In order.
    pub const ALL: [Self; 3] = [Self::Expand, Self::Migrate, Self::Contract];

    /// As it is written in a declaration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Migrate => "migrate",
            Self::Contract => "contract",
        }
    }

    /// The stage of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// Everything that is done for one change.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The change's name.
    pub change: String,
    /// Its doc comment, one paragraph of it a line.
    pub summary: String,
    /// What the source promises. Not part of the [fingerprint](Self::fingerprint).
    pub stage: Stage,
    /// How the change is made, and why that way is the cheapest safe one.
    pub way: String,
    /// The changes that this one is declared `after`.
    pub after: Vec<String>,
    /// The oldest server that the SQL works on: 13, 14, …
    pub server: u32,
    /// Where names in the declared expressions are looked up, whatever a session has set: what a runner sets as `search_path`.
    pub search_path: Vec<String>,
    /// The tables that the change writes or alters, the table of the before shape first.
    pub tables: Vec<QualifiedName>,
    /// What the tables that are there before must be like. Not part of the [fingerprint](Self::fingerprint).
    pub expected: Vec<Expected>,
    /// In the order in which they run.
    pub steps: Vec<Step>,
    /// What takes away what the contract leaves for new code: the views of the after shape. Runs when the change is retired, from the phase
    /// contracted on.
    pub retire: Vec<Step>,
    /// What is looked for in the tables before a phase begins, because it would stand in the way.
    pub probes: Vec<Probe>,
    /// What fills the after shape, in order; runs between the phases dual-writing and backfilled.
    pub backfill: Vec<Backfill>,
    /// What compares the shapes, row by row.
    pub reconcile: Vec<Reconcile>,
    /// What must be known before this runs: carried objects, triggers that will fire, what is lost.
    pub notes: Vec<String>,
    /// Why there is no way back once new code has written, where there is none.
    pub irreversible: Option<String>,
    /// Rows in the first batch of the backfill, where the declaration says it.
    pub batch: Option<u32>,
    /// The day by which the contract is promised, `2027-02-01`.
    pub contract_by: Option<String>,
}

/// One step. Its record in the ledger commits with its effect, where it runs in a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Unique within the plan, and stable: `add_columns`.
    pub id: String,
    /// What it does, for people, in one line.
    pub title: String,
    /// The phase that it is part of reaching.
    pub phase: Phase,
    /// What runs.
    pub action: Action,
    /// What takes it back, in order; every statement also works where the step was only begun.
    pub undo: Vec<Action>,
    /// Steps that look at their own earlier try first.
    pub leftover: Option<Leftover>,
}

/// Statements that run together.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Each without a semicolon at its end.
    pub statements: Vec<String>,
    /// In a transaction or not.
    pub mode: Mode,
    /// What is locked while it runs.
    pub locks: Vec<Lock>,
}

/// How statements run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All in one short transaction, under a lock timeout.
    Transaction,
    /// In a transaction that reads the whole table under a weak lock: without a statement timeout.
    LongTransaction,
    /// Each by itself, outside of any transaction (`CREATE INDEX CONCURRENTLY`).
    Outside,
}

impl Mode {
    /// As the files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::LongTransaction => "long transaction",
            Self::Outside => "outside a transaction",
        }
    }

    /// The mode of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Transaction, Self::LongTransaction, Self::Outside].into_iter().find(|mode| mode.name() == name)
    }
}

/// A lock that a step takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// On what.
    pub table: QualifiedName,
    /// How strong.
    pub level: LockLevel,
    /// Whether the table is read from end to end while the lock is held.
    pub scans: bool,
}

/// PostgreSQL's table locks, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockLevel {
    /// `ACCESS SHARE`
    AccessShare,
    /// `ROW SHARE`
    RowShare,
    /// `ROW EXCLUSIVE`
    RowExclusive,
    /// `SHARE UPDATE EXCLUSIVE`
    ShareUpdateExclusive,
    /// `SHARE`
    Share,
    /// `SHARE ROW EXCLUSIVE`
    ShareRowExclusive,
    /// `EXCLUSIVE`
    Exclusive,
    /// `ACCESS EXCLUSIVE`
    AccessExclusive,
}

impl LockLevel {
    /// Weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As PostgreSQL's manual spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The level of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Whether two transactions cannot hold these on one table at the same time.
    pub fn conflicts_with(self, other: Self) -> bool {
        use LockLevel::*;
        let (weaker, stronger) = if self <= other { (self, other) } else { (other, self) };
        match weaker {
            AccessShare => stronger == AccessExclusive,
            RowShare => stronger >= Exclusive,
            RowExclusive => stronger >= Share,
            // The only one that admits itself among those that are stronger than what writers take.
            Share => stronger != Share,
            ShareUpdateExclusive | ShareRowExclusive | Exclusive | AccessExclusive => true,
        }
    }

    /// The statements that wait while it is held, weakest lock first.
    pub fn waiting(self) -> impl Iterator<Item = &'static str> {
        const STATEMENTS: [(&str, LockLevel); 8] = [
            ("SELECT", LockLevel::AccessShare),
            ("SELECT FOR UPDATE", LockLevel::RowShare),
            ("INSERT", LockLevel::RowExclusive),
            ("UPDATE", LockLevel::RowExclusive),
            ("DELETE", LockLevel::RowExclusive),
            ("VACUUM", LockLevel::ShareUpdateExclusive),
            ("CREATE INDEX", LockLevel::Share),
            ("ALTER TABLE", LockLevel::AccessExclusive),
        ];
        STATEMENTS.into_iter().filter(move |(_, level)| self.conflicts_with(*level)).map(|(statement, _)| statement)
    }

    /// What waits while it is held, for people.
    pub fn blocks(self) -> &'static str {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => "reads and writes go on",
            Self::ShareUpdateExclusive => "reads and writes go on, other schema changes and VACUUM wait",
            Self::Share | Self::ShareRowExclusive => "writes wait, reads go on",
            Self::Exclusive => "writes and SELECT FOR UPDATE wait, reads go on",
            Self::AccessExclusive => "reads and writes wait",
        }
    }
}

/// What an earlier try of a step that cannot run in a transaction may have left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// An index of this name: dropped (concurrently) if it is invalid, kept if it is valid.
    Index(QualifiedName),
}

/// Rows that would stand in the way of a phase: looked for before anything is touched, and again before that phase begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Unique within the plan, and stable: `duplicates_users_email_key`.
    pub id: String,
    /// What is looked for, for people: `rows of users that share one email`.
    pub title: String,
    /// What to do about what is found.
    pub remedy: String,
    /// The phase that cannot be reached with such rows.
    pub blocks: Phase,
    /// Where they are found.
    pub search: Search,
}

/// How rows that stand in the way are found.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    /// Each row by itself, so that the table is read in pieces.
    Rows {
        /// The table; in the expressions its columns are qualified with `source`.
        table: QualifiedName,
        /// What it is cut by; empty when it has no key, and is read by physical position.
        key: Vec<KeyColumn>,
        /// Another table that is joined, with the condition: `left join <table> as target on <condition>`.
        join: Option<(QualifiedName, String)>,
        /// True for a row that stands in the way, as SQL.
        condition: String,
    },
    /// Rows that stand in each other's way: one query over the whole table, whose rows have one column, a text that names what was found.
    Groups {
        /// The table that is read.
        table: QualifiedName,
        /// The query, without a limit and without a semicolon.
        query: String,
    },
}

/// How one table's rows reach the after shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Backfill {
    /// Columns of the same row are filled.
    Update {
        /// What the triggers of its operation know it by.
        operation: String,
        /// The table; in the expressions its columns stand without a qualifier.
        table: QualifiedName,
        /// Column and expression, as SQL.
        set: Vec<(String, String)>,
        /// Columns whose expression does not convert in rows that are in step, and the conversion by itself: it tells which values in quarantine
        /// convert by now.
        conversions: Vec<(String, String)>,
        /// True for rows that are not yet in the after shape, as SQL.
        pending: String,
        /// The primary key, or a unique key without nulls; empty when there is none.
        key: Vec<KeyColumn>,
    },
    /// Rows are copied into another table by pieces of the key, and their source rows are locked meanwhile. By the key and not by physical
    /// position, because a row that is updated meanwhile moves, and the triggers copy it only if the update touched what is copied.
    Insert {
        /// What the triggers of its operation know it by.
        operation: String,
        /// Where the rows come from; in the expressions its columns are qualified with `source`.
        source: QualifiedName,
        /// Where they go.
        target: QualifiedName,
        /// The source's primary key, in order: what the pieces are cut by.
        key: Vec<KeyColumn>,
        /// Target column and expression over `source`, as SQL, the target's key first.
        columns: Vec<(String, String)>,
        /// True for source rows that should have a row in the target, as SQL over `source`.
        pending: String,
        /// The target's key, for `ON CONFLICT`.
        target_key: Vec<String>,
    },
    /// Columns are filled from rows of another table, by pieces of the key, and those rows are locked meanwhile.
    UpdateFrom {
        /// What the triggers of its operation know it by.
        operation: String,
        /// The table that is filled; in the expressions its columns are qualified with `target`.
        table: QualifiedName,
        /// Its primary key, in order: what the pieces are cut by.
        key: Vec<KeyColumn>,
        /// Where the values come from; in the expressions its columns are qualified with `source`.
        source: QualifiedName,
        /// What tells the rows of the source apart.
        source_key: Vec<String>,
        /// True for the rows of the source that belong to a row of the table, as SQL over `source` and `target`.
        on: String,
        /// How several rows of the source that belong to one row of the table become one; none where there is one at most.
        combined: Option<Combined>,
        /// Column and expression over `source` (the combined row, where rows are combined), as SQL.
        set: Vec<(String, String)>,
        /// True for rows that are not yet in the after shape, as SQL over `source` and `target`.
        pending: String,
    },
    /// Rows get a reference to the row of another table that holds their values, which is made where there is none. By physical position,
    /// like `Update`.
    Refer {
        /// What the triggers of its operation know it by.
        operation: String,
        /// The table; in `pending` its columns stand without a qualifier.
        table: QualifiedName,
        /// Its column that refers to the other table.
        reference: String,
        /// What it refers to.
        values: Values,
        /// True for rows that are without their reference, as SQL.
        pending: String,
        /// The primary key, or a unique key without nulls; empty when there is none.
        key: Vec<KeyColumn>,
    },
}

/// How several rows become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    /// The columns that they share.
    pub by: Vec<String>,
    /// The column that the one row has, and the aggregate over `source` that makes it, as SQL.
    pub columns: Vec<(String, String)>,
}

impl Backfill {
    /// What the triggers of its operation know it by: the value of [`BACKFILL_SETTING`] while it writes.
    pub fn operation(&self) -> &str {
        match self {
            Self::Update { operation, .. }
            | Self::UpdateFrom { operation, .. }
            | Self::Insert { operation, .. }
            | Self::Refer { operation, .. } => operation,
        }
    }

    /// Whether rows are filled where they are, not in another table.
    pub fn in_place(&self) -> bool {
        matches!(self, Self::Update { .. } | Self::Refer { .. })
    }

    /// The table whose rows are changed or made.
    pub fn target(&self) -> &QualifiedName {
        match self {
            Self::Update { table, .. } | Self::UpdateFrom { table, .. } | Self::Refer { table, .. } => table,
            Self::Insert { target, .. } => target,
        }
    }

    /// The table that the values come from.
    pub fn source(&self) -> &QualifiedName {
        match self {
            Self::Update { table, .. } | Self::Refer { table, .. } => table,
            Self::Insert { source, .. } | Self::UpdateFrom { source, .. } => source,
        }
    }

    /// The table that is cut into pieces, and what they are cut by.
    pub fn pieces(&self) -> (&QualifiedName, &[KeyColumn]) {
        match self {
            Self::Update { table, key, .. } | Self::UpdateFrom { table, key, .. } | Self::Refer { table, key, .. } => {
                (table, key)
            }
            Self::Insert { source, key, .. } => (source, key),
        }
    }

    /// Column and expression, as SQL.
    pub fn columns(&self) -> &[(String, String)] {
        match self {
            Self::Update { set, .. } | Self::UpdateFrom { set, .. } => set,
            Self::Insert { columns, .. } => columns,
            Self::Refer { values, .. } => &values.columns,
        }
    }

    /// True for rows that are not yet in the after shape, as SQL.
    pub fn pending(&self) -> &str {
        match self {
            Self::Update { pending, .. }
            | Self::UpdateFrom { pending, .. }
            | Self::Insert { pending, .. }
            | Self::Refer { pending, .. } => pending,
        }
    }
}

/// A table that holds each combination of values once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// The table.
    pub table: QualifiedName,
    /// The column that references hold.
    pub key: String,
    /// Its columns that hold the values, each with the column of the referring table that the values come from.
    pub columns: Vec<(String, String)>,
    /// Values may be null beside others that are not: the unique key is one over an array of them, in which nulls are equal.
    pub nulls: bool,
}

impl Values {
    /// The values of a row as a list of expressions, over columns with `prefix` that `name` takes from a pair of [`columns`](Self::columns):
    /// what two rows agree in that have the same values, and what the unique key is made of.
    pub fn list<'a>(&'a self, prefix: &str, name: impl Fn(&'a (String, String)) -> &'a str) -> String {
        let columns = self.columns.iter().map(|pair| format!("{prefix}{}", quote_ident(name(pair))));
        if self.nulls {
            let elements: Vec<String> =
                columns.map(|column| format!("{column}::text collate pg_catalog.\"C\"")).collect();
            format!("array[{}]", elements.join(", "))
        } else {
            columns.collect::<Vec<_>>().join(", ")
        }
    }

    /// [`list`](Self::list) over the columns of the table itself.
    pub fn own(&self, prefix: &str) -> String {
        self.list(prefix, |(own, _)| own)
    }

    /// [`list`](Self::list) over the columns of the referring table.
    pub fn referring(&self, prefix: &str) -> String {
        self.list(prefix, |(_, referring)| referring)
    }
}

/// A column by which a table is cut into pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its name.
    pub name: String,
    /// Its type, as SQL.
    pub ty: String,
}

/// How the two shapes are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconcile {
    /// The table that is read in pieces; in the expressions its columns are qualified with `source`.
    pub table: QualifiedName,
    /// What it is cut by; empty when it has no key, and is read by physical position.
    pub key: Vec<KeyColumn>,
    /// Another table that is joined, with the condition: `left join <table> as target on <condition>`.
    pub join: Option<(QualifiedName, String)>,
    /// True for a row whose shapes disagree, as SQL over `source` and `target`.
    pub mismatch: String,
    /// What is compared, for people.
    pub title: String,
}

impl Plan {
    /// Identifies what the plan does, whatever stage the source is at and however it is worded for people: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        crate::render::plan_file::fingerprint(self)
    }

    /// The steps that lead to `phase`.
    pub fn steps_to(&self, phase: Phase) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.phase == phase)
    }
}
