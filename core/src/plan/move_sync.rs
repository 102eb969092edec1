//! The triggers that keep a value in step that is in a row, and in each row that references it.
//!
//! All rows that reference one row share its value. Which of the two tables had the column before makes no difference here. They stop each
//! other by value (H36), and write what is in the other table by then.

use super::compare::{all, any};
use super::move_column::Parts;
use super::sql::Block;
use super::triggers::{
    OWN_TRIGGERS, RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, restore_body,
};
use super::violations;
use crate::ident::{QualifiedName, quote_ident};

pub(super) struct Sync<'a> {
    parts: &'a Parts<'a>,
}

impl<'a> Sync<'a> {
    pub(super) fn new(parts: &'a Parts<'a>) -> Self {
        Self { parts }
    }

    pub(super) fn first_trigger(&self) -> String {
        last_firing_name(&self.parts.part.own, "held")
    }

    /// The functions and triggers.
    pub(super) fn triggers(&self) -> Triggers<'a> {
        let tables = [&self.parts.change.from, &self.parts.change.to];
        let bodies = self.bodies().into_iter().map(|(purpose, body)| (self.function(purpose), body));
        Triggers::with_rights_of_owner(self.parts.part, &tables, bodies, self.each_trigger())
    }

    fn function(&self, purpose: &str) -> QualifiedName {
        self.parts.part.own_name(&self.parts.change.from, purpose)
    }

    fn bodies(&self) -> Vec<(&'static str, Block)> {
        let mut bodies = vec![
            ("take_value", self.take_value_body()),
            ("give_value", self.give_value_body()),
            ("share_value", self.share_value_body()),
        ];
        if self.restores() {
            bodies.push(("restore", restore_body([self.parts.change.new_column.as_str()])));
        }
        if self.parts.is_held() {
            bodies.push(("held", self.held_body()));
        }
        bodies
    }

    /// The table that is filled has BEFORE UPDATE triggers of its own, whose work on backfilled rows is put back.
    fn restores(&self) -> bool {
        has_update_triggers(self.parts.to)
    }

    fn each_trigger(&self) -> Vec<Trigger> {
        let parts = self.parts;
        let (many_value, one_value) = parts.values();
        let outside = in_backfill(parts.part, false);
        let (old, new) = (format!("old.{many_value}"), format!("new.{many_value}"));
        let changed = |value: &str| parts.distinct(&format!("old.{value}"), &format!("new.{value}"));
        let trigger = |purpose: &str, table: &QualifiedName, events: &str, when: String, function: &str| Trigger {
            name: last_firing_name(&parts.part.own, purpose),
            table: table.clone(),
            events: events.to_owned(),
            conditions: format!("for each row when ({when})"),
            function: self.function(function),
            constraint: false,
        };
        let (many, one) = (&parts.many.name, &parts.one.name);
        let references = parts.change.reference.iter().map(|(own, _)| quote_ident(own));
        let is_moved = any(references.map(|own| format!("old.{own} is distinct from new.{own}")));
        let mut takes = all([is_moved, format!("not ({})", changed(&many_value))]);
        if parts.new.not_null {
            // A row that is not filled yet would break NOT NULL, whatever is written to it.
            let unfilled = all([&old, &new].map(|value| parts.is_null(value)));
            takes = any([takes, unfilled]);
        }
        let takes = all([outside.clone(), takes]);
        let gives = all([outside, changed(&many_value)]);
        let (is_given, is_missing) = (parts.is_not_null(&new), parts.is_null(&new));
        let mut triggers = vec![
            trigger("take_insert", many, "before insert", is_missing, "take_value"),
            trigger("take_update", many, "before update", takes, "take_value"),
            trigger("give_insert", many, "after insert", is_given, "give_value"),
            trigger("give_update", many, "after update", gives, "give_value"),
            trigger("share", one, "after update", changed(&one_value), "share_value"),
        ];
        if self.restores() {
            let backfilling = in_backfill(parts.part, true);
            triggers.push(trigger(RESTORE, &parts.change.to, "before update", backfilling, "restore"));
        }
        if parts.is_held() {
            let held =
                trigger("held", one, "after insert or update", parts.is_null(&format!("new.{one_value}")), "held");
            let conditions = format!("deferrable initially deferred {}", held.conditions);
            triggers.push(Trigger { constraint: true, conditions, ..held });
        }
        triggers
    }

    /// A row that comes to another one without a value of its own shows that one's. The row is locked: who is changing its value is waited for.
    fn take_value_body(&self) -> Block {
        let parts = self.parts;
        let (many, one) = (parts.many.name.quoted(), parts.one.name.quoted());
        let (many_value, one_value) = parts.values();
        let own = || parts.change.reference.iter().map(|(own, _)| quote_ident(own));
        let mut body = Block::default();
        // A record, because PL/pgSQL would spread a value of a composite type over the fields of a variable of that type.
        body.open("declare").line("taken record;").branch("begin");
        // The row that it references has got another key: it is still the same one.
        body.open("if tg_op = 'UPDATE' then");
        body.open(format!(
            "if {} and not exists (select from {one} as o where {}) then",
            all(own().map(|own| format!("old.{own} is not null"))),
            parts.refers("old.", "o.")
        ));
        body.line("return new;");
        body.close("end if;").close("end if;");
        let its_row = parts.refers("new.", "o.");
        body.line(format!("select o.{one_value} as value into taken from {one} as o where {its_row} for share;"));
        body.open("if not found then");
        body.line("return new;");
        body.close("end if;");
        if parts.change.upwards {
            // It may not be filled yet; what shares it is right in any case.
            body.open(format!("if {} then", parts.is_null("taken.value")));
            body.line(format!("select m.{many_value} as value into taken from {many} as m"));
            let same = all(own().map(|own| format!("m.{own} = new.{own}")));
            body.line(format!("where {same} and {} limit 1;", parts.is_not_null(&format!("m.{many_value}"))));
            body.close("end if;");
        }
        body.line(format!("new.{many_value} := taken.value;"));
        body.line("return new;");
        body.close("end");
        body
    }

    /// A value that is written reaches the row that is referenced, and from there the others.
    fn give_value_body(&self) -> Block {
        let parts = self.parts;
        let (many, one) = (parts.many.name.quoted(), parts.one.name.quoted());
        let (many_value, one_value) = parts.values();
        let this = parts.many.primary_key().iter().map(|name| format!("m.{0} = new.{0}", quote_ident(name)));
        let this = all(this);
        let differs = parts.distinct(&format!("m.{many_value}"), &format!("o.{one_value}"));
        let mut body = Block::default();
        body.open("begin");
        // They are in step where the value is there already. Where it is null, the row may just not be filled yet.
        body.open(format!(
            "if not exists (select from {one} as o where {} and {} and not ({})) then",
            parts.refers("new.", "o."),
            parts.is_not_null(&format!("o.{one_value}")),
            parts.distinct(&format!("o.{one_value}"), &format!("new.{many_value}"))
        ));
        body.line(format!("perform 1 from {one} as o where {} for no key update;", parts.refers("new.", "o.")));
        // What is in the table by now: a trigger of the user's own may have changed the row again.
        body.line(format!("update {one} as o set {one_value} = m.{many_value} from {many} as m"));
        body.line(format!("where {this} and {} and {differs};", parts.refers("m.", "o.")));
        body.line(format!("update {many} as m set {many_value} = o.{one_value} from {one} as o"));
        body.line(format!("where {} and {} and {differs};", parts.refers("new.", "o."), parts.refers("m.", "o.")));
        body.close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }

    fn share_value_body(&self) -> Block {
        let parts = self.parts;
        let (many, one) = (parts.many.name.quoted(), parts.one.name.quoted());
        let (many_value, one_value) = parts.values();
        let this: Vec<String> =
            parts.change.reference.iter().map(|(_, other)| format!("o.{0} = new.{0}", quote_ident(other))).collect();
        let differs = parts.distinct(&format!("m.{many_value}"), &format!("o.{one_value}"));
        let mut body = Block::default();
        body.open("begin");
        body.line(format!("update {many} as m set {many_value} = o.{one_value} from {one} as o"));
        body.line(format!("where {} and {} and {differs};", this.join(" and "), parts.refers("m.", "o."),));
        if has_update_triggers(parts.many) {
            body.line(OWN_TRIGGERS);
            body.line(format!("update {one} as o set {one_value} = m.{many_value} from {many} as m"));
            body.line(format!("where {} and {} and {differs};", this.join(" and "), parts.refers("m.", "o.")));
        }
        body.line("return null;");
        body.close("end");
        body
    }

    /// At the end of the transaction: a row that is still there and still has no value fails as NOT NULL would have failed it.
    fn held_body(&self) -> Block {
        let parts = self.parts;
        let one = &parts.one.name;
        let column = quote_ident(&parts.change.column);
        let this = parts.one.primary_key().iter().map(|name| format!("o.{0} = new.{0}", quote_ident(name)));
        let mut body = Block::default();
        body.open("begin");
        body.open(format!(
            "if exists (select from {} as o where {} and {}) then",
            one.quoted(),
            all(this),
            parts.is_null(&format!("o.{column}"))
        ));
        let hint = format!(
            "Until the contract, a row of {one} and a row of {} that references it are inserted in one transaction.",
            parts.many.name
        );
        violations::not_null(&mut body, &one.name, &parts.change.column, Some(&hint));
        body.close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }
}
