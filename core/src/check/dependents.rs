//! What hangs on a column that goes away, and cannot be carried over to what takes its place.
//!
//! Constraints, indexes, statistics, defaults, sequences, comments and privileges of the table are carried, and so are foreign keys that point at
//! it. What is named here is not: each object by its name and its line in the schema.

use proc_macro2::Span;

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::Shape;
use crate::model::apply::{constraint_columns, expression_columns, index_columns, target_columns};
use crate::schema::{Constraint, ConstraintKind, Index, IndexTarget, SqlText, SqlType, Table, TableKind};
use crate::sql::Expression;
use crate::sql::token;

use super::view_reads::may_read;
use super::{at_line, partitions, types, written, written_column, written_table};

/// A column that goes away.
pub struct Touched<'a> {
    /// Its name.
    pub column: &'a str,
    /// Where the declaration names it.
    pub span: Span,
    /// What happens to it, as `cannot be …` ends: `renamed`, `retyped`, `divided`, `moved`.
    pub fate: &'static str,
    /// Its type is changed in the catalog alone: what is built of its values stays.
    pub in_place: bool,
    /// Its table.
    pub table: &'a Table,
    /// Everything else.
    pub shape: &'a Shape,
}

impl Touched<'_> {
    /// `users.name`
    pub fn name(&self) -> String {
        written_column(&self.table.name, self.column)
    }

    /// Something that keeps the column from being changed.
    pub(super) fn hindrance(&self, because: impl AsRef<str>, line: u32, why: &str) -> Diagnostic {
        let message = format!("`{}` cannot be {}: {}", self.name(), self.fate, because.as_ref());
        Diagnostic::new(self.span, message).note(format!("{}; {why}", at_line(line, self.shape.schema())))
    }

    /// What PostgreSQL refuses at the contract, as long as something of this kind depends on the column.
    fn refused_while(&self, what: &str) -> String {
        let does = if self.in_place { "changes the type of the column" } else { "drops the column" };
        format!("the contract {does}, and PostgreSQL refuses that while {what}")
    }

    fn is_named_by(&self, expression: &SqlText) -> bool {
        match Expression::parse_lenient(&expression.text) {
            Ok(_) => expression_columns(expression).iter().any(|name| name == self.column),
            // One that cannot be read may name anything that stands in it.
            Err(_) => token::names(&expression.text).iter().any(|name| name == self.column),
        }
    }
}

/// Whether a table is of a kind whose columns can be changed at all.
pub fn is_ordinary(table: &Table, span: Span, shape: &Shape, errors: &mut Errors) -> bool {
    let child = shape.tables().find(|other| other.parents.contains(&table.name));
    let what = match (table.kind, table.parents.first(), child) {
        (TableKind::Foreign, ..) => "a foreign table".to_owned(),
        (TableKind::Partitioned, ..) => match &table.partition_key {
            Some(key) => format!("partitioned by {}", key.text),
            None => "partitioned".to_owned(),
        },
        (_, Some(parent), _) if shape.table(parent).is_some_and(|parent| parent.kind == TableKind::Partitioned) => {
            format!("a partition of `{}`", written_table(parent))
        }
        (_, Some(parent), _) => format!("an inheritance child of `{}`", written_table(parent)),
        (.., Some(child)) => format!("an inheritance parent of `{}`", written_table(&child.name)),
        _ => return true,
    };
    let why = match table.kind {
        TableKind::Foreign => "its rows are on another server, where no trigger of this one sees them change",
        _ if partitions::root_of(table, shape).is_some() => {
            "a partition has the columns of its table, and changes with it"
        }
        TableKind::Partitioned => {
            "only columns of a partitioned table can be changed: `rename`, `retype`, `divide`, `combine`"
        }
        _ => {
            "triggers and constraints of a parent are not those of its children, so no change of one reaches the rows of all"
        }
    };
    let refused = Diagnostic::new(span, format!("`{}` cannot be changed: it is {what}", written_table(&table.name)))
        .note(format!("{}; {why}", at_line(table.line, shape.schema())));
    errors.push(match partitions::root_of(table, shape) {
        Some(root) => refused.help(format!("change `{}`", written_table(root))),
        None => refused,
    });
    false
}

