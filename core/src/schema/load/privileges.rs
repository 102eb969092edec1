//! `GRANT` and `REVOKE`, as far as they concern tables and columns.

use super::cursor::{Cursor, Path, Read};
use super::loader::Loader;
use crate::ident::QualifiedName;
use crate::schema::{Grant, Table};

/// What `ALL` means for a table. `MAINTAIN`, which PostgreSQL 17 added, is left out: older servers refuse it.
const ALL_ON_TABLES: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

/// A privilege as written, with the columns it is for.
struct Privilege {
    name: String,
    columns: Vec<String>,
}

/// `GRANT`, from behind that word on.
pub(super) fn grant(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let Some((privileges, tables)) = subject(cursor, loader)? else { return Ok(()) };
    cursor.expect("TO")?;
    let roles = roles(cursor, &["WITH", "GRANTED"])?;
    let with_grant_option = cursor.eat_all(&["WITH", "GRANT", "OPTION"]);
    granted_by(cursor)?;
    cursor.expect_end()?;
    for table in tables {
        let Some(table) = loader.table_mut(&table) else { continue };
        for role in &roles {
            for Privilege { name, columns } in &privileges {
                let grant = Grant {
                    privilege: name.clone(),
                    columns: columns.clone(),
                    role: role.clone(),
                    with_grant_option,
                    line,
                };
                table.grants.retain(|known| !is_covered(known, &grant));
                table.grants.push(grant);
            }
        }
    }
    Ok(())
}

/// Whether a new grant says all that a known one does.
fn is_covered(known: &Grant, new: &Grant) -> bool {
    known.privilege == new.privilege
        && known.role == new.role
        && known.columns == new.columns
        && new.with_grant_option >= known.with_grant_option
}

/// `REVOKE`, from behind that word on.
pub(super) fn revoke(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    let only_option = cursor.eat_all(&["GRANT", "OPTION", "FOR"]);
    let Some((privileges, tables)) = subject(cursor, loader)? else { return Ok(()) };
    cursor.expect("FROM")?;
    let roles = roles(cursor, &["CASCADE", "RESTRICT", "GRANTED"])?;
    granted_by(cursor)?;
    if !cursor.eat("CASCADE") {
        cursor.eat("RESTRICT");
    }
    cursor.expect_end()?;
    for table in tables {
        let Some(table) = loader.table_mut(&table) else { continue };
        for role in &roles {
            for privilege in &privileges {
                revoke_one(table, privilege, role, only_option);
            }
        }
    }
    Ok(())
}

fn revoke_one(table: &mut Table, privilege: &Privilege, role: &str, only_option: bool) {
    // To take one away from `ALL` leaves the others.
    if privilege.name != "ALL" {
        let all = table.grants.iter().position(|known| known.privilege == "ALL" && known.role == *role);
        if let Some(all) = all.map(|at| table.grants.remove(at)) {
            let each = ALL_ON_TABLES.iter().map(|&name| Grant { privilege: name.to_owned(), ..all.clone() });
            table.grants.extend(each);
        }
    }
    let meant = |known: &Grant| {
        known.role == *role
            && (privilege.name == "ALL" || known.privilege == privilege.name)
            // What is revoked from a table is revoked from its columns too.
            && (privilege.columns.is_empty() || !known.columns.is_empty())
    };
    for known in table.grants.iter_mut().filter(|known| meant(known)) {
        if only_option {
            known.with_grant_option = false;
        } else if privilege.columns.is_empty() {
            known.privilege.clear();
        } else {
            known.columns.retain(|column| !privilege.columns.contains(column));
            if known.columns.is_empty() {
                known.privilege.clear();
            }
        }
    }
    table.grants.retain(|known| !known.privilege.is_empty());
}

/// `SELECT (a), INSERT ON [TABLE] t, …`; `None` where it is about anything else than tables.
fn subject(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Option<(Vec<Privilege>, Vec<QualifiedName>)>> {
    let mut list = cursor.take_until(|cursor| cursor.at_any(&["ON", "TO", "FROM"]));
    // `GRANT role TO role`.
    if !cursor.eat("ON") {
        cursor.take_rest();
        return Ok(None);
    }
    let mut privileges = Vec::new();
    while let Some(mut item) = list.next_item() {
        let name = item.name()?.to_uppercase();
        item.eat("PRIVILEGES");
        // `ALTER SYSTEM`, of parameters.
        if item.peek().is_some() && !item.at_symbol(b'(') {
            cursor.take_rest();
            return Ok(None);
        }
        let columns = match item.optional_parenthesized()? {
            Some(columns) => columns.names()?,
            None => Vec::new(),
        };
        privileges.push(Privilege { name, columns });
    }
    let tables = if cursor.eat_all(&["ALL", "TABLES", "IN", "SCHEMA"]) {
        let schemas = names_until(cursor, &["TO", "FROM"])?;
        let tables = loader.schema.tables.keys().filter(|table| schemas.contains(&table.schema));
        tables.cloned().collect()
    } else if cursor.eat("TABLE") || !begins_other_kind(cursor) {
        let mut tables = Vec::new();
        loop {
            let path: Path = cursor.path()?;
            tables.push(loader.relation_name(path));
            if !cursor.eat_symbol(b',') {
                break;
            }
        }
        tables
    } else {
        cursor.take_rest();
        return Ok(None);
    };
    Ok(Some((privileges, tables)))
}

/// Whether the privileges are on something else than a table: two words follow, the kind and the name.
fn begins_other_kind(cursor: &Cursor<'_>) -> bool {
    let kinds = [
        "SEQUENCE",
        "DATABASE",
        "DOMAIN",
        "FOREIGN",
        "FUNCTION",
        "PROCEDURE",
        "ROUTINE",
        "LANGUAGE",
        "LARGE",
        "PARAMETER",
        "SCHEMA",
        "TABLESPACE",
        "TYPE",
        "ALL",
    ];
    cursor.at_any(&kinds)
        && cursor.peek_second().is_some_and(|next| next.name(cursor.source().text).is_some())
        && !cursor.peek_second().is_some_and(|next| cursor.is_word_at(next, "TO") || cursor.is_word_at(next, "FROM"))
}

fn names_until(cursor: &mut Cursor<'_>, stop: &[&str]) -> Read<Vec<String>> {
    cursor.take_until(|cursor| cursor.at_any(stop)).names()
}

/// `a, GROUP b, PUBLIC`.
fn roles(cursor: &mut Cursor<'_>, stop: &[&str]) -> Read<Vec<String>> {
    let mut list = cursor.take_until(|cursor| cursor.at_any(stop));
    let mut roles = Vec::new();
    while let Some(mut item) = list.next_item() {
        item.eat("GROUP");
        // The key word, in any case, not a role of that name.
        roles.push(if item.eat("PUBLIC") { "PUBLIC".to_owned() } else { item.name()? });
        item.expect_end()?;
    }
    Ok(roles)
}

fn granted_by(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.eat_all(&["GRANTED", "BY"]) {
        cursor.name()?;
    }
    Ok(())
}
