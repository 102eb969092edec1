//! The triggers that keep a table and the new table that took some of its columns in step.
//!
//! They stop each other by value: each writes only where something differs (H36), so that whoever writes, and whichever of the user's own
//! triggers writes, both tables end alike. They run with the rights of the table's owner: a role that may write the old table need not have
//! every right on the new one.

use super::carry::exclusive;
use super::columns_sync::{last_firing_name, restore_not_null};
use super::compare::{all, any};
use super::split::Parts;
use super::sql::{self, Block, anonymous, create_function};
use super::{Action, BACKFILL_SETTING, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_ident, quote_literal};
use crate::schema::Column;

pub(super) struct Sync<'a> {
    parts: &'a Parts<'a>,
    first_trigger: String,
}

/// A trigger of ours.
struct Trigger {
    name: String,
    table: QualifiedName,
    /// From `before` or `after` up to the table's name.
    events: String,
    /// What follows the table's name.
    conditions: String,
    function: QualifiedName,
    /// A deferred constraint trigger.
    constraint: bool,
}

impl<'a> Sync<'a> {
    pub(super) fn new(parts: &'a Parts<'a>) -> Self {
        Self { parts, first_trigger: last_firing_name(&parts.part.own, "source") }
    }

    pub(super) fn first_trigger(&self) -> &str {
        &self.first_trigger
    }

    /// The functions, then the triggers, then NOT NULL of moved columns gives way to a check at the end of the transaction: new code
    /// inserts the row of the source first and that of the target after it.
    pub(super) fn step(&self) -> Step {
        let split = self.parts.split;
        let mut statements: Vec<String> = self.create_functions();
        let held: Vec<&Column> = self.held().collect();
        for column in &held {
            statements.push(format!(
                "alter table {} alter column {} drop not null",
                split.source.quoted(),
                quote_ident(&column.name)
            ));
        }
        for trigger in self.triggers() {
            statements.push(trigger.create());
            statements.push(sql::mark(&trigger.object(), &self.parts.part.change.name));
        }
        let level = if held.is_empty() { LockLevel::ShareRowExclusive } else { LockLevel::AccessExclusive };
        Step {
            id: "sync".to_owned(),
            title: format!(
                "keep {} of {} and {} in step, whichever is written",
                split.moved.join(", "),
                split.source,
                split.target
            ),
            phase: Phase::DualWriting,
            action: Action {
                statements,
                mode: Mode::Transaction,
                locks: vec![
                    Lock { table: split.source.clone(), level, scans: false },
                    Lock { table: split.target.clone(), level: LockLevel::ShareRowExclusive, scans: false },
                ],
            },
            undo: self.undo(),
            leftover: None,
        }
    }

    fn undo(&self) -> Vec<Action> {
        let split = self.parts.split;
        let mut actions: Vec<Action> = self
            .held()
            .flat_map(|column| restore_not_null(&split.source, &column.name, &self.parts.part.own))
            .collect();
        let mut statements: Vec<String> = self
            .triggers()
            .iter()
            .map(|trigger| {
                format!("drop trigger if exists {} on {}", quote_ident(&trigger.name), trigger.table.quoted())
            })
            .collect();
        statements.extend(self.functions().iter().map(|name| format!("drop function if exists {}()", name.quoted())));
        actions.push(Action {
            statements,
            mode: Mode::Transaction,
            locks: vec![exclusive(&split.source), exclusive(&split.target)],
        });
        actions
    }

    /// For the contract: triggers before the functions that they call, both before the columns that those name (H32).
    pub(super) fn drop_statements(&self) -> Vec<String> {
        let triggers = self.triggers();
        let triggers = triggers
            .iter()
            .map(|trigger| format!("drop trigger {} on {}", quote_ident(&trigger.name), trigger.table.quoted()));
        triggers.chain(self.functions().iter().map(|name| format!("drop function {}()", name.quoted()))).collect()
    }

