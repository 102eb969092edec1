//! Constraints that come and go.

use proc_macro2::Span;

use super::{Row, columns};
use crate::check::lookup::{self, Surroundings};
use crate::check::{at_line, dependents, expressions, listed, names, types, written, written_column, written_table};
use crate::diagnostic::{Diagnostic, Errors, nearest};
use crate::ident::{QualifiedName, object_name};
use crate::model::Shape;
use crate::model::rules::Policy;
use crate::schema::{Column, Constraint, ConstraintKind, IndexTarget, ReferentialAction, SqlText, Table};
use crate::sql::Expression;
use crate::syntax::rules::{Constrain, Definition};
use crate::syntax::{Name, TablePath};

/// A constraint that comes.
pub struct NewConstraint {
    /// As it will be.
    pub constraint: Constraint,
    /// Of a check, the condition.
    pub condition: Option<Expression>,
    /// The columns of its table that it names.
    pub columns: Vec<String>,
    /// Of a foreign key, the referenced table and columns.
    pub references: Option<(QualifiedName, Vec<String>)>,
}

/// What a declared constraint means; `None` if there is a mistake in it.
pub fn constraint(
    tree: &Constrain,
    row: &Row<'_>,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<NewConstraint> {
    let (mut condition, mut references) = (None, None);
    let (kind, default_name, of) = match &tree.definition {
        Definition::Check(literal) => {
            let expression = expressions::expression(literal, &row.scope("check", row.columns()), errors)?;
            let mut of: Vec<String> = Vec::new();
            for column in expression.columns() {
                if !of.contains(&column.name) {
                    of.push(column.name.clone());
                }
            }
            let sql = SqlText { text: expression.code().to_owned(), line: row.table.line };
            condition = Some(expression);
            (ConstraintKind::Check { expression: sql, no_inherit: false }, String::new(), of)
        }
        Definition::Unique { columns: key, nulls_not_distinct, include } => {
            let of = key_columns(key, row, around, errors);
            let payload = columns(include, row.table, row.shape, around, errors);
            let (of, payload) = (of?, payload?);
            nulls_not_distinct.map_or(Some(()), |span| has_nulls_not_distinct(span, row, errors))?;
            is_new_key(&of, nulls_not_distinct.is_some(), tree.span, row, errors)?;
            let (of, payload) = (names_of(&of), names_of(&payload));
            let name = object_name(&row.table.name.name, Some(&[&of[..], &payload[..]].concat().join("_")), "key");
            let all = [of.clone(), payload.clone()].concat();
            let nulls_not_distinct = nulls_not_distinct.is_some();
            (ConstraintKind::Unique { columns: of, include: payload, nulls_not_distinct, with: Vec::new() }, name, all)
        }
        Definition::PrimaryKey { columns: key, include } => {
            let of = key_columns(key, row, around, errors);
            let payload = columns(include, row.table, row.shape, around, errors);
            let (of, payload) = (of?, payload?);
            can_be_primary_key(&of, key, tree.span, row, errors)?;
            let (of, payload) = (names_of(&of), names_of(&payload));
            let name = object_name(&row.table.name.name, None, "pkey");
            let all = [of.clone(), payload.clone()].concat();
            (ConstraintKind::PrimaryKey { columns: of, include: payload, with: Vec::new() }, name, all)
        }
        Definition::References { columns: referencing, table, referenced, match_full, on_update, on_delete } => {
            let of = columns(referencing, row.table, row.shape, around, errors);
            let parent = referenced_key(table, referenced, tree.span, row, around, errors);
            let (of, (parent, key)) = (of?, parent?);
            are_comparable(&of, referencing, parent, &key, tree.span, row, errors)?;
            let (on_update, on_delete) = (action(on_update), action(on_delete));
            for (written, action) in [("on update", on_update), ("on delete", on_delete)] {
                can_be_set(written, action, &of, tree.span, row, errors)?;
            }
            let (of, key) = (names_of(&of), names_of(&key));
            let name = object_name(&row.table.name.name, Some(&of.join("_")), "fkey");
            references = Some((parent.name.clone(), key.clone()));
            let kind = ConstraintKind::ForeignKey {
                columns: of.clone(),
                references: parent.name.clone(),
                referenced: key,
                on_update,
                on_delete,
                on_delete_columns: Vec::new(),
                match_full: *match_full,
            };
            (kind, name, of)
        }
    };
    let name = tree.name.clone().unwrap_or(Name { text: default_name, span: tree.span });
    name_is_free(&name, &kind, row, errors)?;
    let constraint = Constraint {
        name: name.text,
        kind,
        deferrable: tree.deferrable.is_some() || tree.initially_deferred.is_some(),
        initially_deferred: tree.initially_deferred.is_some(),
        not_valid: false,
        not_enforced: false,
        tablespace: None,
        clustered: false,
        attached_to: None,
        comment: None,
        index_comment: None,
        line: row.table.line,
    };
    Some(NewConstraint { constraint, condition, columns: of, references })
}

