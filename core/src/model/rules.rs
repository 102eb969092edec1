//! Changes of what a table says of its rows; the columns stay where they are.

use super::Side;
use crate::ident::QualifiedName;
use crate::schema::{Constraint, ConstraintKind, SqlText};
use crate::sql::expression::Expression;

/// What changes.
#[derive(Clone, Debug)]
pub enum RuleChange {
    /// A column becomes NOT NULL.
    Require(RequireChange),
    /// A column becomes nullable.
    Relax(RelaxChange),
    /// A constraint comes.
    Constrain(ConstrainChange),
    /// A constraint goes.
    Unconstrain(UnconstrainChange),
    /// A column gets another default, or none.
    Default(DefaultChange),
    /// A table or a column gets another comment, or none.
    Comment(CommentChange),
}

/// A column becomes NOT NULL.
#[derive(Clone, Debug)]
pub struct RequireChange {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: String,
    /// What becomes of NULL.
    pub policy: Policy,
}

/// What becomes of rows that break a new rule.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Columns and what they become in such a row. None: there must be no such row.
    pub repairs: Vec<(String, Expression)>,
    /// What becomes of a write that makes such a row.
    pub writes: BrokenWrites,
}

/// What becomes of a write that makes a row which breaks a new rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenWrites {
    /// It fails.
    Rejected,
    /// The row is mended like those that are there.
    Repaired,
}

/// A column becomes nullable.
#[derive(Clone, Debug)]
pub struct RelaxChange {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: String,
    /// From the phase dual-writing on, with what a rollback puts in place of NULL; `None` from the contract on.
    pub early: Option<Expression>,
}

/// A constraint comes.
#[derive(Clone, Debug)]
pub struct ConstrainChange {
    /// The table.
    pub table: QualifiedName,
    /// The constraint, as it will be.
    pub constraint: Constraint,
    /// Of a check, the condition.
    pub condition: Option<Expression>,
    /// What becomes of rows that break it.
    pub policy: Policy,
}

/// A constraint goes.
#[derive(Clone, Debug)]
pub struct UnconstrainChange {
    /// The table.
    pub table: QualifiedName,
    /// The constraint, as it was.
    pub constraint: Constraint,
}

/// A column gets another default, or none.
#[derive(Clone, Debug)]
pub struct DefaultChange {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: String,
    /// What it was.
    pub before: Option<SqlText>,
    /// What it becomes.
    pub after: Option<SqlText>,
}

/// A table or a column gets another comment, or none.
#[derive(Clone, Debug)]
pub struct CommentChange {
    /// The table.
    pub table: QualifiedName,
    /// The column; `None` for the table itself.
    pub column: Option<String>,
    /// What it becomes.
    pub comment: Option<String>,
}

impl RuleChange {
    /// The table whose rows look different in the two shapes: other types in Rust, another key.
    pub(super) fn tables(&self, _side: Side) -> Vec<&QualifiedName> {
        match self {
            Self::Require(RequireChange { table, .. }) | Self::Relax(RelaxChange { table, .. }) => vec![table],
            Self::Default(default) if default.before.is_some() != default.after.is_some() => vec![&default.table],
            Self::Constrain(ConstrainChange { table, constraint, .. })
            | Self::Unconstrain(UnconstrainChange { table, constraint })
                if matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }) =>
            {
                vec![table]
            }
            Self::Constrain(_) | Self::Unconstrain(_) | Self::Default(_) | Self::Comment(_) => Vec::new(),
        }
    }
}
