//! When two values of a column differ, and when one is null.

use super::make::Part;
use crate::schema::{Column, Schema, SqlType};

/// Types whose `=` says no for any two values that a reader could tell apart, so that the cheap `IS DISTINCT FROM` is exact.
const EXACT: &[&str] = &[
    "smallint",
    "integer",
    "bigint",
    "oid",
    "boolean",
    "text",
    "character varying",
    "name",
    "bytea",
    "uuid",
    "date",
    "time without time zone",
    "timestamp without time zone",
    "timestamp with time zone",
];

/// Whether `=` of a type says no for any two values that a reader could tell apart.
pub fn is_exact(schema: &Schema, ty: &SqlType) -> bool {
    let is_enum = ty.qualified().is_some_and(|name| schema.enums.contains_key(&name));
    ty.dimensions == 0 && (is_enum || ty.schema.is_none() && EXACT.contains(&ty.name.as_str()))
}

impl Part<'_> {
    /// True where two values of a column differ, as SQL; two nulls do not.
    ///
    /// `=` calls some values equal that are not the same: `1.0` and `1.00`, `'1 day'` and `'24:00:00'`, anything under a case-insensitive
    /// collation; and `json` or `point` have no `=` at all. There the binary images are compared: `*<>` on records. Without
    /// the cast PostgreSQL would take `row(a) *<> row(b)` apart, and look for the operator between `a` and `b`.
    pub(super) fn distinct(&self, column: &Column, a: &str, b: &str) -> String {
        if column.collation.is_none() && is_exact(self.before.schema(), &column.ty) {
            format!("{a} is distinct from {b}")
        } else {
            format!("row({a})::record operator(pg_catalog.*<>) row({b})::record")
        }
    }

    /// True where a value of a column is null, as SQL.
    ///
    /// `IS NULL` says yes to a value of a composite type whose fields are all null, and `IS NOT NULL` says no to one with a null field:
    /// for PostgreSQL's NOT NULL both are values. Compared with a null that is written out, it looks at the value itself, whatever its type.
    pub(super) fn is_null(&self, column: &Column, a: &str) -> String {
        let has_fields = may_have_fields(self.before.schema(), &column.ty);
        if has_fields { format!("{a} is not distinct from null") } else { format!("{a} is null") }
    }

    /// True where a value of a column is not null, as SQL; see [`is_null`](Self::is_null).
    pub(super) fn is_not_null(&self, column: &Column, a: &str) -> String {
        let has_fields = may_have_fields(self.before.schema(), &column.ty);
        if has_fields { format!("{a} is distinct from null") } else { format!("{a} is not null") }
    }
}

/// Types of a schema's own that are no enums: composite types, and domains over them.
fn may_have_fields(schema: &Schema, ty: &SqlType) -> bool {
    ty.dimensions == 0 && ty.qualified().is_some_and(|name| !schema.enums.contains_key(&name))
}

/// The one condition that is true where any of `conditions` is.
pub fn any(conditions: impl IntoIterator<Item = String>) -> String {
    join(conditions, " or ")
}

/// The one condition that is true where all of `conditions` are.
pub fn all(conditions: impl IntoIterator<Item = String>) -> String {
    join(conditions, " and ")
}

fn join(conditions: impl IntoIterator<Item = String>, word: &str) -> String {
    let conditions: Vec<String> = conditions.into_iter().collect();
    match conditions.as_slice() {
        [one] => one.clone(),
        several => format!("({})", several.join(word)),
    }
}
