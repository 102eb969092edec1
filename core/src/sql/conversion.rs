//! What a cast from one type to another does to a value.

use crate::schema::{Schema, SqlType};

/// Whether a cast certainly gives NULL for NULL, and for nothing else.
///
/// A cast gives NULL for NULL if it is PostgreSQL's own; some of those give NULL for other values, too. A cast that somebody created, in
/// the schema or in an extension, may do anything.
pub fn keeps_null(from: &SqlType, to: &SqlType, schema: &Schema) -> bool {
    if from == to {
        return true;
    }
    if let Some(domain) = from.qualified().and_then(|name| schema.domains.get(&name)).filter(|_| from.dimensions == 0) {
        return keeps_null(&domain.base, to, schema);
    }
    if let Some(domain) = to.qualified().and_then(|name| schema.domains.get(&name)).filter(|_| to.dimensions == 0) {
        return keeps_null(from, &domain.base, schema);
    }
    let is_array = |ty: &SqlType| ty.dimensions > 0;
    if is_array(from) && is_array(to) {
        // Element by element; an array of nulls is no NULL.
        return true;
    }
    let is_known = |ty: &SqlType| {
        ty.schema.is_none()
            || ty.qualified().is_some_and(|name| schema.enums.contains_key(&name)) && !has_own_cast(ty, schema)
    };
    // Infinity has no time of the day; since PostgreSQL 18, JSON's null is NULL.
    let makes_nulls = match from.name.as_str() {
        "timestamp without time zone" | "timestamp with time zone" => to.name.starts_with("time ") && !is_array(to),
        "jsonb" => !matches!(to.name.as_str(), "json" | "text" | "character varying" | "character" | "bpchar"),
        _ => false,
    };
    is_known(from) && is_known(to) && !(makes_nulls && from.schema.is_none() && !is_array(from))
}

/// Whether the schema has a `CREATE CAST` from or to this type.
fn has_own_cast(ty: &SqlType, schema: &Schema) -> bool {
    schema.opaque.iter().any(|statement| {
        let mut words = statement.text.split_whitespace();
        let creates_cast = words.next().is_some_and(|word| word.eq_ignore_ascii_case("create"))
            && words.next().is_some_and(|word| word.eq_ignore_ascii_case("cast"));
        creates_cast && statement.identifiers.contains(&ty.name)
    })
}
