//! `CREATE TYPE`, `CREATE DOMAIN`, and what alters them.

use super::column::{self, collation};
use super::cursor::{Cursor, Read};
use super::loader::{Loader, Relation};
use super::{data_type, names};
use crate::ident::QualifiedName;
use crate::schema::{Column, Domain, EnumType, SqlText};

/// `CREATE TYPE`, from behind `TYPE` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let name = cursor.path()?;
    let name = loader.new_name(name);
    if cursor.eat_all(&["AS", "ENUM"]) {
        let mut list = cursor.parenthesized()?;
        let mut labels = Vec::new();
        while let Some(mut item) = list.next_item() {
            labels.push(item.string()?);
            item.expect_end()?;
        }
        cursor.expect_end()?;
        loader.schema.enums.insert(name.clone(), EnumType { name, labels, line });
        return Ok(());
    }
    if cursor.eat_all(&["AS", "RANGE"]) {
        let mut list = cursor.parenthesized()?;
        let mut multirange = QualifiedName::new(&name.schema, names::multirange(&name.name));
        while let Some(mut item) = list.next_item() {
            if item.eat("MULTIRANGE_TYPE_NAME") {
                item.expect_symbol(b'=')?;
                multirange = loader.new_name(item.path()?);
            }
        }
        cursor.expect_end()?;
        loader.schema.other_types.insert(multirange, line);
        loader.schema.other_types.insert(name, line);
        return Ok(());
    }
    if cursor.eat("AS") {
        let mut list = cursor.parenthesized()?;
        let mut attributes = Vec::new();
        while let Some(mut item) = list.next_item() {
            attributes.push(attribute(&mut item, loader)?);
            item.expect_end()?;
        }
        cursor.expect_end()?;
        loader.relations.insert(name.clone(), Relation::CompositeType);
        loader.composites.insert(name.clone(), attributes);
        loader.schema.other_types.insert(name, line);
        return Ok(());
    }
    // A base type, or the shell of one.
    cursor.optional_parenthesized()?;
    cursor.expect_end()?;
    loader.schema.other_types.insert(name, line);
    Ok(())
}

/// `name type [COLLATE …]`.
fn attribute(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Column> {
    let line = cursor.line();
    let name = cursor.name()?;
    let ty = data_type::read(cursor, loader)?.ty;
    let mut attribute = column::plain(name, ty, line);
    if cursor.eat("COLLATE") {
        let path = cursor.path()?;
        attribute.collation = collation(loader, path);
    }
    Ok(attribute)
}

/// `ALTER TYPE`, from behind `TYPE` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    let name = cursor.path()?;
    let name = loader.type_name(name);
    if cursor.eat_all(&["ADD", "VALUE"]) {
        let keep_existing = cursor.if_not_exists();
        let label = cursor.string()?;
        let before = cursor.eat("BEFORE");
        let neighbour = if before || cursor.eat("AFTER") { Some(cursor.string()?) } else { None };
        cursor.expect_end()?;
        let Some(known) = loader.schema.enums.get_mut(&name) else { return Ok(()) };
        if keep_existing && known.labels.contains(&label) {
            return Ok(());
        }
        let at = neighbour.and_then(|neighbour| known.labels.iter().position(|known| *known == neighbour));
        let at = at.map_or(known.labels.len(), |at| if before { at } else { at + 1 });
        known.labels.insert(at, label);
        return Ok(());
    }
    if cursor.eat_all(&["RENAME", "VALUE"]) {
        let from = cursor.string()?;
        cursor.expect("TO")?;
        let to = cursor.string()?;
        cursor.expect_end()?;
        let labels = loader.schema.enums.get_mut(&name).map(|known| &mut known.labels);
        if let Some(label) = labels.and_then(|labels| labels.iter_mut().find(|label| **label == from)) {
            *label = to;
        }
        return Ok(());
    }
    if cursor.eat_all(&["RENAME", "TO"]) {
        let new = QualifiedName::new(&name.schema, cursor.name()?);
        cursor.expect_end()?;
        rename(loader, &name, new);
        return Ok(());
    }
    if cursor.eat_all(&["SET", "SCHEMA"]) {
        let new = QualifiedName::new(cursor.name()?, &name.name);
        cursor.expect_end()?;
        rename(loader, &name, new);
        return Ok(());
    }
    if cursor.eat("OWNER") || cursor.eat("SET") {
        cursor.take_rest();
        return Ok(());
    }
    while let Some(mut item) = cursor.next_item() {
        alter_attribute(&mut item, loader, &name)?;
    }
    Ok(())
}

/// `ADD | DROP | ALTER | RENAME ATTRIBUTE`: tables `OF` the type follow.
fn alter_attribute(cursor: &mut Cursor<'_>, loader: &mut Loader, name: &QualifiedName) -> Read<()> {
    if cursor.eat_all(&["ADD", "ATTRIBUTE"]) {
        let new = attribute(cursor, loader)?;
        loader.composites.entry(name.clone()).or_default().push(new);
    } else if cursor.eat_all(&["DROP", "ATTRIBUTE"]) {
        cursor.if_exists();
        let old = cursor.name()?;
        loader.composites.entry(name.clone()).or_default().retain(|known| known.name != old);
    } else if cursor.eat_all(&["ALTER", "ATTRIBUTE"]) {
        let changed = cursor.name()?;
        cursor.eat_all(&["SET", "DATA"]);
        cursor.expect("TYPE")?;
        let ty = data_type::read(cursor, loader)?.ty;
        let attributes = loader.composites.entry(name.clone()).or_default();
        if let Some(known) = attributes.iter_mut().find(|known| known.name == changed) {
            known.ty = ty;
        }
    } else {
        cursor.expect("RENAME")?;
        cursor.expect("ATTRIBUTE")?;
        let from = cursor.name()?;
        cursor.expect("TO")?;
        let to = cursor.name()?;
        let attributes = loader.composites.entry(name.clone()).or_default();
        if let Some(known) = attributes.iter_mut().find(|known| known.name == from) {
            known.name = to;
        }
    }
    if !cursor.eat("CASCADE") {
        cursor.eat("RESTRICT");
    }
    cursor.expect_end()
}