/// All that cannot be carried, for one column.
pub fn check(touched: &Touched<'_>, errors: &mut Errors) {
    partitions::check(touched, errors);
    is_generated(touched, errors);
    keep_from_going(touched, errors);
    if !touched.in_place {
        exclusions(touched, errors);
        keys_that_others_reference(touched, errors);
    }
}

/// All that keeps a column from being dropped, and that must not go with it.
pub fn keep_from_going(touched: &Touched<'_>, errors: &mut Errors) {
    generated_columns(touched, errors);
    views(touched, errors);
    policies(touched, errors);
    triggers(touched, errors);
    publications(touched, errors);
    if !touched.in_place {
        replica_identity(touched, errors);
    }
    row_types(touched, errors);
    functions_of_sql(touched, errors);
    opaque_statements(touched, errors);
}

/// A generated column cannot be written, so nothing that new code writes could come back to it.
fn is_generated(touched: &Touched<'_>, errors: &mut Errors) {
    let Some(column) = touched.table.column(touched.column).filter(|column| column.generated.is_some()) else { return };
    errors.push(
        touched
            .hindrance("it is a generated column", column.line, "nothing can be written to it, so it cannot follow another column")
            .help("add a generated column of the new name in a migration of its own, and drop this one when nothing reads it"),
    );
}

/// PostgreSQL 13 and 14 drop a generated column silently with what it reads; later versions refuse.
fn generated_columns(touched: &Touched<'_>, errors: &mut Errors) {
    for column in &touched.table.columns {
        let Some(generated) = column.generated.as_ref().filter(|generated| touched.is_named_by(&generated.expression))
        else {
            continue;
        };
        let because = format!("the generated column `{}` reads it", written(&column.name));
        errors.push(
            touched
                .hindrance(
                    because,
                    generated.expression.line,
                    "the expression of a generated column cannot change without rewriting the table",
                )
                .help(format!(
                    "drop `{}` before this change, and add it again after the contract",
                    written(&column.name)
                )),
        );
    }
}

/// PostgreSQL refuses to drop a column that a view reads. A view that is made anew loses its privileges and what builds on it.
fn views(touched: &Touched<'_>, errors: &mut Errors) {
    for view in touched.shape.schema().views.values() {
        if !may_read(view, &touched.table.name, touched.column) {
            continue;
        }
        let (kind, name) = (if view.materialized { "materialized view" } else { "view" }, written_table(&view.name));
        errors.push(
            touched
                .hindrance(format!("{kind} `{name}` reads it"), view.line, &touched.refused_while("a view reads it"))
                .help(format!("drop `{name}` before this change, and create it again after the contract")),
        );
    }
}

/// A policy keeps the column that it was created with, like a view.
fn policies(touched: &Touched<'_>, errors: &mut Errors) {
    for policy in &touched.table.policies {
        if policy.expressions.iter().any(|expression| touched.is_named_by(expression)) {
            let because = format!("policy `{}` reads it", policy.name);
            errors.push(
                touched
                    .hindrance(because, policy.line, "a policy decides who sees which rows, and nobody but you can say what it should read meanwhile")
                    .help("drop the policy before this change, and create it again after the contract"),
            );
        }
    }
}

/// What the condition of a trigger or its list of columns says cannot be told for both shapes at once.
fn triggers(touched: &Touched<'_>, errors: &mut Errors) {
    for trigger in &touched.table.triggers {
        let in_list = trigger.update_of.iter().any(|name| name == touched.column);
        let in_condition = trigger.condition.as_ref().is_some_and(|condition| touched.is_named_by(condition));
        let because = match (in_list, in_condition) {
            (true, _) => format!("trigger `{}` fires on `UPDATE OF` it", trigger.name),
            (false, true) => format!("the `WHEN` of trigger `{}` reads it", trigger.name),
            (false, false) => continue,
        };
        errors.push(
            touched
                .hindrance(because, trigger.line, &touched.refused_while("a trigger names it"))
                .help("create the trigger anew without naming the column: its function can compare `old` and `new`"),
        );
    }
}

