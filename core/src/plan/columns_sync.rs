//! The triggers that keep two sets of columns of one row in step, to the letter of the rules in `docs/dual-writing.md`.
//!
//! Four facts of PostgreSQL carry the design, each probed in `tests/probes.rs`:
//! BEFORE triggers fire in the order of their names, and `WHEN` sees what earlier ones changed; `UPDATE OF a` fires when the SET list names
//! `a`, also where its value stays; NOT NULL and checks are tested after all BEFORE triggers; a BEFORE trigger may return OLD.

use super::carry::{drop_constraint_if_exists, exclusive};
use super::columns::Parts;
use super::compare::{all, any, distinct};
use super::sql::{self, Block, create_function};
use super::{Action, BACKFILL_SETTING, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, derived_name, fitting, quote_ident, quote_literal};
use crate::model::{Conversion, OnFailure, Side};
use crate::schema::{Column, TriggerTiming};

/// How a row that no trigger and no backfill has been at yet is recognised. It is exact in every case.
enum Unsynced {
    /// This after column is NOT NULL in the after shape, and null.
    NotNull(String),
    /// Conversion maps null to null, and nothing else to null, both ways: the one after column is null and the one before column is not.
    NullMeansNull,
    /// This marker column is null.
    Marker(String),
}

/// What a synced row's marker holds.
const SYNCED: &str = "1";
/// What the marker holds between the two triggers of a blind write.
const WRITTEN_BLINDLY: &str = "2";

pub(super) struct Sync<'a> {
    parts: &'a Parts<'a>,
    unsynced: Unsynced,
}

/// The triggers, in the order in which they fire.
#[derive(Clone, Copy, PartialEq)]
enum Trigger {
    Restore,
    Blind,
    Insert,
    Update,
}

impl Trigger {
    fn purpose(self) -> &'static str {
        match self {
            Self::Restore => "1_restore",
            Self::Blind => "2_blind",
            Self::Insert => "3_insert",
            Self::Update => "3_update",
        }
    }
}

impl<'a> Sync<'a> {
    pub(super) fn new(parts: &'a Parts<'a>) -> Self {
        let columns = parts.columns;
        let not_null = columns.after.iter().find(|column| column.not_null);
        let plain = |conversion: &Conversion| {
            matches!(conversion.on_failure, OnFailure::Never | OnFailure::Reject)
                && conversion.expression.maps_null_to_null_only(parts.part.before.schema(), |column| {
                    let column = parts.before.column(&column.name).or_else(|| parts.after.column(&column.name))?;
                    Some(column.ty.clone())
                })
        };
        let null_means_null = columns.before.len() == 1
            && columns.after.len() == 1
            && columns.backward.len() == 1
            && columns.insert_nulls != Some(Side::After)
            && columns.after.iter().all(|column| plain(&column.forward))
            && columns.backward.iter().all(plain);
        let unsynced = match not_null {
            Some(column) => Unsynced::NotNull(column.name.clone()),
            None if null_means_null => Unsynced::NullMeansNull,
            None => Unsynced::Marker(derived_name(&[&parts.part.own, "synced"])),
        };
        Self { parts, unsynced }
    }

