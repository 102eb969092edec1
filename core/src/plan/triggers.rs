//! Functions and triggers that keep tables in step: made with the rights of a table's owner, marked, and dropped.

use super::make::{Part, search_path};
use super::sql::{self, Block, anonymous, create_function};
use crate::ident::{QualifiedName, quote_ident, quote_literal};
use crate::model::Shape;

/// All functions and triggers of one operation.
pub(super) struct Triggers<'a> {
    part: &'a Part<'a>,
    /// The table whose owner's rights the functions have.
    owned: &'a QualifiedName,
    /// In the order in which they are made.
    functions: Vec<(QualifiedName, Block)>,
    triggers: Vec<Trigger>,
}

/// A trigger of ours.
pub(super) struct Trigger {
    /// Its name.
    pub(super) name: String,
    /// Its table.
    pub(super) table: QualifiedName,
    /// From `before` or `after` up to the table's name.
    pub(super) events: String,
    /// What follows the table's name.
    pub(super) conditions: String,
    /// What it calls.
    pub(super) function: QualifiedName,
}

impl<'a> Triggers<'a> {
    pub(super) fn new(
        part: &'a Part<'a>,
        owned: &'a QualifiedName,
        functions: Vec<(QualifiedName, Block)>,
        triggers: Vec<Trigger>,
    ) -> Self {
        Self { part, owned, functions, triggers }
    }

    /// The functions, and then the triggers.
    pub(super) fn create(&self) -> Vec<String> {
        // SECURITY DEFINER without a pinned path writes into whatever a caller put in front of it (H42).
        let path = sql::names(&path(self.part.before, self.owned));
        let attributes = ["security definer".to_owned(), format!("set search_path = {path}")];
        let change = &self.part.change.name;
        let functions = self.functions.iter().flat_map(|(name, body)| {
            let mark = sql::mark(&format!("function {}()", name.quoted()), change);
            [create_function(name, "", "trigger", &attributes, body.clone()), mark]
        });
        let triggers =
            self.triggers.iter().flat_map(|trigger| [trigger.create(), sql::mark(&trigger.object(), change)]);
        functions.chain([self.hand_over()]).chain(triggers).collect()
    }

    /// Works also where they were not all made.
    pub(super) fn undo(&self) -> Vec<String> {
        self.drop(" if exists")
    }

    /// For the contract: triggers before the functions that they call, both before the columns that those name (H32).
    pub(super) fn drop_statements(&self) -> Vec<String> {
        self.drop("")
    }

    fn drop(&self, condition: &str) -> Vec<String> {
        let triggers = self.triggers.iter().map(|trigger| {
            format!("drop trigger{condition} {} on {}", quote_ident(&trigger.name), trigger.table.quoted())
        });
        let functions = self.functions.iter().map(|(name, _)| format!("drop function{condition} {}()", name.quoted()));
        triggers.chain(functions).collect()
    }

    /// Functions that a superuser made would run as one: they get the rights of the table's owner. Anybody else who may alter the table has
    /// those rights already.
    fn hand_over(&self) -> String {
        let owned = quote_literal(&self.owned.quoted());
        let functions: Vec<String> =
            self.functions.iter().map(|(name, _)| quote_literal(&format!("{}()", name.quoted()))).collect();
        let mut body = Block::default();
        body.open("declare").line("owner name;").line("function regprocedure;").branch("begin");
        body.line("select pg_catalog.pg_get_userbyid(c.relowner) into strict owner");
        body.line(format!("  from pg_catalog.pg_class c where c.oid = {owned}::regclass;"));
        body.open("if owner <> current_user and pg_catalog.current_setting('is_superuser') = 'on' then");
        body.open(format!("foreach function in array array[{}]::regprocedure[] loop", functions.join(", ")));
        body.line("execute format('alter function %s owner to %I', function, owner);");
        body.close("end loop;").close("end if;").close("end");
        anonymous(body)
    }
}

/// All names of ours are qualified; those in triggers of the user's own, which fire for what we write, may not be.
fn path(shape: &Shape, table: &QualifiedName) -> Vec<String> {
    let has_triggers = shape.table(table).is_some_and(|table| !table.triggers.is_empty());
    if has_triggers {
        search_path(std::slice::from_ref(table))
    } else {
        vec!["pg_catalog".to_owned(), "pg_temp".to_owned()]
    }
}

impl Trigger {
    fn object(&self) -> String {
        format!("trigger {} on {}", quote_ident(&self.name), self.table.quoted())
    }

    fn create(&self) -> String {
        format!(
            "create trigger {} {} on {}\n{}\nexecute function {}()",
            quote_ident(&self.name),
            self.events,
            self.table.quoted(),
            self.conditions,
            self.function.quoted()
        )
    }
}