/// A subscriber gets the columns that the publication lists: what takes their place must be made there first.
fn publications(touched: &Touched<'_>, errors: &mut Errors) {
    for publication in &touched.shape.schema().publications {
        for (table, columns, filter) in &publication.tables {
            let in_list = columns.iter().any(|name| name == touched.column);
            let in_filter = filter.as_ref().is_some_and(|filter| touched.is_named_by(filter));
            if *table != touched.table.name || !(in_list || in_filter) {
                continue;
            }
            let how = if in_list { "lists it" } else { "filters rows by it" };
            errors.push(
                touched
                    .hindrance(
                        format!("publication `{}` {how}", publication.name),
                        publication.line,
                        &touched.refused_while("a publication names it"),
                    )
                    .help("let the publication send all columns and rows of the table until the contract"),
            );
        }
    }
}

/// Updates and deletes of a published table fail while its replica identity has no index.
fn replica_identity(touched: &Touched<'_>, errors: &mut Errors) {
    let Some(identity) = &touched.table.replica_identity else { return };
    let words = token::names(identity);
    let [.., index] = words.as_slice() else { return };
    let names = |columns: Vec<String>| columns.iter().any(|name| name == touched.column);
    let plain = touched.table.indexes.iter().find(|candidate| candidate.name == *index);
    let behind =
        touched.table.constraints.iter().find(|candidate| candidate.name == *index && candidate.kind.has_index());
    let line = match (plain, behind) {
        (Some(plain), _) if names(index_columns(plain)) => plain.line,
        (_, Some(behind)) if names(constraint_columns(behind)) => behind.line,
        _ => return,
    };
    errors.push(
        touched
            .hindrance(
                format!("the replica identity is index `{index}`, which has it"),
                line,
                "the index is built anew, and replication needs one at all times",
            )
            .help(format!("`alter table {} replica identity full` until the contract", touched.table.name.quoted())),
    );
}

/// An exclusion constraint cannot be added without holding up all writers: it takes no index that was built beforehand.
fn exclusions(touched: &Touched<'_>, errors: &mut Errors) {
    for constraint in &touched.table.constraints {
        if let ConstraintKind::Exclude { columns, .. } = &constraint.kind
            && columns.iter().any(|name| name == touched.column)
        {
            let because = format!("exclusion constraint `{}` reads it", constraint.name);
            errors.push(
                touched
                    .hindrance(
                        because,
                        constraint.line,
                        "PostgreSQL adds such a constraint only while nobody reads or writes the table",
                    )
                    .help(
                        "drop the constraint before this change, and add it again after the contract, in a quiet hour",
                    ),
            );
        }
    }
}

/// A foreign key that stays as it is holds on to the index behind the key that it references, and that index is built anew.
fn keys_that_others_reference(touched: &Touched<'_>, errors: &mut Errors) {
    for key in &touched.table.constraints {
        let (ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. }) = &key.kind else {
            continue;
        };
        let is_payload = constraint_columns(key).iter().any(|name| name == touched.column)
            && !columns.iter().any(|name| name == touched.column);
        if !is_payload {
            continue;
        }
        for (table, foreign_key) in touched.shape.foreign_keys_to(&touched.table.name) {
            let ConstraintKind::ForeignKey { referenced, .. } = &foreign_key.kind else { continue };
            let is_same = referenced.len() == columns.len() && referenced.iter().all(|name| columns.contains(name));
            if is_same {
                let because = format!(
                    "`{}` includes it, and foreign key `{}` of `{}` references that key",
                    key.name,
                    foreign_key.name,
                    written_table(&table.name)
                );
                errors.push(
                    touched
                        .hindrance(
                            because,
                            foreign_key.line,
                            "the key is built anew, and the foreign key would have to be dropped for that",
                        )
                        .help(format!("make `{}` anew without `INCLUDE` before this change", key.name)),
                );
            }
        }
    }
}

