//! `CREATE FUNCTION`, `CREATE PROCEDURE`, `CREATE AGGREGATE`.

use super::cursor::{Cursor, Read};
use super::loader::Loader;
use crate::schema::{Function, Volatility};
use crate::sql::token;

/// `CREATE [OR REPLACE] FUNCTION | PROCEDURE`, from behind that word on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let name = cursor.path()?;
    let arguments = cursor.parenthesized()?.text().to_owned();
    let mut function = Function {
        name: loader.new_name(name),
        arguments,
        volatility: Volatility::Volatile,
        returns_set: false,
        aggregate_or_window: false,
        body: String::new(),
        line,
    };
    while !cursor.is_done() {
        if cursor.eat("RETURNS") {
            function.returns_set = cursor.eat("SETOF") || cursor.eat("TABLE");
        } else if cursor.eat("IMMUTABLE") {
            function.volatility = Volatility::Immutable;
        } else if cursor.eat("STABLE") {
            function.volatility = Volatility::Stable;
        } else if cursor.eat("WINDOW") {
            function.aggregate_or_window = true;
        } else if cursor.eat("SET") {
            // The value of a setting may be any word.
            cursor.path()?;
            cursor.take_nested();
            cursor.bump();
        } else if cursor.eat("AS") {
            function.body = cursor.string()?;
        } else if cursor.at_all(&["BEGIN", "ATOMIC"]) || cursor.at("RETURN") {
            function.body = cursor.take_rest().text().to_owned();
        } else {
            cursor.take_nested();
        }
    }
    put(loader, function);
    Ok(())
}

/// `CREATE [OR REPLACE] AGGREGATE`, from behind `AGGREGATE` on.
pub(super) fn create_aggregate(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let name = cursor.path()?;
    let arguments = cursor.parenthesized()?.text().to_owned();
    let body = cursor.optional_parenthesized()?.map(|definition| definition.text().to_owned());
    cursor.expect_end()?;
    let function = Function {
        name: loader.new_name(name),
        arguments,
        volatility: Volatility::Immutable,
        returns_set: false,
        aggregate_or_window: true,
        body: body.unwrap_or_default(),
        line,
    };
    put(loader, function);
    Ok(())
}

fn put(loader: &mut Loader, function: Function) {
    let signature = normalized_arguments(&function.arguments);
    let same = |known: &Function| known.name == function.name && normalized_arguments(&known.arguments) == signature;
    loader.schema.functions.retain(|known| !same(known));
    loader.schema.functions.push(function);
}

/// Arguments such that two spellings of the same compare equal: `COMMENT ON` and `DROP` leave out defaults and may leave out names.
///
/// What is left is the last word of each type and what follows it, which tells overloads apart in all but contrived cases.
pub(super) fn normalized_arguments(arguments: &str) -> String {
    let tokens = token::tokens(arguments);
    let mut normalized = String::new();
    let mut depth = 0_usize;
    let mut last = String::new();
    let mut in_default = false;
    for token in tokens {
        let text = token.text(arguments);
        match text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                normalized.push_str(&last);
                normalized.push(',');
                last.clear();
                in_default = false;
                continue;
            }
            "=" => in_default = true,
            _ if text.eq_ignore_ascii_case("default") => in_default = true,
            _ => {}
        }
        if in_default || depth > 0 {
            continue;
        }
        match token.name(arguments) {
            Some(name) => last = name,
            None => last.push_str(text),
        }
    }
    normalized + &last
}
