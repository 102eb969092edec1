//! What a declaration must keep to, beyond its grammar. Each rule is a small function, with a sentence that says why it is a rule.
//!
//! Everything is reported that can be told apart: a change with a mistake is not looked at any further where the mistake would bring
//! others with it, and independent changes are checked all the same.
//!
//! - [`change`]: a change by itself: its name, its one operation, its stage; [`phases`]: its phase blocks.
//! - [`order`]: what builds on what, and the sequence of stages.
//! - [`lookup`]: names of tables and columns that must exist; [`names`]: names that must be free.
//! - [`types`]: types that must exist; [`overrides`]: their Rust types; [`expressions`], [`conversions`] and [`mapping`]: SQL; [`inserts`]: what an
//!   INSERT means.
//! - [`dependents`]: what hangs on a column and cannot be carried over; [`regroup`]: on several columns at once; [`partitions`]: columns of
//!   partitioned tables; [`split`], [`merge`], [`move_column`], [`extract`]: what these need; [`widen`]: what a wider key needs.
//! - [`add_column`] and [`drop_column`]: what rows that are there, and code that knows nothing of the change, need of a column that comes or goes.
//! - [`indexes`], [`tables`], [`labels`]: indexes, tables and labels of enum types that come and go; [`custom`]: statements of the user's own.
//! - [`in_place`]: whether a type can be changed in the catalog alone; [`view`]: what a view of a table needs.
//! - [`conflicts`]: changes that get in each other's way.

pub mod add_column;
pub mod change;
pub mod conflicts;
pub mod conversions;
pub mod custom;
pub mod dependents;
pub mod drop_column;
pub mod expressions;
pub mod extract;
pub mod in_place;
pub mod indexes;
pub mod inserts;
pub mod labels;
pub mod lookup;
pub mod mapping;
pub mod merge;
pub mod move_column;
pub mod names;
pub mod order;
pub mod overrides;
pub mod partitions;
pub mod phases;
pub mod regroup;
pub mod rules;
pub mod split;
pub mod stand_in;
pub mod tables;
pub mod types;
pub mod view;
mod view_reads;
pub mod widen;

#[cfg(test)]
mod tests;

use crate::ident::QualifiedName;
use crate::schema::Schema;

/// A name as it is written in a declaration: an identifier, or a string literal.
pub fn written(name: &str) -> String {
    let mut characters = name.chars();
    let is_ident = characters.next().is_some_and(|c| c == '_' || c.is_alphabetic())
        && characters.all(|c| c == '_' || c.is_alphanumeric());
    if is_ident { name.to_owned() } else { format!("{name:?}") }
}

/// A table as it is written in a declaration.
pub fn written_table(table: &QualifiedName) -> String {
    match table.schema.as_str() {
        "public" => written(&table.name),
        schema => format!("{}.{}", written(schema), written(&table.name)),
    }
}

/// A column as it is written in a declaration.
pub fn written_column(table: &QualifiedName, column: &str) -> String {
    format!("{}.{}", written_table(table), written(column))
}

/// `line 12 of schema.sql`
pub fn at_line(line: u32, schema: &Schema) -> String {
    format!("line {line} of {}", schema.source)
}

/// `a`, `b` and `c`
pub fn listed<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
