//! `CREATE VIEW`, `CREATE MATERIALIZED VIEW`, and what alters them.

use super::cursor::{Cursor, Path, Read};
use super::index::storage_parameters;
use super::loader::{Loader, Relation};
use super::rename;
use crate::ident::QualifiedName;
use crate::schema::View;
use crate::sql::{token, tree};

/// `CREATE [OR REPLACE] [RECURSIVE] VIEW`, from `RECURSIVE` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, temporary: bool, line: u32) -> Read<()> {
    let recursive = cursor.eat("RECURSIVE");
    cursor.expect("VIEW")?;
    let path = cursor.path()?;
    cursor.optional_parenthesized()?;
    if cursor.eat("WITH") {
        storage_parameters(cursor.parenthesized()?)?;
    }
    cursor.expect("AS")?;
    let query = cursor.take_until(|cursor| {
        cursor.at_all(&["WITH", "CHECK", "OPTION"])
            || cursor.at_all(&["WITH", "LOCAL", "CHECK"])
            || cursor.at_all(&["WITH", "CASCADED", "CHECK"])
    });
    cursor.take_rest();
    if !temporary {
        let name = loader.new_name(path);
        put(loader, name.clone(), false, query, line);
        if recursive && let Some(view) = loader.schema.views.get_mut(&name) {
            view.relations.retain(|relation| *relation != name);
        }
    }
    Ok(())
}

/// `CREATE MATERIALIZED VIEW`, from behind `VIEW` on.
pub(super) fn create_materialized(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let keep_existing = cursor.if_not_exists();
    let path = cursor.path()?;
    cursor.optional_parenthesized()?;
    if cursor.eat("USING") {
        cursor.name()?;
    }
    if cursor.eat("WITH") {
        storage_parameters(cursor.parenthesized()?)?;
    }
    if cursor.eat("TABLESPACE") {
        cursor.name()?;
    }
    cursor.expect("AS")?;
    let query = cursor.take_until(|cursor| cursor.at_all(&["WITH", "DATA"]) || cursor.at_all(&["WITH", "NO", "DATA"]));
    cursor.take_rest();
    let name = loader.new_name(path);
    if !(keep_existing && loader.relations.contains_key(&name)) {
        put(loader, name, true, query, line);
    }
    Ok(())
}

fn put(loader: &mut Loader, name: QualifiedName, materialized: bool, query: Cursor<'_>, line: u32) {
    let text = query.text();
    let (relations, column_names) = reads(loader, text);
    loader.relations.insert(name.clone(), Relation::View);
    let view = View {
        name: name.clone(),
        materialized,
        query: text.to_owned(),
        relations,
        column_names,
        indexes: Vec::new(),
        line,
    };
    loader.schema.views.insert(name, view);
}

/// The relations and column names that a query reads.
fn reads(loader: &Loader, query: &str) -> (Vec<QualifiedName>, Vec<String>) {
    let Some(reads) = tree::query_reads(query) else {
        // Not to be read in detail: all that it names may be a relation, and any column of it.
        let names = token::names(query);
        let known = loader.relations.iter().filter(|(name, relation)| {
            matches!(relation, Relation::Table | Relation::View) && names.contains(&name.name)
        });
        let mut relations: Vec<QualifiedName> = known.map(|(name, _)| name.clone()).collect();
        relations.sort_unstable();
        return (relations, vec!["*".to_owned()]);
    };
    let mut relations: Vec<QualifiedName> = Vec::new();
    for (schema, name) in reads.relations {
        let relation = loader.relation_name(Path { schema, name });
        if !relations.contains(&relation) {
            relations.push(relation);
        }
    }
    (relations, reads.columns)
}

/// `ALTER [MATERIALIZED] VIEW`, from behind `VIEW` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    if cursor.eat_all(&["ALL", "IN", "TABLESPACE"]) {
        cursor.take_rest();
        return Ok(());
    }
    cursor.if_exists();
    let name = cursor.path()?;
    let name = loader.relation_name(name);
    if cursor.eat_all(&["RENAME", "TO"]) {
        let to = QualifiedName::new(&name.schema, cursor.name()?);
        rename::view(loader, &name, to);
    } else if cursor.eat_all(&["SET", "SCHEMA"]) {
        let to = QualifiedName::new(cursor.name()?, &name.name);
        rename::view(loader, &name, to);
    } else if cursor.eat_all(&["CLUSTER", "ON"]) {
        let index = cursor.name()?;
        super::alter_table::cluster(loader, &name, Some(&index));
    } else {
        // Owners, defaults, options, names of columns: nothing that is kept.
        if !cursor.at_any(&["OWNER", "ALTER", "RENAME", "SET", "RESET", "DEPENDS", "NO"]) {
            return Err(cursor.unexpected("what to alter"));
        }
        cursor.take_rest();
    }
    cursor.expect_end()
}