    pub(super) fn marker(&self) -> Option<&str> {
        match &self.unsynced {
            Unsynced::Marker(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn marker_reason(&self) -> Option<String> {
        let marker = self.marker()?;
        Some(format!(
            "{marker} marks the rows that are in step: null in {} does not say whether a row was converted or holds no value",
            self.parts.after_names().join(", ")
        ))
    }

    /// True for rows that are not in step yet, over columns with this prefix (`new.`, `source.`, nothing).
    pub(super) fn pending(&self, prefix: &str) -> String {
        let is_null = |name: &str| format!("{prefix}{} is null", quote_ident(name));
        match &self.unsynced {
            Unsynced::NotNull(column) => is_null(column),
            Unsynced::Marker(marker) => is_null(marker),
            Unsynced::NullMeansNull => all([
                self.after_is_null(prefix),
                any(self.parts.columns.before.iter().map(|name| format!("{prefix}{} is not null", quote_ident(name)))),
            ]),
        }
    }

    /// What a backfill sets, over the columns of its table.
    pub(super) fn backfill_assignments(&self) -> Vec<(String, String)> {
        let columns = &self.parts.columns.after;
        let assignments = columns.iter().map(|column| (column.name.clone(), self.forward(column, "", true)));
        assignments.chain(self.marker().map(|marker| (marker.to_owned(), SYNCED.to_owned()))).collect()
    }

    /// For each after column, true where it is not what the before columns convert to.
    pub(super) fn forward_differs(&self, prefix: &str) -> Vec<String> {
        let after = self.parts.after_columns().zip(&self.parts.columns.after);
        after
            .map(|(column, after)| {
                let is = format!("{prefix}{}", quote_ident(&column.name));
                self.distinct(column, &is, &self.forward(after, prefix, false))
            })
            .collect()
    }

    /// For each before column, true where it is not what the after columns convert to.
    pub(super) fn backward_differs(&self, prefix: &str) -> Vec<String> {
        let before = self.parts.before_columns().zip(&self.parts.columns.backward);
        before
            .map(|(column, backward)| {
                let is = format!("{prefix}{}", quote_ident(&column.name));
                self.distinct(column, &is, &self.backward(column, backward, prefix, false))
            })
            .collect()
    }

    /// Whether each shape follows from the other without loss, so that one direction says it all.
    pub(super) fn is_exact(&self) -> bool {
        let columns = self.parts.columns;
        let exact = |conversion: &Conversion| {
            !conversion.lossy && matches!(conversion.on_failure, OnFailure::Never | OnFailure::Reject)
        };
        columns.after.iter().all(|column| exact(&column.forward)) && columns.backward.iter().all(exact)
    }

    pub(super) fn first_trigger(&self) -> String {
        self.trigger_name(Trigger::Restore)
    }

    /// The functions, the triggers, and only then, in the same transaction, the rules that rely on them.
    pub(super) fn step(&self) -> Step {
        let table = &self.parts.columns.table;
        let mut statements = self.create_functions();
        statements.extend(self.not_null_checks());
        statements.extend(self.loosen_before().into_iter().map(|column| {
            format!("alter table {} alter column {} drop not null", table.quoted(), quote_ident(column))
        }));
        for trigger in self.triggers() {
            statements.push(self.create_trigger(trigger));
            let object = format!("trigger {} on {}", quote_ident(&self.trigger_name(trigger)), table.quoted());
            statements.push(sql::mark(&object, &self.parts.part.change.name));
        }
        // The stronger lock first: asking for it later, with the weaker one held, can deadlock with a reader that goes on to write.
        let level = if self.not_null_columns().next().is_some() || !self.loosen_before().is_empty() {
            LockLevel::AccessExclusive
        } else {
            LockLevel::ShareRowExclusive
        };
        Step {
            id: "sync".to_owned(),
            title: format!(
                "keep {} and {} in step, whichever is written",
                self.parts.columns.before.join(", "),
                self.parts.after_names().join(", ")
            ),
            phase: Phase::DualWriting,
            action: Action {
                statements,
                mode: Mode::Transaction,
                locks: vec![Lock { table: table.clone(), level, scans: false }],
            },
            undo: self.undo(),
            leftover: None,
        }
    }

    fn undo(&self) -> Vec<Action> {
        let table = &self.parts.columns.table;
        let mut actions = Vec::new();
        // A column that was made nullable is NOT NULL again without a scan under ACCESS EXCLUSIVE: by a check that is validated first.
        for column in self.loosen_before() {
            actions.extend(restore_not_null(table, column, &self.parts.part.own));
        }
        let mut statements: Vec<String> = self
            .triggers()
            .map(|trigger| {
                format!("drop trigger if exists {} on {}", quote_ident(&self.trigger_name(trigger)), table.quoted())
            })
            .collect();
        statements.extend(
            self.not_null_columns().map(|name| drop_constraint_if_exists(table, &self.parts.not_null_check(name))),
        );
        statements.extend(
            self.functions()
                .map(|(name, parameters)| format!("drop function if exists {}({parameters})", name.quoted())),
        );
        actions.push(Action { statements, mode: Mode::Transaction, locks: vec![exclusive(table)] });
        actions
    }

    /// For the contract: triggers before the functions that they call, both before the columns that those name (H32).
    pub(super) fn drop_statements(&self) -> Vec<String> {
        let table = self.parts.table();
        let triggers = self
            .triggers()
            .map(|trigger| format!("drop trigger {} on {table}", quote_ident(&self.trigger_name(trigger))));
        let functions =
            self.functions().map(|(name, parameters)| format!("drop function {}({parameters})", name.quoted()));
        triggers.chain(functions).collect()
    }

    /// Before columns that new code cannot fill, and that would refuse its rows.
    fn loosen_before(&self) -> Vec<&str> {
        if self.parts.columns.backward.is_empty() {
            self.parts.before_columns().filter(|column| column.not_null).map(|column| column.name.as_str()).collect()
        } else {
            Vec::new()
        }
    }

    fn not_null_columns(&self) -> impl Iterator<Item = &'a str> {
        self.parts.columns.after.iter().filter(|column| column.not_null).map(|column| column.name.as_str())
    }

    fn not_null_checks(&self) -> Vec<String> {
        let table = self.parts.table();
        self.not_null_columns()
            .flat_map(|column| {
                let name = quote_ident(&self.parts.not_null_check(column));
                [
                    format!(
                        "alter table {table} add constraint {name} check ({} is not null) not valid",
                        quote_ident(column)
                    ),
                    sql::mark(&format!("constraint {name} on {table}"), &self.parts.part.change.name),
                ]
            })
            .collect()
    }

    // --- functions ---

    /// Every function of ours with the types of its parameters.
    fn functions(&self) -> impl Iterator<Item = (QualifiedName, String)> {
        let mut functions = vec![(self.function("sync"), String::new())];
        if self.triggers().any(|trigger| trigger == Trigger::Blind) {
            functions.push((self.function("blind"), String::new()));
        }
        if self.triggers().any(|trigger| trigger == Trigger::Restore) {
            functions.push((self.function("restore"), String::new()));
        }
        for (direction, column, conversion) in self.guarded() {
            let types: Vec<String> = self.parameters(conversion).into_iter().map(|(_, ty)| ty).collect();
            functions.push((self.conversion_function(direction, column), types.join(", ")));
        }
        functions.into_iter()
    }

    fn function(&self, purpose: &str) -> QualifiedName {
        self.parts.part.own_name(&self.parts.columns.table, purpose)
    }

    fn conversion_function(&self, direction: Direction, column: &Column) -> QualifiedName {
        self.function(&format!("{}_{}", direction.name(), column.name))
    }

    fn create_functions(&self) -> Vec<String> {
        let mut statements = Vec::new();
        for (direction, column, conversion) in self.guarded() {
            statements.push(self.create_conversion_function(direction, column, conversion));
        }
        let trigger = |purpose: &str, body: Block| {
            create_function(&self.function(purpose), "", "trigger", &self.pinned_search_path(), body)
        };
        for kind in self.triggers() {
            match kind {
                Trigger::Restore => statements.push(trigger("restore", self.restore_body())),
                Trigger::Blind => statements.push(trigger("blind", self.blind_body())),
                Trigger::Insert | Trigger::Update => {}
            }
        }
        statements.push(trigger("sync", self.sync_body()));
        for (name, parameters) in self.functions().collect::<Vec<_>>() {
            let object = format!("function {}({parameters})", name.quoted());
            statements.push(sql::mark(&object, &self.parts.part.change.name));
        }
        statements
    }

    /// A function with a pinned search path costs some microseconds more per call, so only those have one whose names could be looked up
    /// in the wrong place: not the ones made of columns and casts to PostgreSQL's own types.
    fn pinned_search_path(&self) -> Vec<String> {
        let columns = self.parts.columns;
        let conversions = columns.after.iter().map(|column| &column.forward).chain(&columns.backward);
        let plain = |conversion: &Conversion| {
            let expression = &conversion.expression;
            let cast_to_builtin = expression.as_cast_of_column().is_some_and(|(_, ty)| ty.schema.is_none());
            expression.as_column().is_some() || cast_to_builtin
        };
        if conversions.into_iter().all(plain) {
            return Vec::new();
        }
        let mut path = vec!["pg_catalog".to_owned(), columns.table.schema.clone()];
        if columns.table.schema != "public" {
            path.push("public".to_owned());
        }
        path.push("pg_temp".to_owned());
        vec![format!("set search_path = {}", sql::names(&path))]
    }

    fn sync_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        body.open("if tg_op = 'INSERT' then");
        body.open(format!("if {} then", self.insert_is_after()));
        self.assign_before(&mut body);
        body.branch("else");
        self.assign_after(&mut body);
        body.close("end if;");
        let after_written = self.after_written();
        body.branch(format!("elsif {after_written} then"));
        if !self.parts.columns.backward.is_empty() {
            body.open(format!("if {} then", self.before_contradicts()));
            // Under psql alone there may be no ledger.
            body.open("if to_regprocedure('coexist.count_conflict(text)') is not null then");
            body.line(format!("perform coexist.count_conflict({});", quote_literal(&self.parts.part.change.name)));
            body.close("end if;");
            body.close("end if;");
        }
        self.assign_before(&mut body);
        body.branch("else");
        self.assign_after(&mut body);
        body.close("end if;");
        if let Some(marker) = self.marker() {
            body.line(format!("new.{} := {SYNCED};", quote_ident(marker)));
        }
        body.line("return new;");
        body.close("end");
        body
    }

    /// Whether an INSERT was written by new code.
    fn insert_is_after(&self) -> String {
        let given = any(self.parts.columns.after.iter().map(|c| format!("new.{} is not null", quote_ident(&c.name))));
        if self.parts.columns.insert_nulls != Some(Side::After) {
            return given;
        }
        // The declaration says that a row without after values, whose before columns hold their defaults, was written by new code.
        let defaults = all(self.parts.before_columns().map(|column| {
            let default = column.default.as_ref().map_or("null", |default| default.text.as_str());
            format!(
                "not ({})",
                self.distinct(column, &format!("new.{}", quote_ident(&column.name)), &format!("({default})"))
            )
        }));
        any([given, defaults])
    }

    fn after_written(&self) -> String {
        let changed = any(self.changed(self.parts.after_columns()));
        match self.marker() {
            Some(marker) => any([changed, format!("new.{} = {WRITTEN_BLINDLY}", quote_ident(marker))]),
            None => changed,
        }
    }

    /// Both were written, and the before columns not with what the after columns mean.
    fn before_contradicts(&self) -> String {
        let changed = any(self.changed(self.parts.before_columns()));
        all([changed, any(self.backward_differs("new."))])
    }

    fn changed<'c>(&self, columns: impl Iterator<Item = &'c Column>) -> Vec<String> {
        columns
            .map(|column| {
                let name = quote_ident(&column.name);
                self.distinct(column, &format!("new.{name}"), &format!("old.{name}"))
            })
            .collect()
    }

