//! `CREATE STATISTICS`, `ALTER STATISTICS`.

use super::cursor::{Cursor, Read};
use super::index::{self, statistics_target};
use super::loader::Loader;
use super::names;
use crate::ident::QualifiedName;
use crate::schema::{IndexTarget, Statistics};

/// `CREATE STATISTICS`, from behind `STATISTICS` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let keep_existing = cursor.if_not_exists();
    let name = if cursor.at_any(&["ON"]) || cursor.at_symbol(b'(') { None } else { Some(cursor.path()?) };
    let kinds = match cursor.optional_parenthesized()? {
        Some(kinds) => kinds.names()?,
        None => Vec::new(),
    };
    cursor.expect("ON")?;
    let mut list = cursor.take_until(|cursor| cursor.at("FROM"));
    let mut on = Vec::new();
    while let Some(mut item) = list.next_item() {
        on.push(index::key(&mut item)?.on);
        item.expect_end()?;
    }
    cursor.expect("FROM")?;
    let table = cursor.path()?;
    cursor.expect_end()?;

    let table = loader.relation_name(table);
    let name = match name {
        Some(name) => loader.new_name(name),
        None => choose_name(loader, &table, &on),
    };
    if keep_existing && all(loader).any(|known| known.name == name) {
        return Ok(());
    }
    if let Some(table) = loader.table_mut(&table) {
        table.statistics.push(Statistics { name, kinds, on, target: None, comment: None, line });
    }
    Ok(())
}

fn all(loader: &Loader) -> impl Iterator<Item = &Statistics> {
    loader.schema.tables.values().flat_map(|table| &table.statistics)
}

/// The name that PostgreSQL gives to statistics without one.
pub(super) fn choose_name(loader: &Loader, table: &QualifiedName, on: &[IndexTarget]) -> QualifiedName {
    // Expressions are all called `expr` here, and nothing is numbered.
    let columns = names::joined_columns(on.iter().map(|on| match on {
        IndexTarget::Column(name) => name.as_str(),
        IndexTarget::Expression(_) => "expr",
    }));
    let name = names::free_name(&table.name, Some(&columns), "stat", |name| {
        all(loader).any(|known| known.name.name == name && known.name.schema == table.schema)
    });
    QualifiedName::new(&table.schema, name)
}

/// `ALTER STATISTICS`, from behind `STATISTICS` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    cursor.if_exists();
    let name = cursor.path()?;
    let name = loader.statistics_name(name);
    let known = loader.schema.tables.values_mut().flat_map(|table| &mut table.statistics);
    let mut known = known.filter(|statistics| statistics.name == name);
    if cursor.eat_all(&["SET", "STATISTICS"]) {
        let target = statistics_target(cursor)?;
        if let Some(statistics) = known.next() {
            statistics.target = target;
        }
    } else if cursor.eat_all(&["RENAME", "TO"]) {
        let new = cursor.name()?;
        if let Some(statistics) = known.next() {
            statistics.name.name = new;
        }
    } else if cursor.eat_all(&["SET", "SCHEMA"]) {
        let schema = cursor.name()?;
        if let Some(statistics) = known.next() {
            statistics.name.schema = schema;
        }
    } else {
        cursor.expect("OWNER")?;
        cursor.take_rest();
    }
    cursor.expect_end()
}
