//! Functions and triggers of ours: what they are called, and how they are made, marked and dropped.

use super::BACKFILL_SETTING;
use super::make::{Part, search_path};
use super::sql::{self, Block, anonymous, create_function};
use crate::ident::{QualifiedName, fitting, quote_ident, quote_literal};
use crate::schema::{Table, TriggerTiming};

/// Over the statement that carries back what a table's own BEFORE triggers made of a value which we wrote. Where they make the same of it as
/// they did before, nothing was changed, and no trigger of ours sees it (H37).
pub(super) const OWN_TRIGGERS: &str = "-- what the table's own triggers made of it";

/// All functions and triggers of one operation on one table, or on two.
pub(super) struct Triggers<'a> {
    part: &'a Part<'a>,
    /// In the order in which they are made.
    functions: Vec<Function>,
    /// The table whose owner's rights the functions have; `None` where they have those of who writes.
    owned_like: Option<QualifiedName>,
    triggers: Vec<Trigger>,
}

/// A function of ours that triggers call.
pub(super) struct Function {
    pub(super) name: QualifiedName,
    /// What stands between its language and its body.
    pub(super) attributes: Vec<String>,
    pub(super) body: Block,
}

/// A trigger of ours.
pub(super) struct Trigger {
    pub(super) name: String,
    pub(super) table: QualifiedName,
    /// From `before` or `after` up to the table's name.
    pub(super) events: String,
    /// What follows the table's name.
    pub(super) conditions: String,
    pub(super) function: QualifiedName,
    /// A deferred constraint trigger.
    pub(super) constraint: bool,
}

impl<'a> Triggers<'a> {
    /// Functions that write nothing but the row of their trigger.
    pub(super) fn new(part: &'a Part<'a>, functions: Vec<Function>, triggers: Vec<Trigger>) -> Self {
        Self { part, functions, owned_like: None, triggers }
    }

    /// Functions that write these tables with the rights of their owner: a role that may write the one need not have every right on the other.
    pub(super) fn with_rights_of_owner(
        part: &'a Part<'a>,
        tables: &[&QualifiedName],
        functions: impl IntoIterator<Item = (QualifiedName, Block)>,
        triggers: Vec<Trigger>,
    ) -> Self {
        let path = format!("set search_path = {}", sql::names(&path(part, tables)));
        let attributes = vec!["security definer".to_owned(), path];
        let function = |(name, body)| Function { name, attributes: attributes.clone(), body };
        Self {
            part,
            functions: functions.into_iter().map(function).collect(),
            owned_like: tables.first().map(|table| (*table).clone()),
            triggers,
        }
    }

    /// The functions, and then the triggers.
    pub(super) fn create(&self) -> Vec<String> {
        let mut statements = self.create_functions();
        statements.extend(self.create_triggers());
        statements
    }

    pub(super) fn create_functions(&self) -> Vec<String> {
        let functions = self.functions.iter().flat_map(|Function { name, attributes, body }| {
            let mark = sql::mark(&format!("function {}()", name.quoted()), &self.part.change.name);
            [create_function(name, "", "trigger", attributes, body.clone()), mark]
        });
        functions.chain(self.owned_like.as_ref().map(|table| self.hand_over(table))).collect()
    }

    pub(super) fn create_triggers(&self) -> Vec<String> {
        let change = &self.part.change.name;
        self.triggers.iter().flat_map(|trigger| [trigger.create(), sql::mark(&trigger.object(), change)]).collect()
    }

    /// Works also where they were not all made.
    pub(super) fn undo(&self) -> Vec<String> {
        let mut statements = self.undo_triggers();
        statements.extend(self.undo_functions());
        statements
    }

    pub(super) fn undo_triggers(&self) -> Vec<String> {
        self.triggers.iter().map(|trigger| trigger.drop(" if exists")).collect()
    }

    pub(super) fn undo_functions(&self) -> Vec<String> {
        self.functions.iter().map(|function| function.drop(" if exists")).collect()
    }

    /// For the contract: triggers before the functions that they call, both before the columns that those name (H32).
    pub(super) fn drop_statements(&self) -> Vec<String> {
        let triggers = self.triggers.iter().map(|trigger| trigger.drop(""));
        triggers.chain(self.functions.iter().map(|function| function.drop(""))).collect()
    }

    /// Functions that a superuser made would run as one: they get the rights of the table's owner. Anybody else who may alter the table has
    /// those rights already.
    fn hand_over(&self, table: &QualifiedName) -> String {
        let literal = |function: &Function| quote_literal(&format!("{}()", function.name.quoted()));
        let functions: Vec<String> = self.functions.iter().map(literal).collect();
        let mut body = Block::default();
        body.open("declare").line("owner name;").line("function regprocedure;").branch("begin");
        body.line("select pg_catalog.pg_get_userbyid(c.relowner) into strict owner");
        body.line(format!("  from pg_catalog.pg_class c where c.oid = {}::regclass;", quote_literal(&table.quoted())));
        body.open("if owner <> current_user and pg_catalog.current_setting('is_superuser') = 'on' then");
        body.open(format!("foreach function in array array[{}]::regprocedure[] loop", functions.join(", ")));
        body.line("execute format('alter function %s owner to %I', function, owner);");
        body.close("end loop;").close("end if;").close("end");
        anonymous(body)
    }
}

