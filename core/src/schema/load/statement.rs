//! Which statement this is, and who reads it.

use super::cursor::{Cursor, Read, Unexpected};
use super::loader::Loader;
use super::table::Persistence;
use super::{
    alter_table, comment, drop, index, privileges, publication, routine, sequence, settings, statistics, table,
    trigger, types, view,
};
use crate::diagnostic::nearest;

/// What became of a statement.
pub(super) enum Outcome {
    /// It is in the schema, or says nothing about one.
    Understood,
    /// It says something that the model has no place for.
    Opaque,
}

/// Statements that are read, or kept as they are.
const READ: &str = "alter call comment create do drop grant import reset revoke select set";

/// Statements that say nothing about a schema: data, transactions, maintenance.
const PASSED_OVER: &str = "abort analyse analyze begin checkpoint close cluster commit copy deallocate declare delete discard end \
    execute explain fetch insert listen load lock merge move notify prepare reassign refresh reindex release rollback savepoint \
    security show start table truncate unlisten update vacuum values with";

/// What can be created and altered besides what is modelled: kept as it is.
const OPAQUE_KINDS: &str = "access cast collation conversion database default event foreign group language large operator policy role \
    schema server subscription system tablespace text transform user";

fn is_among(word: &str, words: &str) -> bool {
    words.split_whitespace().any(|known| known == word)
}

/// Reads one statement into the schema.
pub(super) fn read(statement: Cursor<'_>, loader: &mut Loader) -> Read<Outcome> {
    let mut cursor = statement;
    let line = statement.line();
    // A query in parentheses.
    if cursor.at_symbol(b'(') {
        return Ok(Outcome::Understood);
    }
    let command = cursor.name().map_err(|_| no_statement(&statement, ""))?;
    let cursor = &mut cursor;
    match command.as_str() {
        "create" => return create(cursor, statement, loader),
        "alter" => return alter(cursor, loader),
        "drop" => drop::drop(cursor, loader)?,
        "comment" => {
            cursor.expect("ON")?;
            comment::comment(cursor, loader)?;
        }
        "grant" => privileges::grant(cursor, loader, line)?,
        "revoke" => privileges::revoke(cursor, loader)?,
        "set" => settings::set(cursor, loader)?,
        "reset" => settings::reset(cursor, loader)?,
        "select" => settings::select(cursor, loader),
        "do" | "call" | "import" => return Ok(Outcome::Opaque),
        command if is_among(command, PASSED_OVER) => {}
        command => return Err(no_statement(&statement, command)),
    }
    Ok(Outcome::Understood)
}

fn no_statement(cursor: &Cursor<'_>, word: &str) -> Unexpected {
    let mut unexpected = cursor.unexpected("an SQL statement");
    if let Some(meant) = nearest(word, READ.split_whitespace().chain(PASSED_OVER.split_whitespace())) {
        unexpected.message.push_str(&format!("; is `{}` meant?", meant.to_uppercase()));
    }
    unexpected
}