    fn after_is_null(&self, prefix: &str) -> String {
        all(self.parts.columns.after.iter().map(|column| format!("{prefix}{} is null", quote_ident(&column.name))))
    }

    fn assign_before(&self, body: &mut Block) {
        let assignments: Vec<String> = self
            .parts
            .before_columns()
            .zip(&self.parts.columns.backward)
            .map(|(column, backward)| {
                format!("new.{} := {};", quote_ident(&column.name), self.backward(column, backward, "new.", true))
            })
            .collect();
        if assignments.is_empty() {
            body.line("null; -- irreversible: the before columns keep what they hold");
        }
        for assignment in assignments {
            body.line(assignment);
        }
    }

    fn assign_after(&self, body: &mut Block) {
        for after in &self.parts.columns.after {
            body.line(format!("new.{} := {};", quote_ident(&after.name), self.forward(after, "new.", true)));
        }
    }

    /// A blind write by new code: an UPDATE that names after columns of a row that is not in step, and leaves them null.
    fn blind_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        match &self.unsynced {
            Unsynced::NotNull(column) => {
                body.line("raise exception using errcode = 'not_null_violation', schema = tg_table_schema, table = tg_table_name,");
                body.line(format!("  column = {},", quote_literal(column)));
                body.line(format!(
                    "  message = {};",
                    quote_literal(&format!(
                        "null value in column {} of relation {} violates not-null constraint",
                        quote_ident(column),
                        quote_ident(&self.parts.columns.table.name)
                    ))
                ));
            }
            Unsynced::NullMeansNull => self.assign_before(&mut body),
            Unsynced::Marker(marker) => {
                body.line(format!("new.{} := {WRITTEN_BLINDLY};", quote_ident(marker)));
            }
        }
        body.line("return new;");
        body.close("end");
        body
    }

    /// Puts back what the table's own BEFORE triggers (`updated_at`) changed on a row that the backfill updates.
    fn restore_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        let names = self.parts.after_names();
        for name in names.iter().map(String::as_str).chain(self.marker()) {
            let name = quote_ident(name);
            body.line(format!("old.{name} := new.{name};"));
        }
        body.line("return old;");
        body.close("end");
        body
    }

    // --- triggers ---

    fn triggers(&self) -> impl Iterator<Item = Trigger> {
        let own_before_update = self
            .parts
            .before
            .triggers
            .iter()
            .any(|trigger| trigger.timing == TriggerTiming::Before && trigger.for_each_row && trigger.on_update);
        let restore = own_before_update.then_some(Trigger::Restore);
        restore.into_iter().chain([Trigger::Blind, Trigger::Insert, Trigger::Update])
    }

    /// Sorts after the user's own triggers, so that it sees what they changed (H37).
    fn trigger_name(&self, trigger: Trigger) -> String {
        last_firing_name(&self.parts.part.own, trigger.purpose())
    }

    fn create_trigger(&self, trigger: Trigger) -> String {
        let name = quote_ident(&self.trigger_name(trigger));
        let table = self.parts.table();
        let setting = format!("pg_catalog.current_setting({}, true)", quote_literal(BACKFILL_SETTING));
        let change = quote_literal(&self.parts.part.change.name);
        let not_backfilling = format!("{setting} is distinct from {change}");
        let (event, when, function) = match trigger {
            Trigger::Restore => ("update".to_owned(), Some(format!("{setting} = {change}")), "restore"),
            Trigger::Blind => (
                format!("update of {}", sql::names(&self.parts.after_names())),
                Some(all([self.pending("old."), self.after_is_null("new."), not_backfilling])),
                "blind",
            ),
            Trigger::Insert => ("insert".to_owned(), None, "sync"),
            Trigger::Update => {
                let after = self.changed(self.parts.after_columns());
                let before = self.changed(self.parts.before_columns());
                let moved = any(after.into_iter().chain(before).chain([self.still_pending()]));
                ("update".to_owned(), Some(all([moved, not_backfilling])), "sync")
            }
        };
        let when = when.map(|when| format!("\nwhen ({when})")).unwrap_or_default();
        format!(
            "create trigger {name} before {event} on {table}\nfor each row{when}\nexecute function {}()",
            self.function(function).quoted()
        )
    }

    /// A row that moves while the backfill passes is synced on its way.
    fn still_pending(&self) -> String {
        match self.marker() {
            Some(marker) => format!("new.{} is distinct from {SYNCED}", quote_ident(marker)),
            None => self.pending("new."),
        }
    }

    // --- conversions ---

    /// The after column, made from the before columns with this prefix.
    fn forward(&self, after: &crate::model::AfterColumn, prefix: &str, record: bool) -> String {
        match self.parts.after.column(&after.name) {
            Some(column) => self.convert(Direction::Forward, column, &after.forward, prefix, record),
            None => "null".to_owned(),
        }
    }

    fn backward(&self, before: &Column, conversion: &Conversion, prefix: &str, record: bool) -> String {
        self.convert(Direction::Backward, before, conversion, prefix, record)
    }

    /// A conversion as an expression over columns with `prefix`; `record` says whether a value that does not convert is recorded.
    fn convert(
        &self,
        direction: Direction,
        column: &Column,
        conversion: &Conversion,
        prefix: &str,
        record: bool,
    ) -> String {
        if !is_guarded(conversion) {
            if let Some(column) = conversion.expression.as_column() {
                return format!("{prefix}{}", quote_ident(&column.name));
            }
            return conversion.expression.replace_columns(|column| {
                let reference = format!("{prefix}{}", quote_ident(&column.name));
                // `new.address.street` would read a column `street` of `new.address`; parentheses make it a field.
                Some(if prefix.is_empty() { reference } else { format!("({reference})") })
            });
        }
        let mut arguments: Vec<String> =
            self.read_columns(conversion).iter().map(|name| format!("{prefix}{}", quote_ident(name))).collect();
        if matches!(conversion.on_failure, OnFailure::Quarantine) {
            arguments.push(if record { self.key_as_json(prefix) } else { "null".to_owned() });
        }
        format!("{}({})", self.conversion_function(direction, column).quoted(), arguments.join(", "))
    }

    fn key_as_json(&self, prefix: &str) -> String {
        let key = super::columns::key_columns(self.parts.before);
        if key.is_empty() {
            return "'{}'::jsonb".to_owned();
        }
        let pairs: Vec<String> = key
            .iter()
            .map(|column| format!("{}, {prefix}{}", quote_literal(&column.name), quote_ident(&column.name)))
            .collect();
        format!("pg_catalog.jsonb_build_object({})", pairs.join(", "))
    }

    /// Conversions that need a function of their own, because a value that does not convert must not fail the write.
    fn guarded(&self) -> Vec<(Direction, &'a Column, &'a Conversion)> {
        let columns = self.parts.columns;
        let forward = self
            .parts
            .after_columns()
            .zip(&columns.after)
            .map(|(column, after)| (Direction::Forward, column, &after.forward));
        let backward = self
            .parts
            .before_columns()
            .zip(&columns.backward)
            .map(|(column, backward)| (Direction::Backward, column, backward));
        forward.chain(backward).filter(|(_, _, conversion)| is_guarded(conversion)).collect()
    }

    /// The columns that a conversion reads, its fallback included, each once.
    fn read_columns(&self, conversion: &Conversion) -> Vec<String> {
        let fallback = match &conversion.on_failure {
            OnFailure::Expression(expression) => expression.columns(),
            _ => &[],
        };
        let mut names = Vec::new();
        for column in conversion.expression.columns().iter().chain(fallback) {
            if !names.contains(&column.name) {
                names.push(column.name.clone());
            }
        }
        names
    }

    /// Names and types: what the conversion reads, and the key of the row where a failure is recorded.
    fn parameters(&self, conversion: &Conversion) -> Vec<(String, String)> {
        let mut parameters: Vec<(String, String)> = self
            .read_columns(conversion)
            .into_iter()
            .filter_map(|name| {
                let column = self.parts.before.column(&name).or_else(|| self.parts.after.column(&name))?;
                Some((name, column.ty.to_string()))
            })
            .collect();
        if matches!(conversion.on_failure, OnFailure::Quarantine) {
            parameters.push(("coexist_key".to_owned(), "jsonb".to_owned()));
        }
        parameters
    }

    fn create_conversion_function(&self, direction: Direction, column: &Column, conversion: &Conversion) -> String {
        let parameters: Vec<String> =
            self.parameters(conversion).iter().map(|(name, ty)| format!("{} {ty}", quote_ident(name))).collect();
        let own = |expression: &crate::sql::expression::Expression| {
            expression.replace_columns(|column| Some(quote_ident(&column.name)))
        };
        let mut body = Block::default();
        body.open("begin");
        body.line(format!("return {};", own(&conversion.expression)));
        body.branch("exception when data_exception or check_violation or not_null_violation or raise_exception then");
        match &conversion.on_failure {
            OnFailure::Expression(fallback) => {
                body.line(format!("return {};", own(fallback)));
            }
            _ => {
                let values: Vec<String> =
                    self.read_columns(conversion).iter().map(|name| format!("{}::text", quote_ident(name))).collect();
                body.open("if coexist_key is not null then");
                body.line(format!(
                    "perform coexist.quarantine_row({}, {}, coexist_key, {},",
                    quote_literal(&self.parts.part.change.name),
                    quote_literal(&self.parts.columns.table.to_string()),
                    quote_literal(&column.name)
                ));
                body.line(format!("  concat_ws(', ', {}), sqlstate, sqlerrm);", values.join(", ")));
                body.close("end if;");
                body.line("return null;");
            }
        }
        body.close("end");
        let mut attributes =
            vec![if matches!(conversion.on_failure, OnFailure::Quarantine) { "volatile" } else { "stable" }.to_owned()];
        attributes.extend(self.pinned_search_path());
        create_function(
            &self.conversion_function(direction, column),
            &parameters.join(", "),
            &column.ty.to_string(),
            &attributes,
            body,
        )
    }

    fn distinct(&self, column: &Column, a: &str, b: &str) -> String {
        distinct(self.parts.part.before.schema(), &column.ty, column.collation.is_some(), a, b)
    }
}

