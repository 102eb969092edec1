//! What a table says of its rows: what becomes of rows that break a new rule, and whether an old one can go.

mod constraints;

pub use constraints::{NewConstraint, can_go, constraint, policy_fits, unknown_constraint};

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::model::rules::{BrokenWrites, Policy};
use crate::model::{Shape, Side};
use crate::schema::{Column, Table};
use crate::sql::Expression;
use crate::syntax::rules::{self as tree, Relax, Repair};

use super::expressions::{self, Scope};
use super::{at_line, lookup, written, written_column};

/// A table whose rows get a rule, with everything around it.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// The table.
    pub table: &'a Table,
    /// The before shape.
    pub shape: &'a Shape,
    /// The oldest server that the SQL must work on.
    pub server: u32,
}

impl<'a> Row<'a> {
    /// For an expression behind `keyword` that reads these columns.
    pub fn scope(&self, keyword: &'a str, reads: Vec<&'a Column>) -> Scope<'a> {
        Scope {
            keyword,
            lead_in: keyword.to_owned(),
            side: Side::Before,
            reads: reads.into_iter().map(|column| (column.name.clone(), column.ty.clone())).collect(),
            makes: Vec::new(),
            knows_types: true,
            table: self.table,
            shape: self.shape,
            server: self.server,
        }
    }

    /// All columns of the row.
    fn columns(&self) -> Vec<&'a Column> {
        self.table.columns.iter().collect()
    }
}

/// What becomes of rows that break a new rule. Nobody but who declares it can know what such a row means, so it has to be said.
///
/// `filled` is the column that `fill` fills. `example` is what the operation begins with.
pub fn policy(
    tree: &tree::Policy,
    filled: Option<&Column>,
    span: Span,
    example: &str,
    row: &Row<'_>,
    errors: &mut Errors,
) -> Option<Policy> {
    let found = errors.len();
    let mend = if filled.is_some() { "fill" } else { "fix" };
    match (tree.reject, tree.repairs.first()) {
        (None, None) => {
            let repair = if filled.is_some() { "fill \"<SQL expression>\"" } else { "fix <column> \"<SQL expression>\"" };
            errors.push(
                Diagnostic::new(span, "what becomes of rows that break the new rule is not said")
                    .note("such rows may be there, and old code, which does not know the rule, may write more of them")
                    .help(format!("`{}or reject;`: there must be none, which is looked at before anything is touched, and a write that makes one fails", example))
                    .help(format!("`{}{{ {repair} }}`: such rows are mended, those that are there and those that are written", example)),
            );
        }
        (Some(span), Some(_)) => errors.push(
            Diagnostic::new(span, format!("`or reject` and `{mend}` say different things of the same rows"))
                .note("with `or reject` there are no such rows")
                .help(format!("leave out one of them; to mend rows that are there and reject writes, write `{mend} …, old writes reject`")),
        ),
        (Some(_), None) if tree.writes_reject.is_some() => errors.push(
            Diagnostic::new(tree.writes_reject.unwrap_or(span), "`or reject` says that already").help("leave it out"),
        ),
        _ => {}
    }
    let mut repairs: Vec<(String, Expression)> = Vec::new();
    for repair in &tree.repairs {
        let column = match (filled, &repair.column) {
            (Some(column), _) => Some(column),
            (None, Some(name)) => fixable(name, row, errors),
            (None, None) => None,
        };
        let Some(column) = column else { continue };
        let column_span = repair.column.as_ref().map_or(repair.keyword, |name| name.span);
        if repairs.iter().any(|(known, _)| *known == column.name) {
            errors.push(
                Diagnostic::new(column_span, format!("`{}` is mended twice", written(&column.name)))
                    .help("leave one of them out"),
            );
        } else if let (true, Some(expression)) = (
            can_be_written(column, column_span, row, errors),
            mending(repair, mend, column, filled.is_some(), row, errors),
        ) {
            repairs.push((column.name.clone(), expression));
        }
    }
    let writes = match tree.reject.or(tree.writes_reject) {
        Some(_) => BrokenWrites::Rejected,
        None => BrokenWrites::Repaired,
    };
    (errors.len() == found).then_some(Policy { repairs, writes })
}

