//! The triggers that keep two tables in step of which each row of the one may have a row of the other, by its key: a wide one that has columns
//! of its own beside the paired ones, and a narrow one that has the key and the paired columns. A split makes the narrow table, a merge ends
//! it.
//!
//! They stop each other by value: each writes only where something differs (H36), and writes what is in the other table by then, so that
//! whoever writes, and whichever of the user's own triggers writes, both tables end alike. They run with the rights of the table's owner: a
//! role that may write the old table need not have every right on the new one.

use super::compare::{all, any};
use super::make::Part;
use super::sql::{self, Block};
use super::triggers::{
    OWN_TRIGGERS, RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, restore_body,
};
use super::violations;
use crate::ident::{QualifiedName, fitting, quote_ident};
use crate::schema::Column;

/// The condition that holds for every row.
const ALL_ROWS: &str = "true";

/// The tables, and what they have in common.
pub(super) struct Pair<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) wide: PairedTable,
    pub(super) narrow: PairedTable,
    /// The wide table's column and the narrow one's.
    pub(super) key: Vec<(String, String)>,
    pub(super) columns: Vec<PairedColumn<'a>>,
    /// A row for every row, also where all paired columns are absent.
    pub(super) always: bool,
    pub(super) purpose: Purpose,
}

/// One of the two tables.
pub(super) struct PairedTable {
    pub(super) name: QualifiedName,
    /// What it is called in the names of functions: `source`, `target`.
    pub(super) role: &'static str,
}

/// What the pair is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The narrow table is new: its rows come.
    Split,
    /// The narrow table goes: its values come to rows of the wide one that are there.
    Merge {
        /// A row of the narrow table may come before that of the wide one, in one transaction.
        may_come_first: bool,
        /// The wide table has BEFORE UPDATE triggers of its own, whose work on backfilled rows is put back.
        restores: bool,
    },
}

/// A column that both tables have.
pub(super) struct PairedColumn<'a> {
    pub(super) wide: String,
    pub(super) narrow: String,
    /// As it was, in the table that has it before.
    pub(super) column: &'a Column,
    /// What the wide table holds where there is no row in the narrow one, as SQL; `None` for NULL.
    pub(super) absent: Option<String>,
    /// What a row of the narrow table holds that was made with its row of the wide one, and says nothing, as SQL.
    pub(super) blank: String,
}

impl<'a> Pair<'a> {
    pub(super) fn first_trigger(&self) -> String {
        last_firing_name(&self.part.own, "delete")
    }

