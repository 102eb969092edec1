//! Where the live catalog is otherwise than `schema.sql`, and the change depends on it.

use std::collections::BTreeMap;

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Expected, ExpectedColumn, ExpectedObject, Phase};
use coexist_core::render::plan_file;

use super::live::{self, LiveColumn};
use super::{Kind, Look, listed};
use crate::database::Transaction;
use crate::error::Result;
use crate::ledger;

const PULL: &str = "bring schema.sql up to date (pg_dump --schema-only) and build again, or mend the database";

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    let others = in_flight(tx, &plan.change)?;
    for expected in &plan.expected {
        match live::columns(tx, &expected.table)? {
            None => look.add(
                Kind::TableMissing,
                format!("table {}", expected.table),
                "schema.sql has this table, and the database has not",
                PULL,
            ),
            Some(columns) => {
                columns_of(look, tx, expected, columns, &others)?;
                objects_of(look, tx, expected, &others)?;
            }
        }
    }
    unknown_references(look, tx)
}

/// What other changes that are under way depend on, and have altered perhaps: between those and this one, the compiler has judged.
fn in_flight(tx: &mut Transaction<'_>, change: &str) -> Result<Vec<Expected>> {
    if !ledger::exists(tx)? {
        return Ok(Vec::new());
    }
    let mut expected = Vec::new();
    for (name, plan) in ledger::change::all(tx)?.into_iter().filter(|(name, _)| name != change) {
        let phase = ledger::change::find(tx, &name)?.map(|record| record.phase);
        let under_way = phase.is_some_and(|phase| phase > Phase::Declared && phase < Phase::Contracted);
        if let Ok(plan) = plan_file::from_toml(&plan)
            && under_way
        {
            expected.extend(plan.expected);
        }
    }
    Ok(expected)
}

fn of_table<'a>(expected: &'a [Expected], table: &'a QualifiedName) -> impl Iterator<Item = &'a Expected> {
    expected.iter().filter(move |expected| expected.table == *table)
}

fn columns_of(
    look: &mut Look<'_>,
    tx: &mut Transaction<'_>,
    expected: &Expected,
    live: Vec<LiveColumn>,
    others: &[Expected],
) -> Result<()> {
    let live: BTreeMap<&str, &LiveColumn> = live.iter().map(|column| (column.name.as_str(), column)).collect();
    let reached = look.reached;
    // The change's own steps take columns away.
    let there = |column: &&ExpectedColumn| !column.unsettled && column.goes.is_none_or(|phase| phase > reached);
    for column in expected.columns.iter().filter(there) {
        let object = format!("column {}.{}", expected.table, column.name);
        let Some(now) = live.get(column.name.as_str()) else {
            look.add(Kind::ColumnMissing, object, "schema.sql has this column, and the database has not", PULL);
            continue;
        };
        if of_table(others, &expected.table).any(|other| other.columns.iter().any(|known| known.name == column.name)) {
            continue;
        }
        let differences = differences(look, tx, &expected.table, column, now)?;
        if !differences.is_empty() {
            let reason = format!("schema.sql says otherwise: {}", listed(&differences));
            look.add(Kind::ColumnDiffers, object, reason, PULL);
        }
    }
    Ok(())
}

fn differences(
    look: &Look<'_>,
    tx: &mut Transaction<'_>,
    table: &QualifiedName,
    column: &ExpectedColumn,
    now: &LiveColumn,
) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    if !live::same_type(tx, &column.ty, &now.ty)? {
        differences.push(format!("it is {}, not {}", now.ty, column.ty.replace('"', "")));
    }
    // Later on, the change's own steps may have loosened or tightened it; and another change in flight may be about nothing else.
    if look.reached > Phase::Declared || now.is_ruled {
        return Ok(differences);
    }
    let either = |yes: bool, words: [&str; 2]| words[usize::from(!yes)].to_string();
    if column.not_null != now.not_null {
        differences.push(either(now.not_null, ["it is NOT NULL", "it may be null"]));
    }
    if column.identity != now.identity {
        differences.push(either(now.identity, ["it is an identity column", "it is no identity column"]));
    }
    if column.generated != now.generated {
        differences.push(either(now.generated, ["it is generated", "it is not generated"]));
    } else {
        let what = if column.generated { "expression" } else { "default" };
        match (&column.expression, &now.expression) {
            // A default is what it becomes when it is stored.
            (Some(a), Some(b)) if !live::same_expression(tx, table, &stored(a, now), &stored(b, now))? => {
                differences.push(format!("its {what} is {b}, not {a}"));
            }
            (None, Some(b)) => differences.push(format!("its {what} is {b}, not none")),
            (Some(a), None) => differences.push(format!("it has no {what}, instead of {a}")),
            _ => {}
        }
    }
    Ok(differences)
}

