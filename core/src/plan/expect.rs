//! From the before shape to what a plan takes for granted.
//!
//! Which columns matter is read off the statements themselves, so that it holds for every kind of change: what no statement names, no
//! statement can stumble over.

use super::expected::{Expected, ExpectedColumn, ExpectedObject, ObjectKind};
use super::make::{Planned, names_word};
use super::sql;
use super::{Backfill, Phase, Search};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::Shape;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::schema::{Column, Constraint, ConstraintKind, Index, IndexTarget, Schema, Statistics, Table};

/// What `planned` expects of the tables that are there before.
pub(super) fn expected(schema: &Schema, before: &Shape, planned: &Planned) -> Vec<Expected> {
    let sql = Statements::of(planned);
    let tables = planned.tables.iter().filter_map(|name| before.table(name));
    tables.map(|table| sql.expect(table, schema.table(&table.name))).collect()
}

/// All SQL of a plan that goes forward.
struct Statements<'a> {
    steps: Vec<(Phase, &'a str)>,
    others: Vec<&'a str>,
}

impl<'a> Statements<'a> {
    fn of(planned: &'a Planned) -> Self {
        let steps = planned
            .steps
            .iter()
            .flat_map(|step| step.action.statements.iter().map(move |statement| (step.phase, statement.as_str())));
        let mut others = Vec::new();
        for backfill in &planned.backfill {
            others.push(backfill.pending());
            others.extend(backfill.pieces().1.iter().map(|column| column.name.as_str()));
            others.extend(backfill.columns().iter().map(|(_, expression)| expression.as_str()));
            if let Backfill::UpdateFrom { source_key, on, combined, .. } = backfill {
                others.push(on);
                others.extend(source_key.iter().map(String::as_str));
                let combined = combined.iter().flat_map(|combined| &combined.columns);
                others.extend(combined.map(|(_, expression)| expression.as_str()));
            }
        }
        for reconcile in &planned.reconcile {
            others.push(reconcile.mismatch.as_str());
            others.extend(reconcile.key.iter().map(|column| column.name.as_str()));
            others.extend(reconcile.join.iter().map(|(_, condition)| condition.as_str()));
        }
        for probe in &planned.probes {
            match &probe.search {
                Search::Rows { key, join, condition, .. } => {
                    others.push(condition.as_str());
                    others.extend(key.iter().map(|column| column.name.as_str()));
                    others.extend(join.iter().map(|(_, condition)| condition.as_str()));
                }
                Search::Groups { query, .. } => others.push(query.as_str()),
            }
        }
        Self { steps: steps.collect(), others }
    }

    /// `dumped` is the table as schema.sql has it, before any other change.
    fn expect(&self, table: &Table, dumped: Option<&Table>) -> Expected {
        let columns: Vec<ExpectedColumn> = table
            .columns
            .iter()
            .map(|column| (column, self.goes(&table.name, &column.name)))
            .filter(|(column, goes)| goes.is_some() || self.name(&column.name))
            .map(|(column, goes)| {
                let now = expected_column(column, goes);
                let was = dumped.and_then(|dumped| dumped.column(&column.name)).map(|was| expected_column(was, goes));
                ExpectedColumn { unsettled: was.as_ref() != Some(&now), ..now }
            })
            .collect();
        let goes = |names: &[String]| {
            names.iter().any(|name| columns.iter().any(|column| column.goes.is_some() && column.name == *name))
        };
        let constraints = table.constraints.iter().filter(|c| goes(&constraint_columns(c)) || self.name(&c.name));
        let indexes = table.indexes.iter().filter(|index| goes(&index_columns(index)) || self.name(&index.name));
        let statistics = table.statistics.iter().filter(|s| goes(&target_columns(&s.on)) || self.name(&s.name.name));
        let objects = constraints
            .map(expected_constraint)
            .chain(indexes.map(expected_index))
            .chain(statistics.map(expected_statistics))
            .map(|object| ExpectedObject { unsettled: !dumped.is_some_and(|dumped| has(dumped, &object)), ..object })
            .collect();
        Expected { table: table.name.clone(), adds: self.adds(&table.name), columns, objects }
    }

    /// Whether some statement has this word.
    fn name(&self, word: &str) -> bool {
        self.steps.iter().map(|(_, sql)| *sql).chain(self.others.iter().copied()).any(|sql| names_word(sql, word))
    }

    /// How many columns a table gets. The after shape does not say it: a view may have the new names, and a column may be ours alone.
    fn adds(&self, table: &QualifiedName) -> u32 {
        let alters = self.steps.iter().filter(|(_, sql)| alters(sql, table));
        alters.map(|(_, sql)| u32::try_from(sql.matches("add column ").count()).unwrap_or(u32::MAX)).sum()
    }