    /// The functions and triggers.
    pub(super) fn triggers(&self) -> Triggers<'a> {
        let tables = [&self.wide.name, &self.narrow.name];
        let bodies = self.bodies().into_iter().map(|(purpose, body)| (self.function(&purpose), body));
        Triggers::with_rights_of_owner(self.part, &tables, bodies, self.each_trigger())
    }

    /// Paired columns that are NOT NULL in the wide table of a split: new code inserts its row before that of the narrow one.
    pub(super) fn held(&self) -> impl Iterator<Item = &PairedColumn<'a>> {
        self.columns.iter().filter(|column| self.purpose == Purpose::Split && column.column.not_null)
    }

    /// True for a row of the wide table that has a row in the narrow one, over columns with this prefix. Where columns are held, a row
    /// without them is one that new code has inserted the first half of.
    pub(super) fn has_row(&self, prefix: &str) -> String {
        let not_null = |column| self.is_not_null(column, &format!("{prefix}{}", quote_ident(&column.wide)));
        let required: Vec<String> = self.held().map(not_null).collect();
        match (required.is_empty(), self.always) {
            (false, _) => all(required),
            (true, true) => ALL_ROWS.to_owned(),
            (true, false) => self.is_present(prefix, true),
        }
    }

    /// True for a row of the wide (or else the narrow) table whose paired columns say something, over columns with this prefix.
    pub(super) fn is_present(&self, prefix: &str, of_wide: bool) -> String {
        any(self.columns.iter().map(|column| {
            let name = format!("{prefix}{}", quote_ident(if of_wide { &column.wide } else { &column.narrow }));
            match &column.absent {
                Some(absent) => self.distinct(column, &name, absent),
                None => self.is_not_null(column, &name),
            }
        }))
    }

    /// Whether a row of the narrow table may be made with its row of the wide one though nobody gave a value.
    fn has_blanks(&self) -> bool {
        self.always || (self.purpose == Purpose::Split && self.columns.iter().any(|c| c.column.default.is_some()))
    }

    /// For each paired column, true where a row of the wide table and one of the narrow table differ in it.
    pub(super) fn differs(&self, wide: &str, narrow: &str) -> Vec<String> {
        let of = |column: &PairedColumn<'_>| {
            let (a, b) = (quote_ident(&column.wide), quote_ident(&column.narrow));
            self.distinct(column, &format!("{wide}{a}"), &format!("{narrow}{b}"))
        };
        self.columns.iter().map(of).collect()
    }

    /// For each paired column, true where it was changed.
    fn changed(&self, of_wide: bool) -> Vec<String> {
        let of = |column: &PairedColumn<'_>| {
            let name = quote_ident(if of_wide { &column.wide } else { &column.narrow });
            self.distinct(column, &format!("old.{name}"), &format!("new.{name}"))
        };
        self.columns.iter().map(of).collect()
    }

    fn distinct(&self, column: &PairedColumn<'_>, a: &str, b: &str) -> String {
        self.part.distinct(column.column, a, b)
    }

    fn is_null(&self, column: &PairedColumn<'_>, a: &str) -> String {
        self.part.is_null(column.column, a)
    }

    fn is_not_null(&self, column: &PairedColumn<'_>, a: &str) -> String {
        self.part.is_not_null(column.column, a)
    }

    fn has_update_triggers(&self, table: &PairedTable) -> bool {
        self.part.before.table(&table.name).is_some_and(has_update_triggers)
    }

    fn wide_key(&self) -> Vec<&String> {
        self.key.iter().map(|(wide, _)| wide).collect()
    }

    fn narrow_key(&self) -> Vec<&String> {
        self.key.iter().map(|(_, narrow)| narrow).collect()
    }

    /// True for a row of the wide table and one of the narrow table that belong together.
    pub(super) fn of_wide(&self, wide: &str, narrow: &str) -> String {
        let pair = |(a, b): &(String, String)| format!("{wide}{} = {narrow}{}", quote_ident(a), quote_ident(b));
        all(self.key.iter().map(pair))
    }

    /// The same, for who looks for the row of the narrow table.
    pub(super) fn of_narrow(&self, narrow: &str, wide: &str) -> String {
        let pair = |(a, b): &(String, String)| format!("{narrow}{} = {wide}{}", quote_ident(b), quote_ident(a));
        all(self.key.iter().map(pair))
    }

    /// Whether a row's key was changed.
    fn key_changed(&self, columns: &[&String]) -> String {
        any(columns.iter().map(|name| format!("old.{0} is distinct from new.{0}", quote_ident(name))))
    }

    /// `"bio" = null, "theme" = 'light'`
    fn set_absent(&self) -> String {
        let set = |column: &PairedColumn<'_>| {
            format!("{} = {}", quote_ident(&column.wide), column.absent.as_deref().unwrap_or("null"))
        };
        self.columns.iter().map(set).collect::<Vec<_>>().join(", ")
    }

    fn function(&self, purpose: &str) -> QualifiedName {
        self.part.own_name(&self.wide.name, purpose)
    }

    fn bodies(&self) -> Vec<(String, Block)> {
        let (wide, narrow) = (self.wide.role, self.narrow.role);
        let mut bodies = vec![(format!("to_{narrow}"), self.to_narrow_body())];
        match self.purpose {
            Purpose::Split => bodies.push((format!("clear_{narrow}"), clear_body(&self.narrow.name))),
            // The foreign key has TRUNCATE take both.
            Purpose::Merge { restores, .. } => {
                bodies.push((format!("complete_{wide}"), self.complete_wide_body()));
                if restores {
                    bodies.push((
                        format!("restore_{wide}"),
                        restore_body(self.columns.iter().map(|column| column.wide.as_str())),
                    ));
                }
            }
        }
        bodies.push((format!("lock_{wide}"), self.lock_wide_body()));
        bodies.push((format!("to_{wide}"), self.to_wide_body()));
        bodies.push((format!("clear_{wide}"), self.clear_wide_body()));
        if self.held().next().is_some() {
            bodies.push(("held".to_owned(), self.held_body()));
        }
        bodies
    }

    fn each_trigger(&self) -> Vec<Trigger> {
        let row = |when: String| format!("for each row when ({when})");
        let (each_row, each_statement) = ("for each row".to_owned(), "for each statement".to_owned());
        let trigger =
            |purpose: &str, table: &PairedTable, events: &str, conditions: String, function: String| Trigger {
                name: last_firing_name(&self.part.own, purpose),
                table: table.name.clone(),
                events: events.to_owned(),
                conditions,
                function: self.function(&function),
                constraint: false,
            };
        let (wide, narrow) = (&self.wide, &self.narrow);
        let to_narrow = || format!("to_{}", narrow.role);
        let [lock, to_wide, clear] = ["lock", "to", "clear"].map(|verb| format!("{verb}_{}", wide.role));
        let key_changed = self.key_changed(&self.wide_key());
        let has_row = if self.has_row("new.") == ALL_ROWS { each_row.clone() } else { row(self.has_row("new.")) };
        let mut triggers = vec![trigger("insert", wide, "after insert", has_row, to_narrow())];
        match self.purpose {
            Purpose::Split => {
                let changed = any(self.changed(true).into_iter().chain([key_changed]));
                triggers.push(trigger("update", wide, "after update", row(changed), to_narrow()));
                triggers.push(trigger("delete", wide, "after delete", each_row.clone(), to_narrow()));
                let clear_narrow = format!("clear_{}", narrow.role);
                triggers.push(trigger("truncate", wide, "after truncate", each_statement.clone(), clear_narrow));
            }
            Purpose::Merge { restores, .. } => {
                // The narrow table's foreign key may forbid what the after shape allows: its row has to be gone, or have the new key, before
                // that is looked at.
                let before_foreign_key = |purpose: &str, events: &str, conditions: String| Trigger {
                    name: fitting(format!("Coexist_{purpose}_{}", self.part.own)),
                    ..trigger(purpose, wide, events, conditions, to_narrow())
                };
                triggers.push(trigger("update", wide, "after update", row(any(self.changed(true))), to_narrow()));
                triggers.push(before_foreign_key("key", "after update", row(key_changed)));
                triggers.push(before_foreign_key("delete", "after delete", each_row.clone()));
                let complete = format!("complete_{}", wide.role);
                if self.completes_inserts() {
                    triggers.push(trigger(
                        "complete_insert",
                        wide,
                        "before insert",
                        each_row.clone(),
                        complete.clone(),
                    ));
                }
                let conditions = [in_backfill(self.part, false), self.is_unfilled("old.")];
                let unfilled = all(conditions.into_iter().chain(self.needs_completing()));
                triggers.push(trigger("complete_update", wide, "before update", row(unfilled), complete));
                if restores {
                    let function = format!("restore_{}", wide.role);
                    let backfilling = row(in_backfill(self.part, true));
                    triggers.push(trigger(RESTORE, wide, "before update", backfilling, function));
                }
            }
        }
        let changed = any(self.changed(false).into_iter().chain([self.key_changed(&self.narrow_key())]));
        triggers.push(trigger("lock", narrow, "before insert", row(in_backfill(self.part, false)), lock));
        triggers.push(trigger("insert", narrow, "after insert", row(in_backfill(self.part, false)), to_wide.clone()));
        triggers.push(trigger("update", narrow, "after update", row(changed), to_wide.clone()));
        triggers.push(trigger("delete", narrow, "after delete", each_row, to_wide));
        triggers.push(trigger("truncate", narrow, "after truncate", each_statement, clear));
        if self.held().next().is_some() {
            let is_null =
                any(self.held().map(|column| self.is_null(column, &format!("new.{}", quote_ident(&column.wide)))));
            let conditions = format!("deferrable initially deferred for each row when ({is_null})");
            let held = trigger("held", wide, "after insert or update", conditions, "held".to_owned());
            triggers.push(Trigger { constraint: true, ..held });
        }
        triggers
    }

    fn to_narrow_body(&self) -> Block {
        let (wide, narrow) = (self.wide.name.quoted(), self.narrow.name.quoted());
        let quoted = |names: &[&String], prefix: &str| -> Vec<String> {
            names.iter().map(|name| format!("{prefix}{}", quote_ident(name))).collect()
        };
        let columns: Vec<&String> = self.columns.iter().map(|column| &column.narrow).collect();
        let values: Vec<&String> = self.columns.iter().map(|column| &column.wide).collect();
        let this = self.of_narrow("n.", "new.");
        let mut body = Block::default();
        body.open("begin");
        body.open("if tg_op = 'DELETE' then");
        body.line(format!("delete from {narrow} as n where {};", self.of_narrow("n.", "old.")));
        body.line("return null;");
        body.close("end if;");
        body.open(format!("if tg_op = 'UPDATE' and {} then", self.key_changed(&self.wide_key())));
        let set: Vec<String> =
            self.key.iter().map(|(a, b)| format!("{} = new.{}", quote_ident(b), quote_ident(a))).collect();
        body.line(format!("update {narrow} as n set {} where {};", set.join(", "), self.of_narrow("n.", "old.")));
        body.close("end if;");
        body.open(format!("if {} then", self.has_row("new.")));
        let into = [quoted(&self.narrow_key(), ""), quoted(&columns, "")].concat();
        let from = [quoted(&self.wide_key(), "w."), quoted(&values, "w.")].concat();
        // What is in the table by now: a trigger of the user's own may have changed the row again.
        let this_row = all(self.wide_key().into_iter().map(|name| format!("w.{0} = new.{0}", quote_ident(name))));
        let row = if self.has_row("w.") == ALL_ROWS { this_row } else { all([this_row, self.has_row("w.")]) };
        let partner = self.of_narrow("n.", "w.");
        // An insert that meets a row takes a number from each sequence of its table all the same; and the row that says nothing, which it
        // meets, would go by the trigger that fires before it.
        let updates_first = self.purpose != Purpose::Split || self.has_blanks();
        if updates_first {
            let set = self.columns.iter().map(|c| format!("{} = w.{}", quote_ident(&c.narrow), quote_ident(&c.wide)));
            let set: Vec<String> = set.collect();
            body.line(format!("update {narrow} as n set {} from {wide} as w", set.join(", ")));
            body.line(format!("where {row} and {partner} and {};", any(self.differs("w.", "n."))));
        }
        body.line(format!("insert into {narrow} as n ({})", into.join(", ")));
        body.line(format!("select {} from {wide} as w", from.join(", ")));
        body.line(format!("where {row}"));
        if updates_first {
            body.line(format!("  and not exists (select from {narrow} as n where {partner})"));
        }
        let set: Vec<String> = columns.iter().map(|name| format!("{0} = excluded.{0}", quote_ident(name))).collect();
        body.line(format!("on conflict ({}) do update set {}", sql::names(self.narrow_key()), set.join(", ")));
        let differs = self.columns.iter().map(|column| {
            let name = quote_ident(&column.narrow);
            self.distinct(column, &format!("n.{name}"), &format!("excluded.{name}"))
        });
        body.line(format!("where {};", any(differs)));
        if self.has_update_triggers(&self.narrow) {
            let set = self.columns.iter().map(|c| format!("{} = n.{}", quote_ident(&c.wide), quote_ident(&c.narrow)));
            let set: Vec<String> = set.collect();
            body.line(OWN_TRIGGERS);
            body.line(format!("update {wide} as w set {} from {narrow} as n", set.join(", ")));
            body.line(format!("where {row} and {partner} and {};", any(self.differs("w.", "n."))));
        }
        if !self.always {
            body.branch("else");
            body.line(format!("delete from {narrow} as n where {this} and {}", self.is_present("n.", false)));
            body.line(format!(
                "  and not exists (select from {wide} as w where {} and {});",
                self.of_narrow("n.", "w."),
                self.has_row("w.")
            ));
        }
        body.close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }

    /// The wide table's row is locked before the narrow one's is made, in the order of writes to the wide table; and a row that says nothing,
    /// made with the wide table's row, gives way to the one that is written.
    fn lock_wide_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        body.line(format!(
            "perform 1 from {} as w where {} for no key update;",
            self.wide.name.quoted(),
            self.of_wide("w.", "new.")
        ));
        // Where the narrow table is there before, its own foreign key says so.
        if self.purpose == Purpose::Split {
            body.open("if not found then");
            let message = format!(
                "insert on table {} violates the key that it shares with table {}",
                quote_ident(&self.narrow.name.name),
                quote_ident(&self.wide.name.name)
            );
            violations::foreign_key(&mut body, &message);
            body.close("end if;");
        }
        if self.has_blanks() {
            let blank = all(self.columns.iter().map(|column| {
                let name = format!("n.{}", quote_ident(&column.narrow));
                format!("not ({})", self.distinct(column, &name, &format!("({})", column.blank)))
            }));
            let same = all(self.narrow_key().into_iter().map(|name| format!("n.{0} = new.{0}", quote_ident(name))));
            body.line(format!("delete from {} as n where {same} and {blank};", self.narrow.name.quoted()));
        }
        body.line("return new;");
        body.close("end");
        body
    }

    fn to_wide_body(&self) -> Block {
        let (wide, narrow) = (self.wide.name.quoted(), self.narrow.name.quoted());
        let mut body = Block::default();
        body.open("begin");
        body.open(format!("if tg_op = 'DELETE' or tg_op = 'UPDATE' and {} then", self.key_changed(&self.narrow_key())));
        let (old, new) = (self.of_wide("w.", "old."), self.of_wide("w.", "new."));
        self.lock_against_backfill(&mut body, &old);
        body.line(format!("update {wide} as w set {}", self.set_absent()));
        body.line(format!("where {old} and {}", self.is_present("w.", true)));
        body.line(format!("  and not exists (select from {narrow} as n where {});", self.of_narrow("n.", "w.")));
        body.close("end if;");
        body.open("if tg_op <> 'DELETE' then");
        self.lock_against_backfill(&mut body, &new);
        let set =
            |column: &PairedColumn<'_>| format!("{} = n.{}", quote_ident(&column.wide), quote_ident(&column.narrow));
        let set: Vec<String> = self.columns.iter().map(set).collect();
        // What is in the table by now: a trigger of the user's own may have changed the row again.
        body.line(format!("update {wide} as w set {} from {narrow} as n", set.join(", ")));
        let apart = format!("where {new} and {} and {};", self.of_narrow("n.", "w."), any(self.differs("w.", "n.")));
        body.line(&apart);
        if self.has_update_triggers(&self.wide) {
            let set = self.columns.iter().map(|c| format!("{} = w.{}", quote_ident(&c.narrow), quote_ident(&c.wide)));
            let set: Vec<String> = set.collect();
            body.line(OWN_TRIGGERS);
            body.line(format!("update {narrow} as n set {} from {wide} as w", set.join(", ")));
            body.line(apart);
        }
        body.close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }

    /// Where the wide table's row is filled by a backfill, it is locked also where nothing seems to differ: a transaction with a snapshot from
    /// before the backfill's commit (REPEATABLE READ) then fails to serialize instead of leaving what the backfill wrote.
    fn lock_against_backfill(&self, body: &mut Block, row: &str) {
        if let Purpose::Merge { .. } = self.purpose {
            body.line(format!("perform 1 from {} as w where {row} for no key update;", self.wide.name.quoted()));
        }
    }

    fn clear_wide_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        body.line(format!(
            "update {} as w set {} where {};",
            self.wide.name.quoted(),
            self.set_absent(),
            self.is_present("w.", true)
        ));
        body.line("return null;");
        body.close("end");
        body
    }

    /// At the end of the transaction: a row that is still there and still has no value fails as NOT NULL would have failed it.
    fn held_body(&self) -> Block {
        let wide = &self.wide.name;
        let keys = all(self.wide_key().into_iter().map(|name| format!("w.{0} = new.{0}", quote_ident(name))));
        let mut body = Block::default();
        body.open("begin");
        let hint = format!(
            "Until the contract, a row of {wide} and its row of {} are inserted in one transaction.",
            self.narrow.name
        );
        for column in self.held() {
            let name = quote_ident(&column.wide);
            let is_null = self.is_null(column, &format!("w.{name}"));
            body.open(format!("if exists (select from {} as w where {keys} and {is_null}) then", wide.quoted()));
            violations::not_null(&mut body, &wide.name, &column.wide, Some(&hint));
            body.close("end if;");
        }
        body.line("return null;");
        body.close("end");
        body
    }

    // --- rows of the wide table of a merge, which are there before they are filled ---

    /// True for a row that may not have been filled yet: what the narrow table says of it decides.
    pub(super) fn is_unfilled(&self, prefix: &str) -> String {
        let is_null = |column| self.is_null(column, &format!("{prefix}{}", quote_ident(&column.wide)));
        let exact = self.columns.iter().find(|column| column.absent.is_some());
        exact.map_or_else(|| all(self.columns.iter().map(is_null)), is_null)
    }

    /// An update of such a row has to bring it in step first: where it writes a paired column, and where the row breaks NOT NULL otherwise.
    fn needs_completing(&self) -> Option<String> {
        let is_not_null = self.columns.iter().any(|column| column.absent.is_some());
        (!is_not_null).then(|| any(self.changed(true)))
    }

    /// Whether a row that is inserted lacks something that is known by then.
    fn completes_inserts(&self) -> bool {
        matches!(self.purpose, Purpose::Merge { may_come_first: true, .. })
            || self.columns.iter().any(|column| column.absent.is_some())
    }

    /// Gives a row what the narrow table says of it, but for the columns that the statement writes.
    fn complete_wide_body(&self) -> Block {
        let narrow = self.narrow.name.quoted();
        let absent: Vec<String> = self
            .columns
            .iter()
            .filter_map(|column| {
                let name = quote_ident(&column.wide);
                Some(format!("new.{name} := coalesce(new.{name}, {});", column.absent.as_ref()?))
            })
            .collect();
        let mut body = Block::default();
        body.open("declare").line(format!("found_row {narrow}%rowtype;")).branch("begin");
        if matches!(self.purpose, Purpose::Merge { may_come_first: true, .. }) {
            body.open("if tg_op = 'INSERT' then");
            self.take_from_narrow(&mut body, "new.", "");
            body.branch("else");
            self.take_from_narrow(&mut body, "old.", " for no key update");
            body.close("end if;");
        } else {
            body.open("if tg_op = 'UPDATE' then");
            self.take_from_narrow(&mut body, "old.", " for no key update");
            body.close("end if;");
        }
        // A column that is set to null on a row that has a value is left: it fails as it will after the contract.
        for line in absent {
            body.line(line);
        }
        body.line("return new;");
        body.close("end");
        body
    }

    fn take_from_narrow(&self, body: &mut Block, row: &str, lock: &str) {
        let narrow = self.narrow.name.quoted();
        body.line(format!("select n.* into found_row from {narrow} as n where {}{lock};", self.of_narrow("n.", row)));
        body.open("if found then");
        for column in &self.columns {
            let (wide, from) = (quote_ident(&column.wide), quote_ident(&column.narrow));
            let is_untouched = if row == "old." {
                format!("not ({})", self.distinct(column, &format!("old.{wide}"), &format!("new.{wide}")))
            } else {
                self.is_null(column, &format!("new.{wide}"))
            };
            body.open(format!("if {is_untouched} then"));
            body.line(format!("new.{wide} := found_row.{from};"));
            body.close("end if;");
        }
        body.close("end if;");
    }
}

/// One statement may have emptied both tables, and then has them in its hands.
fn clear_body(table: &QualifiedName) -> Block {
    let mut body = Block::default();
    body.open("begin");
    body.open(format!("if exists (select from {}) then", table.quoted()));
    body.line(format!("truncate {};", table.quoted()));
    body.close("end if;");
    body.line("return null;");
    body.close("end");
    body
}
