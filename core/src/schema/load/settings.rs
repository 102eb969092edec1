//! `SET`, `RESET` and `SELECT set_config(…)`, as far as they change what later statements mean.

use super::cursor::{Cursor, Read};
use super::loader::Loader;

/// `SET …`, from behind that word on.
pub(super) fn set(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    if !cursor.eat("SESSION") {
        cursor.eat("LOCAL");
    }
    if cursor.eat("SCHEMA") {
        let schema = cursor.string()?;
        apply(loader, "search_path", vec![schema]);
        return cursor.expect_end();
    }
    let name = cursor.path()?.name;
    if cursor.eat("TO") || cursor.eat_symbol(b'=') {
        if cursor.at("DEFAULT") {
            reset_one(loader, &name);
            cursor.take_rest();
            return Ok(());
        }
        let mut values = Vec::new();
        while let Some(mut item) = cursor.next_item() {
            values.push(item.string().or_else(|_| item.name()).unwrap_or_default());
        }
        apply(loader, &name, values);
    }
    // `SET TIME ZONE`, `SET TRANSACTION`, `SET … FROM CURRENT`: nothing to us.
    cursor.take_rest();
    Ok(())
}

/// `RESET …`, from behind that word on.
pub(super) fn reset(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    let name = cursor.path()?.name;
    for setting in ["search_path", "default_tablespace"] {
        if name == setting || name == "all" {
            reset_one(loader, setting);
        }
    }
    cursor.take_rest();
    Ok(())
}

fn reset_one(loader: &mut Loader, setting: &str) {
    match setting {
        "search_path" => loader.search_path = Loader::new("").search_path,
        "default_tablespace" => loader.default_tablespace = None,
        _ => {}
    }
}

/// `SELECT …`, from behind that word on: only `set_config` matters.
pub(super) fn select(cursor: &mut Cursor<'_>, loader: &mut Loader) {
    let is_set_config = cursor.path().is_ok_and(|path| path.name == "set_config");
    if let Some(mut arguments) = cursor.parenthesized().ok().filter(|_| is_set_config)
        && let (Some(mut name), Some(mut value)) = (arguments.next_item(), arguments.next_item())
        && let (Ok(name), Ok(value)) = (name.string(), value.string())
    {
        let values = value.split(',').map(|part| unquoted(part.trim())).filter(|part| !part.is_empty());
        apply(loader, &name.to_lowercase(), values.collect());
    }
    cursor.take_rest();
}

fn unquoted(name: &str) -> String {
    crate::sql::token::tokens(name).first().and_then(|token| token.name(name)).unwrap_or_default()
}

fn apply(loader: &mut Loader, setting: &str, values: Vec<String>) {
    match setting {
        "search_path" => {
            // What is in `pg_catalog` is found anyhow, and nobody's own schema is known here.
            let schemas = values.into_iter().filter(|schema| schema != "$user" && schema != "pg_catalog");
            loader.search_path = schemas.filter(|schema| !schema.is_empty()).collect();
        }
        "default_tablespace" => loader.default_tablespace = values.into_iter().next().filter(|name| !name.is_empty()),
        _ => {}
    }
}
