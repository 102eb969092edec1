//! Indexes that come and go.

use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::Shape;
use crate::model::apply::index_columns;
use crate::schema::load;
use crate::schema::{Constraint, ConstraintKind, Index, IndexTarget, SqlText, Table};
use crate::sql::expression::Expression;
use crate::sql::fitness::{self, unfit_functions};
use crate::sql::token;
use crate::syntax::{CreateIndex, Name, TablePath};

use super::lookup::{self, Surroundings};
use super::{at_line, names, written, written_column, written_table};

/// The index that a declaration describes, as PostgreSQL would read it, with the name that it would choose.
pub fn declared(tree: &CreateIndex, table: &Table, shape: &Shape, server: u32, errors: &mut Errors) -> Option<Index> {
    let found = errors.len();
    if let Some(name) = &tree.name {
        names::is_identifier(name, errors);
    }
    if let Some(taken) = tree.name.as_ref().and_then(|name| names::taken(name, &table.name.schema, shape)) {
        errors.push(taken);
    }
    if errors.len() > found {
        return None;
    }
    let name = tree.name.as_ref().map(|name| quote_ident(&name.text)).unwrap_or_default();
    let method = tree.using.as_ref().map(|using| format!(" using {}", quote_ident(&using.text))).unwrap_or_default();
    let include: Vec<String> = tree.include.iter().map(|column| quote_ident(&column.text)).collect();
    let include = if include.is_empty() { String::new() } else { format!(" include ({})", include.join(", ")) };
    let condition = tree.condition.as_ref().map(|condition| format!(" where {}", condition.value)).unwrap_or_default();
    let unique = if tree.unique.is_some() { "unique " } else { "" };
    // On a line of its own, what is wrong in the keys stands at the place that is reported.
    let statement = format!(
        "create {unique}index {name} on {}{method} (\n{}\n){include}{condition}",
        table.name.quoted(),
        tree.keys.value
    );
    let schema = match load::extend(shape.to_schema(), &statement) {
        Ok(schema) => schema,
        Err(mistakes) => {
            for mistake in mistakes {
                let span = if mistake.line > 2 {
                    tree.condition.as_ref().map_or(tree.keys.span, |c| c.span)
                } else {
                    tree.keys.span
                };
                errors.push(
                    Diagnostic::new(span, format!("this is no index that PostgreSQL can read: {}", mistake.message))
                        .note("between the parentheses stand columns and expressions, as in `CREATE INDEX`")
                        .help("what cannot be written as tokens of Rust stands in a string literal: `create index on users \"lower(name), (data->>'x') desc\";`"),
                );
            }
            return None;
        }
    };
    let known = |index: &&Index| !table.indexes.iter().any(|known| known.name == index.name);
    let mut index = schema.table(&table.name)?.indexes.iter().find(known)?.clone();
    index.line = table.line;
    let expressions = index.keys.iter().filter_map(|key| match &key.on {
        IndexTarget::Expression(sql) => Some((sql, tree.keys.span)),
        IndexTarget::Column(_) => None,
    });
    let predicate = index.predicate.iter().zip(tree.condition.as_ref().map(|condition| condition.span));
    let expressions: Vec<_> = expressions.chain(predicate).map(|(sql, span)| (sql.clone(), span)).collect();
    for (sql, span) in expressions {
        is_immutable(&sql, span, table, shape, server, errors);
    }
    (errors.len() == found).then_some(index)
}

/// An index holds what an expression gave when the row was written, so it has to give the same ever after.
fn is_immutable(
    sql: &SqlText,
    span: proc_macro2::Span,
    table: &Table,
    shape: &Shape,
    server: u32,
    errors: &mut Errors,
) {
    let expression = match Expression::parse(&sql.text) {
        Ok(expression) => expression,
        Err(mistakes) => {
            for mistake in mistakes {
                let diagnostic = Diagnostic::new(span, format!("invalid SQL in the index: {}", mistake.message));
                errors.push(diagnostic.frame(mistake.frame(&sql.text)));
            }
            return;
        }
    };
    let surroundings = fitness::Surroundings {
        schema: shape.schema(),
        search_path: &[&table.name.schema, "public"],
        column_type: &|column| table.column(&column.name).map(|column| column.ty.clone()),
        server,
    };
    for mistake in unfit_functions(&expression, &surroundings) {
        let diagnostic = Diagnostic::new(span, format!("the index cannot be built: {}", mistake.message))
            .frame(mistake.frame(&sql.text))
            .note("an expression of an index must give the same value ever after (PostgreSQL takes immutable functions only)");
        errors.push(Diagnostic { help: mistake.help.into_iter().collect(), ..diagnostic });
    }
}

