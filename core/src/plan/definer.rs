//! Functions that keep two tables in step with the rights of their owner, and the triggers that call them.

use super::BACKFILL_SETTING;
use super::make::{Part, search_path};
use super::sql::{self, Block, anonymous, create_function};
use crate::ident::{QualifiedName, quote_ident, quote_literal};

/// A trigger of ours.
pub(super) struct Trigger {
    pub(super) name: String,
    pub(super) table: QualifiedName,
    /// From `before` or `after` up to the table's name.
    pub(super) events: String,
    /// What follows the table's name.
    pub(super) conditions: String,
    pub(super) function: QualifiedName,
    /// A deferred constraint trigger.
    pub(super) constraint: bool,
}

impl Trigger {
    fn object(&self) -> String {
        format!("trigger {} on {}", quote_ident(&self.name), self.table.quoted())
    }

    fn create(&self) -> String {
        format!(
            "create {}trigger {} {} on {}\n{}\nexecute function {}()",
            if self.constraint { "constraint " } else { "" },
            quote_ident(&self.name),
            self.events,
            self.table.quoted(),
            self.conditions,
            self.function.quoted()
        )
    }
}

/// Functions of one change that write both tables.
pub(super) fn create_functions(
    part: &Part<'_>,
    tables: [&QualifiedName; 2],
    bodies: impl IntoIterator<Item = (QualifiedName, Block)>,
) -> Vec<String> {
    let path = format!("set search_path = {}", sql::names(&path(part, tables)));
    let attributes = ["security definer".to_owned(), path];
    let mut names = Vec::new();
    let mut statements = Vec::new();
    for (name, body) in bodies {
        statements.push(create_function(&name, "", "trigger", &attributes, body));
        statements.push(sql::mark(&format!("function {}()", name.quoted()), &part.change.name));
        names.push(name);
    }
    statements.push(hand_over(tables[0], &names));
    statements
}

/// SECURITY DEFINER without a pinned path writes into whatever a caller put in front of it (H42). All names of ours are qualified; those in
/// triggers of the user's own, which fire for what we write, may not be.
fn path(part: &Part<'_>, tables: [&QualifiedName; 2]) -> Vec<String> {
    let has_triggers = |name: &QualifiedName| part.before.table(name).is_some_and(|table| !table.triggers.is_empty());
    if tables.into_iter().any(has_triggers) {
        search_path(&tables.map(Clone::clone))
    } else {
        ["pg_catalog", "pg_temp"].map(str::to_owned).to_vec()
    }
}

/// Functions that a superuser made would run as one: they get the rights of the table's owner. Anybody else who may alter the table has
/// those rights already.
fn hand_over(table: &QualifiedName, functions: &[QualifiedName]) -> String {
    let functions: Vec<String> = functions.iter().map(|name| quote_literal(&format!("{}()", name.quoted()))).collect();
    let mut body = Block::default();
    body.open("declare").line("owner name;").line("function regprocedure;").branch("begin");
    body.line("select pg_catalog.pg_get_userbyid(c.relowner) into strict owner");
    body.line(format!("  from pg_catalog.pg_class c where c.oid = {}::regclass;", quote_literal(&table.quoted())));
    body.open("if owner <> current_user and pg_catalog.current_setting('is_superuser') = 'on' then");
    body.open(format!("foreach function in array array[{}]::regprocedure[] loop", functions.join(", ")));
    body.line("execute format('alter function %s owner to %I', function, owner);");
    body.close("end loop;").close("end if;").close("end");
    anonymous(body)
}

/// Stops where two tables have different owners: the functions have the rights of one, and write both.
pub(super) fn one_owner(one: &QualifiedName, other: &QualifiedName) -> String {
    let owner = |table: &QualifiedName| {
        let table = quote_literal(&table.quoted());
        format!("(select c.relowner from pg_catalog.pg_class c where c.oid = {table}::regclass)")
    };
    let message = format!("{one} and {other} have different owners");
    let hint = "The triggers that keep them in step run with the rights of one owner. Give both tables the same one: alter table … owner to …";
    let mut body = Block::default();
    body.open("begin");
    body.open(format!("if {} <> {} then", owner(one), owner(other)));
    body.line(format!("raise exception using message = {},", quote_literal(&message)));
    body.line(format!("  hint = {};", quote_literal(hint)));
    body.close("end if;").close("end");
    anonymous(body)
}

/// True outside of the operation's own backfill, or (`backfilling`) within it.
pub(super) fn in_backfill(part: &Part<'_>, backfilling: bool) -> String {
    let setting = format!("pg_catalog.current_setting({}, true)", quote_literal(BACKFILL_SETTING));
    let operator = if backfilling { "=" } else { "is distinct from" };
    format!("{setting} {operator} {}", quote_literal(&part.own))
}

pub(super) fn create_triggers(part: &Part<'_>, triggers: &[Trigger]) -> Vec<String> {
    triggers.iter().flat_map(|trigger| [trigger.create(), sql::mark(&trigger.object(), &part.change.name)]).collect()
}

/// Works also where they were not all made.
pub(super) fn undo_statements(triggers: &[Trigger], functions: &[QualifiedName]) -> Vec<String> {
    let drop = |trigger: &Trigger| {
        format!("drop trigger if exists {} on {}", quote_ident(&trigger.name), trigger.table.quoted())
    };
    let functions = functions.iter().map(|name| format!("drop function if exists {}()", name.quoted()));
    triggers.iter().map(drop).chain(functions).collect()
}

/// For the contract: triggers before the functions that they call, both before the columns that those name (H32).
pub(super) fn drop_statements(triggers: &[Trigger], functions: &[QualifiedName]) -> Vec<String> {
    let drop = |trigger: &Trigger| format!("drop trigger {} on {}", quote_ident(&trigger.name), trigger.table.quoted());
    triggers.iter().map(drop).chain(functions.iter().map(|name| format!("drop function {}()", name.quoted()))).collect()
}
