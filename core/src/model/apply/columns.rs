//! Columns of a table become other columns of the same table.

use super::carried::{Renaming, redirect_foreign_keys};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::{ColumnsChange, Conversion, Mapping, Shape, Way};
use crate::schema::{Column, SqlText, SqlType, Table};
use crate::sql::expression::Expression;

/// What stands for a before column in the expressions that are carried.
pub enum StandIn<'a> {
    /// An after column whose values behave like the old ones: after a rename, or between types of one family.
    Column(&'a str),
    /// The backward expression: a check or a predicate then says about the row what it said before, whatever the conversion does.
    Backward(&'a Conversion),
}

impl StandIn<'_> {
    /// As SQL, over the after columns.
    fn sql(&self) -> String {
        match self {
            Self::Column(name) => quote_ident(name),
            Self::Backward(backward) => {
                format!("({})", backward.expression.replace_columns(|column| Some(quote_ident(&column.name))))
            }
        }
    }
}

/// What stands for a column of `before` in expressions; nothing where it stays, or where nothing is written back to it.
pub fn stand_in<'a>(change: &'a ColumnsChange, before: &Table, column: &str) -> Option<StandIn<'a>> {
    let mapping = change.mapping_of(column)?;
    if let Some(name) = counterpart(mapping, before, change.way) {
        return Some(StandIn::Column(name));
    }
    let position = mapping.before.iter().position(|name| name == column)?;
    mapping.backward.get(position).map(StandIn::Backward)
}

/// The after column that holds values like those of the one before column, so that it takes its place in checks and predicates.
fn counterpart<'a>(mapping: &'a Mapping, before: &Table, way: Way) -> Option<&'a str> {
    let ([column], [after]) = (mapping.before.as_slice(), mapping.after.as_slice()) else { return None };
    let alike = mapping.rename
        || way == Way::InPlace
        || before.column(column).is_some_and(|column| same_family(&column.ty, &after.ty))
            && converts_by_cast(&after.forward.expression)
            && mapping.backward.iter().all(|backward| converts_by_cast(&backward.expression));
    alike.then_some(after.name.as_str())
}

fn converts_by_cast(expression: &Expression) -> bool {
    expression.as_column().is_some() || expression.as_cast_of_column().is_some()
}

/// Types whose values compare with each other and with the same constants.
fn same_family(a: &SqlType, b: &SqlType) -> bool {
    const FAMILIES: [&[&str]; 2] =
        [&["smallint", "integer", "bigint", "numeric", "real", "double precision"], &["text", "character varying"]];
    a == b || FAMILIES.iter().any(|family| family.iter().any(|t| a.is(t)) && family.iter().any(|t| b.is(t)))
}

pub(super) fn apply(before: &Shape, change: &ColumnsChange) -> Shape {
    let mut shape = before.clone();
    let Some(table) = before.table(&change.table) else { return shape };
    let rename = Renaming {
        columns: &|column| Some(change.mapping_of(column)?.after_names().map(str::to_owned).collect()),
        stand_in: &|column| stand_in(change, table, column).map(|instead| instead.sql()),
    };
    for table in before.with_partitions(&change.table) {
        let mut after = table.clone();
        after.columns = after_columns(table, change);
        after.constraints = table.constraints.iter().map(|c| rename.constraint(c, &change.table)).collect();
        after.indexes = table.indexes.iter().map(|index| rename.index(index)).collect();
        after.statistics = table.statistics.iter().map(|statistics| rename.statistics(statistics)).collect();
        for grant in &mut after.grants {
            grant.columns = rename.names(&grant.columns);
        }
        shape.put(after);
    }
    redirect_foreign_keys(&mut shape, before, &change.table, &change.table, &rename);
    shape
}