/// Renames a type, in every column too.
fn rename(loader: &mut Loader, from: &QualifiedName, to: QualifiedName) {
    if let Some(known) = loader.schema.enums.remove(from) {
        loader.schema.enums.insert(to.clone(), EnumType { name: to.clone(), ..known });
    }
    if let Some(known) = loader.schema.domains.remove(from) {
        loader.schema.domains.insert(to.clone(), Domain { name: to.clone(), ..known });
    }
    if let Some(line) = loader.schema.other_types.remove(from) {
        loader.schema.other_types.insert(to.clone(), line);
    }
    if let Some(attributes) = loader.composites.remove(from) {
        loader.composites.insert(to.clone(), attributes);
        loader.relations.remove(from);
        loader.relations.insert(to.clone(), Relation::CompositeType);
    }
    let of_tables = loader.schema.tables.values_mut().flat_map(|table| &mut table.columns);
    let of_types = loader.composites.values_mut().flatten();
    let types = of_tables.chain(of_types).map(|column| &mut column.ty);
    for ty in types.chain(loader.schema.domains.values_mut().map(|domain| &mut domain.base)) {
        if ty.qualified().as_ref() == Some(from) {
            ty.schema = Some(to.schema.clone());
            ty.name.clone_from(&to.name);
        }
    }
}

/// `CREATE DOMAIN`, from behind `DOMAIN` on.
pub(super) fn create_domain(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let name = cursor.path()?;
    cursor.eat("AS");
    let base = data_type::read(cursor, loader)?.ty;
    let name = loader.new_name(name);
    let mut domain = Domain { name: name.clone(), base, not_null: false, checks: Vec::new(), default: None, line };
    let mut check_names = Vec::new();
    while !cursor.is_done() {
        if cursor.eat("COLLATE") {
            cursor.path()?;
            continue;
        }
        if cursor.eat("DEFAULT") {
            domain.default = Some(column::default_expression(cursor)?);
            continue;
        }
        let constraint_name = if cursor.eat("CONSTRAINT") { Some(cursor.name()?) } else { None };
        if cursor.eat("CHECK") {
            domain.checks.push(cursor.parenthesized()?.expression()?);
            check_names.push(constraint_name);
            cursor.eat_all(&["NOT", "VALID"]);
        } else if cursor.eat_all(&["NOT", "NULL"]) {
            domain.not_null = true;
        } else {
            cursor.expect("NULL")?;
        }
    }
    for check in check_names {
        // Named as those of a table, and in the same name space.
        let check = check.unwrap_or_else(|| loader.choose_constraint_name(&name.schema, &name.name, None, "check"));
        loader.constraint_names.insert(QualifiedName::new(&name.schema, check));
    }
    loader.schema.domains.insert(name, domain);
    Ok(())
}

/// `ALTER DOMAIN`, from behind `DOMAIN` on.
pub(super) fn alter_domain(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    let name = cursor.path()?;
    let name = loader.type_name(name);
    if cursor.eat_all(&["RENAME", "TO"]) {
        let new = QualifiedName::new(&name.schema, cursor.name()?);
        rename(loader, &name, new);
        return cursor.expect_end();
    }
    if cursor.eat_all(&["SET", "SCHEMA"]) {
        let new = QualifiedName::new(cursor.name()?, &name.name);
        rename(loader, &name, new);
        return cursor.expect_end();
    }
    if cursor.eat_all(&["OWNER", "TO"]) || cursor.at_any(&["VALIDATE", "RENAME"]) {
        cursor.take_rest();
        return Ok(());
    }
    let change: Box<dyn FnOnce(&mut Domain)>;
    if cursor.eat_all(&["SET", "DEFAULT"]) {
        let default: SqlText = cursor.take_rest().expression()?;
        change = Box::new(|domain| domain.default = Some(default));
    } else if cursor.eat_all(&["DROP", "DEFAULT"]) {
        change = Box::new(|domain| domain.default = None);
    } else if cursor.eat_all(&["SET", "NOT", "NULL"]) {
        change = Box::new(|domain| domain.not_null = true);
    } else if cursor.eat_all(&["DROP", "NOT", "NULL"]) {
        change = Box::new(|domain| domain.not_null = false);
    } else if cursor.eat("ADD") {
        let constraint = if cursor.eat("CONSTRAINT") { Some(cursor.name()?) } else { None };
        if cursor.eat_all(&["NOT", "NULL"]) {
            change = Box::new(|domain| domain.not_null = true);
        } else {
            cursor.expect("CHECK")?;
            let check = cursor.parenthesized()?.expression()?;
            cursor.eat_all(&["NOT", "VALID"]);
            let constraint =
                constraint.unwrap_or_else(|| loader.choose_constraint_name(&name.schema, &name.name, None, "check"));
            loader.constraint_names.insert(QualifiedName::new(&name.schema, constraint));
            change = Box::new(|domain| domain.checks.push(check));
        }
    } else {
        // `DROP CONSTRAINT`: which check that was is not kept.
        return Err(cursor.unexpected("what to alter"));
    }
    cursor.expect_end()?;
    if let Some(domain) = loader.schema.domains.get_mut(&name) {
        change(domain);
    }
    Ok(())
}
