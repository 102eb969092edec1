//! The triggers that keep two sets of columns of one row in step, to the letter of the rules in `docs/dual-writing.md`.
//!
//! Four facts of PostgreSQL carry the design, each probed in `tests/probes.rs`:
//! BEFORE triggers fire in the order of their names, and `WHEN` sees what earlier ones changed; `UPDATE OF a` fires when the SET list names
//! `a`, also where its value stays; NOT NULL and checks are tested after all BEFORE triggers; a BEFORE trigger may return OLD.

use super::carry::{drop_constraint_if_exists, exclusive};
use super::columns::Parts;
use super::columns_mapping::{Mapped, SYNCED, Unsynced, WRITTEN_ONE_WAY};
use super::compare::{all, any};
use super::sql::{self, Block, create_function};
use super::triggers::{
    RESTORE, Trigger, Triggers, has_update_triggers, in_backfill, last_firing_name, pinned_search_path, restore_body,
};
use super::violations;
use super::{Action, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, derived_name, quote_ident, quote_literal};
use crate::model::{AfterColumn, Side};

pub(super) struct Sync<'a> {
    parts: &'a Parts<'a>,
    pub(super) mappings: Vec<Mapped<'a>>,
}

/// What the triggers are for, in the order in which they fire.
#[derive(Clone, Copy)]
enum Purpose<'s, 'a> {
    Restore,
    Blind(BlindWrite<'s, 'a>),
    Insert,
    Update,
}

/// An UPDATE that names an after column of a row that is not in step, and leaves it null. Each column has a trigger of its own for it: the one
/// that fires on `UPDATE OF` several does not tell which of them were named.
#[derive(Clone, Copy)]
struct BlindWrite<'s, 'a> {
    mapped: &'s Mapped<'a>,
    column: &'a AfterColumn,
    /// Tells its function and its trigger from those of others, where there are any.
    number: Option<usize>,
    /// The marker's bit that says so.
    bit: i64,
}

impl BlindWrite<'_, '_> {
    fn function(&self) -> String {
        self.number.map_or_else(|| "blind".to_owned(), |number| format!("blind_{number}"))
    }
}

impl Purpose<'_, '_> {
    fn trigger(&self) -> String {
        match self {
            Self::Restore => RESTORE.to_owned(),
            Self::Blind(blind) => format!("2_{}", blind.function()),
            Self::Insert => "3_insert".to_owned(),
            Self::Update => "3_update".to_owned(),
        }
    }
}

impl<'a> Sync<'a> {
    pub(super) fn new(parts: &'a Parts<'a>, mappings: Vec<Mapped<'a>>) -> Self {
        Self { parts, mappings }
    }

    /// The marker columns, each with its type.
    pub(super) fn markers(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.mappings.iter().filter_map(|mapped| Some((mapped.marker()?, mapped.marker_type())))
    }

    /// True for rows that are not in step yet in some mapping, over columns with this prefix.
    pub(super) fn pending(&self, prefix: &str) -> String {
        any(self.mappings.iter().map(|mapped| mapped.pending(prefix)))
    }

