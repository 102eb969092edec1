//! The two directions of a retype.

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::{Conversion, Shape, Side};
use crate::schema::{Column, SqlType, Table};
use crate::syntax::{self, Retype};

use super::conversions::{self, Filled};
use super::expressions::{self, Scope};
use super::{at_line, written_column};

/// A column on its way to another type.
pub struct Retyping<'a> {
    /// As written.
    pub tree: &'a Retype,
    /// The table.
    pub table: &'a Table,
    /// The column that goes.
    pub column: &'a Column,
    /// The new type; `None` if there is a mistake in it. Then only the syntax of the expressions, and what they name, is looked at.
    pub ty: Option<&'a SqlType>,
    /// The before shape.
    pub shape: &'a Shape,
    /// The oldest server that the SQL must work on.
    pub server: u32,
}

impl Retyping<'_> {
    /// How the new column is made from the old one.
    pub fn forward(&self, errors: &mut Errors) -> Option<Conversion> {
        match &self.tree.forward {
            Some(forward) => self.read(forward, Side::Before, errors),
            None => {
                let example = self.example(Side::Before);
                errors.push(conversions::is_missing("forward", self.tree.keyword, format!("add `{example}`")));
                None
            }
        }
    }

    /// How the old column is made from the new one; empty where the declaration says that it is not.
    pub fn backward(&self, errors: &mut Errors) -> Option<Vec<Conversion>> {
        let diagnostic = match (&self.tree.backward, self.tree.irreversible) {
            (Some(backward), None) => return self.read(backward, Side::After, errors).map(|backward| vec![backward]),
            (None, Some(_)) => return Some(Vec::new()),
            (None, None) => {
                let example = self.example(Side::After);
                let help = format!("add `{example}`; or `irreversible`, to write nothing back");
                conversions::is_missing("backward", self.tree.keyword, help)
            }
            (Some(backward), Some(span)) => {
                self.read(backward, Side::After, errors);
                Diagnostic::new(span, "a change with `backward` is not `irreversible`")
                    .note("`irreversible` says that nothing is written back to the old column")
                    .help("leave one of them out")
            }
        };
        errors.push(diagnostic);
        None
    }

    /// The conversion that reads one side and fills the other.
    fn read(&self, tree: &syntax::Conversion, reads: Side, errors: &mut Errors) -> Option<Conversion> {
        let (from, to) = self.columns(reads);
        let scope = Scope {
            keyword: keyword(reads),
            side: reads,
            reads: vec![(from.0.to_owned(), from.1.clone())],
            makes: vec![to.0.to_owned()],
            knows_types: self.ty.is_some(),
            table: self.table,
            shape: self.shape,
            server: self.server,
        };
        if self.ty.is_none() {
            expressions::expression(&tree.expression, &scope, errors);
            return None;
        }
        let why_not_null = format!(
            "`{}` is NOT NULL ({}), and so is what takes its place",
            written_column(&self.table.name, &self.column.name),
            at_line(self.column.line, self.shape.schema())
        );
        let filled = Filled { name: to.0, ty: to.1, not_null: self.column.not_null, why_not_null: &why_not_null };
        conversions::declared(tree, &filled, &scope, errors)
    }

    /// Name and type of the column of one side, and of the other. The old type stands in for a new one that is not known.
    fn columns(&self, side: Side) -> ((&str, &SqlType), (&str, &SqlType)) {
        let old = (self.column.name.as_str(), &self.column.ty);
        let new = (self.tree.to.text.as_str(), self.ty.unwrap_or(&self.column.ty));
        match side {
            Side::Before => (old, new),
            Side::After => (new, old),
        }
    }

    /// What could be declared.
    fn example(&self, reads: Side) -> String {
        let ((name, from), (_, to)) = self.columns(reads);
        match self.ty {
            Some(_) => conversions::suggestion(keyword(reads), name, from, to, self.shape.schema(), self.server),
            None => format!("{} \"<SQL expression>\" or reject", keyword(reads)),
        }
    }
}

/// The word for the conversion that reads a side.
fn keyword(reads: Side) -> &'static str {
    match reads {
        Side::Before => "forward",
        Side::After => "backward",
    }
}