    /// Moved columns that are NOT NULL.
    fn held(&self) -> impl Iterator<Item = &'a Column> {
        self.parts.moved().filter(|column| column.not_null)
    }

    fn function(&self, purpose: &str) -> QualifiedName {
        self.parts.part.own_name(&self.parts.split.source, purpose)
    }

    fn functions(&self) -> Vec<QualifiedName> {
        let held = self.held().next().is_some().then_some("held");
        ["to_target", "clear_target", "lock_source", "to_source", "clear_source"]
            .into_iter()
            .chain(held)
            .map(|purpose| self.function(purpose))
            .collect()
    }

    fn create_functions(&self) -> Vec<String> {
        // SECURITY DEFINER without a pinned path writes into whatever a caller put in front of it (H42).
        let attributes = ["security definer".to_owned(), "set search_path = pg_catalog, pg_temp".to_owned()];
        let create = |purpose: &str, body: Block| {
            let name = self.function(purpose);
            let object = format!("function {}()", name.quoted());
            let mark = sql::mark(&object, &self.parts.part.change.name);
            [create_function(&name, "", "trigger", &attributes, body), mark]
        };
        let mut statements = Vec::new();
        statements.extend(create("to_target", self.to_target_body()));
        statements.extend(create("clear_target", self.clear_target_body()));
        statements.extend(create("lock_source", self.lock_source_body()));
        statements.extend(create("to_source", self.to_source_body()));
        statements.extend(create("clear_source", self.clear_source_body()));
        if self.held().next().is_some() {
            statements.extend(create("held", self.held_body()));
        }
        statements.push(self.hand_over_functions());
        statements
    }

    /// Functions that a superuser made would run as one: they get the rights of the table's owner. Anybody else who may alter the table has
    /// those rights already.
    fn hand_over_functions(&self) -> String {
        let source = quote_literal(&self.parts.split.source.quoted());
        let functions: Vec<String> =
            self.functions().iter().map(|name| quote_literal(&format!("{}()", name.quoted()))).collect();
        let mut body = Block::default();
        body.open("declare").line("owner name;").line("function regprocedure;").branch("begin");
        body.line("select pg_catalog.pg_get_userbyid(c.relowner) into strict owner");
        body.line(format!("  from pg_catalog.pg_class c where c.oid = {source}::regclass;"));
        body.open("if owner <> current_user and pg_catalog.current_setting('is_superuser') = 'on' then");
        body.open(format!("foreach function in array array[{}]::regprocedure[] loop", functions.join(", ")));
        body.line("execute format('alter function %s owner to %I', function, owner);");
        body.close("end loop;").close("end if;").close("end");
        anonymous(body)
    }

    fn triggers(&self) -> Vec<Trigger> {
        let split = self.parts.split;
        let change = self.parts.part.change.name.as_str();
        let setting = format!("pg_catalog.current_setting({}, true)", quote_literal(BACKFILL_SETTING));
        let not_backfilling = format!("{setting} is distinct from {}", quote_literal(change));
        let row = |when: String| format!("for each row when ({when})");
        let moved = self.parts.differs("old.", "new.");
        let key = |columns: &[&String]| -> Vec<String> {
            columns.iter().map(|name| format!("old.{0} is distinct from new.{0}", quote_ident(name))).collect()
        };
        let changed_source = any(moved.iter().cloned().chain(key(&self.parts.source_key())));
        let changed_target = any(moved.into_iter().chain(key(&self.parts.target_key())));
        let trigger =
            |purpose: &str, table: &QualifiedName, events: &str, conditions: String, function: &str| Trigger {
                name: last_firing_name(&self.parts.part.own, purpose),
                table: table.clone(),
                events: events.to_owned(),
                conditions,
                function: self.function(function),
                constraint: false,
            };
        let (source, target) = (&split.source, &split.target);
        let mut triggers = vec![
            trigger("insert", source, "after insert", row(self.parts.has_row("new.")), "to_target"),
            trigger("update", source, "after update", row(changed_source), "to_target"),
            trigger("delete", source, "after delete", "for each row".to_owned(), "to_target"),
            trigger("truncate", source, "after truncate", "for each statement".to_owned(), "clear_target"),
            trigger("lock", target, "before insert", row(not_backfilling.clone()), "lock_source"),
            trigger("insert", target, "after insert", row(not_backfilling), "to_source"),
            trigger("update", target, "after update", row(changed_target), "to_source"),
            trigger("delete", target, "after delete", "for each row".to_owned(), "to_source"),
            trigger("truncate", target, "after truncate", "for each statement".to_owned(), "clear_source"),
        ];
        if self.held().next().is_some() {
            let is_null = any(self.held().map(|column| format!("new.{} is null", quote_ident(&column.name))));
            triggers.push(Trigger {
                constraint: true,
                ..trigger(
                    "held",
                    source,
                    "after insert or update",
                    format!("deferrable initially deferred for each row when ({is_null})"),
                    "held",
                )
            });
        }
        triggers
    }

    /// `"id" = old."id"`, over the key of one table and the row of the other.
    fn key_equals(&self, of_target: bool, table: &str, row: &str) -> String {
        let pairs = self.parts.split.key.iter().map(|(source, target)| {
            let (own, other) = if of_target { (target, source) } else { (source, target) };
            format!("{table}{} = {row}{}", quote_ident(own), quote_ident(other))
        });
        all(pairs)
    }

    /// `"id" is distinct from …`, whether a row's key was changed.
    fn key_changed(&self, columns: &[&String]) -> String {
        any(columns.iter().map(|name| format!("old.{0} is distinct from new.{0}", quote_ident(name))))
    }

    fn to_target_body(&self) -> Block {
        let split = self.parts.split;
        let target = split.target.quoted();
        let mut body = Block::default();
        body.open("begin");
        body.open("if tg_op = 'DELETE' then");
        body.line(format!("delete from {target} as t where {};", self.key_equals(true, "t.", "old.")));
        body.line("return null;");
        body.close("end if;");
        body.open(format!("if tg_op = 'UPDATE' and {} then", self.key_changed(&self.parts.source_key())));
        let set: Vec<String> = split
            .key
            .iter()
            .map(|(source, target)| format!("{} = new.{}", quote_ident(target), quote_ident(source)))
            .collect();
        body.line(format!(
            "update {target} as t set {} where {};",
            set.join(", "),
            self.key_equals(true, "t.", "old.")
        ));
        body.close("end if;");
        body.open(format!("if {} then", self.parts.has_row("new.")));
        let columns: Vec<String> =
            self.parts.target_key().into_iter().chain(&split.moved).map(|c| quote_ident(c)).collect();
        let values: Vec<String> = self
            .parts
            .source_key()
            .into_iter()
            .chain(&split.moved)
            .map(|name| format!("new.{}", quote_ident(name)))
            .collect();
        let set: Vec<String> =
            split.moved.iter().map(|name| format!("{0} = excluded.{0}", quote_ident(name))).collect();
        body.line(format!("insert into {target} as t ({})", columns.join(", ")));
        body.line(format!("values ({})", values.join(", ")));
        body.line(format!("on conflict ({}) do update set {}", sql::names(self.parts.target_key()), set.join(", ")));
        body.line(format!("where {};", any(self.parts.differs("t.", "excluded."))));
        if !split.always {
            let not_null = any(split.moved.iter().map(|name| format!("t.{} is not null", quote_ident(name))));
            body.branch("else");
            body.line(format!(
                "delete from {target} as t where {} and {not_null};",
                self.key_equals(true, "t.", "new.")
            ));
        }
        body.close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }

    fn clear_target_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        body.line(format!("truncate {};", self.parts.split.target.quoted()));
        body.line("return null;");
        body.close("end");
        body
    }

    /// The source row is locked before the target row is made, in the order of old code's writes; and a row that holds nothing but
    /// defaults, made with the source row in the first half of new code's insert, gives way to the one that new code writes.
    fn lock_source_body(&self) -> Block {
        let split = self.parts.split;
        let mut body = Block::default();
        body.open("begin");
        body.line(format!(
            "perform 1 from {} as s where {} for no key update;",
            split.source.quoted(),
            self.key_equals(false, "s.", "new.")
        ));
        body.open("if not found then");
        body.line(
            "raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,",
        );
        body.line(format!(
            "  message = {};",
            quote_literal(&format!(
                "insert on table {} violates the key that it shares with table {}",
                quote_ident(&split.target.name),
                quote_ident(&split.source.name)
            ))
        ));
        body.close("end if;");
        if self.parts.moved().any(|column| column.default.is_some()) {
            let schema = self.parts.part.before.schema();
            let defaults = all(self.parts.moved().map(|column| {
                let default = column.default.as_ref().map_or("null", |default| default.text.as_str());
                let name = format!("t.{}", quote_ident(&column.name));
                let differs = super::compare::distinct(
                    schema,
                    &column.ty,
                    column.collation.is_some(),
                    &name,
                    &format!("({default})"),
                );
                format!("not ({differs})")
            }));
            let pairs =
                all(self.parts.target_key().into_iter().map(|name| format!("t.{0} = new.{0}", quote_ident(name))));
            body.line(format!("delete from {} as t where {pairs} and {defaults};", split.target.quoted()));
        }
        body.line("return new;");
        body.close("end");
        body
    }

    fn to_source_body(&self) -> Block {
        let split = self.parts.split;
        let source = split.source.quoted();
        let clear: Vec<String> = split.moved.iter().map(|name| format!("{} = null", quote_ident(name))).collect();
        let clear = clear.join(", ");
        let not_null = any(split.moved.iter().map(|name| format!("s.{} is not null", quote_ident(name))));
        let mut body = Block::default();
        body.open("begin");
        body.open(format!(
            "if tg_op = 'DELETE' or tg_op = 'UPDATE' and {} then",
            self.key_changed(&self.parts.target_key())
        ));
        body.line(format!("update {source} as s set {clear}"));
        body.line(format!("where {} and {not_null};", self.key_equals(false, "s.", "old.")));
        body.close("end if;");
        body.open("if tg_op <> 'DELETE' then");
        let set: Vec<String> = split.moved.iter().map(|name| format!("{0} = new.{0}", quote_ident(name))).collect();
        body.line(format!("update {source} as s set {}", set.join(", ")));
        body.line(format!(
            "where {} and {};",
            self.key_equals(false, "s.", "new."),
            any(self.parts.differs("s.", "new."))
        ));
        body.close("end if;");
        body.line("return null;");
        body.close("end");
        body
    }

    fn clear_source_body(&self) -> Block {
        let split = self.parts.split;
        let clear: Vec<String> = split.moved.iter().map(|name| format!("{} = null", quote_ident(name))).collect();
        let not_null = any(split.moved.iter().map(|name| format!("s.{} is not null", quote_ident(name))));
        let mut body = Block::default();
        body.open("begin");
        body.line(format!("update {} as s set {} where {not_null};", split.source.quoted(), clear.join(", ")));
        body.line("return null;");
        body.close("end");
        body
    }

    /// At the end of the transaction: a row that is still there and still has no value fails as NOT NULL would have failed it.
    fn held_body(&self) -> Block {
        let split = self.parts.split;
        let keys = all(self.parts.source_key().into_iter().map(|name| format!("s.{0} = new.{0}", quote_ident(name))));
        let mut body = Block::default();
        body.open("begin");
        for column in self.held() {
            let name = quote_ident(&column.name);
            body.open(format!(
                "if exists (select from {} as s where {keys} and s.{name} is null) then",
                split.source.quoted()
            ));
            body.line("raise exception using errcode = 'not_null_violation', schema = tg_table_schema, table = tg_table_name,");
            body.line(format!("  column = {},", quote_literal(&column.name)));
            body.line(format!(
                "  message = {},",
                quote_literal(&format!(
                    "null value in column {name} of relation {} violates not-null constraint",
                    quote_ident(&split.source.name)
                ))
            ));
            body.line(format!(
                "  hint = {};",
                quote_literal(&format!(
                    "Until the contract, a row of {} and its row of {} are inserted in one transaction.",
                    split.source, split.target
                ))
            ));
            body.close("end if;");
        }
        body.line("return null;");
        body.close("end");
        body
    }
}

impl Trigger {
    fn object(&self) -> String {
        format!("trigger {} on {}", quote_ident(&self.name), self.table.quoted())
    }

    fn create(&self) -> String {
        format!(
            "create {}trigger {} {} on {}\n{}\nexecute function {}()",
            if self.constraint { "constraint " } else { "" },
            quote_ident(&self.name),
            self.events,
            self.table.quoted(),
            self.conditions,
            self.function.quoted()
        )
    }
}
