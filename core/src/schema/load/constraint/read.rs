//! Constraints as they are written.

use super::{Attributes, NewConstraint, NewForeignKey, Rule};
use crate::schema::load::cursor::{Cursor, Read};
use crate::schema::load::index::{self, storage_parameters};
use crate::schema::{ReferentialAction, SqlText};

/// Whether a constraint of a table begins here, rather than a column.
pub(in crate::schema::load) fn begins_table_constraint(cursor: &Cursor<'_>) -> bool {
    cursor.at_any(&["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN"])
        || (cursor.at("EXCLUDE")
            && cursor.peek_second().is_some_and(|token| token.is_symbol(b'(') || cursor.is_word_at(token, "USING")))
        || cursor.at_all(&["NOT", "NULL"])
}

/// `[CONSTRAINT name] …` of a table.
pub(in crate::schema::load) fn table_constraint(cursor: &mut Cursor<'_>) -> Read<NewConstraint> {
    let start = *cursor;
    let name = if cursor.eat("CONSTRAINT") { Some(cursor.name()?) } else { None };
    let mut new = begin(name, &start);
    if cursor.eat("CHECK") {
        new.rule = Rule::Check(cursor.parenthesized()?.expression()?);
    } else if cursor.eat_all(&["NOT", "NULL"]) {
        new.rule = Rule::NotNull { column: cursor.name()? };
    } else if cursor.eat_all(&["FOREIGN", "KEY"]) {
        let columns = key_columns(cursor)?;
        new.rule = references(cursor, columns)?;
    } else if cursor.at("EXCLUDE") {
        exclude(cursor, &mut new)?;
    } else {
        unique(cursor, &mut new, None)?;
    }
    new.attributes = attributes(cursor);
    new.text = start.up_to(cursor).text().to_owned();
    Ok(new)
}

/// `[CONSTRAINT name] …` of a column. `None` if no constraint begins here.
pub(in crate::schema::load) fn column_constraint(cursor: &mut Cursor<'_>, column: &str) -> Read<Option<NewConstraint>> {
    let start = *cursor;
    let name = if cursor.eat("CONSTRAINT") { Some(cursor.name()?) } else { None };
    let mut new = begin(name, &start);
    if cursor.eat("CHECK") {
        new.rule = Rule::Check(cursor.parenthesized()?.expression()?);
    } else if cursor.eat_all(&["NOT", "NULL"]) {
        new.rule = Rule::NotNull { column: column.to_owned() };
    } else if cursor.at("REFERENCES") {
        new.rule = references(cursor, Key { columns: vec![column.to_owned()], temporal: false })?;
    } else if cursor.at_any(&["PRIMARY", "UNIQUE"]) {
        unique(cursor, &mut new, Some(column))?;
    } else {
        *cursor = start;
        return Ok(None);
    }
    new.attributes = attributes(cursor);
    new.text = start.up_to(cursor).text().to_owned();
    Ok(Some(new))
}

fn begin(name: Option<String>, start: &Cursor<'_>) -> NewConstraint {
    NewConstraint {
        name,
        rule: Rule::Temporal { not_null: Vec::new() },
        attributes: Attributes::default(),
        with: Vec::new(),
        tablespace: None,
        text: String::new(),
        line: start.line(),
    }
}

/// The columns of a key.
struct Key {
    columns: Vec<String>,
    temporal: bool,
}

/// `(a, b)`, `(a, PERIOD b)`, `(a, b WITHOUT OVERLAPS)`.
fn key_columns(cursor: &mut Cursor<'_>) -> Read<Key> {
    let mut list = cursor.parenthesized()?;
    let mut key = Key { columns: Vec::new(), temporal: false };
    while let Some(mut item) = list.next_item() {
        key.temporal |= item.tokens().len() == 2 && item.eat("PERIOD");
        key.columns.push(item.name()?);
        key.temporal |= item.eat_all(&["WITHOUT", "OVERLAPS"]);
        item.expect_end()?;
    }
    Ok(key)
}

/// `PRIMARY KEY …` and `UNIQUE …`, of a table or of the column `of`.
fn unique(cursor: &mut Cursor<'_>, new: &mut NewConstraint, of: Option<&str>) -> Read<()> {
    let primary = cursor.eat_all(&["PRIMARY", "KEY"]);
    let mut nulls_not_distinct = false;
    if !primary {
        if !cursor.eat("UNIQUE") {
            return Err(cursor.unexpected("a constraint"));
        }
        nulls_not_distinct = nulls_distinct(cursor);
    }
    if of.is_none() && cursor.eat_all(&["USING", "INDEX"]) {
        new.rule = Rule::UsingIndex { primary, index: cursor.name()? };
        return Ok(());
    }
    let key = match of {
        Some(column) => Key { columns: vec![column.to_owned()], temporal: false },
        None => key_columns(cursor)?,
    };
    let include = index_options(cursor, new)?;
    let columns = key.columns;
    new.rule = match (primary, key.temporal) {
        (true, true) => Rule::Temporal { not_null: columns },
        (false, true) => Rule::Temporal { not_null: Vec::new() },
        (true, false) => Rule::PrimaryKey { columns, include },
        (false, false) => Rule::Unique { columns, include, nulls_not_distinct },
    };
    Ok(())
}

