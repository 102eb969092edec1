//! What the live database has that depends on columns which go, and what fires on the tables that the change writes.

use coexist_core::ident::QualifiedName;
use coexist_core::plan::{Backfill, Phase};

use super::{Kind, Look, looking};
use crate::database::Transaction;
use crate::error::Result;

pub(super) fn look(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    of_columns(look, tx)?;
    function_texts(look, tx)?;
    triggers(look, tx)?;
    event_triggers(look, tx)
}

fn of_columns(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let going: Vec<_> = look.going().collect();
    let tables: Vec<String> = going.iter().map(|(table, ..)| table.quoted()).collect();
    let columns: Vec<&str> = going.iter().map(|(_, column, _)| *column).collect();
    let found = tx
        .query(include_str!("sql/dependents.sql"), &[&tables, &columns])
        .map_err(looking("what depends on the columns"))?;
    for row in found {
        let at = usize::try_from(row.get::<_, i64>(0) - 1).unwrap_or_default();
        let Some((table, column, phase)) = going.get(at) else { continue };
        let (what, name): (&str, &str) = (row.get(1), row.get(2));
        let (kind, remedy) = remedy(what);
        let column = format!("{table}.{column}");
        let reason = match (kind, look.server) {
            (Kind::GeneratedColumn, 13 | 14) => {
                format!("it is generated from {column}, and this server drops it without a word when that goes")
            }
            _ => format!("it depends on {column}, which cannot go before it (phase {})", phase.name()),
        };
        look.add_at(kind, *phase, format!("{what} {name}"), reason, remedy);
    }
    Ok(())
}

fn remedy(what: &str) -> (Kind, &'static str) {
    match what {
        "function" => (Kind::Function, "replace its body by one that names the new column"),
        "policy" => (Kind::Policy, "make a policy over the new column, and drop this one"),
        "publication" => (
            Kind::PublicationColumns,
            "alter publication … set table: take the column out of its column list or row filter",
        ),
        "trigger" => (Kind::TriggerOnColumn, "make one over the new column, and drop this one"),
        "generated column" => {
            (Kind::GeneratedColumn, "add one over the new column, move its readers, and drop this one")
        }
        _ => (Kind::View, "replace it by one over the new column, or drop it"),
    }
}

fn function_texts(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    for (table, column, phase) in look.going().collect::<Vec<_>>() {
        let found = tx
            .query(include_str!("sql/function_texts.sql"), &[&escaped(&table.name), &escaped(column), &table.quoted()])
            .map_err(looking("the texts of functions"))?;
        for row in found {
            look.add_at(
                Kind::FunctionText,
                phase,
                format!("function {}", row.get::<_, String>(0)),
                format!(
                    "its text has the word {column}: if that means the column of {table}, it fails at run time once the column is gone \
                     (phase {})",
                    phase.name()
                ),
                "read it, and let it use the new column before then",
            );
        }
    }
    Ok(())
}

/// As part of a regular expression of PostgreSQL's.
pub(super) fn escaped(word: &str) -> String {
    word.chars().fold(String::new(), |mut escaped, c| {
        if c.is_ascii_punctuation() && c != '_' {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

/// Triggers that fire after ours, and those that fire for each row that the backfill writes.
fn triggers(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let plan = look.plan;
    for expected in &plan.expected {
        let table = &expected.table;
        let ours = our_triggers(look, table);
        let filled = look.reached < Phase::Backfilled
            && plan
                .backfill
                .iter()
                .any(|backfill| matches!(backfill, Backfill::Update { table: filled, .. } if filled == table));
        let rows = tx
            .query(
                // Row triggers: bit 0; BEFORE: 1; INSERT: 2; UPDATE: 4.
                "select tgname::text, tgtype & 2 > 0, tgtype & 20 > 0, tgtype & 16 > 0
                from pg_trigger
                where tgrelid = to_regclass($1) and not tgisinternal and tgenabled in ('O', 'A') and tgtype & 1 = 1
                    and tgname not like 'zz\\_coexist\\_%'
                    and coalesce(obj_description(oid, 'pg_trigger') not like 'coexist: %', true)
                order by tgname",
                &[&table.quoted()],
            )
            .map_err(looking(&format!("triggers of {table}")))?;
        for row in rows {
            let (name, before, writes, updates): (String, bool, bool, bool) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            let object = format!("trigger {name} of {table}");
            if before && writes && ours.iter().any(|first| name > *first) {
                look.add(
                    Kind::LaterTrigger,
                    object,
                    "its name sorts after those of the sync triggers: what it changes in the columns of the change does not reach the other shape",
                    "give it a name that sorts before zz_coexist, unless it leaves these columns alone",
                );
            } else if !before && updates && filled {
                look.add(
                    Kind::RowTrigger,
                    object,
                    "it fires for every row that the backfill fills",
                    "if it is slow, or tells others, let it return at once where no column changed that it cares about",
                );
            }
        }
    }
    Ok(())
}

/// The names of the row triggers that the plan makes on a table before its writes.
fn our_triggers(look: &Look<'_>, table: &QualifiedName) -> Vec<String> {
    let on = format!(" on {}", table.quoted());
    let statements = look.plan.steps.iter().flat_map(|step| &step.action.statements);
    let names = statements.filter_map(|statement| {
        let rest = statement.strip_prefix("create trigger \"")?;
        let (name, rest) = rest.split_once("\" before ")?;
        rest.contains(on.as_str()).then(|| name.replace("\"\"", "\""))
    });
    names.collect()
}

fn event_triggers(look: &mut Look<'_>, tx: &mut Transaction<'_>) -> Result<()> {
    let rows = tx
        .query(
            "select evtname::text, evtevent::text from pg_event_trigger
            where evtenabled in ('O', 'A') and evtevent <> 'login' order by evtname",
            &[],
        )
        .map_err(looking("event triggers"))?;
    for row in rows {
        let (name, event): (String, String) = (row.get(0), row.get(1));
        look.add(
            Kind::EventTrigger,
            format!("event trigger {name}"),
            format!("it fires at {event} of each of our schema changes: where it fails, the step fails"),
            "see that it lets the statements of `coexist plan` pass",
        );
    }
    Ok(())
}
