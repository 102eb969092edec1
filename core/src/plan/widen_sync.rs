//! The triggers that fill the wider columns. One way only: nothing but these triggers and the backfill writes them.

use super::carry::{drop_constraint_if_exists, exclusive};
use super::sql::{self, Block};
use super::triggers::{
    Function, RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, restore_body,
};
use super::widen::Widened;
use super::{Action, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_ident};

pub(super) struct Sync<'a> {
    pub(super) widened: &'a Widened<'a>,
}

/// What the triggers are for, in the order in which they fire.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    /// Puts back what the table's own BEFORE triggers (`updated_at`) changed on a row that the backfill updates.
    Restore,
    /// Fills the wider columns.
    Widen,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Restore => RESTORE,
            Self::Widen => "3_widen",
        }
    }
}

impl Sync<'_> {
    pub(super) fn first_trigger(&self) -> String {
        self.trigger_name(Purpose::Restore)
    }

    /// The functions, the triggers, and only then, in the same transaction, the checks that rely on them.
    pub(super) fn step(&self) -> Step {
        let (table, change) = (&self.widened.table().name, &self.widened.part.change.name);
        let mut statements = self.triggers().create();
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
        let (table, triggers) = (&self.widened.table().name, self.triggers());
        let mut statements = triggers.undo_triggers();
        let checks = self.widened.not_null().map(|pair| self.widened.not_null_check(pair));
        statements.extend(checks.map(|check| drop_constraint_if_exists(table, &check)));
        statements.extend(triggers.undo_functions());
        Action { statements, mode: Mode::Transaction, locks: vec![exclusive(table)] }
    }

    /// The functions and triggers.
    pub(super) fn triggers(&self) -> Triggers<'_> {
        let table = &self.widened.table().name;
        let restore = has_update_triggers(self.widened.table()).then_some(Purpose::Restore);
        let made = restore.into_iter().chain([Purpose::Widen]).map(|purpose| {
            let name = self.function(purpose);
            let (events, when, body) = match purpose {
                Purpose::Restore => {
                    let columns = self.widened.pairs.iter().map(|pair| pair.beside.name.as_str());
                    ("update", in_backfill(self.widened.part, true), restore_body(columns))
                }
                Purpose::Widen => ("insert or update", self.widened.differs("new."), self.widen_body()),
            };
            let trigger = Trigger::before(self.trigger_name(purpose), table, events, Some(when), name.clone());
            (Function { name, attributes: Vec::new(), body }, trigger)
        });
        let (functions, triggers) = made.unzip();
        Triggers::new(self.widened.part, functions, triggers)
    }

    fn trigger_name(&self, purpose: Purpose) -> String {
        last_firing_name(&self.widened.part.own, purpose.name())
    }

    /// Of its table's own, because several tables of one schema have one each.
    fn function(&self, purpose: Purpose) -> QualifiedName {
        let table = &self.widened.table().name;
        self.widened.part.own_name(table, &format!("{}_{}", table.name, purpose.name()))
    }

    fn widen_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        for pair in &self.widened.pairs {
            body.line(format!("new.{} := new.{};", quote_ident(&pair.beside.name), quote_ident(&pair.before.name)));
        }
        body.line("return new;");
        body.close("end");
        body
    }
}