/// The columns that come stand where the first of those that go stood.
fn after_columns(table: &Table, change: &ColumnsChange) -> Vec<Column> {
    let mut columns = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        match change.mapping_of(&column.name) {
            None => columns.push(column.clone()),
            Some(mapping) if first_in_table(mapping, table) == Some(&column.name) => {
                columns.extend((0..mapping.after.len()).map(|i| after_column(table, mapping, i, change.way)));
            }
            Some(_) => {}
        }
    }
    columns
}

fn first_in_table<'t>(mapping: &Mapping, table: &'t Table) -> Option<&'t String> {
    table.columns.iter().map(|column| &column.name).find(|name| mapping.before.contains(name))
}

/// The after column at position `i`. What one column becomes as a whole inherits all from it; a part of it, or what several become, only
/// what follows from their values.
fn after_column(table: &Table, mapping: &Mapping, i: usize, way: Way) -> Column {
    let after = &mapping.after[i];
    let first = mapping.before.first().and_then(|name| table.column(name));
    let origin = first.filter(|_| mapping.is_one_to_one());
    // What is not made anew keeps what was set on it.
    let is_same = matches!(way, Way::View | Way::InPlace);
    let keeps_type = is_same || origin.is_some_and(|origin| origin.ty == after.ty);
    Column {
        name: after.name.clone(),
        ty: after.ty.clone(),
        not_null: after.not_null,
        // PostgreSQL 18 names it after the column, as it does for everybody.
        not_null_name: origin.filter(|_| is_same).and_then(|origin| origin.not_null_name.clone()),
        default: default_after(table, mapping, i),
        identity: origin.and_then(|origin| origin.identity.clone()),
        generated: origin.filter(|_| is_same).and_then(|origin| origin.generated.clone()),
        collation: collation_after(table, mapping, i),
        comment: origin.and_then(|origin| origin.comment.clone()),
        statistics_target: origin.and_then(|origin| origin.statistics_target),
        storage: origin.filter(|_| keeps_type).and_then(|origin| origin.storage.clone()),
        compression: origin.filter(|_| keeps_type).and_then(|origin| origin.compression.clone()),
        options: origin.map(|origin| origin.options.clone()).unwrap_or_default(),
        line: first.map_or(0, |first| first.line),
    }
}

/// The collation of the strings that it is made of, where they agree.
fn collation_after(table: &Table, mapping: &Mapping, i: usize) -> Option<QualifiedName> {
    let after = mapping.after.get(i).filter(|after| is_collatable(&after.ty))?;
    let read = after.forward.expression.columns().iter().filter_map(|column| table.column(&column.name));
    let mut collations = read.filter(|column| is_collatable(&column.ty)).map(|column| column.collation.as_ref());
    let first = collations.next()??;
    collations.all(|other| other == Some(first)).then(|| first.clone())
}

/// The before columns' defaults, converted: `0` becomes `(0)::bigint`. A sequence's default goes on as it is.
fn default_after(table: &Table, mapping: &Mapping, i: usize) -> Option<SqlText> {
    let forward = &mapping.after.get(i)?.forward.expression;
    let read = || forward.columns().iter().filter_map(|column| table.column(&column.name));
    let default = read().find_map(|column| column.default.as_ref())?;
    if mapping.rename || is_sequence_default(&default.text) {
        return Some(default.clone());
    }
    Some(SqlText { text: of_defaults(forward, table), line: default.line })
}

/// What an expression over the before columns gives for a row that has nothing but defaults.
pub fn of_defaults(expression: &Expression, table: &Table) -> String {
    expression.replace_columns(|column| {
        let column = table.column(&column.name)?;
        Some(match &column.default {
            Some(default) => format!("({})", default.text),
            None => format!("(null::{})", column.ty),
        })
    })
}

/// Whether a default takes the next value of a sequence.
pub fn is_sequence_default(default: &str) -> bool {
    default.trim_start().to_ascii_lowercase().starts_with("nextval(")
}

fn is_collatable(ty: &SqlType) -> bool {
    ["text", "character varying", "character", "name"].iter().any(|name| ty.schema.is_none() && ty.name == *name)
}