fn names_of(columns: &[&Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

fn name_is_free(name: &Name, kind: &ConstraintKind, row: &Row<'_>, errors: &mut Errors) -> Option<()> {
    if !names::is_identifier(name, errors) {
        return None;
    }
    let there = row.table.constraints.iter().find(|constraint| constraint.name == name.text);
    if let Some(there) = there {
        errors.push(
            Diagnostic::new(
                name.span,
                format!("`{}` has a constraint `{}` already", written_table(&row.table.name), name.text),
            )
            .note(at_line(there.line, row.shape.schema()))
            .help("give the new constraint a name of its own"),
        );
        return None;
    }
    let taken = names::taken(name, &row.table.name.schema, row.shape).filter(|_| kind.has_index());
    if let Some(mut taken) = taken {
        taken.help = vec!["give the constraint a name of its own; its index has the same".to_owned()];
        errors.push(taken);
        return None;
    }
    Some(())
}

/// The columns of a key, which a B-tree keeps in order.
fn key_columns<'a>(
    key: &[Name],
    row: &Row<'a>,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<Vec<&'a Column>> {
    let found = columns(key, row.table, row.shape, around, errors)?;
    for (column, name) in found.iter().zip(key) {
        if !types::is_sortable(&column.ty, row.shape.schema()) {
            errors.push(
                Diagnostic::new(
                    name.span,
                    format!("`{}` cannot be part of a key: values of type `{}` have no order", column.name, column.ty),
                )
                .note(at_line(column.line, row.shape.schema()))
                .help("leave it out"),
            );
            return None;
        }
    }
    Some(found)
}

fn has_nulls_not_distinct(span: Span, row: &Row<'_>, errors: &mut Errors) -> Option<()> {
    if row.server >= 15 {
        return Some(());
    }
    errors.push(
        Diagnostic::new(span, "`nulls not distinct` needs PostgreSQL 15")
            .note(format!("the declaration says that its SQL works from {} on", row.server))
            .help("add `server 15;`"),
    );
    None
}

/// A second index for the same rule costs every write, and nothing is won.
fn is_new_key(of: &[&Column], nulls_not_distinct: bool, span: Span, row: &Row<'_>, errors: &mut Errors) -> Option<()> {
    let same = |columns: &[String]| columns.len() == of.len() && of.iter().all(|column| columns.contains(&column.name));
    let there = row.table.constraints.iter().find(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } => same(columns),
        ConstraintKind::Unique { columns, nulls_not_distinct: there, .. } => {
            same(columns) && *there == nulls_not_distinct
        }
        _ => false,
    });
    let Some(there) = there else { return Some(()) };
    errors.push(
        Diagnostic::new(span, format!("constraint `{}` says this already", there.name))
            .note(at_line(there.line, row.shape.schema()))
            .help("leave this change out"),
    );
    None
}

fn can_be_primary_key(of: &[&Column], key: &[Name], span: Span, row: &Row<'_>, errors: &mut Errors) -> Option<()> {
    let is_key = |constraint: &&Constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. });
    if let Some(there) = row.table.constraints.iter().find(is_key) {
        errors.push(
            Diagnostic::new(
                span,
                format!("`{}` has a primary key already: `{}`", written_table(&row.table.name), there.name),
            )
            .note(at_line(there.line, row.shape.schema()))
            .help("add a unique constraint instead: it can be referenced as well"),
        );
        return None;
    }
    let nullable = of.iter().zip(key).find(|(column, _)| !column.not_null);
    let Some((column, name)) = nullable else { return Some(()) };
    let written = written_column(&row.table.name, &column.name);
    errors.push(
        Diagnostic::new(name.span, format!("`{written}` is nullable, and cannot be part of a primary key yet"))
            .note(format!("{}; PostgreSQL would read all rows under ACCESS EXCLUSIVE to make it NOT NULL", at_line(column.line, row.shape.schema())))
            .help(format!("make it NOT NULL by a change of its own first, `require {written} or reject;`, and declare this one `after` it")),
    );
    None
}

