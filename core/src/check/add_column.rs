//! What a new column needs, so that rows that are there, and code that does not know it, can do without a value for it.

use crate::diagnostic::{Diagnostic, Errors, Reported};
use crate::model::{Shape, Side};
use crate::schema::{SqlType, Table};
use crate::sql::expression::Expression;
use crate::sql::fitness::may_be_volatile;
use crate::syntax::{AddColumn, Literal, TypeText};

use super::expressions::{self, Scope};
use super::{at_line, names, written, written_column, written_table};

/// A column that comes, with what it is checked against.
pub struct Adding<'a> {
    /// As written.
    pub tree: &'a AddColumn,
    /// Its table.
    pub table: &'a Table,
    /// The before shape.
    pub shape: &'a Shape,
    /// The oldest server that the SQL must work on.
    pub server: u32,
}

impl Adding<'_> {
    fn name(&self) -> String {
        written_column(&self.table.name, &self.tree.column.column.text)
    }

    /// A table has one column of each name.
    pub fn name_is_free(&self, errors: &mut Errors) -> bool {
        let name = &self.tree.column.column;
        let Some(column) = self.table.column(&name.text) else {
            return names::is_identifier(name, errors) && names::is_no_system_column(name, errors);
        };
        errors.push(
            Diagnostic::new(name.span, format!("the name `{}` is taken", self.name()))
                .note(format!("the table has a column of this name ({})", at_line(column.line, self.shape.schema())))
                .help("give the new column a name of its own; if it is there because this change is contracted, delete the change from the declaration"),
        );
        false
    }

    /// What `default` says, and whether it may give another value for each row.
    pub fn default(&self, errors: &mut Errors) -> Result<Option<(Expression, bool)>, Reported> {
        let Some(literal) = &self.tree.default else { return Ok(None) };
        let default = default_value(literal, "default", self.table, self.shape, self.server, errors);
        let default = default.ok_or(Reported)?;
        let search_path = [self.table.name.schema.as_str(), "public"];
        let volatile = may_be_volatile(&default, self.shape.schema(), &search_path);
        Ok(Some((default, volatile)))
    }

    /// What `fill` says: it is computed once for each row, from what stands in the row.
    pub fn fill(&self, ty: Option<&SqlType>, errors: &mut Errors) -> Result<Option<Expression>, Reported> {
        let Some(literal) = &self.tree.fill else { return Ok(None) };
        let readable = self.table.columns.iter().filter(|column| column.generated.is_none());
        let scope = Scope {
            keyword: "fill",
            lead_in: "fill".to_owned(),
            side: Side::Before,
            reads: readable.map(|column| (column.name.clone(), column.ty.clone())).collect(),
            makes: vec![self.tree.column.column.text.clone()],
            knows_types: ty.is_some(),
            table: self.table,
            shape: self.shape,
            server: self.server,
        };
        // A trigger that fires before the row is stored sees null in a generated column.
        if let Ok(fill) = Expression::parse(&literal.value)
            && let Some(column) = fill
                .columns()
                .iter()
                .find_map(|column| self.table.column(&column.name).filter(|column| column.generated.is_some()))
        {
            errors.push(
                Diagnostic::new(literal.span, format!("`fill` reads the generated column `{}`", written(&column.name)))
                    .note(format!(
                        "{}; PostgreSQL computes it after the trigger that fills rows of old code, which would see null",
                        at_line(column.line, self.shape.schema())
                    ))
                    .help("write its expression in place of it"),
            );
            return Err(Reported);
        }
        expressions::computed_once(literal, &scope, errors).map(Some).ok_or(Reported)
    }

    /// Rows that are there, and rows that old code inserts, need a value.
    pub fn rows_have_a_value(&self, default: Option<&(Expression, bool)>, errors: &mut Errors) -> bool {
        let tree = self.tree;
        let is_null = default.is_some_and(|(default, _)| default.text().trim().eq_ignore_ascii_case("null"));
        let (name, ty) = (self.name(), &tree.ty.text);
        let diagnostic = match (tree.not_null, default, &tree.fill) {
            (Some(span), None, None) => Diagnostic::new(span, format!("`{name}` is NOT NULL, and nothing gives it a value"))
                .note("the rows that are there have none, and old code, which does not know the column, inserts rows without one")
                .help(format!("add a default, which new code may rely on too: `add {name}: {ty} not null default \"…\";`"))
                .help(format!("or say what such rows are filled with: `add {name}: {ty} not null fill \"…\";`")),
            (Some(span), Some(_), None) if is_null => Diagnostic::new(span, format!("`{name}` is NOT NULL, and its default is null"))
                .help(format!("write another default, or `add {name}: {ty};`")),
            (None, _, Some(fill)) => Diagnostic::new(fill.span, "`fill` is for a column that is NOT NULL")
                .note("in a nullable column a null that new code writes could not be told from a row that is not filled yet")
                .help(format!("write `add {name}: {ty} not null fill \"{}\";`; when it is contracted, the column can be made nullable: `relax {name};`", fill.value)),
            (None, Some((_, true)), None) => Diagnostic::new(
                tree.default.as_ref().map_or(tree.keyword, |default| default.span),
                "a default that may give another value for each row, in a nullable column",
            )
            .note("PostgreSQL would rewrite the table to give every row a value; in batches, a null that new code writes could not be told from a row that is not filled yet")
            .help(format!("write `add {name}: {ty} not null default …;`; when it is contracted, the column can be made nullable: `relax {name};`")),
            _ => return true,
        };
        errors.push(diagnostic);
        false
    }
}

/// A serial column has a sequence and a value for every row, which takes a rewrite of the table.
pub fn is_no_serial(ty: &TypeText, column: &str, errors: &mut Errors) -> bool {
    const SERIALS: [(&str, &str); 6] = [
        ("smallserial", "smallint"),
        ("serial2", "smallint"),
        ("serial", "integer"),
        ("serial4", "integer"),
        ("bigserial", "bigint"),
        ("serial8", "bigint"),
    ];
    let written = ty.text.trim().to_ascii_lowercase();
    let Some((serial, integer)) = SERIALS.into_iter().find(|(serial, _)| *serial == written) else { return true };
    errors.push(
        Diagnostic::new(ty.span, format!("`{serial}` would rewrite the whole table"))
            .note("it gives every row a number while nobody can read or write the table")
            .help(format!(
                "create a sequence, `sql {{ expand \"create sequence …\" … }}`, and then add `{column}: {integer} not null default \"nextval('…')\"`, which fills rows in batches"
            )),
    );
    false
}

/// A default is computed without a row.
pub fn default_value(
    literal: &Literal,
    keyword: &str,
    table: &Table,
    shape: &Shape,
    server: u32,
    errors: &mut Errors,
) -> Option<Expression> {
    if let Ok(default) = Expression::parse(&literal.value)
        && let Some(column) = default.columns().first()
    {
        errors.push(
            Diagnostic::new(literal.span, format!("`{keyword}` reads the column `{}`", written(&column.name)))
                .note(format!("a default is computed without a row of `{}`", written_table(&table.name)))
                .help("write a constant or a call such as `now()`; text stands in single quotes: \"'text'\""),
        );
        return None;
    }
    let scope = Scope {
        keyword,
        lead_in: keyword.to_owned(),
        side: Side::Before,
        reads: Vec::new(),
        makes: Vec::new(),
        knows_types: true,
        table,
        shape,
        server,
    };
    expressions::computed_once(literal, &scope, errors)
}
