//! The trigger that mends rows which break a new rule, and the backfill that mends those that are there.

use crate::ident::quote_ident;
use crate::model::rules::{BrokenWrites, Policy};
use crate::plan::columns::key_columns;
use crate::plan::make::Part;
use crate::plan::sql::Block;
use crate::plan::triggers::{
    Function, RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, pinned_search_path,
    restore_body,
};
use crate::plan::{Backfill, Reconcile};
use crate::schema::Table;
use crate::sql::Expression;

/// How rows of one table are mended.
pub(super) struct Mending<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) table: &'a Table,
    pub(super) policy: &'a Policy,
    /// True for a row that breaks the rule, as SQL over columns with a prefix (`new.`, `source.`, nothing); `None` where that is not a matter
    /// of the row alone, so that no trigger can see it.
    pub(super) broken: Option<&'a dyn Fn(&str) -> String>,
}

/// What a trigger is for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    /// Puts back what the table's own BEFORE triggers (`updated_at`) changed on a row that the backfill mends.
    Restore,
    Mend,
}

impl Purpose {
    fn trigger(self) -> &'static str {
        match self {
            Self::Restore => RESTORE,
            Self::Mend => "4_mend",
        }
    }

    fn function(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Mend => "mend",
        }
    }
}

impl Mending<'_> {
    fn purposes(&self) -> impl Iterator<Item = Purpose> {
        let mends = !self.policy.repairs.is_empty();
        let restore = (mends && has_update_triggers(self.table)).then_some(Purpose::Restore);
        let mend = (mends && self.broken.is_some()).then_some(Purpose::Mend);
        restore.into_iter().chain(mend)
    }

    pub(super) fn has_triggers(&self) -> bool {
        self.purposes().next().is_some()
    }

    fn name(&self, purpose: Purpose) -> String {
        last_firing_name(&self.part.own, purpose.trigger())
    }

    pub(super) fn first_trigger(&self) -> String {
        self.name(Purpose::Restore)
    }

    /// The functions and triggers.
    pub(super) fn triggers(&self) -> Triggers<'_> {
        let made = self.purposes().map(|purpose| {
            let name = self.part.own_name(&self.table.name, purpose.function());
            let (attributes, body) = match purpose {
                Purpose::Restore => {
                    (Vec::new(), restore_body(self.policy.repairs.iter().map(|(column, _)| column.as_str())))
                }
                Purpose::Mend => (self.attributes(), self.mend_body()),
            };
            (Function { name, attributes, body }, self.trigger(purpose))
        });
        let (functions, triggers) = made.unzip();
        Triggers::new(self.part, functions, triggers)
    }

    /// A function with a pinned search path costs more per call, so only one whose expressions could look up a name in the wrong place has it.
    fn attributes(&self) -> Vec<String> {
        let is_plain = |expression: &Expression| {
            expression.as_column().is_some()
                || expression.is_constant() && expression.functions().is_empty() && expression.casts().is_empty()
        };
        let plain = self.policy.repairs.iter().all(|(_, expression)| is_plain(expression));
        if plain { Vec::new() } else { vec![pinned_search_path(&self.table.name)] }
    }

    /// All expressions are over the row as it was written, whatever stands in the columns by then.
    fn mend_body(&self) -> Block {
        let columns: Vec<String> =
            self.policy.repairs.iter().map(|(column, _)| format!("new.{}", quote_ident(column))).collect();
        let values: Vec<String> = self.policy.repairs.iter().map(|(_, expression)| over(expression, "new.")).collect();
        let mut body = Block::default();
        body.open("begin");
        match (columns.as_slice(), values.as_slice()) {
            ([column], [value]) => {
                body.line(format!("{column} := {value};"));
            }
            _ => {
                body.line(format!("select {} into {};", values.join(", "), columns.join(", ")));
            }
        }
        body.line("return new;");
        body.close("end");
        body
    }

    fn trigger(&self, purpose: Purpose) -> Trigger {
        let broken = |prefix: &str| self.broken.map(|broken| broken(prefix)).unwrap_or_default();
        let (events, when) = match (purpose, self.policy.writes) {
            (Purpose::Restore, _) => ("update", in_backfill(self.part, true)),
            (Purpose::Mend, BrokenWrites::Repaired) => ("insert or update", broken("new.")),
            // A row that was broken before the rule came can be written until the backfill has mended it.
            (Purpose::Mend, BrokenWrites::Rejected) => {
                ("update", format!("({}) and ({})", broken("new."), broken("old.")))
            }
        };
        let function = self.part.own_name(&self.table.name, purpose.function());
        Trigger::before(self.name(purpose), &self.table.name, events, Some(when), function)
    }

    /// Mends the rows that are there, where `pending` is true.
    pub(super) fn backfill(&self, pending: String) -> Option<Backfill> {
        let set = self.policy.repairs.iter().map(|(column, expression)| (column.clone(), over(expression, "")));
        let set: Vec<(String, String)> = set.collect();
        let table = self.table;
        (!set.is_empty()).then(|| Backfill::Update {
            operation: self.part.own.clone(),
            table: table.name.clone(),
            set,
            conversions: Vec::new(),
            pending,
            key: key_columns(table),
        })
    }

    /// Looks at every row whether it breaks the rule.
    pub(super) fn reconcile(&self, mismatch: String, title: String) -> Reconcile {
        Reconcile { table: self.table.name.clone(), key: key_columns(self.table), join: None, mismatch, title }
    }
}

/// An expression over columns with a prefix.
pub(super) fn over(expression: &Expression, prefix: &str) -> String {
    if let Some(column) = expression.as_column() {
        return format!("{prefix}{}", quote_ident(&column.name));
    }
    expression.replace_columns(|column| {
        let reference = format!("{prefix}{}", quote_ident(&column.name));
        // `new.address.street` would read a column `street` of `new.address`; parentheses make it a field.
        Some(if prefix.is_empty() { reference } else { format!("({reference})") })
    })
}
