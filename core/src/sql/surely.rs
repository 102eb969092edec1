//! A cheap condition under which a value surely converts, for casts that may fail.
//!
//! A cast that must not fail the statement has to run in a block that catches errors, in PL/pgSQL, with a subtransaction for each value.
//! Most values of a real table look as they should: a condition in plain SQL tells, and only the others need the block. The conditions
//! are narrower than PostgreSQL's own rules, and immutable: the planner folds both arms of a CASE when it knows the value, unless it can
//! fold the condition first. Each is held against real servers by `tests/conversions.rs`.

use super::conversion::own_cast;
use crate::schema::{Schema, SqlType};

/// A condition on `value`, an SQL expression of type `from`: where it is true, `value::to` does not fail. Not true of NULL.
pub fn surely_converts(from: &SqlType, to: &SqlType, value: &str, schema: &Schema) -> Option<String> {
    if !to.modifiers.is_empty() || own_cast(from, to, schema).is_some() {
        return None;
    }
    if from.is("text") || from.is("character varying") {
        // A regular expression under a collation that is not deterministic is an error.
        return Some(format!("({value} collate \"C\") ~ '^({})$'", pattern(to)?));
    }
    let wider = ["integer", "bigint", "numeric", "real", "double precision"];
    let (least, greatest) = range(to).filter(|_| wider.iter().any(|name| from.is(name)))?;
    Some(format!("{value} between {least} and {greatest}"))
}

/// What text looks like that every server reads as a value of the type, whatever the settings of the session.
fn pattern(to: &SqlType) -> Option<&'static str> {
    Some(match builtin(to)? {
        "smallint" => "-?[0-9]{1,4}",
        "integer" => "-?[0-9]{1,9}",
        "bigint" => "-?[0-9]{1,18}",
        "numeric" => "-?[0-9]{1,100}([.][0-9]{1,100})?",
        "real" | "double precision" => "-?[0-9]{1,30}([.][0-9]{1,6})?",
        "boolean" => "true|false|t|f|yes|no|on|off|1|0",
        "uuid" => "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        "date" => "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
        "timestamp without time zone" => {
            "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
        }
        _ => return None,
    })
}

/// Whole numbers that surely fit.
fn range(to: &SqlType) -> Option<(&'static str, &'static str)> {
    Some(match builtin(to)? {
        "smallint" => ("-32768", "32767"),
        "integer" => ("-2147483648", "2147483647"),
        // The greatest of all would be rounded up to one more where it is compared with a double precision.
        "bigint" => ("-9223372036854770000", "9223372036854770000"),
        _ => return None,
    })
}

fn builtin(ty: &SqlType) -> Option<&str> {
    (ty.schema.is_none() && ty.dimensions == 0).then_some(ty.name.as_str())
}