/// Which shape a conversion makes.
#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

fn is_guarded(conversion: &Conversion) -> bool {
    matches!(conversion.on_failure, OnFailure::Quarantine | OnFailure::Expression(_))
}

/// `zz_coexist_<change>_<purpose>`, which sorts after what people call their own triggers.
pub(super) fn last_firing_name(own: &str, purpose: &str) -> String {
    fitting(format!("zz_coexist_{purpose}_{own}"))
}

/// Makes a column NOT NULL again in three short steps, none of which reads the table under a strong lock.
pub(super) fn restore_not_null(table: &QualifiedName, column: &str, own: &str) -> Vec<Action> {
    let check = derived_name(&[own, column, "was_not_null"]);
    let (quoted, name) = (table.quoted(), quote_ident(&check));
    let column = quote_ident(column);
    let action = |statements, mode, level, scans| Action {
        statements,
        mode,
        locks: vec![Lock { table: table.clone(), level, scans }],
    };
    vec![
        action(
            vec![
                drop_constraint_if_exists(table, &check),
                format!("alter table {quoted} add constraint {name} check ({column} is not null) not valid"),
            ],
            Mode::Transaction,
            LockLevel::AccessExclusive,
            false,
        ),
        action(
            vec![format!("alter table {quoted} validate constraint {name}")],
            Mode::LongTransaction,
            LockLevel::ShareUpdateExclusive,
            true,
        ),
        action(
            vec![
                format!("alter table {quoted} alter column {column} set not null"),
                drop_constraint_if_exists(table, &check),
            ],
            Mode::Transaction,
            LockLevel::AccessExclusive,
            false,
        ),
    ]
}
