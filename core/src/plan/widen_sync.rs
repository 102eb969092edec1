//! The triggers that fill the wider columns. One way only: nothing but these triggers and the backfill writes them.

use super::carry::{drop_constraint_if_exists, exclusive};
use super::columns_sync::{RESTORE, has_update_triggers, last_firing_name};
use super::sql::{self, Block, create_function};
use super::widen::Widened;
use super::{Action, BACKFILL_SETTING, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_ident, quote_literal};

pub(super) struct Sync<'a> {
    pub(super) widened: &'a Widened<'a>,
}

/// The triggers, in the order in which they fire.
#[derive(Clone, Copy, PartialEq)]
enum Trigger {
    /// Puts back what the table's own BEFORE triggers (`updated_at`) changed on a row that the backfill updates.
    Restore,
    /// Fills the wider columns.
    Widen,
}

impl Trigger {
    fn purpose(self) -> &'static str {
        match self {
            Self::Restore => RESTORE,
            Self::Widen => "3_widen",
        }
    }
}

impl Sync<'_> {
    pub(super) fn first_trigger(&self) -> String {
        self.trigger_name(Trigger::Restore)
    }

    /// The functions, the triggers, and only then, in the same transaction, the checks that rely on them.
    pub(super) fn step(&self) -> Step {
        let (table, change) = (&self.widened.table().name, &self.widened.part.change.name);
        let mut statements = Vec::new();
        for trigger in self.triggers() {
            let (function, name) = (self.function(trigger).quoted(), quote_ident(&self.trigger_name(trigger)));
            statements.push(create_function(&self.function(trigger), "", "trigger", &[], self.body(trigger)));
            statements.push(sql::mark(&format!("function {function}()"), change));
            statements.push(self.create_trigger(trigger));
            statements.push(sql::mark(&format!("trigger {name} on {}", table.quoted()), change));
        }
        for pair in self.widened.not_null() {
            let name = quote_ident(&self.widened.not_null_check(pair));
            let column = quote_ident(&pair.beside.name);
            let check = format!("add constraint {name} check ({column} is not null) not valid");
            statements.push(format!("alter table {} {check}", table.quoted()));
            statements.push(sql::mark(&format!("constraint {name} on {}", table.quoted()), change));
        }
        // The stronger lock first: asking for it later, with the weaker one held, can deadlock with a reader that goes on to write.
        let has_checks = self.widened.not_null().next().is_some();
        let level = if has_checks { LockLevel::AccessExclusive } else { LockLevel::ShareRowExclusive };
        Step {
            id: "sync".to_owned(),
            title: format!("fill {} of {table} with every write", self.widened.beside_names().join(", ")),
            phase: Phase::DualWriting,
            action: Action {
                statements,
                mode: Mode::Transaction,
                locks: vec![Lock { table: table.clone(), level, scans: false }],
            },
            undo: vec![self.undo()],
            leftover: None,
        }
    }

    fn undo(&self) -> Action {
        let table = &self.widened.table().name;
        let triggers = self.triggers().map(|trigger| {
            format!("drop trigger if exists {} on {}", quote_ident(&self.trigger_name(trigger)), table.quoted())
        });
        let checks =
            self.widened.not_null().map(|pair| drop_constraint_if_exists(table, &self.widened.not_null_check(pair)));
        let functions =
            self.triggers().map(|trigger| format!("drop function if exists {}()", self.function(trigger).quoted()));
        Action {
            statements: triggers.chain(checks).chain(functions).collect(),
            mode: Mode::Transaction,
            locks: vec![exclusive(table)],
        }
    }

    /// For the contract: triggers before the functions that they call, both before the columns that those name (H32).
    pub(super) fn drop_statements(&self) -> Vec<String> {
        let table = self.widened.table().name.quoted();
        let triggers = self
            .triggers()
            .map(|trigger| format!("drop trigger {} on {table}", quote_ident(&self.trigger_name(trigger))));
        let functions = self.triggers().map(|trigger| format!("drop function {}()", self.function(trigger).quoted()));
        triggers.chain(functions).collect()
    }

    fn triggers(&self) -> impl Iterator<Item = Trigger> {
        has_update_triggers(self.widened.table()).then_some(Trigger::Restore).into_iter().chain([Trigger::Widen])
    }

    /// Sorts after the user's own triggers, so that it sees what they changed (H37).
    fn trigger_name(&self, trigger: Trigger) -> String {
        last_firing_name(&self.widened.part.own, trigger.purpose())
    }

    /// Of its table's own, because several tables of one schema have one each.
    fn function(&self, trigger: Trigger) -> QualifiedName {
        let table = &self.widened.table().name;
        self.widened.part.own_name(table, &format!("{}_{}", table.name, trigger.purpose()))
    }

    fn body(&self, trigger: Trigger) -> Block {
        let mut body = Block::default();
        body.open("begin");
        for pair in &self.widened.pairs {
            let (beside, before) = (quote_ident(&pair.beside.name), quote_ident(&pair.before.name));
            body.line(match trigger {
                Trigger::Restore => format!("old.{beside} := new.{beside};"),
                Trigger::Widen => format!("new.{beside} := new.{before};"),
            });
        }
        body.line(match trigger {
            Trigger::Restore => "return old;",
            Trigger::Widen => "return new;",
        });
        body.close("end");
        body
    }

    fn create_trigger(&self, trigger: Trigger) -> String {
        let (event, when) = match trigger {
            Trigger::Restore => {
                let setting = format!("pg_catalog.current_setting({}, true)", quote_literal(BACKFILL_SETTING));
                ("update", format!("{setting} = {}", quote_literal(&self.widened.part.own)))
            }
            Trigger::Widen => ("insert or update", self.widened.differs("new.")),
        };
        format!(
            "create trigger {} before {event} on {}\nfor each row\nwhen ({when})\nexecute function {}()",
            quote_ident(&self.trigger_name(trigger)),
            self.widened.table().name.quoted(),
            self.function(trigger).quoted()
        )
    }
}