    /// What a backfill sets, over the columns of its table. What is in step already stays as it is.
    pub(super) fn backfill_assignments(&self) -> Vec<(String, String)> {
        let several = self.mappings.len() > 1;
        let of_mapping = |mapped: &Mapped<'_>| {
            let pending = mapped.pending("");
            let assignments = mapped.backfill_assignments().into_iter().map(|(column, value)| match several {
                true => {
                    let kept = quote_ident(&column);
                    (column, format!("case when {pending} then {value} else {kept} end"))
                }
                false => (column, value),
            });
            assignments.collect::<Vec<_>>()
        };
        self.mappings.iter().flat_map(of_mapping).collect()
    }

    /// What a backfill sets on condition, by itself, where a value may be in quarantine.
    pub(super) fn conditional_conversions(&self) -> Vec<(String, String)> {
        if self.mappings.len() < 2 {
            return Vec::new();
        }
        self.mappings.iter().flat_map(Mapped::quarantining).collect()
    }

    pub(super) fn first_trigger(&self) -> String {
        self.trigger_name(Purpose::Restore)
    }

    /// The functions, the triggers, and only then, in the same transaction, the rules that rely on them.
    pub(super) fn step(&self) -> Step {
        let table = self.parts.table;
        let mut statements = self.create_functions();
        statements.extend(self.not_null_checks());
        statements.extend(self.loosen_before().map(|column| {
            format!("alter table {} alter column {} drop not null", table.quoted(), quote_ident(column))
        }));
        statements.extend(self.triggers().create_triggers());
        // The stronger lock first: asking for it later, with the weaker one held, can deadlock with a reader that goes on to write.
        let level = if self.parts.not_null_columns().next().is_some() || self.loosen_before().next().is_some() {
            LockLevel::AccessExclusive
        } else {
            LockLevel::ShareRowExclusive
        };
        Step {
            id: "sync".to_owned(),
            title: format!(
                "keep {} and {} in step, whichever is written",
                self.parts.columns.before_names().join(", "),
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
        let table = self.parts.table;
        let mut actions = Vec::new();
        // A column that was made nullable is NOT NULL again without a scan under ACCESS EXCLUSIVE: by a check that is validated first.
        for column in self.loosen_before() {
            actions.extend(restore_not_null(table, column, &self.parts.part.own));
        }
        let mut statements = self.triggers().undo_triggers();
        statements.extend(
            self.parts
                .not_null_columns()
                .map(|column| drop_constraint_if_exists(table, &self.parts.not_null_check(&column.name))),
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
        let functions =
            self.functions().map(|(name, parameters)| format!("drop function {}({parameters})", name.quoted()));
        self.triggers().drop_statements().into_iter().chain(functions).collect()
    }

    /// Before columns that new code cannot fill, and that would refuse its rows.
    fn loosen_before(&self) -> impl Iterator<Item = &str> {
        let one_way = self.mappings.iter().filter(|mapped| mapped.is_one_way());
        let columns = one_way.flat_map(Mapped::before_columns);
        columns.filter(|column| column.not_null).map(|column| column.name.as_str())
    }

    fn not_null_checks(&self) -> Vec<String> {
        let table = self.parts.table.quoted();
        self.parts
            .not_null_columns()
            .flat_map(|column| {
                let name = quote_ident(&self.parts.not_null_check(&column.name));
                [
                    format!(
                        "alter table {table} add constraint {name} check ({}) not valid",
                        self.parts.is_not_null(column, "")
                    ),
                    sql::mark(&format!("constraint {name} on {table}"), &self.parts.part.change.name),
                ]
            })
            .collect()
    }

    // --- functions ---

    /// Every function of ours with the types of its parameters.
    fn functions(&self) -> impl Iterator<Item = (QualifiedName, String)> {
        let of_triggers = self.purposes().into_iter().rev().filter_map(|purpose| match purpose {
            Purpose::Restore => Some("restore".to_owned()),
            Purpose::Blind(blind) => Some(blind.function()),
            Purpose::Insert => Some("sync".to_owned()),
            Purpose::Update => None,
        });
        let of_triggers = of_triggers.map(|purpose| (self.parts.function(&purpose), String::new()));
        of_triggers.chain(self.mappings.iter().flat_map(Mapped::functions))
    }

    fn create_functions(&self) -> Vec<String> {
        let search_path = self.pinned_search_path();
        let mut statements: Vec<String> =
            self.mappings.iter().flat_map(|mapped| mapped.create_functions(&search_path)).collect();
        for purpose in self.purposes() {
            let (function, body) = match purpose {
                Purpose::Restore => ("restore".to_owned(), self.restore_body()),
                Purpose::Blind(blind) => (blind.function(), self.blind_body(&blind)),
                Purpose::Insert => ("sync".to_owned(), self.sync_body()),
                Purpose::Update => continue,
            };
            statements.push(create_function(&self.parts.function(&function), "", "trigger", &search_path, body));
        }
        for (name, parameters) in self.functions() {
            let object = format!("function {}({parameters})", name.quoted());
            statements.push(sql::mark(&object, &self.parts.part.change.name));
        }
        statements
    }

    /// A function with a pinned search path costs some microseconds more per call, so only those have one whose names could be looked up
    /// in the wrong place.
    fn pinned_search_path(&self) -> Vec<String> {
        if self.mappings.iter().all(Mapped::names_nothing) {
            return Vec::new();
        }
        vec![pinned_search_path(self.parts.table)]
    }

    fn sync_body(&self) -> Block {
        let mut body = Block::default();
        body.open("begin");
        for mapped in &self.mappings {
            self.sync_mapping(mapped, &mut body);
        }
        body.line("return new;");
        body.close("end");
        body
    }

    fn sync_mapping(&self, mapped: &Mapped<'_>, body: &mut Block) {
        body.open("if tg_op = 'INSERT' then");
        body.open(format!("if {} then", insert_is_after(mapped)));
        assign_before(mapped, body);
        body.branch("else");
        assign_after(mapped, body);
        body.close("end if;");
        body.branch(format!("elsif {} then", after_written(mapped)));
        fill_what_is_left_out(mapped, body);
        if !mapped.is_one_way() {
            body.open(format!("if {} then", before_contradicts(mapped)));
            // Under psql alone there may be no ledger.
            body.open("if to_regprocedure('coexist.count_conflict(text)') is not null then");
            body.line(format!("perform coexist.count_conflict({});", quote_literal(&self.parts.part.change.name)));
            body.close("end if;");
            body.close("end if;");
        }
        assign_before(mapped, body);
        body.branch(match self.mappings.len() {
            // The trigger's condition leaves nothing else.
            1 => "else".to_owned(),
            _ => format!(
                "elsif {} then",
                any(mapped.changed(mapped.before_columns()).into_iter().chain([mapped.still_pending()]))
            ),
        });
        assign_after(mapped, body);
        body.close("end if;");
    }

    fn blind_body(&self, blind: &BlindWrite<'_, '_>) -> Block {
        let mut body = Block::default();
        body.open("begin");
        match &blind.mapped.unsynced {
            _ if blind.column.not_null => {
                violations::not_null(&mut body, &self.parts.table.name, &blind.column.name, None);
            }
            Unsynced::Marker(marker) => {
                let marker = quote_ident(marker);
                body.line(format!("new.{marker} := coalesce(new.{marker}, 0) | {};", blind.bit));
            }
            Unsynced::NullMeansNull | Unsynced::NotNull(_) => assign_before(blind.mapped, &mut body),
        }
        body.line("return new;");
        body.close("end");
        body
    }

    fn restore_body(&self) -> Block {
        let names = self.parts.after_names();
        restore_body(names.iter().map(String::as_str).chain(self.markers().map(|(marker, _)| marker)))
    }

    // --- triggers ---

    fn purposes(&self) -> Vec<Purpose<'_, 'a>> {
        let mut purposes = Vec::new();
        if has_update_triggers(self.parts.before) {
            purposes.push(Purpose::Restore);
        }
        let several = self.parts.columns.after().nth(1).is_some();
        let columns = self.mappings.iter().flat_map(|mapped| {
            mapped.mapping.after.iter().enumerate().map(move |(n, column)| (mapped, column, 2 << n))
        });
        purposes.extend(columns.enumerate().map(|(n, (mapped, column, bit))| {
            Purpose::Blind(BlindWrite { mapped, column, number: several.then_some(n + 1), bit })
        }));
        purposes.extend([Purpose::Insert, Purpose::Update]);
        purposes
    }

    /// The triggers. Their functions are made beside those of the conversions.
    fn triggers(&self) -> Triggers<'a> {
        let triggers = self.purposes().into_iter().map(|purpose| self.trigger(purpose));
        Triggers::new(self.parts.part, Vec::new(), triggers.collect())
    }

    fn trigger_name(&self, purpose: Purpose<'_, '_>) -> String {
        last_firing_name(&self.parts.part.own, &purpose.trigger())
    }

    fn trigger(&self, purpose: Purpose<'_, '_>) -> Trigger {
        let not_backfilling = in_backfill(self.parts.part, false);
        let (events, when, function) = match purpose {
            Purpose::Restore => ("update".to_owned(), Some(in_backfill(self.parts.part, true)), "restore".to_owned()),
            Purpose::Blind(blind) => {
                let is_null = blind.mapped.is_null(blind.column);
                let when = [blind.mapped.pending("old."), is_null, not_backfilling];
                (format!("update of {}", quote_ident(&blind.column.name)), Some(all(when)), blind.function())
            }
            Purpose::Insert => ("insert".to_owned(), None, "sync".to_owned()),
            Purpose::Update => {
                let moved = self.mappings.iter().flat_map(|mapped| {
                    let after = mapped.changed(mapped.after_columns());
                    let before = mapped.changed(mapped.before_columns());
                    after.into_iter().chain(before).chain([mapped.still_pending()])
                });
                ("update".to_owned(), Some(all([any(moved), not_backfilling])), "sync".to_owned())
            }
        };
        Trigger::before(self.trigger_name(purpose), self.parts.table, &events, when, self.parts.function(&function))
    }
}

// --- the pieces of the sync function, for one mapping ---

/// Whether an INSERT was written by new code.
fn insert_is_after(mapped: &Mapped<'_>) -> String {
    let given = any(mapped.after_columns().map(|column| mapped.parts.is_not_null(column, "new.")));
    if mapped.mapping.insert_nulls != Some(Side::After) {
        return given;
    }
    // The declaration says that a row without after values, whose before columns hold their defaults, was written by new code.
    let defaults = all(mapped.before_columns().map(|column| {
        let default = column.default.as_ref().map_or("null", |default| default.text.as_str());
        let name = quote_ident(&column.name);
        format!("not ({})", mapped.distinct(column, &format!("new.{name}"), &format!("({default})")))
    }));
    any([given, defaults])
}

fn after_written(mapped: &Mapped<'_>) -> String {
    let changed = any(mapped.changed(mapped.after_columns()));
    match mapped.marker() {
        Some(marker) => any([changed, format!("new.{} > {SYNCED}", quote_ident(marker))]),
        None => changed,
    }
}

/// Both were written, and the before columns not with what the after columns mean.
fn before_contradicts(mapped: &Mapped<'_>) -> String {
    let changed = any(mapped.changed(mapped.before_columns()));
    all([changed, any(mapped.backward_differs("new."))])
}

/// New code that writes some of several after columns of a row that is not in step means the others to stay what they are, which nobody
/// has computed yet.
fn fill_what_is_left_out(mapped: &Mapped<'_>, body: &mut Block) {
    if mapped.mapping.after.len() < 2 {
        return;
    }
    body.open(format!("if {} then", mapped.pending("old.")));
    for (n, after) in mapped.mapping.after.iter().enumerate() {
        let name = quote_ident(&after.name);
        let left_out = mapped.is_null(after);
        let left_out = match mapped.marker().filter(|_| !after.not_null) {
            Some(marker) => {
                let bit: i64 = 2 << n;
                all([left_out, format!("coalesce(new.{}, 0) & {bit} = 0", quote_ident(marker))])
            }
            None => left_out,
        };
        body.open(format!("if {left_out} then"));
        body.line(format!("new.{name} := {};", mapped.forward(after, "new.", true)));
        body.close("end if;");
    }
    body.close("end if;");
}

fn assign_before(mapped: &Mapped<'_>, body: &mut Block) {
    let marked = if mapped.is_one_way() { WRITTEN_ONE_WAY } else { SYNCED };
    for (column, backward) in mapped.before_columns().zip(&mapped.mapping.backward) {
        body.line(format!("new.{} := {};", quote_ident(&column.name), mapped.backward(column, backward, "new.", true)));
    }
    mark(mapped, marked, body);
}

fn assign_after(mapped: &Mapped<'_>, body: &mut Block) {
    for after in &mapped.mapping.after {
        body.line(format!("new.{} := {};", quote_ident(&after.name), mapped.forward(after, "new.", true)));
    }
    mark(mapped, SYNCED, body);
}

fn mark(mapped: &Mapped<'_>, value: &str, body: &mut Block) {
    if let Some(marker) = mapped.marker() {
        body.line(format!("new.{} := {value};", quote_ident(marker)));
    }
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
                // This form is right for a value of a composite type as well, which may have fields that are null.
                format!("alter table {quoted} add constraint {name} check ({column} is distinct from null) not valid"),
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