fn fixable<'a>(name: &crate::syntax::Name, row: &Row<'a>, errors: &mut Errors) -> Option<&'a Column> {
    let column = row.table.column(&name.text);
    if column.is_none() {
        let table = super::written_table(&row.table.name);
        let unknown = Diagnostic::new(name.span, format!("table `{table}` has no column `{}`", written(&name.text)));
        let known = row.table.columns.iter().map(|column| column.name.as_str());
        errors.push(match nearest(&name.text, known) {
            Some(near) => unknown.help(format!("did you mean `{}`?", written(near))),
            None => unknown.help("`fix` names the column that gets another value"),
        });
    }
    column
}

/// A trigger and a backfill write it.
fn can_be_written(column: &Column, span: Span, row: &Row<'_>, errors: &mut Errors) -> bool {
    let why = if column.generated.is_some() {
        "it is a generated column"
    } else if column.identity.as_ref().is_some_and(|identity| identity.always) {
        "it is an identity column that is always generated"
    } else {
        return true;
    };
    errors.push(
        Diagnostic::new(span, format!("`{}` cannot be written: {why}", written(&column.name)))
            .note(at_line(column.line, row.shape.schema()))
            .help("write `or reject`, and mend such rows before this change"),
    );
    false
}

/// An expression that mends a row. What may fail, or may not mend it, fails the write of an application, and the declaration says so.
fn mending(
    repair: &Repair,
    keyword: &str,
    column: &Column,
    not_null: bool,
    row: &Row<'_>,
    errors: &mut Errors,
) -> Option<Expression> {
    let expression = expressions::computed_once(&repair.expression, &row.scope(keyword, row.columns()), errors)?;
    let generated = expression
        .columns()
        .iter()
        .find_map(|read| row.table.column(&read.name).filter(|column| column.generated.is_some()));
    if let Some(generated) = generated {
        errors.push(
            Diagnostic::new(
                repair.expression.span,
                format!("`{keyword}` reads `{}`, which is a generated column", generated.name),
            )
            .note("the trigger that mends a row fires before generated columns have their values")
            .help("write out what generates it"),
        );
        return None;
    }
    if not_null && expression.code().eq_ignore_ascii_case("null") {
        errors.push(
            Diagnostic::new(repair.expression.span, format!("`{keyword} \"null\"` leaves the row as it is"))
                .note(format!("`{}` has to be NOT NULL", written(&column.name)))
                .help("write a value, or an expression that makes one"),
        );
        return None;
    }
    if let (Some(why), None) = (may_fail(&expression, column, not_null, row), repair.or_reject) {
        let what_fails = match keyword {
            "backward" => "the rollback fails where it does",
            _ => "a write of such a row fails, and so does the backfill, which names the row",
        };
        let name = repair.column.as_ref().map(|name| format!("{} ", written(&name.text))).unwrap_or_default();
        errors.push(
            Diagnostic::new(
                repair.expression.span,
                format!("`{keyword}` may leave a row as it is, and does not say what then"),
            )
            .note(why)
            .help(format!("write `{keyword} {name}\"{}\" or reject`: {what_fails}", repair.expression.value)),
        );
        return None;
    }
    Some(expression)
}

/// Why an expression may leave a row unmended.
fn may_fail(expression: &Expression, column: &Column, not_null: bool, row: &Row<'_>) -> Option<String> {
    if let Some(read) = expression.as_column().and_then(|read| row.table.column(&read.name)) {
        return if not_null && !read.not_null {
            Some(format!("`{}` may be null as well ({})", written(&read.name), at_line(read.line, row.shape.schema())))
        } else if read.ty != column.ty {
            Some(format!("a value of type `{}` may not become one of type `{}`", read.ty, column.ty))
        } else {
            None
        };
    }
    // A constant is the same for every row: it shows at once whether it is good.
    (!expression.is_constant())
        .then(|| "what this expression does to every row cannot be known while compiling".to_owned())
}