/// SECURITY DEFINER without a pinned path writes into whatever a caller put in front of it (H42). All names of ours are qualified; those in
/// triggers of the user's own, which fire for what we write, may not be.
fn path(part: &Part<'_>, tables: &[&QualifiedName]) -> Vec<String> {
    let has_triggers = |name: &&QualifiedName| part.before.table(name).is_some_and(|table| !table.triggers.is_empty());
    if tables.iter().any(has_triggers) {
        let tables: Vec<QualifiedName> = tables.iter().map(|table| (*table).clone()).collect();
        search_path(&tables)
    } else {
        ["pg_catalog", "pg_temp"].map(str::to_owned).to_vec()
    }
}

impl Function {
    fn drop(&self, if_exists: &str) -> String {
        format!("drop function{if_exists} {}()", self.name.quoted())
    }
}

impl Trigger {
    /// One that fires before each row is written, by these events, for which a condition is true.
    pub(super) fn before(
        name: String,
        table: &QualifiedName,
        events: &str,
        when: Option<String>,
        function: QualifiedName,
    ) -> Self {
        let when = when.map(|when| format!("\nwhen ({when})")).unwrap_or_default();
        Self {
            name,
            table: table.clone(),
            events: format!("before {events}"),
            conditions: format!("for each row{when}"),
            function,
            constraint: false,
        }
    }

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

    fn drop(&self, if_exists: &str) -> String {
        format!("drop trigger{if_exists} {} on {}", quote_ident(&self.name), self.table.quoted())
    }
}

/// Stops where two tables have different owners: the functions have the rights of one, and write both.
pub(super) fn one_owner(one: &QualifiedName, other: &QualifiedName) -> String {
    let owner = |table: &QualifiedName| {
        let table = quote_literal(&table.quoted());
        format!("(select c.relowner from pg_catalog.pg_class c where c.oid = {table}::regclass)")
    };
    let message = format!("{one} and {other} have different owners");
    let hint = "The triggers that keep them in step run with the rights of one owner. Give both tables the same one: alter table … owner to …";
    let mut body = Block::default();
    body.open("begin");
    body.open(format!("if {} <> {} then", owner(one), owner(other)));
    body.line(format!("raise exception using message = {},", quote_literal(&message)));
    body.line(format!("  hint = {};", quote_literal(hint)));
    body.close("end if;").close("end");
    anonymous(body)
}

/// The purpose of a trigger that puts back what the table's own triggers changed. It returns the old row, so it fires before all others of ours:
/// those of other changes and operations fill columns of theirs.
pub(super) const RESTORE: &str = "1_restore";

/// `zz_coexist_<change>_<purpose>`, which sorts after what people call their own triggers, so that it sees what they changed (H37).
pub(super) fn last_firing_name(own: &str, purpose: &str) -> String {
    fitting(format!("zz_coexist_{purpose}_{own}"))
}

/// `set search_path = …`, an attribute of a function whose expressions are those of a declaration about this table.
pub(super) fn pinned_search_path(table: &QualifiedName) -> String {
    let mut path = vec!["pg_catalog".to_owned(), table.schema.clone()];
    if table.schema != "public" {
        path.push("public".to_owned());
    }
    path.push("pg_temp".to_owned());
    format!("set search_path = {}", sql::names(&path))
}

/// True outside of the operation's own backfill, or (`backfilling`) within it.
pub(super) fn in_backfill(part: &Part<'_>, backfilling: bool) -> String {
    let setting = format!("pg_catalog.current_setting({}, true)", quote_literal(BACKFILL_SETTING));
    let operator = if backfilling { "=" } else { "is distinct from" };
    format!("{setting} {operator} {}", quote_literal(&part.own))
}

/// Whether a table has triggers of its own (`updated_at`) that may change a row which is updated.
pub(super) fn has_update_triggers(table: &Table) -> bool {
    let mut triggers = table.triggers.iter();
    triggers.any(|trigger| trigger.timing == TriggerTiming::Before && trigger.for_each_row && trigger.on_update)
}

/// Puts back what the table's own BEFORE triggers (`updated_at`) changed on a row that the backfill updates: only these columns are new.
pub(super) fn restore_body<'n>(columns: impl IntoIterator<Item = &'n str>) -> Block {
    let mut body = Block::default();
    body.open("begin");
    for column in columns {
        body.line(format!("old.{0} := new.{0};", quote_ident(column)));
    }
    body.line("return old;");
    body.close("end");
    body
}
