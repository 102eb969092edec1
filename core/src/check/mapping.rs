//! The two directions of a mapping: what makes the columns of each shape from those of the other.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::model::{Conversion, Shape, Side};
use crate::schema::{Column, SqlType, Table};
use crate::syntax::{self, Name};

use super::conversions::{self, Filled};
use super::expressions::{self, Scope};
use super::{at_line, listed, written, written_column};

/// Columns on their way to others.
pub struct Remapping<'a> {
    /// The word that the operation begins with.
    pub keyword: Span,
    /// The table.
    pub table: &'a Table,
    /// The columns that go.
    pub before: Vec<&'a Column>,
    /// The columns that come.
    pub after: Vec<New<'a>>,
    /// What makes the columns that come.
    pub forward: Vec<Declared<'a>>,
    /// What makes the columns that go.
    pub backward: Vec<Declared<'a>>,
    /// The word `irreversible`.
    pub irreversible: Option<Span>,
    /// The before shape.
    pub shape: &'a Shape,
    /// The oldest server that the SQL must work on.
    pub server: u32,
}

/// A column that comes.
pub struct New<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type; `None` if there is a mistake in it. Then only the syntax of the expressions, and what they name, is looked at.
    pub ty: Option<&'a SqlType>,
    /// Whether it is NOT NULL.
    pub not_null: bool,
}

/// A conversion as it is written.
pub struct Declared<'a> {
    /// The column that it makes, where it says so.
    pub target: Option<&'a Name>,
    /// How.
    pub conversion: &'a syntax::Conversion,
}

/// A column of either side.
struct Known<'a> {
    name: &'a str,
    ty: &'a SqlType,
    not_null: bool,
}

impl<'a> Remapping<'a> {
    /// How the new columns are made from the old ones, in their order.
    pub fn forward(&self, errors: &mut Errors) -> Option<Vec<Conversion>> {
        if self.forward.is_empty() {
            let help = format!("add {}", self.examples(Side::Before));
            errors.push(conversions::is_missing("forward", None, self.keyword, help));
            return None;
        }
        self.read_all(&self.forward, Side::Before, errors)
    }

    /// How the old columns are made from the new ones, in their order; empty where the declaration says that they are not.
    pub fn backward(&self, errors: &mut Errors) -> Option<Vec<Conversion>> {
        let diagnostic = match (self.backward.is_empty(), self.irreversible) {
            (false, None) => return self.read_all(&self.backward, Side::After, errors),
            (true, Some(_)) => return Some(Vec::new()),
            (true, None) => {
                let examples = self.examples(Side::After);
                let help = format!("add {examples}; or `irreversible`, to write nothing back");
                conversions::is_missing("backward", None, self.keyword, help)
            }
            (false, Some(span)) => {
                self.read_all(&self.backward, Side::After, errors);
                let old = if self.before.len() == 1 { "the old column" } else { "the old columns" };
                Diagnostic::new(span, "a change with `backward` is not `irreversible`")
                    .note(format!("`irreversible` says that nothing is written back to {old}"))
                    .help("leave one of them out")
            }
        };
        errors.push(diagnostic);
        None
    }

