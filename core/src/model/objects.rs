//! Columns and indexes that come and go.

use crate::ident::QualifiedName;
use crate::schema::{Column, Index};
use crate::sql::expression::Expression;

/// A column comes.
#[derive(Clone, Debug)]
pub struct AddColumn {
    /// The table.
    pub table: QualifiedName,
    /// The column as it will be.
    pub column: Column,
    /// What rows without a value are filled with, over the other columns of the row, where the default alone cannot be in all rows at once.
    /// Only a column that is NOT NULL has it: there a null says that the row is not filled yet.
    pub fill: Option<Expression>,
}

/// A column goes, and what hangs on it.
#[derive(Clone, Debug)]
pub struct DropColumn {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: String,
    /// What old code reads in rows that new code inserts, where the column itself has no answer to that.
    pub default: Option<Expression>,
}

/// An index comes.
#[derive(Clone, Debug)]
pub struct CreateIndex {
    /// The table.
    pub table: QualifiedName,
    /// The index as it will be.
    pub index: Index,
}

/// An index goes.
#[derive(Clone, Debug)]
pub struct DropIndex {
    /// The table.
    pub table: QualifiedName,
    /// Its name.
    pub index: String,
}
