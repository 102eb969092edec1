//! `DROP`.

use super::cursor::{Cursor, Path, Read};
use super::loader::Loader;
use super::routine::normalized_arguments;
use crate::ident::QualifiedName;
use crate::schema::ConstraintKind;

/// `DROP`, from behind that word on. Kinds that are not modelled are passed over.
pub(super) fn drop(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    cursor.eat("FOREIGN");
    cursor.eat("MATERIALIZED");
    let kind = cursor.name()?;
    cursor.eat("CONCURRENTLY");
    cursor.if_exists();
    match kind.as_str() {
        "table" => each(cursor, loader, |loader, path| {
            let name = loader.relation_name(path);
            table(loader, &name);
        }),
        "view" => each(cursor, loader, |loader, path| {
            let name = loader.relation_name(path);
            view(loader, &name);
        }),
        "index" => each(cursor, loader, |loader, path| {
            let name = loader.relation_name(path);
            index(loader, &name);
        }),
        "sequence" => each(cursor, loader, |loader, path| {
            let name = loader.relation_name(path);
            loader.relations.remove(&name);
            loader.schema.sequences.remove(&name);
        }),
        "type" | "domain" => each(cursor, loader, |loader, path| {
            let name = loader.type_name(path);
            type_or_domain(loader, &name);
        }),
        "statistics" => each(cursor, loader, |loader, path| {
            let name = loader.statistics_name(path);
            for table in loader.schema.tables.values_mut() {
                table.statistics.retain(|statistics| statistics.name != name);
            }
        }),
        "publication" => each(cursor, loader, |loader, path| {
            loader.schema.publications.retain(|publication| publication.name != path.name);
        }),
        "extension" => each(cursor, loader, |loader, path| {
            loader.schema.extensions.retain(|extension| *extension != path.name);
        }),
        "schema" => each(cursor, loader, |loader, path| schema(loader, &path.name)),
        "function" | "procedure" | "routine" | "aggregate" => routines(cursor, loader),
        "trigger" | "policy" | "rule" => on_table(cursor, loader, &kind),
        _ => {
            cursor.take_rest();
            Ok(())
        }
    }
}

/// `a, b.c CASCADE`.
fn each(cursor: &mut Cursor<'_>, loader: &mut Loader, mut drop: impl FnMut(&mut Loader, Path)) -> Read<()> {
    let mut paths = vec![cursor.path()?];
    while cursor.eat_symbol(b',') {
        paths.push(cursor.path()?);
    }
    behavior(cursor);
    cursor.expect_end()?;
    paths.into_iter().for_each(|path| drop(loader, path));
    Ok(())
}

fn behavior(cursor: &mut Cursor<'_>) {
    if !cursor.eat("CASCADE") {
        cursor.eat("RESTRICT");
    }
}

fn routines(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    loop {
        let name = cursor.path()?;
        let arguments = cursor.optional_parenthesized()?.map(|arguments| normalized_arguments(arguments.text()));
        let name = loader.routine_name(name);
        loader.schema.functions.retain(|function| {
            let same_arguments =
                arguments.as_ref().is_none_or(|arguments| *arguments == normalized_arguments(&function.arguments));
            !(function.name == name && same_arguments)
        });
        if !cursor.eat_symbol(b',') {
            break;
        }
    }
    behavior(cursor);
    cursor.expect_end()
}

fn on_table(cursor: &mut Cursor<'_>, loader: &mut Loader, kind: &str) -> Read<()> {
    let name = cursor.name()?;
    cursor.expect("ON")?;
    let table = loader.relation_name(cursor.path()?);
    behavior(cursor);
    cursor.expect_end()?;
    if let Some(table) = loader.table_mut(&table) {
        match kind {
            "trigger" => table.triggers.retain(|trigger| trigger.name != name),
            "policy" => table.policies.retain(|policy| policy.name != name),
            _ => table.rules.retain(|rule| rule.name != name),
        }
    }
    Ok(())
}

/// A table with its partitions and children, and with what hangs on it in other places.
pub(super) fn table(loader: &mut Loader, name: &QualifiedName) {
    for name in loader.with_descendants(name) {
        let Some(table) = loader.schema.tables.remove(&name) else { continue };
        for constraint in &table.constraints {
            loader.constraint_names.remove(&QualifiedName::new(&name.schema, &constraint.name));
        }
        let owned = loader.schema.sequences.values();
        let owned = owned.filter(|sequence| sequence.owned_by.as_ref().is_some_and(|(owner, _)| *owner == name));
        let owned: Vec<QualifiedName> = owned.map(|sequence| sequence.name.clone()).collect();
        for sequence in owned {
            loader.schema.sequences.remove(&sequence);
            loader.relations.remove(&sequence);
        }
        for other in loader.schema.tables.values_mut() {
            other.constraints.retain(|constraint| {
                !matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if *references == name)
            });
        }
        for publication in &mut loader.schema.publications {
            publication.tables.retain(|(table, ..)| *table != name);
        }
        loader.unvalidated.retain(|not_null| not_null.table != name);
        forget(loader, &name);
    }
}

fn view(loader: &mut Loader, name: &QualifiedName) {
    loader.schema.views.remove(name);
    forget(loader, name);
}

/// Frees the name of a table or view, and those of its indexes.
fn forget(loader: &mut Loader, name: &QualifiedName) {
    use super::loader::Relation;
    loader.relations.remove(name);
    loader.relations.retain(|_, relation| !matches!(relation, Relation::Index { of } if of == name));
}

fn index(loader: &mut Loader, name: &QualifiedName) {
    let Some(of) = loader.owner_of_index(name) else { return };
    if let Some(indexes) = loader.indexes_mut(&of) {
        indexes.retain(|index| index.name != name.name);
    }
    loader.relations.remove(name);
}

fn type_or_domain(loader: &mut Loader, name: &QualifiedName) {
    loader.schema.enums.remove(name);
    loader.schema.domains.remove(name);
    loader.schema.other_types.remove(name);
    if loader.composites.remove(name).is_some() {
        loader.relations.remove(name);
    }
}

/// All that a schema holds.
pub(super) fn schema(loader: &mut Loader, schema: &str) {
    let tables = loader.schema.tables.keys().filter(|name| name.schema == schema);
    let tables: Vec<QualifiedName> = tables.cloned().collect();
    tables.iter().for_each(|name| table(loader, name));
    let inside = |name: &QualifiedName| name.schema == schema;
    loader.relations.retain(|name, _| !inside(name));
    loader.constraint_names.retain(|name| !inside(name));
    let known = &mut loader.schema;
    known.views.retain(|name, _| !inside(name));
    known.sequences.retain(|name, _| !inside(name));
    known.enums.retain(|name, _| !inside(name));
    known.domains.retain(|name, _| !inside(name));
    known.other_types.retain(|name, _| !inside(name));
    known.functions.retain(|function| !inside(&function.name));
    for table in known.tables.values_mut() {
        table.statistics.retain(|statistics| !inside(&statistics.name));
    }
    for publication in &mut known.publications {
        publication.schemas.retain(|published| published != schema);
    }
}