    /// The conversions that read one side, one for each column of the other.
    fn read_all(&self, declared: &[Declared<'_>], reads: Side, errors: &mut Errors) -> Option<Vec<Conversion>> {
        let makes = self.columns(other(reads));
        let found = errors.len();
        for (i, one) in declared.iter().enumerate() {
            let earlier = declared.get(..i).unwrap_or_default();
            if let Some(diagnostic) = self.misplaced(one, earlier, &makes, reads) {
                errors.push(diagnostic);
            }
        }
        if errors.len() > found {
            return None;
        }
        let conversions = makes.iter().map(|column| {
            let is_its = |one: &&Declared<'_>| one.target.is_none_or(|target| target.text == column.name);
            match declared.iter().find(is_its) {
                Some(one) => self.read(one.conversion, column, reads, errors),
                None => {
                    let help = format!("add `{}`", self.example(reads, column));
                    errors.push(conversions::is_missing(keyword(reads), Some(column.name), self.keyword, help));
                    None
                }
            }
        });
        // Each is looked at, also behind one with a mistake.
        conversions.collect::<Vec<_>>().into_iter().collect()
    }

    /// A conversion makes one column of the other side, and no other one makes the same.
    fn misplaced(
        &self,
        one: &Declared<'_>,
        earlier: &[Declared<'_>],
        makes: &[Known<'_>],
        reads: Side,
    ) -> Option<Diagnostic> {
        let word = keyword(reads);
        let names = || listed(makes.iter().map(|column| column.name));
        let Some(target) = one.target else {
            let [first, _, ..] = makes else {
                let twice = || Diagnostic::new(one.conversion.keyword, format!("`{word}` is written twice"));
                return (!earlier.is_empty()).then(|| twice().help("leave one of them out"));
            };
            return Some(
                Diagnostic::new(one.conversion.keyword, format!("this `{word}` does not say which column it makes"))
                    .note(format!("it can be one of {}", names()))
                    .help(format!("write `{word} {} {:?}`", written(first.name), one.conversion.expression.value)),
            );
        };
        let only_one = makes.len() == 1;
        if earlier.iter().any(|other| other.target.map_or(only_one, |name| name.text == target.text)) {
            let message = format!("`{word} {}` is written twice", written(&target.text));
            return Some(Diagnostic::new(target.span, message).help("leave one of them out"));
        }
        if makes.iter().any(|column| column.name == target.text) {
            return None;
        }
        let unknown = Diagnostic::new(target.span, format!("`{word}` cannot make `{}`", target.text));
        let unknown = unknown.note(format!("in this change it makes {}", names()));
        Some(match nearest(&target.text, makes.iter().map(|column| column.name)) {
            Some(near) => unknown.help(format!("did you mean `{}`?", written(near))),
            None => unknown,
        })
    }

    /// The conversion that reads one side and fills a column of the other.
    fn read(
        &self,
        tree: &syntax::Conversion,
        fills: &Known<'_>,
        reads: Side,
        errors: &mut Errors,
    ) -> Option<Conversion> {
        let from = self.columns(reads);
        let scope = Scope {
            keyword: keyword(reads),
            lead_in: format!("{}{}", keyword(reads), self.target(reads, fills)),
            side: reads,
            reads: from.iter().map(|column| (column.name.to_owned(), column.ty.clone())).collect(),
            makes: self.columns(other(reads)).iter().map(|column| column.name.to_owned()).collect(),
            knows_types: self.knows_types(),
            table: self.table,
            shape: self.shape,
            server: self.server,
        };
        if !scope.knows_types {
            expressions::expression(&tree.expression, &scope, errors);
            return None;
        }
        let filled = Filled {
            name: fills.name,
            ty: fills.ty,
            not_null: fills.not_null,
            why_not_null: &self.why_not_null(fills, reads),
            nullable: from.iter().filter(|column| !column.not_null).map(|column| column.name).collect(),
        };
        conversions::declared(tree, &filled, &scope, errors)
    }

    fn why_not_null(&self, fills: &Known<'_>, reads: Side) -> String {
        let inherited = self.before.first().filter(|_| self.before.len() == 1 && self.after.len() == 1).copied();
        let old = self.before.iter().find(|column| reads == Side::After && column.name == fills.name).copied();
        match inherited.or(old) {
            Some(column) => {
                let follows = if inherited.is_some() { ", and so is what takes its place" } else { "" };
                format!(
                    "`{}` is NOT NULL ({}){follows}",
                    written_column(&self.table.name, &column.name),
                    at_line(column.line, self.shape.schema())
                )
            }
            None => format!("`{}` is declared `not null`", fills.name),
        }
    }

    fn knows_types(&self) -> bool {
        self.after.iter().all(|column| column.ty.is_some())
    }

    /// The columns of a side. The old type stands in for a new one that is not known.
    fn columns(&self, side: Side) -> Vec<Known<'a>> {
        let first = self.before.first().copied();
        match side {
            Side::Before => self
                .before
                .iter()
                .map(|column| Known { name: &column.name, ty: &column.ty, not_null: column.not_null })
                .collect(),
            Side::After => self
                .after
                .iter()
                .filter_map(|column| {
                    let ty = column.ty.or_else(|| first.map(|column| &column.ty))?;
                    Some(Known { name: column.name, ty, not_null: column.not_null })
                })
                .collect(),
        }
    }

    /// What could be declared for all columns that are made from one side.
    fn examples(&self, reads: Side) -> String {
        listed(self.columns(other(reads)).iter().map(|column| self.example(reads, column)))
    }

    /// What could be declared for one column.
    fn example(&self, reads: Side, makes: &Known<'_>) -> String {
        let (word, from) = (keyword(reads), self.columns(reads));
        if let ([only], 1, true) = (from.as_slice(), self.columns(other(reads)).len(), self.knows_types()) {
            return conversions::suggestion(word, only.name, only.ty, makes.ty, self.shape.schema(), self.server);
        }
        format!("{word}{} \"<SQL expression>\" or reject", self.target(reads, makes))
    }

    /// What a conversion says of the column that it makes, where it has to.
    fn target(&self, reads: Side, makes: &Known<'_>) -> String {
        match self.columns(other(reads)).len() {
            1 => String::new(),
            _ => format!(" {}", written(makes.name)),
        }
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Before => Side::After,
        Side::After => Side::Before,
    }
}

/// The word for the conversion that reads a side.
fn keyword(reads: Side) -> &'static str {
    match reads {
        Side::Before => "forward",
        Side::After => "backward",
    }
}
