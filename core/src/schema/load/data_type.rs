//! Type names in DDL, as PostgreSQL's `format_type` spells them.

use super::cursor::{Cursor, Path, Read};
use super::loader::Loader;
use crate::schema::SqlType;
use crate::sql::builtin::is_builtin_type;
use crate::sql::token::TokenKind;
use crate::sql::types::{canonical_name, grammar_name, serial};

/// A type as a column declares it.
pub(super) struct DataType {
    pub ty: SqlType,
    /// `serial` and its like: a type with a sequence, a default and NOT NULL.
    pub serial: bool,
}

/// Reads the type of a column, attribute or domain.
pub(super) fn read(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<DataType> {
    let mut data_type = simple(cursor, loader)?;
    let mut is_array = cursor.eat("ARRAY");
    while cursor.at_symbol(b'[') {
        cursor.take_nested();
        is_array = true;
    }
    // However many are written, the catalog keeps one.
    if is_array {
        data_type.ty.dimensions = 1;
    }
    Ok(data_type)
}

fn simple(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<DataType> {
    let start = *cursor;
    let quoted = cursor.peek().is_some_and(|token| token.kind == TokenKind::QuotedName);
    let path = cursor.path()?;
    if cursor.at_symbol(b'%') {
        return Err(start.unexpected("a type"));
    }
    if path.schema.is_none() && !quoted {
        if let Some(ty) = key_words(&path.name, cursor)? {
            return Ok(DataType { ty, serial: false });
        }
        if let Some(base) = serial(&path.name) {
            return Ok(DataType { ty: SqlType::builtin(base), serial: true });
        }
    }
    Ok(DataType { ty: named(path, modifiers(cursor)?, loader), serial: false })
}

/// The types for which the grammar of SQL has words of its own.
fn key_words(word: &str, cursor: &mut Cursor<'_>) -> Read<Option<SqlType>> {
    let name = match word {
        "double" if cursor.eat("PRECISION") => "double precision",
        "float" => {
            let bits = modifiers(cursor)?.first().and_then(|bits| bits.parse::<u32>().ok());
            if bits.is_some_and(|bits| bits <= 24) { "real" } else { "double precision" }
        }
        "bit" if cursor.eat("VARYING") => "bit varying",
        "bit" => "bit",
        "national" if cursor.eat("CHARACTER") || cursor.eat("CHAR") => character(cursor),
        "character" | "char" | "nchar" => character(cursor),
        "timestamp" | "time" => {
            let modifiers = modifiers(cursor)?;
            let with = cursor.eat_all(&["WITH", "TIME", "ZONE"]);
            if !with {
                cursor.eat_all(&["WITHOUT", "TIME", "ZONE"]);
            }
            let name = format!("{word} {} time zone", if with { "with" } else { "without" });
            return Ok(Some(builtin(&name, modifiers)));
        }
        "interval" => {
            let name = interval(cursor)?;
            return Ok(Some(builtin(&name, modifiers(cursor)?)));
        }
        word => match grammar_name(word) {
            Some(name) => name,
            None => return Ok(None),
        },
    };
    Ok(Some(builtin(name, modifiers(cursor)?)))
}

fn character(cursor: &mut Cursor<'_>) -> &'static str {
    if cursor.eat("VARYING") { "character varying" } else { "character" }
}

/// `interval`, with the fields that may follow: `interval day to second`.
fn interval(cursor: &mut Cursor<'_>) -> Read<String> {
    const FIELDS: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let field = |cursor: &mut Cursor<'_>| FIELDS.iter().find(|field| cursor.eat(field)).map(|f| f.to_lowercase());
    let Some(first) = field(cursor) else { return Ok("interval".to_owned()) };
    if !cursor.eat("TO") {
        return Ok(format!("interval {first}"));
    }
    let last = field(cursor).ok_or_else(|| cursor.unexpected("a field of an interval"))?;
    Ok(format!("interval {first} to {last}"))
}

/// A type with a plain name, built in or not.
fn named(path: Path, modifiers: Vec<String>, loader: &Loader) -> SqlType {
    // The catalog's own names of array types.
    let element = path.name.strip_prefix('_').filter(|element| is_builtin_type(element));
    if let Some(element) = element.filter(|_| path.schema.as_deref().is_none_or(|schema| schema == "pg_catalog")) {
        return SqlType { dimensions: 1, ..builtin(canonical_name(element), modifiers) };
    }
    match path.schema.as_deref() {
        None if is_builtin_type(&path.name) => {}
        Some("pg_catalog") => {}
        _ => {
            let name = loader.type_name(path);
            return SqlType { schema: Some(name.schema), name: name.name, modifiers, dimensions: 0 };
        }
    }
    match canonical_name(&path.name) {
        // Without a length it is another type than `character`, which is `character(1)`.
        "bpchar" if !modifiers.is_empty() => builtin("character", modifiers),
        name => builtin(name, modifiers),
    }
}

/// A built-in type by its canonical name, with the modifiers that PostgreSQL adds or limits.
fn builtin(name: &str, mut modifiers: Vec<String>) -> SqlType {
    match (name, modifiers.as_mut_slice()) {
        ("character" | "bit", []) => modifiers.push("1".to_owned()),
        ("numeric", [_]) => modifiers.push("0".to_owned()),
        (_, [digits]) if name.starts_with("time") || name.starts_with("interval") => {
            // Six digits of a second are the most.
            if let Ok(7..) = digits.parse::<u32>() {
                *digits = "6".to_owned();
            }
        }
        _ => {}
    }
    SqlType { modifiers, ..SqlType::builtin(name) }
}

fn modifiers(cursor: &mut Cursor<'_>) -> Read<Vec<String>> {
    let mut modifiers = Vec::new();
    if let Some(mut list) = cursor.optional_parenthesized()? {
        while let Some(item) = list.next_item() {
            modifiers.push(item.text().to_owned());
        }
    }
    Ok(modifiers)
}
