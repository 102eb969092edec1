//! The plans of tables that come, go, and change their names.

use super::carry::{exclusive, lock_tables};
use super::columns::copy_column_privileges;
use super::make::{Part, Planned, names_word};
use super::new_table::copy_owner_and_privileges;
use super::{Action, Lock, LockLevel, Mode, Phase, Step, sql};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::{AddTable, DropTable, RenameTable};
use crate::schema::{ConstraintKind, Table};

/// Nobody knows the table before it is there, so it is made at once and as it was written.
pub(super) fn add(part: &Part<'_>, add: &AddTable) -> Option<Planned> {
    let name = &add.table.name;
    let mut planned = Planned::on("in place: a new table, made as it is written", vec![name.clone()]);
    // A reference to another table holds up its writers, for as long as the transaction lasts.
    let locks: Vec<Lock> = references(&add.table)
        .into_iter()
        .map(|table| Lock { table, level: LockLevel::ShareRowExclusive, scans: false })
        .collect();
    let mut statements = lock_tables(&locks);
    statements.push(sql::set_local_search_path([name]));
    statements.extend(add.statements.iter().cloned());
    statements.push(sql::mark(&format!("table {}", name.quoted()), &part.change.name));
    planned.steps.push(Step {
        id: "add_table".to_owned(),
        title: format!("create {name}"),
        phase: Phase::Expanded,
        action: Action { statements, mode: Mode::Transaction, locks },
        undo: vec![Action {
            statements: vec![
                sql::refuse_unless_marked(name, None, &part.change.name),
                format!("drop table if exists {}", name.quoted()),
            ],
            mode: Mode::Transaction,
            locks: dropping(&add.table),
        }],
        leftover: None,
    });
    planned.steps.push(Step {
        id: "contract".to_owned(),
        title: format!("say that {name} is here to stay"),
        phase: Phase::Contracted,
        action: Action {
            statements: vec![sql::comment(&format!("table {}", name.quoted()), add.table.comment.as_deref())],
            mode: Mode::Transaction,
            locks: vec![Lock { table: name.clone(), level: LockLevel::ShareUpdateExclusive, scans: false }],
        },
        undo: Vec::new(),
        leftover: None,
    });
    if add.table.grants.is_empty() {
        planned.notes.push(format!(
            "only the owner of {name} can use it, unless ALTER DEFAULT PRIVILEGES says otherwise: add `grant … on {name} to …` to its statements"
        ));
    }
    planned.notes.push(format!("a rollback drops {name} with what was written to it"));
    Some(planned)
}

/// What cannot come back goes with the contract.
pub(super) fn drop(part: &Part<'_>, drop: &DropTable) -> Option<Planned> {
    let table = part.before.table(&drop.table)?;
    let way = "in place: new code does without the table, and it stays as it is until the contract";
    let mut tables = vec![drop.table.clone()];
    tables.extend(references(table));
    let mut planned = Planned::on(way, tables);
    let locks = dropping(table);
    let mut statements = lock_tables(&locks);
    statements.push(format!("drop table {}", drop.table.quoted()));
    planned.steps.push(Step {
        id: "contract".to_owned(),
        title: format!("drop {} with all its rows", drop.table),
        phase: Phase::Contracted,
        action: Action { statements, mode: Mode::Transaction, locks },
        undo: Vec::new(),
        leftover: None,
    });
    planned.notes.extend(named_in_functions(part, &drop.table));
    Some(planned)
}

/// The new name is an updatable view until the contract puts the table in its place.
pub(super) fn rename(part: &Part<'_>, rename: &RenameTable) -> Option<Planned> {
    let (from, to) = (&rename.from, &rename.to);
    let table = part.before.table(from)?;
    let way = "view: the new name is a view of the table until the contract, and no row is copied";
    let mut planned = Planned::on(way, vec![from.clone()]);
    let columns: Vec<String> = table.columns.iter().map(|column| quote_ident(&column.name)).collect();
    let with = if rename.security_invoker { " with (security_invoker = true)" } else { "" };
    let mut statements = vec![
        format!("create view {}{with} as\nselect {}\nfrom {}", to.quoted(), columns.join(", "), from.quoted()),
        copy_owner_and_privileges(from, to),
    ];
    for column in &table.columns {
        statements.push(copy_column_privileges(from, std::slice::from_ref(&column.name), to, &column.name));
    }
    statements.push(sql::mark(&format!("view {}", to.quoted()), &part.change.name));
    planned.steps.push(Step {
        id: "create_view".to_owned(),
        title: format!("make {to} a view of {from}, with its owner and its privileges"),
        phase: Phase::Expanded,
        action: Action { statements, mode: Mode::Transaction, locks: Vec::new() },
        undo: vec![Action {
            statements: vec![
                sql::refuse_unless_marked(to, None, &part.change.name),
                format!("drop view if exists {}", to.quoted()),
            ],
            mode: Mode::Transaction,
            locks: Vec::new(),
        }],
        leftover: None,
    });
    let locks = vec![exclusive(from)];
    let mut statements = lock_tables(&locks);
    statements.push(format!("drop view {}", to.quoted()));
    statements.push(format!("alter table {} rename to {}", from.quoted(), quote_ident(&to.name)));
    planned.steps.push(Step {
        id: "contract".to_owned(),
        title: format!("put the table in the place of the view {to}"),
        phase: Phase::Contracted,
        action: Action { statements, mode: Mode::Transaction, locks },
        undo: Vec::new(),
        leftover: None,
    });
    planned.notes.push(format!(
        "until the contract {to} is a view: COPY into it, TRUNCATE, MERGE (before PostgreSQL 17) and references to it do not work"
    ));
    planned.notes.push(format!("constraints, indexes and sequences of {from} keep their names"));
    planned.notes.extend(named_in_functions(part, from));
    Some(planned)
}

/// The other tables that foreign keys of a table reference.
fn references(table: &Table) -> Vec<QualifiedName> {
    let mut found: Vec<QualifiedName> = Vec::new();
    for constraint in &table.constraints {
        if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind
            && *references != table.name
            && !found.contains(references)
        {
            found.push(references.clone());
        }
    }
    found
}

/// With a table go its foreign keys, for which PostgreSQL locks what they reference.
fn dropping(table: &Table) -> Vec<Lock> {
    references(table).iter().chain([&table.name]).map(exclusive).collect()
}

fn named_in_functions(part: &Part<'_>, table: &QualifiedName) -> Vec<String> {
    let functions = part.before.schema().functions.iter();
    let naming = functions.filter(|function| names_word(&function.body, &table.name));
    naming
        .map(|function| {
            format!(
                "function {} (line {}) names {table} in its text: if it means this table, it fails after the contract",
                function.name, function.line
            )
        })
        .collect()
}