/// `NULLS NOT DISTINCT`, which is true, or `NULLS DISTINCT`, which is the default.
pub(in crate::schema::load) fn nulls_distinct(cursor: &mut Cursor<'_>) -> bool {
    if cursor.eat_all(&["NULLS", "NOT", "DISTINCT"]) {
        return true;
    }
    cursor.eat_all(&["NULLS", "DISTINCT"]);
    false
}

/// `INCLUDE (…) WITH (…) USING INDEX TABLESPACE …`: returns the payload columns.
fn index_options(cursor: &mut Cursor<'_>, new: &mut NewConstraint) -> Read<Vec<String>> {
    let include = if cursor.eat("INCLUDE") { cursor.parenthesized()?.names()? } else { Vec::new() };
    if cursor.eat("WITH") {
        new.with = storage_parameters(cursor.parenthesized()?)?;
    }
    if cursor.eat_all(&["USING", "INDEX", "TABLESPACE"]) {
        new.tablespace = Some(cursor.name()?);
    }
    Ok(include)
}

fn exclude(cursor: &mut Cursor<'_>, new: &mut NewConstraint) -> Read<()> {
    let start = *cursor;
    cursor.expect("EXCLUDE")?;
    if cursor.eat("USING") {
        cursor.name()?;
    }
    let mut keys = Vec::new();
    let mut list = cursor.parenthesized()?;
    while let Some(mut item) = list.next_item() {
        keys.push(index::key(&mut item)?);
        item.expect("WITH")?;
    }
    let include = index_options(cursor, new)?;
    let predicate = if cursor.eat("WHERE") { Some(cursor.parenthesized()?.expression()?) } else { None };
    let definition = SqlText { text: start.up_to(cursor).text().to_owned(), line: start.line() };
    new.rule = Rule::Exclude { definition, keys, include, predicate };
    Ok(())
}

/// `REFERENCES table [(columns)] [MATCH …] [ON …]`.
fn references(cursor: &mut Cursor<'_>, key: Key) -> Read<Rule> {
    cursor.expect("REFERENCES")?;
    let mut new = NewForeignKey {
        columns: key.columns,
        references: cursor.path()?,
        referenced: Vec::new(),
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::NoAction,
        on_delete_columns: Vec::new(),
        match_full: false,
    };
    let mut temporal = key.temporal;
    if cursor.at_symbol(b'(') {
        let referenced = key_columns(cursor)?;
        new.referenced = referenced.columns;
        temporal |= referenced.temporal;
    }
    if cursor.eat("MATCH") {
        new.match_full = cursor.name()? == "full";
    }
    loop {
        if cursor.eat_all(&["ON", "UPDATE"]) {
            new.on_update = referential_action(cursor)?;
        } else if cursor.eat_all(&["ON", "DELETE"]) {
            new.on_delete = referential_action(cursor)?;
            if let Some(columns) = cursor.optional_parenthesized()? {
                new.on_delete_columns = columns.names()?;
            }
        } else {
            break;
        }
    }
    Ok(if temporal { Rule::Temporal { not_null: Vec::new() } } else { Rule::ForeignKey(new) })
}

fn referential_action(cursor: &mut Cursor<'_>) -> Read<ReferentialAction> {
    let actions: [(&[&str], _); 5] = [
        (&["NO", "ACTION"], ReferentialAction::NoAction),
        (&["RESTRICT"], ReferentialAction::Restrict),
        (&["CASCADE"], ReferentialAction::Cascade),
        (&["SET", "NULL"], ReferentialAction::SetNull),
        (&["SET", "DEFAULT"], ReferentialAction::SetDefault),
    ];
    let action = actions.into_iter().find(|(words, _)| cursor.eat_all(words));
    action.map(|(_, action)| action).ok_or_else(|| cursor.unexpected("what the foreign key does, as `CASCADE`"))
}

/// `DEFERRABLE INITIALLY DEFERRED NOT VALID …`, in any order.
pub(in crate::schema::load) fn attributes(cursor: &mut Cursor<'_>) -> Attributes {
    let mut attributes = Attributes::default();
    loop {
        if cursor.eat("DEFERRABLE") {
            attributes.deferrable = true;
        } else if cursor.eat_all(&["INITIALLY", "DEFERRED"]) {
            attributes.deferrable = true;
            attributes.initially_deferred = true;
        } else if cursor.eat_all(&["NOT", "VALID"]) {
            attributes.not_valid = true;
        } else if cursor.eat_all(&["NOT", "ENFORCED"]) {
            attributes.not_enforced = true;
        } else if cursor.eat_all(&["NO", "INHERIT"]) {
            attributes.no_inherit = true;
        } else if !cursor.eat_all(&["INITIALLY", "IMMEDIATE"])
            && !cursor.eat_all(&["NOT", "DEFERRABLE"])
            && !cursor.eat("ENFORCED")
        {
            return attributes;
        }
    }
}