fn create(cursor: &mut Cursor<'_>, statement: Cursor<'_>, loader: &mut Loader) -> Read<Outcome> {
    let line = statement.line();
    let text = statement.text();
    cursor.eat_all(&["OR", "REPLACE"]);
    if !cursor.eat("GLOBAL") {
        cursor.eat("LOCAL");
    }
    let temporary = cursor.eat("TEMPORARY") || cursor.eat("TEMP");
    let unlogged = cursor.eat("UNLOGGED");
    let persistence = Persistence { temporary, unlogged, foreign: false };
    if cursor.eat("TABLE") {
        table::create(cursor, loader, persistence, line)?;
    } else if cursor.eat_all(&["FOREIGN", "TABLE"]) {
        table::create(cursor, loader, Persistence { foreign: true, ..persistence }, line)?;
    } else if cursor.eat("SEQUENCE") {
        sequence::create(cursor, loader, line)?;
    } else if cursor.eat_all(&["UNIQUE", "INDEX"]) {
        index::create(cursor, loader, true, line)?;
    } else if cursor.eat("INDEX") {
        index::create(cursor, loader, false, line)?;
    } else if cursor.eat_all(&["MATERIALIZED", "VIEW"]) {
        view::create_materialized(cursor, loader, line)?;
    } else if cursor.at("VIEW") || cursor.at_all(&["RECURSIVE", "VIEW"]) {
        view::create(cursor, loader, temporary, line)?;
    } else if cursor.eat("TYPE") {
        types::create(cursor, loader, line)?;
    } else if cursor.eat("DOMAIN") {
        types::create_domain(cursor, loader, line)?;
    } else if cursor.eat("FUNCTION") || cursor.eat("PROCEDURE") {
        routine::create(cursor, loader, line)?;
    } else if cursor.eat("AGGREGATE") {
        routine::create_aggregate(cursor, loader, line)?;
    } else if cursor.eat("TRIGGER") || cursor.eat_all(&["CONSTRAINT", "TRIGGER"]) {
        return Ok(kept(trigger::create(cursor, loader, text, line)?));
    } else if cursor.eat("RULE") {
        return Ok(kept(trigger::create_rule(cursor, loader, text, line)?));
    } else if cursor.eat("POLICY") {
        return Ok(kept(trigger::create_policy(cursor, loader, line)?));
    } else if cursor.eat("STATISTICS") {
        statistics::create(cursor, loader, line)?;
    } else if cursor.eat("PUBLICATION") {
        publication::create(cursor, loader, line)?;
    } else if cursor.eat("EXTENSION") {
        cursor.if_not_exists();
        let name = cursor.name()?;
        if !loader.schema.extensions.contains(&name) {
            loader.schema.extensions.push(name);
        }
    } else if cursor.at("SCHEMA") {
        return create_schema(cursor);
    } else {
        if cursor.at("COLLATION") {
            let mut cursor = *cursor;
            cursor.bump();
            cursor.if_not_exists();
            let name = loader.new_name(cursor.path()?);
            loader.collations.insert(name);
        }
        return other_kind(cursor);
    }
    Ok(Outcome::Understood)
}

fn kept(kept: bool) -> Outcome {
    if kept { Outcome::Understood } else { Outcome::Opaque }
}

/// `CREATE SCHEMA` makes nothing that is modelled, unless objects follow its name.
fn create_schema(cursor: &mut Cursor<'_>) -> Read<Outcome> {
    cursor.expect("SCHEMA")?;
    cursor.if_not_exists();
    if !cursor.at("AUTHORIZATION") {
        cursor.name()?;
    }
    if cursor.eat("AUTHORIZATION") {
        cursor.name()?;
    }
    Ok(kept(cursor.is_done()))
}

fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<Outcome> {
    if cursor.eat("TABLE") || cursor.eat_all(&["FOREIGN", "TABLE"]) {
        return Ok(kept(alter_table::alter(cursor, loader)?));
    } else if cursor.eat("INDEX") {
        index::alter(cursor, loader)?;
    } else if cursor.eat("SEQUENCE") {
        sequence::alter(cursor, loader)?;
    } else if cursor.eat("VIEW") || cursor.eat_all(&["MATERIALIZED", "VIEW"]) {
        view::alter(cursor, loader)?;
    } else if cursor.eat("TYPE") {
        types::alter(cursor, loader)?;
    } else if cursor.eat("DOMAIN") {
        types::alter_domain(cursor, loader)?;
    } else if cursor.eat("STATISTICS") {
        statistics::alter(cursor, loader)?;
    } else if cursor.eat("PUBLICATION") {
        publication::alter(cursor, loader)?;
    } else if changes_owner(cursor) {
        return Ok(Outcome::Understood);
    } else if cursor.at_any(&["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE", "TRIGGER", "RULE", "EXTENSION"]) {
        return Ok(Outcome::Opaque);
    } else {
        return other_kind(cursor);
    }
    Ok(Outcome::Understood)
}

/// `… OWNER TO role`.
fn changes_owner(cursor: &Cursor<'_>) -> bool {
    let tokens = cursor.tokens();
    let last = tokens.len().checked_sub(3).and_then(|from| tokens.get(from..)).unwrap_or_default();
    matches!(last, [owner, to, _] if cursor.is_word_at(*owner, "OWNER") && cursor.is_word_at(*to, "TO"))
}

fn other_kind(cursor: &Cursor<'_>) -> Read<Outcome> {
    let mut rest = *cursor;
    while rest.eat("TRUSTED") || rest.eat("PROCEDURAL") || rest.eat("DEFAULT") {}
    let kind = rest.name()?;
    if is_among(&kind, OPAQUE_KINDS) || cursor.at("DEFAULT") {
        return Ok(Outcome::Opaque);
    }
    Err(cursor.unexpected("a kind of object, as `TABLE` or `INDEX`"))
}
