//! `CREATE TRIGGER`, `CREATE POLICY`, `CREATE RULE`.

use super::cursor::{Cursor, Read};
use super::loader::Loader;
use crate::schema::{Policy, Rule, Trigger, TriggerEnabled, TriggerTiming};

/// `CREATE [OR REPLACE] [CONSTRAINT] TRIGGER`, from behind `TRIGGER` on. `text` is the whole statement.
///
/// Returns whether it could be kept: triggers of views are not.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, text: &str, line: u32) -> Read<bool> {
    let name = cursor.name()?;
    let timing = if cursor.eat("BEFORE") {
        TriggerTiming::Before
    } else if cursor.eat("AFTER") {
        TriggerTiming::After
    } else {
        cursor.expect("INSTEAD")?;
        cursor.expect("OF")?;
        TriggerTiming::InsteadOf
    };
    let mut trigger = Trigger {
        name,
        timing,
        for_each_row: false,
        on_insert: false,
        on_update: false,
        on_delete: false,
        on_truncate: false,
        update_of: Vec::new(),
        condition: None,
        function: String::new(),
        enabled: TriggerEnabled::Origin,
        text: text.to_owned(),
        line,
    };
    loop {
        event(cursor, &mut trigger)?;
        if !cursor.eat("OR") {
            break;
        }
    }
    cursor.expect("ON")?;
    let table = cursor.path()?;
    // `FROM`, deferrability, `REFERENCING`: kept in the text.
    cursor.take_until(|cursor| cursor.at_any(&["FOR", "WHEN", "EXECUTE"]));
    if cursor.eat("FOR") {
        cursor.eat("EACH");
        trigger.for_each_row = cursor.eat("ROW");
        if !trigger.for_each_row {
            cursor.expect("STATEMENT")?;
        }
    }
    if cursor.eat("WHEN") {
        trigger.condition = Some(cursor.parenthesized()?.expression()?);
    }
    cursor.expect("EXECUTE")?;
    if !cursor.eat("FUNCTION") {
        cursor.expect("PROCEDURE")?;
    }
    let function = *cursor;
    cursor.path()?;
    cursor.parenthesized()?;
    trigger.function = function.up_to(cursor).text().to_owned();
    cursor.expect_end()?;

    let table = loader.relation_name(table);
    let Some(table) = loader.table_mut(&table) else { return Ok(false) };
    table.triggers.retain(|known| known.name != trigger.name);
    table.triggers.push(trigger);
    Ok(true)
}

fn event(cursor: &mut Cursor<'_>, trigger: &mut Trigger) -> Read<()> {
    if cursor.eat("INSERT") {
        trigger.on_insert = true;
    } else if cursor.eat("DELETE") {
        trigger.on_delete = true;
    } else if cursor.eat("TRUNCATE") {
        trigger.on_truncate = true;
    } else {
        cursor.expect("UPDATE")?;
        trigger.on_update = true;
        if cursor.eat("OF") {
            loop {
                trigger.update_of.push(cursor.name()?);
                if !cursor.eat_symbol(b',') {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// `CREATE POLICY`, from behind `POLICY` on. Returns whether its table is known.
pub(super) fn create_policy(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<bool> {
    let name = cursor.name()?;
    cursor.expect("ON")?;
    let table = cursor.path()?;
    let mut expressions = Vec::new();
    while !cursor.is_done() {
        cursor.take_until(|cursor| cursor.at("USING") || cursor.at_all(&["WITH", "CHECK"]));
        if cursor.eat("USING") || cursor.eat_all(&["WITH", "CHECK"]) {
            expressions.push(cursor.parenthesized()?.expression()?);
        }
    }
    let table = loader.relation_name(table);
    let Some(table) = loader.table_mut(&table) else { return Ok(false) };
    table.policies.push(Policy { name, expressions, line });
    Ok(true)
}

/// `CREATE [OR REPLACE] RULE`, from behind `RULE` on. `text` is the whole statement.
///
/// Returns whether it could be kept: rules of views are not.
pub(super) fn create_rule(cursor: &mut Cursor<'_>, loader: &mut Loader, text: &str, line: u32) -> Read<bool> {
    let name = cursor.name()?;
    cursor.expect("AS")?;
    cursor.expect("ON")?;
    cursor.name()?;
    cursor.expect("TO")?;
    let table = cursor.path()?;
    cursor.take_rest();
    let table = loader.relation_name(table);
    let Some(table) = loader.table_mut(&table) else { return Ok(false) };
    table.rules.retain(|known| known.name != name);
    table.rules.push(Rule { name, text: text.to_owned(), line });
    Ok(true)
}
