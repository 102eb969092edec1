//! The plans of what a table says of its rows. The columns stay where they are: nothing is copied.

mod constrain;
mod mend;
mod relax;
mod require;
mod settings;

use super::make::{Part, Planned};
use super::sql;
use super::{Action, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, quote_ident};
use crate::model::rules::RuleChange;

/// Plans a change of a rule.
pub(super) fn plan(part: &Part<'_>, rule: &RuleChange) -> Option<Planned> {
    match rule {
        RuleChange::Require(require) => require::plan(part, require),
        RuleChange::Relax(relax) => relax::plan(part, relax),
        RuleChange::Constrain(constrain) => constrain::plan(part, constrain),
        RuleChange::Unconstrain(unconstrain) => settings::unconstrain(part, unconstrain),
        RuleChange::Default(default) => settings::default(part, default),
        RuleChange::Comment(comment) => settings::comment(part, comment),
    }
}

/// A short step of this plan.
fn step(id: &str, title: String, phase: Phase, statements: Vec<String>, locks: Vec<Lock>) -> Step {
    Step {
        id: id.to_owned(),
        title,
        phase,
        action: Action { statements, mode: Mode::Transaction, locks },
        undo: Vec::new(),
        leftover: None,
    }
}

fn lock(table: &QualifiedName, level: LockLevel) -> Lock {
    Lock { table: table.clone(), level, scans: false }
}

/// `constraint "c" on "t"`, as `comment on` takes it.
fn constraint_object(table: &QualifiedName, name: &str) -> String {
    format!("constraint {} on {}", quote_ident(name), table.quoted())
}

/// Says that the change has begun where nothing that it makes can bear its mark: a constraint on the column that is always true. While it is
/// there, there is something to take back, and other changes know why the column is not as the schema says; after the contract neither is so
/// (H76).
struct Begun<'a> {
    table: &'a QualifiedName,
    column: &'a str,
    name: String,
    change: &'a str,
}

impl<'a> Begun<'a> {
    fn new(part: &'a Part<'_>, table: &'a QualifiedName, column: &'a str) -> Self {
        Self { table, column, name: crate::ident::derived_name(&[&part.own, "begun"]), change: &part.change.name }
    }

    fn make(&self) -> [String; 2] {
        let (table, name) = (self.table.quoted(), quote_ident(&self.name));
        [
            format!(
                "alter table {table} add constraint {name} check ({} is null or true) not valid",
                quote_ident(self.column)
            ),
            sql::mark(&constraint_object(self.table, &self.name), self.change),
        ]
    }

    fn drop(&self) -> String {
        format!("alter table {} drop constraint {}", self.table.quoted(), quote_ident(&self.name))
    }

    /// The statements, to be run only while it is there.
    fn undo(&self, statements: &[String], mode: Mode, lock: Lock) -> Action {
        Action { statements: vec![sql::while_constrained(self.table, &self.name, statements)], mode, locks: vec![lock] }
    }
}
