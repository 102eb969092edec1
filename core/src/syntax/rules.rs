//! Operations that change what a table says of its rows, and leave the columns where they are.

use proc_macro2::Span;

use super::{ColumnPath, Literal, Name, TablePath};

/// What changes.
#[derive(Clone, Debug)]
pub enum Rule {
    /// `require t.a { fill "…" }`
    Require(Require),
    /// `relax t.a { nulls from contract }`
    Relax(Relax),
    /// `constrain t: check name "…" or reject;`
    Constrain(Constrain),
    /// `unconstrain t: name;`
    Unconstrain(Unconstrain),
    /// `default t.a: "…";`
    Default(SetDefault),
    /// `comment t.a: "…";`
    Comment(Comment),
}

impl Rule {
    /// The word that it begins with.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Require(_) => "require",
            Self::Relax(_) => "relax",
            Self::Constrain(_) => "constrain",
            Self::Unconstrain(_) => "unconstrain",
            Self::Default(_) => "default",
            Self::Comment(_) => "comment",
        }
    }

    /// Where that word stands.
    pub fn keyword(&self) -> Span {
        match self {
            Self::Require(require) => require.keyword,
            Self::Relax(relax) => relax.keyword,
            Self::Constrain(constrain) => constrain.keyword,
            Self::Unconstrain(unconstrain) => unconstrain.keyword,
            Self::Default(default) => default.keyword,
            Self::Comment(comment) => comment.keyword,
        }
    }

    /// Where it names its table.
    pub fn table_span(&self) -> Span {
        match self {
            Self::Require(Require { column, .. })
            | Self::Relax(Relax { column, .. })
            | Self::Default(SetDefault { column, .. }) => column.table.table.span,
            Self::Constrain(Constrain { table, .. }) | Self::Unconstrain(Unconstrain { table, .. }) => table.table.span,
            Self::Comment(comment) => comment.on.first().map_or(comment.keyword, |name| name.span),
        }
    }
}

/// `require t.a or reject;` or `require t.a { fill "…" or reject, old writes reject }`
#[derive(Clone, Debug)]
pub struct Require {
    /// The word `require`.
    pub keyword: Span,
    /// What becomes NOT NULL.
    pub column: ColumnPath,
    /// What becomes of NULL.
    pub policy: Policy,
}

/// What becomes of rows that break a new rule.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// `or reject`: there must be no such rows, and writes that make one fail.
    pub reject: Option<Span>,
    /// `fill "…"`, `fix a "…"`: what mends such a row.
    pub repairs: Vec<Repair>,
    /// `old writes reject`: rows that are there are mended, and writes that make a new one fail.
    pub writes_reject: Option<Span>,
}

/// `fill "…" or reject` or `fix a "…" or reject`
#[derive(Clone, Debug)]
pub struct Repair {
    /// The word `fill` or `fix`.
    pub keyword: Span,
    /// The column that `fix` names.
    pub column: Option<Name>,
    /// What it becomes.
    pub expression: Literal,
    /// `or reject`: what is not mended by it fails.
    pub or_reject: Option<Span>,
}

/// `relax t.a { nulls from contract }` or `relax t.a { nulls from dual_write, backward "…" }`
#[derive(Clone, Debug)]
pub struct Relax {
    /// The word `relax`.
    pub keyword: Span,
    /// What becomes nullable.
    pub column: ColumnPath,
    /// `nulls from <phase>`
    pub nulls_from: Option<Name>,
    /// `backward "…"`: what a rollback puts in place of NULL.
    pub backward: Option<Repair>,
}

/// `constrain t: …`
#[derive(Clone, Debug)]
pub struct Constrain {
    /// The word `constrain`.
    pub keyword: Span,
    /// The table.
    pub table: TablePath,
    /// Where the constraint begins.
    pub span: Span,
    /// Its name, where it is written.
    pub name: Option<Name>,
    /// What it says.
    pub definition: Definition,
    /// `deferrable`
    pub deferrable: Option<Span>,
    /// `initially deferred`
    pub initially_deferred: Option<Span>,
    /// What becomes of rows that break it.
    pub policy: Policy,
}

/// What a constraint says.
#[derive(Clone, Debug)]
pub enum Definition {
    /// `check name "…"`
    Check(Literal),
    /// `unique (a, b) nulls not distinct include (c)`
    Unique {
        /// In the key's order.
        columns: Vec<Name>,
        /// `nulls not distinct`
        nulls_not_distinct: Option<Span>,
        /// Payload columns.
        include: Vec<Name>,
    },
    /// `primary key (a, b) include (c)`
    PrimaryKey {
        /// In the key's order.
        columns: Vec<Name>,
        /// Payload columns.
        include: Vec<Name>,
    },
    /// `(a, b) references u (x, y) on delete cascade`
    References {
        /// The referencing columns.
        columns: Vec<Name>,
        /// The referenced table.
        table: TablePath,
        /// The referenced columns; empty for the primary key.
        referenced: Vec<Name>,
        /// `match full`
        match_full: bool,
        /// `on update …`, as words with one blank between them.
        on_update: Option<Name>,
        /// `on delete …`
        on_delete: Option<Name>,
    },
}

/// `unconstrain t: name;`
#[derive(Clone, Debug)]
pub struct Unconstrain {
    /// The word `unconstrain`.
    pub keyword: Span,
    /// The table.
    pub table: TablePath,
    /// The constraint.
    pub name: Name,
}

/// `default t.a: "…";` or `default t.a: none;`
#[derive(Clone, Debug)]
pub struct SetDefault {
    /// The word `default`.
    pub keyword: Span,
    /// The column.
    pub column: ColumnPath,
    /// The expression; `None` for `none`.
    pub expression: Option<Literal>,
}

/// `comment t.a: "…";`, `comment t: "…";`, or `none` in place of the text
#[derive(Clone, Debug)]
pub struct Comment {
    /// The word `comment`.
    pub keyword: Span,
    /// A table, or a column of one: which of them two names are shows the schema.
    pub on: Vec<Name>,
    /// The text; `None` for `none`.
    pub text: Option<Literal>,
}
