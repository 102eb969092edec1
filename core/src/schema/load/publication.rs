//! `CREATE PUBLICATION`, `ALTER PUBLICATION`.

use super::cursor::{Cursor, Read};
use super::loader::Loader;
use crate::ident::QualifiedName;
use crate::schema::{Publication, SqlText};

type PublishedTable = (QualifiedName, Vec<String>, Option<SqlText>);

/// What a publication lists.
#[derive(Default)]
struct Objects {
    tables: Vec<PublishedTable>,
    schemas: Vec<String>,
}

/// `CREATE PUBLICATION`, from behind `PUBLICATION` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let name = cursor.name()?;
    let mut all_tables = false;
    let mut objects = Objects::default();
    if cursor.eat_all(&["FOR", "ALL", "TABLES"]) {
        all_tables = true;
    } else if cursor.eat("FOR") {
        objects = read_objects(cursor, loader)?;
    }
    if cursor.eat("WITH") {
        cursor.parenthesized()?;
    }
    cursor.expect_end()?;
    let Objects { tables, schemas } = objects;
    loader.schema.publications.push(Publication { name, tables, schemas, all_tables, line });
    Ok(())
}

/// `ALTER PUBLICATION`, from behind `PUBLICATION` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    let name = cursor.name()?;
    let find = |loader: &mut Loader| loader.schema.publications.iter().position(|known| known.name == name);
    let at = find(loader);
    if cursor.eat("ADD") {
        let objects = read_objects(cursor, loader)?;
        if let Some(known) = at.and_then(|at| loader.schema.publications.get_mut(at)) {
            known.tables.extend(objects.tables);
            known.schemas.extend(objects.schemas);
        }
    } else if cursor.eat("DROP") {
        let objects = read_objects(cursor, loader)?;
        if let Some(known) = at.and_then(|at| loader.schema.publications.get_mut(at)) {
            known.tables.retain(|(table, ..)| !objects.tables.iter().any(|(dropped, ..)| dropped == table));
            known.schemas.retain(|schema| !objects.schemas.contains(schema));
        }
    } else if cursor.at_all(&["SET", "TABLE"]) || cursor.at_all(&["SET", "TABLES"]) {
        cursor.expect("SET")?;
        let objects = read_objects(cursor, loader)?;
        if let Some(known) = at.and_then(|at| loader.schema.publications.get_mut(at)) {
            known.tables = objects.tables;
            known.schemas = objects.schemas;
        }
    } else if cursor.eat_all(&["RENAME", "TO"]) {
        let new = cursor.name()?;
        if let Some(known) = at.and_then(|at| loader.schema.publications.get_mut(at)) {
            known.name = new;
        }
    } else {
        if !cursor.at_any(&["OWNER", "SET"]) {
            return Err(cursor.unexpected("what to alter"));
        }
        cursor.take_rest();
    }
    cursor.expect_end()
}

/// `TABLE [ONLY] t (columns) WHERE (…), u, TABLES IN SCHEMA s`: the key word counts for all that follows without one.
fn read_objects(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Objects> {
    let mut objects = Objects::default();
    let mut in_schema = false;
    loop {
        if cursor.eat_all(&["TABLES", "IN", "SCHEMA"]) {
            in_schema = true;
        } else if cursor.eat("TABLE") {
            in_schema = false;
        }
        if in_schema {
            objects.schemas.push(cursor.name()?);
        } else {
            objects.tables.push(table(cursor, loader)?);
        }
        if !cursor.eat_symbol(b',') {
            return Ok(objects);
        }
    }
}

fn table(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<PublishedTable> {
    cursor.eat("ONLY");
    let name = loader.relation_name(cursor.path()?);
    cursor.eat_symbol(b'*');
    let columns = match cursor.optional_parenthesized()? {
        Some(columns) => columns.names()?,
        None => Vec::new(),
    };
    let filter = if cursor.eat("WHERE") { Some(cursor.parenthesized()?.expression()?) } else { None };
    Ok((name, columns, filter))
}
