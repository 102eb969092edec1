//! `sql { … }`: what is known of statements that are the user's own.

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::{CustomPart, Shape};
use crate::plan::{Lock, LockLevel, Mode, Phase};
use crate::schema::load;
use crate::sql::token::{self, TokenKind};
use crate::sql::tree;
use crate::syntax::{Literal, Sql, SqlPart};

use super::listed;
use super::lookup::{self, Surroundings};

fn phase(part: &SqlPart) -> Phase {
    match part.phase.text.as_str() {
        "expand" => Phase::Expanded,
        "dual_write" => Phase::DualWriting,
        "validate" => Phase::Validated,
        _ => Phase::Contracted,
    }
}

/// The phases stand in the order in which they run, so that a change reads as what happens; and there is something to run.
pub fn is_in_order(tree: &Sql, errors: &mut Errors) {
    if tree.parts.is_empty() {
        errors.push(
            Diagnostic::new(tree.keyword, "`sql` without any statement")
                .help("write `sql { expand \"…\" undo \"…\" locks nothing }`"),
        );
    }
    for (earlier, later) in tree.parts.iter().zip(tree.parts.iter().skip(1)) {
        if phase(later) < phase(earlier) {
            errors.push(
                Diagnostic::new(
                    later.phase.span,
                    format!("`{}` stands behind `{}`", later.phase.text, earlier.phase.text),
                )
                .note("the phases run in the order `expand`, `dual_write`, `validate`, `contract`")
                .help(format!("put it before `{}`", earlier.phase.text)),
            );
        }
    }
}

/// A rollback has to know what to do, or that there is nothing that it could do.
pub fn is_reversible_or_says_so(tree: &Sql, errors: &mut Errors) {
    let mut undone = 0;
    for part in &tree.parts {
        match (&part.undo, phase(part)) {
            (Some(undo), Phase::Contracted) => errors.push(
                Diagnostic::new(undo.span, "the contract is not taken back")
                    .note("what can be taken back belongs to an earlier phase")
                    .help("leave `undo` out, or run the statements in `validate`"),
            ),
            (None, Phase::Contracted) => {}
            (Some(_), _) => undone += 1,
            (None, _) if tree.irreversible.is_none() => errors.push(
                Diagnostic::new(part.phase.span, format!("nothing takes back what `{}` does", part.phase.text))
                    .note("`rollback` works from every phase before the contract")
                    .help("add `undo \"…\"`; it must also work where only a part was done: `drop … if exists`")
                    .help("or run it in `contract`, from where there is no way back")
                    .help("or add the entry `irreversible`, which every listing of the change shows"),
            ),
            (None, _) => {}
        }
    }
    let needs_undo = tree.parts.iter().filter(|part| phase(part) < Phase::Contracted).count();
    if let Some(span) = tree.irreversible
        && undone == needs_undo
    {
        errors.push(
            Diagnostic::new(span, "everything here can be taken back")
                .note("each phase before the contract has its `undo`")
                .help("leave `irreversible` out"),
        );
    }
}

