//! `COMMENT ON`.

use super::cursor::{Cursor, Path, Read};
use super::index;
use super::loader::{Loader, Marked};
use super::routine::normalized_arguments;
use crate::schema::is_marked;

/// `COMMENT ON`, from behind that on.
pub(super) fn comment(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    let object = object(cursor)?;
    // What is left of the kinds that are not modelled.
    cursor.take_until(|cursor| cursor.at("IS"));
    cursor.expect("IS")?;
    let comment = if cursor.eat("NULL") { None } else { Some(cursor.string()?) };
    cursor.expect_end()?;
    set(loader, object, comment);
    Ok(())
}

/// What a comment is on.
enum Object {
    Table(Path),
    /// Table and column.
    Column(Path, String),
    /// Constraint and table.
    Constraint(String, Path),
    Index(Path),
    Statistics(Path),
    Schema(String),
    /// A sequence or a view.
    Relation(Path),
    Type(Path),
    Routine(Path, String),
    /// A trigger, policy or rule, and its table.
    OnTable(String, Path),
    Other,
}

fn object(cursor: &mut Cursor<'_>) -> Read<Object> {
    cursor.eat("FOREIGN");
    cursor.eat("MATERIALIZED");
    let on_table = |cursor: &mut Cursor<'_>| {
        let name = cursor.name()?;
        cursor.expect("ON")?;
        Ok((name, cursor.path()?))
    };
    if cursor.eat("TABLE") {
        return cursor.path().map(Object::Table);
    }
    if cursor.eat("COLUMN") {
        let mut path = vec![cursor.name()?];
        while cursor.eat_symbol(b'.') {
            path.push(cursor.name()?);
        }
        let column = path.pop();
        let name = path.pop();
        return match column.zip(name) {
            Some((column, name)) => Ok(Object::Column(Path { schema: path.pop(), name }, column)),
            None => Err(cursor.unexpected("`.`")),
        };
    }
    if cursor.eat("CONSTRAINT") {
        let name = cursor.name()?;
        cursor.expect("ON")?;
        if cursor.eat("DOMAIN") {
            cursor.path()?;
            return Ok(Object::Other);
        }
        return Ok(Object::Constraint(name, cursor.path()?));
    }
    if cursor.eat("INDEX") {
        return cursor.path().map(Object::Index);
    }
    if cursor.eat("STATISTICS") {
        return cursor.path().map(Object::Statistics);
    }
    if cursor.eat("SCHEMA") {
        return cursor.name().map(Object::Schema);
    }
    if cursor.eat("SEQUENCE") || cursor.eat("VIEW") {
        return cursor.path().map(Object::Relation);
    }
    if cursor.eat("TYPE") || cursor.eat("DOMAIN") {
        return cursor.path().map(Object::Type);
    }
    if ["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"].iter().any(|kind| cursor.eat(kind)) {
        let name = cursor.path()?;
        let arguments = cursor.optional_parenthesized()?;
        return Ok(Object::Routine(name, arguments.map(|arguments| arguments.text().to_owned()).unwrap_or_default()));
    }
    if cursor.eat("TRIGGER") || cursor.eat("POLICY") || cursor.eat("RULE") {
        return on_table(cursor).map(|(name, table)| Object::OnTable(name, table));
    }
    Ok(Object::Other)
}

fn set(loader: &mut Loader, object: Object, comment: Option<String>) {
    let marked = match object {
        Object::Table(path) => {
            let name = loader.relation_name(path);
            if let Some(table) = loader.table_mut(&name) {
                table.comment = comment;
            }
            return;
        }
        Object::Column(path, column) => {
            let name = loader.relation_name(path);
            let columns = loader.table_mut(&name).map(|table| &mut table.columns);
            if let Some(column) = columns.and_then(|columns| columns.iter_mut().find(|known| known.name == column)) {
                column.comment = comment;
            }
            return;
        }
        Object::Constraint(constraint, path) => {
            let name = loader.relation_name(path);
            let constraints = loader.table_mut(&name).map(|table| &mut table.constraints);
            let known = constraints.and_then(|all| all.iter_mut().find(|known| known.name == constraint));
            match known {
                Some(known) => {
                    known.comment = comment;
                    return;
                }
                None => Marked::NotNull(name, constraint),
            }
        }
        Object::Index(path) => {
            let name = loader.relation_name(path);
            if let Some(index) = index::index_mut(loader, &name) {
                index.comment = comment;
            } else if let Some(constraint) = index::constraint_mut(loader, &name) {
                constraint.index_comment = comment;
            }
            return;
        }
        Object::Statistics(path) => {
            let name = loader.statistics_name(path);
            let mut all = loader.schema.tables.values_mut().flat_map(|table| &mut table.statistics);
            if let Some(statistics) = all.find(|statistics| statistics.name == name) {
                statistics.comment = comment;
            }
            return;
        }
        Object::Schema(name) => Marked::Schema(name),
        Object::Relation(path) => Marked::Object(loader.relation_name(path)),
        Object::Type(path) => Marked::Object(loader.type_name(path)),
        Object::Routine(path, arguments) => {
            Marked::Routine(loader.routine_name(path), normalized_arguments(&arguments))
        }
        Object::OnTable(name, path) => Marked::OnTable(loader.relation_name(path), name),
        Object::Other => return,
    };
    if is_marked(comment.as_deref()) {
        loader.marked.insert(marked);
    } else {
        loader.marked.remove(&marked);
    }
}
