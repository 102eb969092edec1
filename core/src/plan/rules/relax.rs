//! The plan that makes a column nullable: a change of the catalog alone. What costs is the way back.

use super::mend::over;
use super::{Begun, step};
use crate::ident::{object_name, quote_ident};
use crate::model::rules::RelaxChange;
use crate::plan::carry::exclusive;
use crate::plan::columns_sync::restore_not_null;
use crate::plan::make::{Part, Planned};
use crate::plan::sql;
use crate::plan::{Action, Lock, LockLevel, Mode, Phase};
use crate::schema::{Column, Table};
use crate::sql::Expression;

pub(super) fn plan(part: &Part<'_>, relax: &RelaxChange) -> Option<Planned> {
    let table = part.before.table(&relax.table)?;
    let column = table.column(&relax.column)?;
    let drop = format!("alter table {} alter column {} drop not null", table.name.quoted(), quote_ident(&column.name));
    let mut planned =
        Planned::on("in place: a change of the catalog alone, which reads no row", vec![table.name.clone()]);
    let title = format!("let {} be null", relax.column);
    let lock = || vec![exclusive(&table.name)];
    let Some(backward) = &relax.early else {
        planned.steps.push(step("contract", title, Phase::Contracted, vec![drop], lock()));
        planned.notes.push(format!("until the contract, a write that makes {} null fails", relax.column));
        return Some(planned);
    };
    let begun = Begun::new(part, &table.name, &relax.column);
    let mut relaxing =
        step("relax", title, Phase::DualWriting, begun.make().into_iter().chain([drop]).collect(), lock());
    relaxing.undo = undo(part, table, column, backward, &begun);
    planned.steps.push(relaxing);
    let title = "nothing is left to take back".to_owned();
    planned.steps.push(step("contract", title, Phase::Contracted, vec![begun.drop()], lock()));
    planned.notes.push(format!(
        "from phase {} on, old code may read a NULL that new code wrote in {}",
        Phase::DualWriting.name(),
        relax.column
    ));
    planned.notes.push(format!(
        "a rollback puts {} in place of each NULL, in one statement that reads the whole table",
        backward.code()
    ));
    Some(planned)
}

/// NOT NULL again: first no new NULL comes, then those that are there go, and then it is proved.
fn undo(part: &Part<'_>, table: &Table, column: &Column, backward: &Expression, begun: &Begun<'_>) -> Vec<Action> {
    let mut actions: Vec<Action> = restore_not_null(&table.name, &column.name, &part.own)
        .into_iter()
        .map(|action| Action {
            statements: vec![sql::while_constrained(&table.name, &begun.name, &action.statements)],
            ..action
        })
        .collect();
    let quoted = quote_ident(&column.name);
    let fill = format!(
        "update {} set {quoted} = ({}) where {}",
        table.name.quoted(),
        over(backward, ""),
        part.is_null(column, &quoted)
    );
    let writing = Lock { table: table.name.clone(), level: LockLevel::RowExclusive, scans: true };
    actions.insert(1, begun.undo(&[fill], Mode::LongTransaction, writing));
    let mut last = Vec::new();
    // PostgreSQL 18 keeps NOT NULL under a name, which came back as the one that it chooses.
    let chosen = object_name(&table.name.name, Some(&column.name), "not_null");
    if let Some(own) = &column.not_null_name
        && *own != chosen
    {
        let rename = format!(
            "alter table {} rename constraint {} to {}",
            table.name.quoted(),
            quote_ident(&chosen),
            quote_ident(own)
        );
        last.push(sql::while_constrained(&table.name, &chosen, &[rename]));
    }
    last.push(sql::while_constrained(&table.name, &begun.name, &[begun.drop()]));
    actions.push(Action { statements: last, mode: Mode::Transaction, locks: vec![exclusive(&table.name)] });
    actions
}