/// One phase's statements, with what they need.
pub fn part(
    part: &SqlPart,
    tree: &Sql,
    shape: &Shape,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<CustomPart> {
    let found = errors.len();
    let statements = statements(&part.statements, &part.phase.text, errors)?;
    let undo = match &part.undo {
        Some(undo) => statements_in_transaction(undo, errors)?,
        None => Vec::new(),
    };
    match part.outside {
        Some(_) => is_only_outside(&statements, part, errors),
        None => is_fit_for_transaction(&statements, part, errors),
    }
    for (literal, statement) in
        statements.iter().map(|s| (&part.statements, s)).chain(undo.iter().zip(&part.undo).map(|(s, l)| (l, s)))
    {
        drops_without_cascade(literal, statement, errors);
    }
    let locks = locks(part, tree, shape, around, errors)?;
    let mode = if part.outside.is_some() { Mode::Outside } else { Mode::Transaction };
    (errors.len() == found).then_some(CustomPart { phase: phase(part), statements, undo, locks, mode })
}

/// The statements in a string, each of which must be SQL.
fn statements(literal: &Literal, keyword: &str, errors: &mut Errors) -> Option<Vec<String>> {
    let split = match load::statements(&literal.value) {
        Ok(statements) => statements,
        Err(mistakes) => {
            for mistake in mistakes {
                errors.push(Diagnostic::new(literal.span, format!("invalid SQL in `{keyword}`: {mistake}")));
            }
            return None;
        }
    };
    if split.is_empty() {
        errors.push(
            Diagnostic::new(literal.span, format!("`{keyword}` without any statement"))
                .help("write one, or leave it out"),
        );
        return None;
    }
    let wrong = split.iter().find(|statement| tree::is_sql(statement) == Some(false));
    if let Some(statement) = wrong {
        let first_line = statement.lines().next().unwrap_or_default();
        errors.push(
            Diagnostic::new(literal.span, format!("invalid SQL in `{keyword}`: `{first_line}` is no statement"))
                .note("statements stand with `;` between them, as for psql, but without its own commands"),
        );
        return None;
    }
    Some(split)
}

fn statements_in_transaction(undo: &Literal, errors: &mut Errors) -> Option<Vec<String>> {
    let statements = statements(undo, "undo", errors)?;
    match statements.iter().find_map(|statement| outside_only(statement)) {
        Some(what) => {
            errors.push(
                Diagnostic::new(undo.span, format!("`undo` cannot have {what}"))
                    .note("it runs in a transaction, together with the ledger's record of it")
                    .help("write the plain form: what the change made is in nobody's way yet"),
            );
            None
        }
        None => Some(statements),
    }
}

/// The words of a statement, in small letters, without quoted names and strings.
fn words(statement: &str) -> Vec<String> {
    let tokens = token::tokens(statement).into_iter().filter(|token| token.kind == TokenKind::Word);
    tokens.map(|token| token.text(statement).to_ascii_lowercase()).collect()
}

/// What of a statement cannot run in a transaction.
fn outside_only(statement: &str) -> Option<String> {
    let words = words(statement);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let concurrently = words.contains(&"concurrently") && words.first() != Some(&"refresh");
    match words.as_slice() {
        ["vacuum", ..] => Some("`VACUUM`".to_owned()),
        ["create" | "drop" | "alter", kind @ ("database" | "tablespace" | "system" | "subscription"), ..] => {
            Some(format!("`{} {}`", words.first()?.to_uppercase(), kind.to_uppercase()))
        }
        _ if concurrently => Some("`CONCURRENTLY`".to_owned()),
        _ => None,
    }
}

fn has_in_a_row(statement: &str, row: &[&str]) -> bool {
    words(statement).windows(row.len()).any(|window| window.iter().map(String::as_str).eq(row.iter().copied()))
}

/// What must not be in one transaction, or in any (H26, H27).
fn is_fit_for_transaction(statements: &[String], part: &SqlPart, errors: &mut Errors) {
    let span = part.statements.span;
    if let Some(what) = statements.iter().find_map(|statement| outside_only(statement)) {
        errors.push(
            Diagnostic::new(span, format!("{what} cannot run in a transaction"))
                .note("the statements of a phase run in one transaction, together with the ledger's record of them")
                .help("add `outside transaction` behind the string"),
        );
    }
    controls_no_transaction(statements, part, errors);
    let adds = statements.iter().any(|statement| has_in_a_row(statement, &["not", "valid"]));
    let validates = statements.iter().any(|statement| has_in_a_row(statement, &["validate", "constraint"]));
    if adds && validates {
        errors.push(
            Diagnostic::new(span, "NOT VALID and VALIDATE in one transaction")
                .note("the strong lock of the first is kept while the second reads the whole table: nobody could write it meanwhile")
                .help("add the constraint in `dual_write`, and validate it in `validate`"),
        );
    }
}

fn controls_no_transaction(statements: &[String], part: &SqlPart, errors: &mut Errors) {
    const CONTROL: [&str; 7] = ["begin", "commit", "end", "rollback", "abort", "savepoint", "start"];
    let first = |statement: &String| words(statement).into_iter().next().unwrap_or_default();
    if let Some(word) = statements.iter().map(first).find(|word| CONTROL.contains(&word.as_str())) {
        errors.push(
            Diagnostic::new(part.statements.span, format!("`{}` has no place here", word.to_uppercase()))
                .note("each phase's statements run in a transaction of their own, which is committed with the ledger's record of them")
                .help("leave it out"),
        );
    }
}

/// Outside of a transaction a statement that was cut off runs again.
fn is_only_outside(statements: &[String], part: &SqlPart, errors: &mut Errors) {
    controls_no_transaction(statements, part, errors);
    for statement in statements {
        let words = words(statement);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["create", "index", "concurrently", ..] | ["create", "unique", "index", "concurrently", ..] =
            words.as_slice()
        {
            errors.push(
                Diagnostic::new(part.statements.span, "an index has a word of its own")
                    .note("a build that is cut off leaves an invalid index behind, which has to be found and dropped before the next try")
                    .help("write `create index on <table> (<column>);` as an operation beside `sql`"),
            );
        }
        if outside_only(statement).is_none() {
            let first_line = statement.lines().next().unwrap_or_default();
            errors.push(
                Diagnostic::new(part.statements.span, format!("`{first_line}` can run in a transaction"))
                    .note("outside of one, a statement that was cut off after its effect would run again")
                    .help("put it into a phase's entry of its own, without `outside transaction`"),
            );
        }
    }
}

/// What goes is named (H67).
fn drops_without_cascade(literal: &Literal, statement: &str, errors: &mut Errors) {
    let words = words(statement);
    let cascades = words.windows(2).any(|pair| pair[1] == "cascade" && pair[0] != "delete" && pair[0] != "update");
    if cascades {
        errors.push(
            Diagnostic::new(literal.span, "`CASCADE` drops what nobody named")
                .note("views, foreign keys and columns of others go with it, without a word")
                .help("drop each of these by its name, before what they hang on"),
        );
    }
}

/// What the statements lock is for people to weigh, and only their author knows.
fn locks(
    part: &SqlPart,
    tree: &Sql,
    shape: &Shape,
    around: &Surroundings<'_>,
    errors: &mut Errors,
) -> Option<Vec<Lock>> {
    let Some(declared) = &part.locks else {
        errors.push(
            Diagnostic::new(part.phase.span, format!("`{}` does not say what it locks", part.phase.text))
                .note("the plan shows it to whoever reviews the change, and in a transaction it is checked before the commit")
                .help("add `locks users access exclusive`, or `locks nothing` for statements that hold nobody up"),
        );
        return None;
    };
    let mut locks: Vec<Lock> = Vec::new();
    for lock in declared {
        let name = lookup::qualified(&lock.table);
        // A table that an earlier phase of the same change made is there by then.
        let is_made = tree.parts.iter().any(|part| token::names(&part.statements.value).contains(&name.name));
        let table = match shape.table(&name) {
            Some(table) => Some(table.name.clone()),
            None if is_made => Some(name),
            None => lookup::table(&lock.table, shape, around, errors).map(|table| table.name.clone()),
        };
        let level = LockLevel::from_name(&lock.level.to_ascii_uppercase());
        if level.is_none() {
            errors.push(Diagnostic::new(lock.span, format!("unknown lock `{}`", lock.level)).note(format!(
                "PostgreSQL's table locks are {}",
                listed(LockLevel::ALL.map(|level| level.name().to_lowercase()))
            )));
        }
        locks.push(Lock { table: table?, level: level?, scans: false });
    }
    Some(locks)
}