/// Every column that the index names is one of the table.
pub fn reads_columns(
    tree: &CreateIndex,
    index: &Index,
    table: &Table,
    shape: &Shape,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<()> {
    let found = errors.len();
    let mut seen: Vec<String> = Vec::new();
    for column in index_columns(index) {
        if table.column(&column).is_none() && !seen.contains(&column) {
            let own = tree.include.iter().find(|name| name.text == column);
            let name = Name { text: column.clone(), span: own.map_or(tree.keys.span, |name| name.span) };
            lookup::column(table, &name, shape, around, errors);
            seen.push(column);
        }
    }
    (errors.len() == found).then_some(())
}

/// What is wrong where there is no index of this name.
pub fn no_such(path: &TablePath, name: &QualifiedName, shape: &Shape) -> Diagnostic {
    let span = path.table.span;
    if let Some((table, constraint)) = behind_constraint(name, shape) {
        return Diagnostic::new(span, format!("`{}` stands behind a constraint", written_table(name)))
            .note(format!(
                "constraint `{}` of `{}` is {}; PostgreSQL does not drop its index without it",
                constraint.name,
                written_table(&table.name),
                at_line(constraint.line, shape.schema())
            ))
            .help(format!("write `unconstrain {};`", written_column(&table.name, &constraint.name)));
    }
    let diagnostic = Diagnostic::new(span, format!("there is no index `{}`", written_table(name)))
        .note(format!("{} has none of this name", shape.schema().source));
    let known: Vec<QualifiedName> = shape
        .tables()
        .flat_map(|table| table.indexes.iter().map(|index| QualifiedName::new(&table.name.schema, &index.name)))
        .collect();
    let shown: Vec<String> = known.iter().map(written_table).collect();
    let elsewhere = known.iter().find(|other| path.schema.is_none() && other.name == name.name).map(written_table);
    match elsewhere.or_else(|| nearest(&written_table(name), shown.iter().map(String::as_str)).map(str::to_owned)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// The constraint that has an index of this name, with its table.
pub fn behind_constraint<'s>(name: &QualifiedName, shape: &'s Shape) -> Option<(&'s Table, &'s Constraint)> {
    shape.tables().filter(|table| table.name.schema == name.schema).find_map(|table| {
        let constraint = table.constraints.iter().find(|c| c.kind.has_index() && c.name == name.name)?;
        Some((table, constraint))
    })
}

/// What else relies on an index that goes.
pub fn is_not_needed(span: proc_macro2::Span, index: &Index, table: &Table, shape: &Shape, errors: &mut Errors) {
    let name = written(&index.name);
    if table.replica_identity.as_ref().is_some_and(|identity| token::names(identity).last() == Some(&index.name)) {
        errors.push(
            Diagnostic::new(span, format!("`{name}` cannot be dropped: it is the replica identity of `{}`", written_table(&table.name)))
                .note("without it subscribers cannot tell which row an UPDATE or DELETE is about, and PostgreSQL refuses these")
                .help(format!("give the table another one before this change: `alter table {} replica identity …`", table.name.quoted())),
        );
    }
    let mut columns: Vec<&str> = Vec::new();
    for key in &index.keys {
        match &key.on {
            IndexTarget::Column(column) => columns.push(column),
            IndexTarget::Expression(_) => return,
        }
    }
    if !index.unique || index.predicate.is_some() {
        return;
    }
    let same =
        |other: &[String]| other.len() == columns.len() && other.iter().all(|name| columns.contains(&name.as_str()));
    let another = table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => same(columns),
        _ => false,
    });
    for (other, foreign_key) in shape.foreign_keys_to(&table.name).filter(|_| !another) {
        if let ConstraintKind::ForeignKey { referenced, .. } = &foreign_key.kind
            && same(referenced)
        {
            errors.push(
                Diagnostic::new(
                    span,
                    format!(
                        "`{name}` cannot be dropped: foreign key `{}` of `{}` references its columns",
                        foreign_key.name,
                        written_table(&other.name)
                    ),
                )
                .note(format!(
                    "{}; a foreign key needs a unique index on what it references",
                    at_line(foreign_key.line, shape.schema())
                ))
                .help(format!(
                    "take the foreign key away before this change: `unconstrain {};`",
                    written_column(&other.name, &foreign_key.name)
                )),
            );
        }
    }
}
