//! The trigger that mends rows which break a new rule, and the backfill that mends those that are there.

use crate::ident::{QualifiedName, quote_ident, quote_literal};
use crate::model::rules::{BrokenWrites, Policy};
use crate::plan::columns::key_columns;
use crate::plan::columns_sync::{RESTORE, has_update_triggers, last_firing_name, pinned_search_path};
use crate::plan::make::Part;
use crate::plan::sql::{self, Block, create_function};
use crate::plan::{BACKFILL_SETTING, Backfill, Reconcile};
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

#[derive(Clone, Copy, PartialEq)]
enum Trigger {
    /// Puts back what the table's own BEFORE triggers (`updated_at`) changed on a row that the backfill mends.
    Restore,
    Mend,
}

impl Trigger {
    fn purpose(self) -> &'static str {
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
    fn triggers(&self) -> impl Iterator<Item = Trigger> {
        let mends = !self.policy.repairs.is_empty();
        let restore = (mends && has_update_triggers(self.table)).then_some(Trigger::Restore);
        let mend = (mends && self.broken.is_some()).then_some(Trigger::Mend);
        restore.into_iter().chain(mend)
    }

    pub(super) fn has_triggers(&self) -> bool {
        self.triggers().next().is_some()
    }

    fn name(&self, trigger: Trigger) -> String {
        last_firing_name(&self.part.own, trigger.purpose())
    }

    pub(super) fn first_trigger(&self) -> String {
        self.name(Trigger::Restore)
    }

    fn function(&self, trigger: Trigger) -> QualifiedName {
        self.part.own_name(&self.table.name, trigger.function())
    }

    /// The functions, and behind them the triggers.
    pub(super) fn create(&self) -> Vec<String> {
        let change = &self.part.change.name;
        let mut statements = Vec::new();
        for trigger in self.triggers() {
            let function = self.function(trigger);
            let (attributes, body) = match trigger {
                Trigger::Restore => (Vec::new(), self.restore_body()),
                Trigger::Mend => (self.attributes(), self.mend_body()),
            };
            statements.push(create_function(&function, "", "trigger", &attributes, body));
            statements.push(sql::mark(&format!("function {}()", function.quoted()), change));
        }
        for trigger in self.triggers() {
            statements.push(self.create_trigger(trigger));
            let object = format!("trigger {} on {}", quote_ident(&self.name(trigger)), self.table.name.quoted());
            statements.push(sql::mark(&object, change));
        }
        statements
    }

    /// Triggers before the functions that they call. `if_exists` for an undo, which may come when only some are there.
    pub(super) fn drop(&self, if_exists: bool) -> Vec<String> {
        let table = self.table.name.quoted();
        let if_exists = if if_exists { "if exists " } else { "" };
        let triggers = self
            .triggers()
            .map(|trigger| format!("drop trigger {if_exists}{} on {table}", quote_ident(&self.name(trigger))));
        let functions =
            self.triggers().map(|trigger| format!("drop function {if_exists}{}()", self.function(trigger).quoted()));
        triggers.chain(functions).collect()
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

    fn restore_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        for (column, _) in &self.policy.repairs {
            let column = quote_ident(column);
            body.line(format!("old.{column} := new.{column};"));
        }
        body.line("return old;");
        body.close("end");
        body
    }

    fn create_trigger(&self, trigger: Trigger) -> String {
        let broken = |prefix: &str| self.broken.map(|broken| broken(prefix)).unwrap_or_default();
        let (event, when) = match (trigger, self.policy.writes) {
            (Trigger::Restore, _) => {
                let setting = format!("pg_catalog.current_setting({}, true)", quote_literal(BACKFILL_SETTING));
                ("update", format!("{setting} = {}", quote_literal(&self.part.own)))
            }
            (Trigger::Mend, BrokenWrites::Repaired) => ("insert or update", broken("new.")),
            // A row that was broken before the rule came can be written until the backfill has mended it.
            (Trigger::Mend, BrokenWrites::Rejected) => {
                ("update", format!("({}) and ({})", broken("new."), broken("old.")))
            }
        };
        format!(
            "create trigger {} before {event} on {}\nfor each row\nwhen ({when})\nexecute function {}()",
            quote_ident(&self.name(trigger)),
            self.table.name.quoted(),
            self.function(trigger).quoted()
        )
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
