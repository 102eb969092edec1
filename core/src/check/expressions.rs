//! The SQL of a declaration: what it may be, and what it may read.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::model::{Shape, Side};
use crate::schema::{SqlType, Table};
use crate::sql::expression::ColumnRef;
use crate::sql::fitness::{self, unfit_functions};
use crate::sql::{ErrorKind, Expression, ExpressionError};
use crate::syntax::Literal;

use super::{listed, types, written};

/// What an expression of a change may read.
pub struct Scope<'a> {
    /// The word that it stands behind: `forward` or `backward`.
    pub keyword: &'a str,
    /// That word, and what else is written before the expression: `forward first_name`.
    pub lead_in: String,
    /// The shape that it reads.
    pub side: Side,
    /// The columns that it may read, with their types.
    pub reads: Vec<(String, SqlType)>,
    /// The columns that it makes.
    pub makes: Vec<String>,
    /// False where the declaration names a type that does not exist: the expression most likely names it, too.
    pub knows_types: bool,
    /// The table, as it was before.
    pub table: &'a Table,
    /// Everything else that can be named.
    pub shape: &'a Shape,
    /// The oldest server that the SQL must work on.
    pub server: u32,
}

impl Scope<'_> {
    /// The type of a column that the expression may read.
    pub fn type_of(&self, column: &str) -> Option<&SqlType> {
        self.reads.iter().find(|(name, _)| name == column).map(|(_, ty)| ty)
    }
}

/// Reads an expression that computes one value from the columns of one row.
pub fn expression(literal: &Literal, scope: &Scope<'_>, errors: &mut Errors) -> Option<Expression> {
    read(literal, scope, |_| true, errors)
}

/// Reads an expression that is computed once, and so may give another value each time.
pub fn computed_once(literal: &Literal, scope: &Scope<'_>, errors: &mut Errors) -> Option<Expression> {
    read(literal, scope, |kind| !matches!(kind, ErrorKind::Volatile | ErrorKind::SessionDependent), errors)
}

fn read(
    literal: &Literal,
    scope: &Scope<'_>,
    is_mistake: impl Fn(&ErrorKind) -> bool,
    errors: &mut Errors,
) -> Option<Expression> {
    let expression = match Expression::parse(&literal.value) {
        Ok(expression) => expression,
        Err(mistakes) => {
            for mistake in mistakes {
                errors.push(diagnostic(literal, scope, mistake));
            }
            return None;
        }
    };
    let found = errors.len();
    for column in expression.columns() {
        if let Some(mistake) = out_of_scope(column, scope) {
            errors.push(diagnostic(literal, scope, mistake));
        }
    }
    let surroundings = fitness::Surroundings {
        schema: scope.shape.schema(),
        search_path: &[&scope.table.name.schema, "public"],
        column_type: &|column| scope.type_of(&column.name).cloned(),
        server: scope.server,
    };
    for mistake in unfit_functions(&expression, &surroundings).into_iter().filter(|found| is_mistake(&found.kind)) {
        errors.push(diagnostic(literal, scope, mistake));
    }
    for cast in expression.casts().iter().filter(|_| scope.knows_types) {
        if let Some(unknown) = types::unknown(&cast.target, scope.shape) {
            let mistake =
                ExpressionError::new(ErrorKind::Type, cast.target_range.clone(), unknown.message(), "no such type");
            errors.push(diagnostic(literal, scope, ExpressionError { help: unknown.help(), ..mistake }));
        }
    }
    (errors.len() == found).then_some(expression)
}

fn diagnostic(literal: &Literal, scope: &Scope<'_>, mistake: ExpressionError) -> Diagnostic {
    let kind = if mistake.kind == ErrorKind::Syntax { "invalid SQL" } else { "invalid expression" };
    let message = format!("{kind} in `{}`: {}", scope.keyword, mistake.message);
    let diagnostic = Diagnostic::new(literal.span, message).frame(mistake.frame(&literal.value));
    Diagnostic { notes: mistake.note.into_iter().collect(), help: mistake.help.into_iter().collect(), ..diagnostic }
}

/// What is wrong with a column that an expression cannot read.
fn out_of_scope(column: &ColumnRef, scope: &Scope<'_>) -> Option<ExpressionError> {
    if let Some(mistake) = foreign_qualifier(column, scope) {
        return Some(mistake);
    }
    if scope.type_of(&column.name).is_some() {
        return None;
    }
    let name = &column.name;
    let reads = listed(scope.reads.iter().map(|(name, _)| name));
    let table = super::written_table(&scope.table.name);
    let wrong = |message: String, label: &str| {
        ExpressionError::new(ErrorKind::Column, column.name_range.clone(), message, label)
    };
    let (own, other) = match scope.side {
        Side::Before => ("before", "after"),
        Side::After => ("after", "before"),
    };
    let direction = if scope.makes.is_empty() {
        format!("`{}` reads one row of `{table}`", scope.keyword)
    } else {
        format!("`{}` computes the {other} shape from the {own} shape", scope.keyword)
    };
    Some(if scope.makes.contains(name) {
        wrong(format!("`{name}` is a column of the {other} shape"), "what is computed here")
            .note(direction)
            .help(format!("read {reads}"))
    } else if scope.table.column(name).is_some() {
        wrong(format!("`{name}` is not part of this change"), "not part of this change")
            .note(format!("{direction}, and reads only columns that the change names: a later write to `{name}` alone would be missed"))
            .help(format!("read {reads}"))
    } else {
        let near = nearest(name, scope.reads.iter().map(|(name, _)| name.as_str()));
        wrong(format!("table `{table}` has no column `{name}`"), "no such column").note(direction).help(match near {
            Some(near) => format!("did you mean `{}`?", written(near)),
            None => format!("read {reads}"),
        })
    })
}

/// A column may be qualified with its table; nothing else is in reach.
fn foreign_qualifier(column: &ColumnRef, scope: &Scope<'_>) -> Option<ExpressionError> {
    let qualifier = column.qualifier.as_ref()?;
    let table = &scope.table.name;
    let is_own = *qualifier == table.name && column.schema.as_ref().is_none_or(|schema| *schema == table.schema);
    if is_own {
        return None;
    }
    let range = column.range.start..column.name_range.start;
    let mistake =
        ExpressionError::new(ErrorKind::Column, range, format!("there is no `{qualifier}` here"), "not in reach")
            .note(format!("an expression computes a value from one row of `{}`", super::written_table(table)));
    Some(mistake.help(format!("write `{}` alone", column.name)))
}