/// PostgreSQL changes the type of no column that is part of the type of another column; dropping it is no such change.
fn row_types(touched: &Touched<'_>, errors: &mut Errors) {
    if !touched.in_place {
        return;
    }
    let name = Some(touched.table.name.clone());
    let columns = touched.shape.tables().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    for (table, column) in columns.filter(|(_, column)| column.ty.qualified() == name) {
        errors.push(
            touched
                .hindrance(
                    format!(
                        "column `{}` has rows of `{}` as its values",
                        written_column(&table.name, &column.name),
                        written_table(&touched.table.name)
                    ),
                    column.line,
                    &touched.refused_while("that is so"),
                )
                .help("write `through view`"),
        );
    }
}

/// The body of a function in the SQL standard's form (`BEGIN ATOMIC`) is bound to the columns that it names. What stands in a string is not:
/// the plan notes it.
fn functions_of_sql(touched: &Touched<'_>, errors: &mut Errors) {
    for function in touched.shape.schema().functions.iter().filter(|function| is_sql_standard(&function.body)) {
        let names = token::names(&function.body);
        let has = |name: &str| names.iter().any(|known| known == name);
        if has(&touched.table.name.name) && has(touched.column) {
            let because = format!("function `{}` names it in its body", function.name);
            errors.push(
                touched
                    .hindrance(because, function.line, &touched.refused_while("such a body names it"))
                    .help("write the body as a string, `as $$ … $$`, until the contract"),
            );
        }
    }
}

/// Whether a body is in the SQL standard's form. Decided by its first words alone: a schema can have thousands of functions.
fn is_sql_standard(body: &str) -> bool {
    let mut words = body.split_whitespace();
    let first = words.next().unwrap_or_default();
    first.eq_ignore_ascii_case("return")
        || first.eq_ignore_ascii_case("begin") && words.next().is_some_and(|word| word.eq_ignore_ascii_case("atomic"))
}

/// What nobody understands may be anything.
fn opaque_statements(touched: &Touched<'_>, errors: &mut Errors) {
    for statement in &touched.shape.schema().opaque {
        let names = |name: &str| statement.identifiers.iter().any(|known| known == name);
        if names(&touched.table.name.name) && names(touched.column) {
            let first_line = statement.text.lines().next().unwrap_or_default();
            let because = format!("a statement that coexist does not understand names it: `{first_line}`");
            errors.push(
                touched
                    .hindrance(because, statement.line, "what it makes may depend on the column")
                    .help("if it does not, leave the statement out of the schema file"),
            );
        }
    }
}

/// A rule rewrites the statements of the backfill and of the comparison as well, into who knows what.
pub fn has_no_rules(table: &Table, span: Span, shape: &Shape, errors: &mut Errors) {
    for rule in &table.rules {
        errors.push(
            Diagnostic::new(
                span,
                format!(
                    "`{}` cannot be changed: rule `{}` rewrites statements on it",
                    written_table(&table.name),
                    rule.name
                ),
            )
            .note(format!(
                "{}; the backfill's statements would be rewritten as well",
                at_line(rule.line, shape.schema())
            ))
            .help("put a trigger in place of the rule"),
        );
    }
}

