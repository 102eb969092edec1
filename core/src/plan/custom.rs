//! The plans of labels of enum types, and of anything else in the user's own words.

use super::make::{Part, Planned};
use super::sql::{self, Block, anonymous};
use super::{Action, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_literal};
use crate::model::{AddLabel, Custom, CustomPart};

/// A label cannot be taken back, and old code cannot read it. So it comes with the contract.
pub(super) fn add_label(add: &AddLabel) -> Planned {
    let way = "in place: with the contract, because PostgreSQL cannot take a label back";
    let mut planned = Planned::on(way, Vec::new());
    let place = match &add.beside {
        Some((true, label)) => format!(" before {}", quote_literal(label)),
        Some((false, label)) => format!(" after {}", quote_literal(label)),
        None => String::new(),
    };
    planned.steps.push(Step {
        id: "contract".to_owned(),
        title: format!("add the label {} to {}", add.label, add.ty),
        phase: Phase::Contracted,
        action: Action {
            statements: vec![format!("alter type {} add value {}{place}", add.ty.quoted(), quote_literal(&add.label))],
            mode: Mode::Transaction,
            locks: Vec::new(),
        },
        undo: Vec::new(),
        leftover: None,
    });
    planned.notes.push(format!(
        "code that writes {} fails until the contract; code that reads it must be there before",
        add.label
    ));
    planned
}

/// The user's statements, each phase with its undo; in a transaction what they lock is compared with what is declared.
pub(super) fn custom(part: &Part<'_>, custom: &Custom) -> Planned {
    let mut tables: Vec<QualifiedName> = Vec::new();
    for lock in custom.parts.iter().flat_map(|part| &part.locks) {
        if !tables.contains(&lock.table) {
            tables.push(lock.table.clone());
        }
    }
    let mut planned = Planned::on("as declared, statement by statement", tables.clone());
    for (n, declared) in custom.parts.iter().enumerate() {
        planned.steps.extend(steps(declared, n + 1, &tables));
    }
    if custom.irreversible {
        planned.irreversible = Some(format!("the declaration says so of `sql` in {}", part.change.name));
    }
    planned
}

fn steps(part: &CustomPart, n: usize, tables: &[QualifiedName]) -> Vec<Step> {
    let id = |m: usize| if m == 0 { format!("sql_{n}") } else { format!("sql_{n}_{}", m + 1) };
    let title = |statement: &String| statement.lines().next().unwrap_or_default().trim().to_owned();
    let undo = || {
        let mut statements = vec![sql::set_local_search_path(tables)];
        statements.extend(part.undo.iter().cloned());
        let undo = Action { statements, mode: Mode::Transaction, locks: part.locks.clone() };
        if part.undo.is_empty() { Vec::new() } else { vec![undo] }
    };
    if part.mode == Mode::Outside {
        // A step each, so that none runs again because the one behind it failed.
        let each = part.statements.iter().enumerate().map(|(m, statement)| Step {
            id: id(m),
            title: title(statement),
            phase: part.phase,
            action: Action { statements: vec![statement.clone()], mode: part.mode, locks: part.locks.clone() },
            undo: if m == 0 { undo() } else { Vec::new() },
            leftover: None,
        });
        return each.collect();
    }
    let mut statements = vec![sql::set_local_search_path(tables)];
    statements.extend(part.statements.iter().cloned());
    statements.push(only_declared_locks(&part.locks));
    vec![Step {
        id: id(0),
        title: part.statements.first().map(title).unwrap_or_default(),
        phase: part.phase,
        action: Action { statements, mode: part.mode, locks: part.locks.clone() },
        undo: undo(),
        leftover: None,
    }]
}

/// Stops where this transaction holds a stronger lock on a table than was declared: who reviewed the declaration did not know of it. Tables
/// that it made itself are nobody else's yet.
fn only_declared_locks(locks: &[Lock]) -> String {
    let rank = |level: LockLevel| LockLevel::ALL.iter().position(|known| *known == level).unwrap_or_default();
    let modes: Vec<String> = LockLevel::ALL
        .into_iter()
        .filter(|level| *level >= LockLevel::ShareUpdateExclusive)
        .map(|level| {
            format!("({}, {}, {})", quote_literal(catalog_name(level)), rank(level), quote_literal(level.name()))
        })
        .collect();
    let declared: Vec<String> = locks
        .iter()
        .map(|lock| {
            let table = quote_literal(&lock.table.quoted());
            format!("(pg_catalog.to_regclass({table})::oid, {})", rank(lock.level))
        })
        .chain(["(0::oid, 0)".to_owned()])
        .collect();
    let mut body = Block::default();
    body.open("declare").line("found text;").branch("begin");
    body.line(
        "select pg_catalog.string_agg(distinct held.name || ' on ' || l.relation::regclass::text, ', ') into found",
    )
    .line("from pg_catalog.pg_locks l")
    .line(format!("join (values {}) as held (mode, rank, name) on held.mode = l.mode", modes.join(", ")))
    .line("join pg_catalog.pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'm', 'f')")
    .line("join pg_catalog.pg_attribute made on made.attrelid = c.oid and made.attname = 'tableoid'")
    .line(format!(
        "left join (values {}) as declared (relation, rank) on declared.relation = l.relation",
        declared.join(", ")
    ))
    .line("where l.pid = pg_catalog.pg_backend_pid() and l.locktype = 'relation' and l.granted")
    .line("  and c.relnamespace <> 'pg_catalog'::regnamespace and made.xmin <> pg_catalog.pg_current_xact_id()::xid")
    .line("  and held.rank > coalesce(declared.rank, -1);")
    .open("if found is not null then")
    .line(format!(
        "raise exception using message = {} || found || {},",
        quote_literal("these statements lock "),
        quote_literal(", which is not declared")
    ))
    .line(format!(
        "  hint = {};",
        quote_literal("Say what they lock behind `locks`, so that whoever reads the plan knows.")
    ))
    .close("end if;")
    .close("end");
    anonymous(body)
}

/// As `pg_locks` spells it.
fn catalog_name(level: LockLevel) -> &'static str {
    match level {
        LockLevel::AccessShare => "AccessShareLock",
        LockLevel::RowShare => "RowShareLock",
        LockLevel::RowExclusive => "RowExclusiveLock",
        LockLevel::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
        LockLevel::Share => "ShareLock",
        LockLevel::ShareRowExclusive => "ShareRowExclusiveLock",
        LockLevel::Exclusive => "ExclusiveLock",
        LockLevel::AccessExclusive => "AccessExclusiveLock",
    }
}