fn stored(expression: &str, column: &LiveColumn) -> String {
    format!("({expression})::{}", column.ty)
}

fn objects_of(look: &mut Look<'_>, tx: &mut Transaction<'_>, expected: &Expected, others: &[Expected]) -> Result<()> {
    let live = live::objects(tx, &expected.table)?;
    for object in expected.objects.iter().filter(|object| !object.unsettled) {
        let known = |other: &ExpectedObject| other.kind == object.kind && other.name == object.name;
        if of_table(others, &expected.table).any(|other| other.objects.iter().any(known)) {
            continue;
        }
        let name = format!("{} {} of {}", object.kind.name(), object.name, expected.table);
        let Some(now) = live.iter().find(|now| now.kind == object.kind && now.name == object.name) else {
            // What stood on columns that went, went with them.
            if look.reached == Phase::Declared || going(look, expected) {
                look.add(Kind::ObjectMissing, name, "schema.sql has it, and the database has not", PULL);
            }
            continue;
        };
        if look.reached > Phase::Declared {
            continue;
        }
        let mut same = now.definition == object.definition && now.expressions.len() == object.expressions.len();
        for (a, b) in object.expressions.iter().zip(&now.expressions) {
            same = same && live::same_expression(tx, &expected.table, a, b)?;
        }
        if !same {
            let said = |definition: &str, expressions: &[String]| match expressions {
                [] => definition.to_string(),
                _ => format!("{definition} {}", expressions.join(", ")),
            };
            let reason = format!(
                "schema.sql says otherwise: it is `{}`, not `{}`",
                said(&now.definition, &now.expressions),
                said(&object.definition, &object.expressions)
            );
            look.add(Kind::ObjectDiffers, name, reason, PULL);
        }
    }
    for now in live.iter().filter(|now| !now.ours) {
        let known = expected.objects.iter().any(|object| object.kind == now.kind && object.name == now.name);
        let on = look
            .going()
            .find(|(table, column, _)| **table == expected.table && now.columns.iter().any(|name| name == column));
        if let (false, Some((_, column, phase))) = (known, on) {
            look.add(
                Kind::ObjectUnknown,
                format!("{} {} of {}", now.kind.name(), now.name, expected.table),
                format!(
                    "it stands on {column}, which goes (phase {}), and is not in schema.sql: the change would lose it",
                    phase.name()
                ),
                PULL,
            );
        }
    }
    Ok(())
}

/// Whether columns of a table have yet to go.
fn going(look: &Look<'_>, expected: &Expected) -> bool {
    look.going().any(|(table, ..)| *table == expected.table)
}

/// Foreign keys of any table that point at a column which goes.
fn unknown_references(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    let known = |from: &QualifiedName, name: &str| {
        let of_table = plan.expected.iter().filter(|expected| expected.table == *from);
        of_table.flat_map(|expected| &expected.objects).any(|object| object.name == name)
    };
    let gone: Vec<_> = look.going().collect();
    for expected in plan.expected.iter().filter(|expected| gone.iter().any(|(table, ..)| **table == expected.table)) {
        for reference in live::references(tx, &expected.table)? {
            let at = gone.iter().find(|(table, column, _)| {
                **table == expected.table && reference.columns.iter().any(|name| name == column)
            });
            if let Some((_, column, phase)) = at
                && !reference.ours
                && !known(&reference.from, &reference.name)
            {
                look.add(
                    Kind::ObjectUnknown,
                    format!("constraint {} of {}", reference.name, reference.from),
                    format!(
                        "this foreign key points at {}.{column}, which goes (phase {}), and is not in schema.sql",
                        expected.table,
                        phase.name()
                    ),
                    PULL,
                );
            }
        }
    }
    Ok(())
}
