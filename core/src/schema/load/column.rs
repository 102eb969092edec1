//! Columns, as `CREATE TABLE` and `ALTER TABLE … ADD` declare them.

use super::constraint::{self, NewConstraint};
use super::cursor::{Cursor, Path, Read};
use super::data_type;
use super::loader::Loader;
use super::sequence::{self, NewSequence};
use crate::ident::QualifiedName;
use crate::schema::{Column, Generated, Identity, SqlText, SqlType};

/// A column as written.
pub(super) struct NewColumn {
    pub column: Column,
    pub serial: bool,
    /// The options of the identity's sequence.
    pub identity: Option<NewSequence>,
    pub constraints: Vec<NewConstraint>,
}

/// `name type …`.
pub(super) fn read(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<NewColumn> {
    let line = cursor.line();
    let name = cursor.name()?;
    let data_type = data_type::read(cursor, loader)?;
    let mut new = begin(name, data_type.ty, line);
    new.serial = data_type.serial;
    if cursor.eat("STORAGE") {
        new.column.storage = storage_mode(cursor)?;
    }
    if cursor.eat("COMPRESSION") {
        new.column.compression = compression(cursor)?;
    }
    if cursor.eat("OPTIONS") {
        cursor.parenthesized()?;
    }
    attributes(cursor, loader, &mut new)?;
    Ok(new)
}

/// `name [WITH OPTIONS] …`, of a typed table or a partition: the type is known elsewhere.
pub(super) fn read_options(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<NewColumn> {
    let line = cursor.line();
    let name = cursor.name()?;
    cursor.eat_all(&["WITH", "OPTIONS"]);
    let mut new = begin(name, SqlType::builtin("unknown"), line);
    attributes(cursor, loader, &mut new)?;
    Ok(new)
}

fn begin(name: String, ty: SqlType, line: u32) -> NewColumn {
    NewColumn { column: plain(name, ty, line), serial: false, identity: None, constraints: Vec::new() }
}

/// `EXTERNAL`; `DEFAULT` is none.
pub(super) fn storage_mode(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    Ok(Some(cursor.name()?.to_uppercase()).filter(|mode| mode != "DEFAULT"))
}

/// `pglz`; `default` is none.
pub(super) fn compression(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    Ok(Some(cursor.name()?).filter(|method| method != "default"))
}

/// A column with nothing but a name and a type.
pub(super) fn plain(name: String, ty: SqlType, line: u32) -> Column {
    Column {
        name,
        ty,
        not_null: false,
        not_null_name: None,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        comment: None,
        statistics_target: None,
        storage: None,
        compression: None,
        options: Vec::new(),
        line,
    }
}

/// `COLLATE … DEFAULT … GENERATED … NOT NULL …`, in any order.
fn attributes(cursor: &mut Cursor<'_>, loader: &Loader, new: &mut NewColumn) -> Read<()> {
    while !cursor.is_done() {
        if cursor.eat("COLLATE") {
            let path = cursor.path()?;
            new.column.collation = collation(loader, path);
            continue;
        }
        if let Some(constraint) = constraint::column_constraint(cursor, &new.column.name)? {
            new.constraints.push(constraint);
            continue;
        }
        // The name of what is no constraint of its own is not kept.
        if cursor.eat("CONSTRAINT") {
            cursor.name()?;
        }
        if cursor.eat("DEFAULT") {
            new.column.default = Some(default_expression(cursor)?);
        } else if cursor.eat("GENERATED") {
            generated(cursor, loader, new)?;
        } else if !cursor.eat("NULL") {
            return Err(cursor.unexpected("`,` or `)`"));
        }
    }
    Ok(())
}

/// The collation that a path names; `None` for the type's own.
pub(super) fn collation(loader: &Loader, path: Path) -> Option<QualifiedName> {
    let name = loader.collation_name(path);
    (name != QualifiedName::new("pg_catalog", "default")).then_some(name)
}

/// `ALWAYS AS (…) STORED | VIRTUAL`, `ALWAYS | BY DEFAULT AS IDENTITY [(…)]`.
fn generated(cursor: &mut Cursor<'_>, loader: &Loader, new: &mut NewColumn) -> Read<()> {
    let is_expression = cursor.tokens().get(2).is_some_and(|token| token.is_symbol(b'('));
    if is_expression && cursor.eat_all(&["ALWAYS", "AS"]) {
        let expression = cursor.parenthesized()?.expression()?;
        let stored = cursor.eat("STORED");
        cursor.eat("VIRTUAL");
        new.column.generated = Some(Generated { expression, stored });
        return Ok(());
    }
    let (always, sequence) = identity(cursor, loader)?;
    new.column.identity = Some(Identity { always, sequence: None });
    new.identity = Some(sequence);
    Ok(())
}

/// `ALWAYS | BY DEFAULT AS IDENTITY [(…)]`: whether always, and the options of its sequence.
pub(super) fn identity(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<(bool, NewSequence)> {
    let always = cursor.eat("ALWAYS");
    if !always {
        cursor.expect("BY")?;
        cursor.expect("DEFAULT")?;
    }
    cursor.expect("AS")?;
    cursor.expect("IDENTITY")?;
    let mut sequence = NewSequence::default();
    if let Some(mut options) = cursor.optional_parenthesized()? {
        sequence::options(&mut options, loader, &mut sequence)?;
        options.expect_end()?;
    }
    Ok((always, sequence))
}

/// The expression behind `DEFAULT` in a column: it ends where something else begins that may follow.
pub(super) fn default_expression(cursor: &mut Cursor<'_>) -> Read<SqlText> {
    let start = *cursor;
    loop {
        if cursor.is_done() {
            break;
        }
        let first = cursor.tokens().len() == start.tokens().len();
        let after_operator = start.up_to(cursor).ends_with_operator();
        let ends = cursor.at_any(&[
            "CONSTRAINT",
            "CHECK",
            "UNIQUE",
            "PRIMARY",
            "REFERENCES",
            "DEFERRABLE",
            "INITIALLY",
            "COLLATE",
            "DEFAULT",
        ]) || cursor.at_all(&["GENERATED", "ALWAYS"])
            || cursor.at_all(&["GENERATED", "BY"])
            || (cursor.at("NOT") && !start.up_to(cursor).ends_with_word("IS"))
            || (cursor.at("NULL") && !first && !after_operator);
        if ends {
            break;
        }
        cursor.take_nested();
    }
    start.up_to(cursor).expression()
}

/// Gives a `serial` or identity column its sequence.
pub(super) fn finish(loader: &mut Loader, table: &QualifiedName, new: NewColumn) -> (Column, Vec<NewConstraint>) {
    let NewColumn { mut column, serial, identity, constraints } = new;
    let line = column.line;
    let ty = &column.ty;
    let is_domain = ty.qualified().is_some_and(|name| loader.schema.domains.contains_key(&name));
    if ty.modifiers.is_empty() && !is_domain {
        column.default = column.default.filter(|default| !is_null(&default.text, ty));
    }
    if serial {
        let sequence = sequence::make_for_column(loader, table, &column.name, &column.ty, NewSequence::default(), line);
        column.default = Some(sequence::next_value(&sequence, line));
        column.not_null = true;
    }
    if let (Some(options), Some(identity)) = (identity, &mut column.identity) {
        identity.sequence = Some(sequence::make_for_column(loader, table, &column.name, &column.ty, options, line));
        column.not_null = true;
    }
    (column, constraints)
}

/// `NULL`, or a cast of it to the column's type: PostgreSQL does not keep such a default, unless the type has something to check.
fn is_null(default: &str, ty: &SqlType) -> bool {
    let cast = default.split_once("::").map(|(null, cast)| (null.trim(), cast.trim()));
    let null = match cast {
        Some((null, cast)) if cast.eq_ignore_ascii_case(&ty.to_string()) => null,
        Some(_) => return false,
        None => default,
    };
    null.eq_ignore_ascii_case("NULL")
}