/// A foreign key stands between columns that compare with each other, in both shapes.
pub fn foreign_keys_stay_comparable(touched: &Touched<'_>, to: &SqlType, errors: &mut Errors) {
    let schema = touched.shape.schema();
    let mut report = |other: String, ty: &SqlType, foreign_key: &Constraint, on: &Table| {
        errors.push(
            touched
                .hindrance(
                    format!(
                        "foreign key `{}` of `{}` compares it with `{other}`, which is `{ty}`",
                        foreign_key.name,
                        written_table(&on.name)
                    ),
                    foreign_key.line,
                    &format!("PostgreSQL has no index that compares `{to}` with `{ty}`"),
                )
                .help(format!("retype `{other}` as well, or drop the foreign key before this change")),
        );
    };
    for (table, foreign_key) in touched.shape.foreign_keys_to(&touched.table.name) {
        let ConstraintKind::ForeignKey { columns, referenced, .. } = &foreign_key.kind else { continue };
        for (own, referenced) in columns.iter().zip(referenced) {
            if let Some(other) = table.column(own)
                && referenced == touched.column
                && !types::comparable(to, &other.ty, schema)
            {
                report(written_column(&table.name, own), &other.ty, foreign_key, table);
            }
        }
    }
    for foreign_key in &touched.table.constraints {
        let ConstraintKind::ForeignKey { columns, references, referenced, .. } = &foreign_key.kind else { continue };
        for (own, referenced) in columns.iter().zip(referenced) {
            let other = touched.shape.table(references).and_then(|table| table.column(referenced));
            if let Some(other) = other
                && own == touched.column
                && !types::comparable(to, &other.ty, schema)
            {
                report(written_column(references, referenced), &other.ty, foreign_key, touched.table);
            }
        }
    }
}

/// An index of the old type's own kind cannot be built on the new type, and a key needs a type that can be sorted.
pub fn indexes_fit(touched: &Touched<'_>, from: &SqlType, to: &SqlType, errors: &mut Errors) {
    let schema = touched.shape.schema();
    if types::comparable(from, to, schema) {
        return;
    }
    for index in &touched.table.indexes {
        if let Some(why) = misfit(index, touched.column, to, schema) {
            errors.push(
                touched.hindrance(format!("index `{}` cannot be built on `{to}`", index.name), index.line, why).help(
                    format!("drop `{}` before this change, and create one for `{to}` after the contract", index.name),
                ),
            );
        }
    }
    for constraint in &touched.table.constraints {
        let is_key = matches!(constraint.kind, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. });
        if is_key
            && constraint_columns(constraint).iter().any(|name| name == touched.column)
            && !types::is_sortable(to, schema)
        {
            errors.push(touched.hindrance(
                format!("`{}` cannot be a key of `{to}`", constraint.name),
                constraint.line,
                "values of this type have no order, which a key needs",
            ));
        }
    }
    for statistics in &touched.table.statistics {
        if target_columns(&statistics.on).iter().any(|name| name == touched.column) && !types::is_sortable(to, schema) {
            errors.push(touched.hindrance(
                format!("statistics `{}` cannot be made of `{to}`", statistics.name),
                statistics.line,
                "values of this type have no order, which statistics need",
            ));
        }
    }
}

/// Why an index cannot have the new type in place of the column.
fn misfit(index: &Index, column: &str, to: &SqlType, schema: &crate::schema::Schema) -> Option<&'static str> {
    let key = index.keys.iter().find(|key| matches!(&key.on, IndexTarget::Column(name) if name == column))?;
    if key.operator_class.is_some() {
        return Some("it has an operator class, which is for the old type");
    }
    if key.collation.is_some() && !types::is_collatable(to, schema) {
        return Some("it has a collation, which is for text");
    }
    match index.method.as_str() {
        "btree" if types::is_sortable(to, schema) => None,
        "btree" => Some("values of this type have no order, which a B-tree needs"),
        "hash" if types::is_sortable(to, schema) => None,
        _ => Some("which types an index of this method takes is not known"),
    }
}

/// A sequence gives integers.
pub fn sequences_fit(touched: &Touched<'_>, to: &SqlType, errors: &mut Errors) {
    let Some(column) = touched.table.column(touched.column) else { return };
    let has_sequence = touched.shape.schema().sequences_of(&touched.table.name, touched.column).next().is_some();
    let what = match (&column.identity, has_sequence) {
        (Some(_), _) => "it is an identity column",
        (None, true) => "a sequence gives its values",
        (None, false) => return,
    };
    if !types::is_integer(to) {
        errors.push(
            touched
                .hindrance(what, column.line, &format!("`{to}` is no type of integers"))
                .help("retype it to smallint, integer or bigint, or take the sequence away from it before this change"),
        );
    }
}
