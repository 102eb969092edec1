//! The plans of what is a matter of the catalog alone: a constraint that goes, a default, a comment.

use super::{Begun, lock, step};
use crate::ident::quote_ident;
use crate::model::apply::constraint_columns;
use crate::model::rules::{CommentChange, DefaultChange, UnconstrainChange};
use crate::plan::carry::{exclusive, lock_tables};
use crate::plan::make::{Part, Planned};
use crate::plan::sql;
use crate::plan::{LockLevel, Mode, Phase};
use crate::schema::{ConstraintKind, SqlText};

const WAY: &str = "in place: a change of the catalog alone, which reads no row";

/// A constraint goes with the contract: until then old code relies on it, and rows that break it would keep it from coming back.
pub(super) fn unconstrain(part: &Part<'_>, unconstrain: &UnconstrainChange) -> Option<Planned> {
    let table = part.before.table(&unconstrain.table)?;
    let constraint = &unconstrain.constraint;
    let mut locks = vec![exclusive(&table.name)];
    // The referenced table first, as in every transaction that locks both (H25).
    if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind
        && *references != table.name
    {
        locks.insert(0, exclusive(references));
    }
    let mut planned = Planned::on(WAY, locks.iter().map(|lock| lock.table.clone()).rev().collect());
    let mut statements = lock_tables(&locks);
    statements.push(format!("alter table {} drop constraint {}", table.name.quoted(), quote_ident(&constraint.name)));
    let title = format!("drop the constraint {}", constraint.name);
    planned.steps.push(step("contract", title, Phase::Contracted, statements, locks));
    planned.notes.push(format!("until the contract, new code is held to {} as well", constraint.name));
    if constraint.kind.has_index() {
        planned.notes.push(format!(
            "the index behind {} goes with it: queries that look for {} by it, and ON CONFLICT on it, need another one",
            constraint.name,
            constraint_columns(constraint).join(", ")
        ));
    }
    Some(planned)
}

/// A new default comes with dual-writing, because new code relies on it from there on; one that goes, goes with the contract, because old
/// code relies on it until then.
pub(super) fn default(part: &Part<'_>, default: &DefaultChange) -> Option<Planned> {
    let table = &part.before.table(&default.table)?.name;
    let alter = format!("alter table {} alter column {}", table.quoted(), quote_ident(&default.column));
    let set = |default: &Option<SqlText>| match default {
        Some(default) => format!("{alter} set default {}", default.text),
        None => format!("{alter} drop default"),
    };
    let mut planned = Planned::on(WAY, vec![table.clone()]);
    let locks = || vec![exclusive(table)];
    let Some(after) = &default.after else {
        let title = format!("drop the default of {}", default.column);
        planned.steps.push(step("contract", title, Phase::Contracted, vec![set(&None)], locks()));
        planned.notes.push(format!("until the contract, an INSERT without {} gets the default", default.column));
        return Some(planned);
    };
    let begun = Begun::new(part, table, &default.column);
    let title = format!("{} is the default of {}", after.text, default.column);
    let statements = begun.make().into_iter().chain([set(&default.after)]).collect();
    let mut setting = step("default", title, Phase::DualWriting, statements, locks());
    setting.undo = vec![begun.undo(&[set(&default.before), begun.drop()], Mode::Transaction, exclusive(table))];
    planned.steps.push(setting);
    let title = "nothing is left to take back".to_owned();
    planned.steps.push(step("contract", title, Phase::Contracted, vec![begun.drop()], locks()));
    planned.notes.push(format!(
        "from phase {} on, an INSERT without {} gets the new default, in old code as well; rows that are there stay as they are",
        Phase::DualWriting.name(),
        default.column
    ));
    Some(planned)
}

/// A comment comes with the contract: nobody needs it before, and there is nothing to take back.
pub(super) fn comment(part: &Part<'_>, comment: &CommentChange) -> Option<Planned> {
    let table = &part.before.table(&comment.table)?.name;
    let (object, what) = match &comment.column {
        Some(column) => (format!("column {}.{}", table.quoted(), quote_ident(column)), format!("{table}.{column}")),
        None => (format!("table {}", table.quoted()), table.to_string()),
    };
    let mut planned = Planned::on(WAY, vec![table.clone()]);
    let statements = vec![sql::comment(&object, comment.comment.as_deref())];
    let locks = vec![lock(table, LockLevel::ShareUpdateExclusive)];
    planned.steps.push(step("contract", format!("say what {what} is"), Phase::Contracted, statements, locks));
    Some(planned)
}
