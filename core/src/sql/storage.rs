//! Which types store a value in the same bytes, so that PostgreSQL changes one into the other in the catalog alone.
//!
//! Each row is held against real servers by `tests/probes/types.rs`.

use crate::schema::{Domain, Schema, SqlType};

/// Whether `ALTER COLUMN … TYPE` from one type to the other leaves the stored values as they are, and checks none of them.
pub fn keeps_values(from: &SqlType, to: &SqlType, schema: &Schema) -> bool {
    if from == to {
        return true;
    }
    if let Some(domain) = domain(from, schema) {
        // A length is applied anew to what comes from a domain, also where it is the same.
        return to.modifiers.is_empty() && keeps_values(&domain.base, to, schema);
    }
    if let Some(domain) = domain(to, schema) {
        return !domain.not_null && domain.checks.is_empty() && keeps_values(from, &domain.base, schema);
    }
    let is_plain = |ty: &SqlType| ty.dimensions == 0 && ty.schema.is_none();
    if !is_plain(from) || !is_plain(to) {
        return false;
    }
    match (from.name.as_str(), to.name.as_str()) {
        ("character varying", "text") | ("cidr", "inet") | ("xml", "text") => true,
        ("text", "character varying") | ("bit", "bit varying") => to.modifiers.is_empty(),
        ("numeric", "numeric") => numeric_widens(&from.modifiers, &to.modifiers),
        (from_name, to_name) => {
            let is_limited = LIMITED.contains(&from_name);
            is_limited && from_name == to_name && limit_widens(&from.modifiers, &to.modifiers)
        }
    }
}

/// Types with one modifier, a limit, which can grow or go.
const LIMITED: [&str; 7] = [
    "character varying",
    "bit varying",
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
    "interval",
];

fn limit_widens(from: &[String], to: &[String]) -> bool {
    match (from, to) {
        (_, []) => true,
        ([from], [to]) => number(from).zip(number(to)).is_some_and(|(from, to)| to >= from),
        // Six digits are all that a time has, with or without saying so; but PostgreSQL keeps what is written, and so do we.
        _ => false,
    }
}

/// More digits before the point, and as many behind it.
fn numeric_widens(from: &[String], to: &[String]) -> bool {
    let scale = |modifiers: &[String]| modifiers.get(1).map_or(Some(0), |scale| number(scale));
    match (from.first(), to.first()) {
        (_, None) => true,
        (Some(digits), Some(more)) => {
            number(digits).zip(number(more)).is_some_and(|(digits, more)| more >= digits) && scale(from) == scale(to)
        }
        (None, Some(_)) => false,
    }
}

fn number(modifier: &str) -> Option<i64> {
    modifier.parse().ok()
}

fn domain<'s>(ty: &SqlType, schema: &'s Schema) -> Option<&'s Domain> {
    schema.domains.get(&ty.qualified()?).filter(|_| ty.dimensions == 0)
}