/// The columns that a foreign key points at, which a key of their own must hold.
fn referenced_key<'a>(
    path: &TablePath,
    referenced: &[Name],
    span: Span,
    row: &Row<'a>,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<(&'a Table, Vec<&'a Column>)> {
    let shape = row.shape;
    let parent = lookup::table(path, shape, around, errors)?;
    if !dependents::is_ordinary(parent, path.table.span, shape, errors) {
        return None;
    }
    let shown = written_table(&parent.name);
    if referenced.is_empty() {
        let key: Vec<&Column> = parent.primary_key().iter().filter_map(|name| parent.column(name)).collect();
        if key.is_empty() {
            errors.push(
                Diagnostic::new(path.table.span, format!("`{shown}` has no primary key to reference"))
                    .note(at_line(parent.line, shape.schema()))
                    .help(format!("name the columns of a unique constraint: `references {shown} (<column>)`")),
            );
            return None;
        }
        return Some((parent, key));
    }
    let key = columns(referenced, parent, shape, around, errors)?;
    let same =
        |columns: &[String]| columns.len() == key.len() && key.iter().all(|column| columns.contains(&column.name));
    let by_constraint = parent.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => {
            !constraint.deferrable && same(columns)
        }
        _ => false,
    });
    let by_index = parent.indexes.iter().any(|index| {
        let names: Option<Vec<String>> = index
            .keys
            .iter()
            .map(|key| match &key.on {
                IndexTarget::Column(name) => Some(name.clone()),
                IndexTarget::Expression(_) => None,
            })
            .collect();
        index.unique && index.predicate.is_none() && names.is_some_and(|names| same(&names))
    });
    if by_constraint || by_index {
        return Some((parent, key));
    }
    errors.push(
        Diagnostic::new(
            referenced.first().map_or(span, |name| name.span),
            format!("no key of `{shown}` is on {}", listed(key.iter().map(|column| &column.name))),
        )
        .note("a foreign key points at the columns of a primary key or a unique constraint that is not deferrable")
        .help(format!(
            "add one by a change of its own first: `constrain {shown}: unique ({}) or reject;`",
            key.iter().map(|column| written(&column.name)).collect::<Vec<_>>().join(", ")
        )),
    );
    None
}

fn are_comparable(
    of: &[&Column],
    names: &[Name],
    parent: &Table,
    key: &[&Column],
    span: Span,
    row: &Row<'_>,
    errors: &mut Errors,
) -> Option<()> {
    if of.len() != key.len() {
        errors.push(
            Diagnostic::new(
                span,
                format!(
                    "{} of `{}` cannot reference {} of `{}`: their numbers differ",
                    listed(names_of(of)),
                    written_table(&row.table.name),
                    listed(names_of(key)),
                    written_table(&parent.name)
                ),
            )
            .help("name one column for each column that is referenced"),
        );
        return None;
    }
    let schema = row.shape.schema();
    let pairs = of.iter().zip(key).zip(names);
    let different = pairs.into_iter().find(|((a, b), _)| !types::comparable(&a.ty, &b.ty, schema));
    let Some(((a, b), name)) = different else { return Some(()) };
    errors.push(
        Diagnostic::new(
            name.span,
            format!(
                "`{}` of type `{}` cannot reference `{}` of type `{}`",
                written_column(&row.table.name, &a.name),
                a.ty,
                written_column(&parent.name, &b.name),
                b.ty
            ),
        )
        .note(format!("{}; the values do not compare with each other", at_line(a.line, schema)))
        .help(format!("give it the type `{}` first, by `retype`", b.ty)),
    );
    None
}

