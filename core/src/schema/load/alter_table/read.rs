//! What an `ALTER TABLE` says.

use super::{Action, ColumnChange};
use crate::schema::TriggerEnabled;
use crate::schema::load::cursor::{Cursor, Read};
use crate::schema::load::index::{statistics_target, storage_parameters};
use crate::schema::load::loader::Loader;
use crate::schema::load::{column, constraint, data_type};

pub(super) fn action(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Action> {
    if cursor.eat("ADD") {
        return add(cursor, loader);
    }
    if cursor.eat("DROP") {
        let constraint = cursor.eat("CONSTRAINT");
        if !constraint {
            cursor.eat("COLUMN");
        }
        cursor.if_exists();
        let name = cursor.name()?;
        if !cursor.eat("CASCADE") {
            cursor.eat("RESTRICT");
        }
        return Ok(if constraint { Action::DropConstraint(name) } else { Action::DropColumn(name) });
    }
    if cursor.eat_all(&["ALTER", "CONSTRAINT"]) {
        let name = cursor.name()?;
        return Ok(Action::AlterConstraint(name, constraint::attributes(cursor)));
    }
    if cursor.eat("ALTER") {
        cursor.eat("COLUMN");
        let name = cursor.name()?;
        return Ok(Action::Column { name, change: column_change(cursor, loader)? });
    }
    if cursor.eat("RENAME") {
        return rename_action(cursor);
    }
    if cursor.eat_all(&["VALIDATE", "CONSTRAINT"]) {
        return cursor.name().map(Action::ValidateConstraint);
    }
    if cursor.eat_all(&["OWNER", "TO"]) {
        return cursor.name().map(Action::Owner);
    }
    if cursor.eat_all(&["SET", "SCHEMA"]) {
        return cursor.name().map(Action::SetSchema);
    }
    if cursor.eat_all(&["ATTACH", "PARTITION"]) {
        let child = cursor.path()?;
        cursor.take_rest();
        return Ok(Action::AttachPartition(child));
    }
    if cursor.eat_all(&["DETACH", "PARTITION"]) {
        let child = Some(cursor.path()?);
        if !cursor.eat("CONCURRENTLY") {
            cursor.eat("FINALIZE");
        }
        return Ok(Action::Detach { child, parent: None });
    }
    if cursor.eat_all(&["NO", "INHERIT"]) {
        return Ok(Action::Detach { child: None, parent: Some(cursor.path()?) });
    }
    if cursor.eat("INHERIT") {
        return cursor.path().map(Action::Inherit);
    }
    if cursor.eat_all(&["REPLICA", "IDENTITY"]) {
        let text = cursor.take_rest().text();
        return Ok(Action::ReplicaIdentity((!text.eq_ignore_ascii_case("DEFAULT")).then(|| text.to_owned())));
    }
    if cursor.eat_all(&["CLUSTER", "ON"]) {
        return Ok(Action::Cluster(Some(cursor.name()?)));
    }
    if cursor.eat_all(&["SET", "WITHOUT", "CLUSTER"]) {
        return Ok(Action::Cluster(None));
    }
    if cursor.eat_all(&["SET", "LOGGED"]) {
        return Ok(Action::Unlogged(false));
    }
    if cursor.eat_all(&["SET", "UNLOGGED"]) {
        return Ok(Action::Unlogged(true));
    }
    if let Some(action) = enable_or_disable(cursor)? {
        return Ok(action);
    }
    if cursor.at_any(&["SET", "RESET", "OF", "NOT", "OPTIONS"]) {
        cursor.take_rest();
        return Ok(Action::Nothing);
    }
    Err(cursor.unexpected("what to alter"))
}

fn add(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Action> {
    if constraint::begins_table_constraint(cursor) {
        return Ok(Action::AddConstraint(Box::new(constraint::table_constraint(cursor)?)));
    }
    cursor.eat("COLUMN");
    let keep_existing = cursor.if_not_exists();
    Ok(Action::AddColumn { new: Box::new(column::read(cursor, loader)?), keep_existing })
}

fn rename_action(cursor: &mut Cursor<'_>) -> Read<Action> {
    if cursor.eat("TO") {
        return cursor.name().map(Action::RenameTo);
    }
    let constraint = cursor.eat("CONSTRAINT");
    if !constraint {
        cursor.eat("COLUMN");
    }
    let from = cursor.name()?;
    cursor.expect("TO")?;
    let to = cursor.name()?;
    Ok(if constraint { Action::RenameConstraint(from, to) } else { Action::RenameColumn(from, to) })
}

/// `ENABLE | DISABLE TRIGGER | RULE`, `[NO] FORCE ROW LEVEL SECURITY`.
fn enable_or_disable(cursor: &mut Cursor<'_>) -> Read<Option<Action>> {
    const ROW_SECURITY: [&str; 3] = ["ROW", "LEVEL", "SECURITY"];
    let start = *cursor;
    let no = cursor.eat("NO");
    if cursor.eat("FORCE") && cursor.eat_all(&ROW_SECURITY) {
        return Ok(Some(Action::ForceRowSecurity(!no)));
    }
    *cursor = start;
    let enable = cursor.eat("ENABLE");
    if !enable && !cursor.eat("DISABLE") {
        return Ok(None);
    }
    if cursor.eat_all(&ROW_SECURITY) {
        return Ok(Some(Action::RowSecurity(enable)));
    }
    let enabled = if !enable {
        TriggerEnabled::Disabled
    } else if cursor.eat("ALWAYS") {
        TriggerEnabled::Always
    } else if cursor.eat("REPLICA") {
        TriggerEnabled::Replica
    } else {
        TriggerEnabled::Origin
    };
    if cursor.eat("RULE") {
        cursor.name()?;
        return Ok(Some(Action::Nothing));
    }
    cursor.expect("TRIGGER")?;
    if cursor.eat("ALL") || cursor.eat("USER") {
        return Ok(Some(Action::Trigger(None, enabled)));
    }
    Ok(Some(Action::Trigger(Some(cursor.name()?), enabled)))
}

fn column_change(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<ColumnChange> {
    if cursor.eat_all(&["SET", "DEFAULT"]) {
        return Ok(ColumnChange::Default(Some(cursor.take_rest().expression()?)));
    }
    if cursor.eat_all(&["DROP", "DEFAULT"]) {
        return Ok(ColumnChange::Default(None));
    }
    if cursor.eat_all(&["SET", "NOT", "NULL"]) {
        return Ok(ColumnChange::NotNull(true));
    }
    if cursor.eat_all(&["DROP", "NOT", "NULL"]) {
        return Ok(ColumnChange::NotNull(false));
    }
    if cursor.eat_all(&["SET", "STATISTICS"]) {
        return statistics_target(cursor).map(ColumnChange::Statistics);
    }
    if cursor.eat_all(&["SET", "STORAGE"]) {
        return column::storage_mode(cursor).map(ColumnChange::Storage);
    }
    if cursor.eat_all(&["SET", "COMPRESSION"]) {
        return column::compression(cursor).map(ColumnChange::Compression);
    }
    if cursor.eat_all(&["ADD", "GENERATED"]) {
        let (always, sequence) = column::identity(cursor, loader)?;
        return Ok(ColumnChange::AddIdentity { always, sequence: Box::new(sequence) });
    }
    if cursor.eat_all(&["DROP", "IDENTITY"]) {
        cursor.if_exists();
        return Ok(ColumnChange::DropIdentity);
    }
    if cursor.eat_all(&["SET", "GENERATED"]) {
        let always = cursor.eat("ALWAYS");
        cursor.take_rest();
        return Ok(ColumnChange::SetIdentity { always });
    }
    if cursor.eat_all(&["SET", "EXPRESSION", "AS"]) {
        return Ok(ColumnChange::Expression(cursor.parenthesized()?.expression()?));
    }
    if cursor.eat_all(&["DROP", "EXPRESSION"]) {
        cursor.if_exists();
        return Ok(ColumnChange::DropExpression);
    }
    if cursor.at("TYPE") || cursor.at_all(&["SET", "DATA"]) {
        if !cursor.eat("TYPE") {
            cursor.eat_all(&["SET", "DATA"]);
            cursor.expect("TYPE")?;
        }
        let ty = data_type::read(cursor, loader)?.ty;
        let collation = if cursor.eat("COLLATE") { Some(cursor.path()?) } else { None };
        if cursor.eat("USING") {
            cursor.take_rest();
        }
        return Ok(ColumnChange::Type { ty, collation });
    }
    let set = cursor.at("SET");
    if (set || cursor.at("RESET")) && cursor.peek_second().is_some_and(|token| token.is_symbol(b'(')) {
        cursor.bump();
        let options = storage_parameters(cursor.parenthesized()?)?;
        return Ok(if set { ColumnChange::SetOptions(options) } else { ColumnChange::ResetOptions(options) });
    }
    if cursor.at_any(&["OPTIONS", "SET", "RESTART"]) {
        cursor.take_rest();
        return Ok(ColumnChange::Nothing);
    }
    Err(cursor.unexpected("what to alter"))
}