/// From when on a column may hold NULL, which old code is not prepared for: `Some` with what a rollback puts in its place where that is
/// before the contract.
pub fn nulls(
    tree: &Relax,
    table: &Table,
    column: &Column,
    row: &Row<'_>,
    errors: &mut Errors,
) -> Option<Option<Expression>> {
    let name = written_column(&table.name, &column.name);
    let Some(phase) = &tree.nulls_from else {
        errors.push(
            Diagnostic::new(tree.keyword, format!("from when on `{name}` may be null is not said"))
                .note("old code, which runs until the contract, takes it for NOT NULL, and a NULL that new code writes is read by it")
                .help(format!("`relax {name} {{ nulls from contract }}`: until then a write of NULL fails"))
                .help(format!("`relax {name} {{ nulls from dual_write, backward \"<SQL expression>\" }}`: old code reads NULL and copes with it; a rollback puts the expression in its place")),
        );
        return None;
    };
    let example = format!("backward \"{}\"", if column.ty.is("text") { "''" } else { "<SQL expression>" });
    match (phase.text.as_str(), &tree.backward) {
        ("contract", None) => Some(None),
        ("contract", Some(backward)) => {
            errors.push(
                Diagnostic::new(backward.keyword, "`backward` has nothing to do here")
                    .note("there is no NULL before the contract, and no way back after it")
                    .help("leave it out"),
            );
            None
        }
        ("dual_write", Some(backward)) => mending(backward, "backward", column, true, row, errors).map(Some),
        ("dual_write", None) => {
            errors.push(super::conversions::is_missing(
                "backward",
                None,
                tree.keyword,
                format!("add `{example}`: what a rollback puts in place of NULL"),
            ));
            None
        }
        (other, _) => {
            let unknown = Diagnostic::new(phase.span, format!("NULL cannot come with the phase `{other}`"));
            errors.push(unknown.help(
                "write `nulls from dual_write`, with which new code begins to write, or `nulls from contract`, after which there is no old code",
            ));
            None
        }
    }
}

/// What keeps a column NOT NULL beside its own rule.
pub fn can_be_nullable(table: &Table, column: &Column, span: Span, shape: &Shape, errors: &mut Errors) -> Option<()> {
    let name = written_column(&table.name, &column.name);
    let why = if table.primary_key().contains(&column.name) {
        "it is part of the primary key"
    } else if column.identity.is_some() {
        "it is an identity column"
    } else {
        return Some(());
    };
    errors.push(
        Diagnostic::new(span, format!("`{name}` cannot be nullable: {why}"))
            .note(format!("{}; PostgreSQL refuses it", at_line(column.line, shape.schema())))
            .help("leave it NOT NULL"),
    );
    None
}

/// What a column gets where an INSERT leaves it out: there is no row yet that it could read.
pub fn default(literal: &crate::syntax::Literal, row: &Row<'_>, errors: &mut Errors) -> Option<Expression> {
    let expression = expressions::computed_once(literal, &row.scope("default", row.columns()), errors)?;
    if let Some(column) = expression.columns().first() {
        errors.push(
            Diagnostic::new(literal.span, format!("a default cannot read the column `{}`", column.name))
                .note("it is computed before there is a row")
                .help("write an expression without columns; a text stands in single quotes: `\"'text'\"`"),
        );
        return None;
    }
    Some(expression)
}

/// What gives a column its values instead of a default.
pub fn can_have_default(table: &Table, column: &Column, span: Span, shape: &Shape, errors: &mut Errors) -> Option<()> {
    let name = written_column(&table.name, &column.name);
    let why = if column.generated.is_some() {
        "it is a generated column"
    } else if column.identity.is_some() {
        "it is an identity column"
    } else {
        return Some(());
    };
    errors.push(
        Diagnostic::new(span, format!("`{name}` cannot have a default: {why}"))
            .note(at_line(column.line, shape.schema()))
            .help("leave it as it is"),
    );
    None
}

/// The columns of these names, each once.
fn columns<'a>(
    names: &[crate::syntax::Name],
    table: &'a Table,
    shape: &Shape,
    around: &lookup::Surroundings<'_>,
    errors: &mut Errors,
) -> Option<Vec<&'a Column>> {
    let mut found: Vec<&Column> = Vec::new();
    let mut is_good = true;
    for name in names {
        match lookup::column(table, name, shape, around, errors) {
            Some(column) if found.iter().any(|known| known.name == column.name) => {
                errors.push(
                    Diagnostic::new(name.span, format!("`{}` is there twice", written(&name.text)))
                        .help("leave one of them out"),
                );
                is_good = false;
            }
            Some(column) => found.push(column),
            None => is_good = false,
        }
    }
    is_good.then_some(found)
}
