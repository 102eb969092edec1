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
            // The values of a setting may be any words.
            cursor.path()?;
            cursor.bump();
            cursor.bump();
            while cursor.eat_symbol(b',') {
                cursor.bump();
            }
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

/// Arguments such that two spellings of the same compare equal: `COMMENT ON` and `DROP` leave out defaults, and may leave out names
/// and what a function returns through `OUT`.
///
/// What is left of each is the last word of its type, and what tells `timestamp` with and without time zone apart.
pub(super) fn normalized_arguments(arguments: &str) -> String {
    let mut all = Vec::new();
    let mut current = Argument::default();
    let mut depth = 0_usize;
    for token in token::tokens(arguments) {
        let text = token.text(arguments);
        match text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            "," => all.push(std::mem::take(&mut current)),
            _ => current.see(text, token.name(arguments)),
        }
    }
    all.push(current);
    let inputs = all.into_iter().filter(|argument| !argument.is_output);
    inputs.map(|argument| argument.ty).collect::<Vec<_>>().join(",")
}

/// What is known of an argument while it is read.
#[derive(Default)]
struct Argument {
    ty: String,
    is_output: bool,
    in_default: bool,
}

impl Argument {
    fn see(&mut self, text: &str, name: Option<String>) {
        self.in_default |= text == "=" || text.eq_ignore_ascii_case("default");
        if self.in_default {
            return;
        }
        match name {
            Some(name) if self.ty.is_empty() && name == "out" => self.is_output = true,
            Some(name) if self.ty.ends_with("without time") => self.ty = format!("without time {name}"),
            Some(name) if self.ty == "without" => self.ty = format!("without {name}"),
            Some(name) => self.ty = name,
            None => self.ty.push_str(text),
        }
    }
}