fn action(written: &Option<Name>) -> ReferentialAction {
    match written.as_ref().map(|name| name.text.as_str()) {
        Some("cascade") => ReferentialAction::Cascade,
        Some("restrict") => ReferentialAction::Restrict,
        Some("set null") => ReferentialAction::SetNull,
        Some("set default") => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

/// PostgreSQL takes it, and every delete of a referenced row fails.
fn can_be_set(
    written: &str,
    action: ReferentialAction,
    of: &[&Column],
    span: Span,
    row: &Row<'_>,
    errors: &mut Errors,
) -> Option<()> {
    let column = of.iter().find(|column| column.not_null && action == ReferentialAction::SetNull);
    let Some(column) = column else { return Some(()) };
    errors.push(
        Diagnostic::new(
            span,
            format!(
                "`{written} set null` cannot be carried out: `{}` is NOT NULL",
                written_column(&row.table.name, &column.name)
            ),
        )
        .note(at_line(column.line, row.shape.schema()))
        .help(format!("write `{written} cascade`, or leave it out; or make the column nullable by `relax` first")),
    );
    None
}

/// What mends one row by itself cannot mend rows that stand in each other's way; and a trigger that looks for another row does not see what
/// other transactions are about to do.
pub fn policy_fits(
    tree: &Constrain,
    new: &NewConstraint,
    policy: &Policy,
    row: &Row<'_>,
    errors: &mut Errors,
) -> Option<()> {
    let Some(repair) = tree.policy.repairs.first() else { return Some(()) };
    let diagnostic = if new.constraint.kind.has_index() {
        Diagnostic::new(repair.keyword, "`fix` cannot mend rows that share a key")
            .note("which of them is to be changed, and to what, is not a matter of one row alone")
            .help("write `or reject`: rows that share a key are listed before anything is touched, for you to mend")
    } else if new.references.is_some() && policy.writes == crate::model::rules::BrokenWrites::Repaired {
        Diagnostic::new(repair.keyword, "a write that references no row cannot be mended on its way")
            .note("a trigger does not see rows that other transactions are about to delete or to insert")
            .help("add `old writes reject`: rows that are there are mended, and such a write fails")
    } else if let Some(generated) = new
        .condition
        .iter()
        .flat_map(|condition| condition.columns())
        .find_map(|read| row.table.column(&read.name).filter(|column| column.generated.is_some()))
    {
        Diagnostic::new(
            repair.keyword,
            format!("a check of the generated column `{}` cannot be mended", generated.name),
        )
        .note("the trigger that mends a row fires before generated columns have their values")
        .help("write `or reject`, and mend such rows before this change")
    } else {
        return Some(());
    };
    errors.push(diagnostic);
    None
}

/// A constraint that is not there.
pub fn unknown_constraint(name: &Name, table: &Table, shape: &Shape) -> Diagnostic {
    let shown = written_table(&table.name);
    let unknown = Diagnostic::new(name.span, format!("`{shown}` has no constraint `{}`", name.text));
    let all = || table.constraints.iter().map(|constraint| constraint.name.as_str());
    if let Some(index) = table.indexes.iter().find(|index| index.name == name.text) {
        return unknown
            .note(format!("it is an index ({})", at_line(index.line, shape.schema())))
            .help(format!("to drop an index, write `drop index {};`", written(&name.text)));
    }
    if let Some(column) = table.columns.iter().find(|column| column.not_null_name.as_ref() == Some(&name.text)) {
        return unknown
            .note(format!("it is the NOT NULL of `{}` ({})", column.name, at_line(column.line, shape.schema())))
            .help(format!(
                "to drop it, write `relax {} {{ nulls from contract }}`",
                written_column(&table.name, &column.name)
            ));
    }
    let unknown = match all().count() {
        0 => unknown.note(format!("it has none at all ({})", at_line(table.line, shape.schema()))),
        _ => unknown.note(format!("its constraints are {} ({})", listed(all()), at_line(table.line, shape.schema()))),
    };
    match nearest(&name.text, all()) {
        Some(near) => unknown.help(format!("did you mean `{}`?", written(near))),
        None => unknown,
    }
}

/// What relies on a constraint. PostgreSQL would refuse to drop it, or drop what relies on it as well.
pub fn can_go(name: &Name, constraint: &Constraint, table: &Table, shape: &Shape, errors: &mut Errors) -> Option<()> {
    let schema = shape.schema();
    let key = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => columns.as_slice(),
        _ => return Some(()),
    };
    let relies = shape.foreign_keys_to(&table.name).find(|(_, foreign_key)| match &foreign_key.kind {
        ConstraintKind::ForeignKey { referenced, .. } => {
            referenced.len() == key.len() && referenced.iter().all(|column| key.contains(column))
        }
        _ => false,
    });
    let cannot = |why: String| Diagnostic::new(name.span, format!("`{}` cannot be dropped: {why}", constraint.name));
    let diagnostic = if let Some((other, foreign_key)) = relies {
        cannot(format!("foreign key `{}` of `{}` relies on it", foreign_key.name, written_table(&other.name)))
            .note(at_line(foreign_key.line, schema))
            .help(format!(
                "drop that one first: `unconstrain {}: {};`",
                written_table(&other.name),
                written(&foreign_key.name)
            ))
    } else if table.replica_identity.as_ref().is_some_and(|identity| identity.contains(&constraint.name)) {
        cannot("it is the replica identity of its table".to_owned())
            .note(at_line(table.line, schema))
            .help("choose another replica identity before this change: `alter table … replica identity full`")
    } else {
        return Some(());
    };
    errors.push(diagnostic);
    None
}
