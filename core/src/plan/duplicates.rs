//! Rows that share what is to be unique (H54).

use super::make::Part;
use super::sql::{self, index_target};
use super::{Phase, Probe, Search};
use crate::ident::{quote_ident, quote_literal};
use crate::schema::{Index, IndexTarget, Table};

/// Looks for rows of `table` that a unique index would not admit. What they share is not shown: it may be anybody's data (H83).
pub(super) fn duplicates(part: &Part<'_>, table: &Table, index: &Index) -> Probe {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let collation =
                key.collation.as_ref().map(|name| format!(" collate {}", name.quoted())).unwrap_or_default();
            format!("{}{collation}", index_target(&key.on))
        })
        .collect();
    let mut conditions: Vec<String> = index.predicate.iter().map(|predicate| format!("({})", predicate.text)).collect();
    if !index.nulls_not_distinct {
        conditions.extend(index.keys.iter().zip(&keys).map(|(key, sql)| match &key.on {
            IndexTarget::Column(name) => match table.column(name) {
                Some(column) => part.is_not_null(column, sql),
                None => format!("{sql} is not null"),
            },
            // Right for every type.
            IndexTarget::Expression(_) => format!("{sql} is distinct from null"),
        }));
    }
    let filter = if conditions.is_empty() { String::new() } else { format!("\nwhere {}", conditions.join(" and ")) };
    let row = match table.primary_key() {
        [] => "ctid::text".to_owned(),
        [only] => format!("{}::text", quote_ident(only)),
        several => format!("row({})::text", sql::names(several)),
    };
    let rows = format!("pg_catalog.array_to_string((pg_catalog.array_agg({row} order by {row}))[1:5], ', ')");
    let which = if table.primary_key().is_empty() { "ctid" } else { "key" };
    let query = format!(
        "select pg_catalog.count(*) || {} || {rows}\nfrom {}{filter}\ngroup by {}\nhaving pg_catalog.count(*) > 1",
        quote_literal(&format!(" rows share one value, with {which} ")),
        table.name.quoted(),
        keys.join(", ")
    );
    Probe {
        id: format!("duplicates_{}", index.name),
        title: format!("rows of {} that {} does not admit beside each other", table.name, index.name),
        remedy: "change or delete all of them but one".to_owned(),
        blocks: Phase::Validated,
        search: Search::Groups { table: table.name.clone(), query },
    }
}