    /// The phase in which a column goes, or gets another type. A column that is renamed in place stays what it is to all that depend on it.
    fn goes(&self, table: &QualifiedName, column: &str) -> Option<Phase> {
        let column = quote_ident(column);
        let of_column = [
            format!("drop column {column}"),
            format!("alter column {column} type "),
            format!("alter column {column} set data type "),
        ];
        let ends = |sql: &str| {
            sql == format!("drop table {}", table.quoted())
                || alters(sql, table) && of_column.iter().any(|words| sql.contains(words.as_str()))
        };
        self.steps.iter().filter(|(_, sql)| ends(sql)).map(|(phase, _)| *phase).min()
    }
}

/// Whether a statement is `ALTER TABLE` of this table.
fn alters(sql: &str, table: &QualifiedName) -> bool {
    let table = table.quoted();
    [format!("alter table {table}"), format!("alter table only {table}")]
        .iter()
        .any(|alter| sql.strip_prefix(alter.as_str()).is_some_and(|rest| rest.starts_with([' ', '\n'])))
}

/// Whether a table has an object that says the same.
fn has(table: &Table, object: &ExpectedObject) -> bool {
    match object.kind {
        ObjectKind::Constraint => table.constraints.iter().any(|known| expected_constraint(known) == *object),
        ObjectKind::Index => table.indexes.iter().any(|known| expected_index(known) == *object),
        ObjectKind::Statistics => table.statistics.iter().any(|known| expected_statistics(known) == *object),
    }
}

fn expected_column(column: &Column, goes: Option<Phase>) -> ExpectedColumn {
    let generated = column.generated.as_ref().map(|generated| &generated.expression);
    ExpectedColumn {
        name: column.name.clone(),
        ty: column.ty.to_string(),
        not_null: column.not_null,
        expression: generated.or(column.default.as_ref()).map(|expression| expression.text.clone()),
        identity: column.identity.is_some(),
        generated: column.generated.is_some(),
        goes,
        unsettled: false,
    }
}

/// The words of definitions are those that the run time reads off a live catalog (`preflight/objects.sql`).
fn expected_constraint(constraint: &Constraint) -> ExpectedObject {
    let list = |columns: &[String]| columns.join(", ");
    let mut expressions = Vec::new();
    let definition = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include, .. } => {
            format!("primary key ({}){}", list(columns), including(include))
        }
        ConstraintKind::Unique { columns, include, nulls_not_distinct, .. } => {
            let nulls = if *nulls_not_distinct { " nulls not distinct" } else { "" };
            format!("unique{nulls} ({}){}", list(columns), including(include))
        }
        ConstraintKind::Check { expression, no_inherit } => {
            expressions.push(expression.text.clone());
            format!("check{}", if *no_inherit { " no inherit" } else { "" })
        }
        ConstraintKind::ForeignKey { columns, references, referenced, on_update, on_delete, match_full, .. } => {
            format!(
                "foreign key ({}) references {}.{} ({}){} on update {} on delete {}",
                list(columns),
                references.schema,
                references.name,
                list(referenced),
                if *match_full { " match full" } else { "" },
                on_update.as_sql().to_lowercase(),
                on_delete.as_sql().to_lowercase()
            )
        }
        ConstraintKind::Exclude { .. } => "exclude".to_owned(),
    };
    ExpectedObject {
        kind: ObjectKind::Constraint,
        name: constraint.name.clone(),
        definition: definition + sql::deferrability(constraint),
        expressions,
        unsettled: false,
    }
}

fn expected_index(index: &Index) -> ExpectedObject {
    let mut expressions = Vec::new();
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let what = match &key.on {
                IndexTarget::Column(name) => name.clone(),
                IndexTarget::Expression(sql) => {
                    expressions.push(sql.text.clone());
                    "*".to_owned()
                }
            };
            let descending = if key.descending { " desc" } else { "" };
            let nulls = match key.nulls_first {
                Some(first) if first != key.descending => {
                    if first {
                        " nulls first"
                    } else {
                        " nulls last"
                    }
                }
                _ => "",
            };
            format!("{what}{descending}{nulls}")
        })
        .collect();
    expressions.extend(index.predicate.iter().map(|predicate| predicate.text.clone()));
    ExpectedObject {
        kind: ObjectKind::Index,
        name: index.name.clone(),
        definition: format!(
            "{}index {} ({}){}{}{}",
            if index.unique { "unique " } else { "" },
            index.method,
            keys.join(", "),
            including(&index.include),
            if index.nulls_not_distinct { " nulls not distinct" } else { "" },
            if index.predicate.is_some() { " where" } else { "" },
        ),
        expressions,
        unsettled: false,
    }
}

fn expected_statistics(statistics: &Statistics) -> ExpectedObject {
    ExpectedObject {
        kind: ObjectKind::Statistics,
        name: statistics.name.name.clone(),
        definition: "statistics".to_owned(),
        expressions: Vec::new(),
        unsettled: false,
    }
}

fn including(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(" include ({})", columns.join(", ")) }
}
