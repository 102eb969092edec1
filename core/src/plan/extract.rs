//! The plan of an extraction: values that repeat become rows of a new table, and the rows that had them refer to it.

use super::carry::{
    Carry, analyze_step, drop_constraint_if_exists, exclusive, foreign_key_steps, lock_before, lock_tables,
    validate_step,
};
use super::columns::{add_columns_step, column_object, copy_column_privileges, key_columns};
use super::compare::{all, any};
use super::extract_sync::{first_trigger, triggers};
use super::make::{Part, Planned, table_notes};
use super::new_table::NewTable;
use super::triggers::Triggers;
use super::{Action, Backfill, Leftover, Lock, LockLevel, Mode, Phase, Probe, Reconcile, Search, Step, Values, sql};
use crate::ident::{QualifiedName, derived_name, quote_ident};
use crate::model::ExtractChange;
use crate::model::apply::extract::{
    any_value_name, foreign_key_name, primary_key_name, reference_index_name, values_key_name,
};
use crate::schema::{Column, Table};

/// What an entry of a B-tree can hold, less what it takes for itself, in bytes.
const LONGEST_KEY: u32 = 2600;

/// Plans an extraction by copying.
pub(super) fn plan(part: &Part<'_>, extract: &ExtractChange) -> Option<Planned> {
    let gone = extract.gone();
    let carry = Carry::new(part, &extract.source, &extract.target, &gone)?;
    let values = extract.values(carry.source);
    let parts = Parts {
        part,
        extract,
        source: carry.source,
        referring: part.after.table(&extract.source)?,
        target: carry.target,
        values,
    };
    let triggers = triggers(&parts);
    let mut planned = Planned::new(
        "copy: a table of values beside the old columns, kept in step by triggers on both, because old and new code must both find their own",
        &carry,
    );
    planned.steps.push(parts.create_table_step());
    planned.steps.push(parts.add_reference_step());
    planned.steps.push(parts.sync_step(&triggers));
    planned.steps.push(analyze_step(&extract.source, std::slice::from_ref(&extract.reference)));
    planned
        .steps
        .push(Step { id: "analyze_values".to_owned(), ..analyze_step(&extract.target, &parts.target_columns()) });
    planned.steps.extend(parts.index_steps());
    planned.steps.extend(parts.foreign_key_steps());
    planned.steps.extend(carry.validate_steps());
    planned.steps.extend(parts.validate_not_null_step());
    planned.steps.push(parts.contract_step(&carry, &triggers));
    planned.probes.extend(parts.long_values());
    planned.backfill.push(parts.backfill());
    planned.reconcile.push(parts.reconcile());
    planned.notes.extend(carry.notes());
    planned.notes.extend(table_notes(part.before, parts.source, &gone, &first_trigger(&parts)));
    planned.notes.extend(parts.notes());
    Some(planned)
}

/// What the pieces of this plan have in common.
pub(super) struct Parts<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) extract: &'a ExtractChange,
    /// The table that has the columns, as it was.
    pub(super) source: &'a Table,
    /// The same as it will be.
    referring: &'a Table,
    /// The new table, as it will be.
    target: &'a Table,
    /// The new table as a set of values.
    pub(super) values: Values,
}

impl<'a> Parts<'a> {
    fn pairs(&self) -> impl Iterator<Item = (&'a Column, &'a str)> {
        let source = self.source;
        self.extract.columns.iter().filter_map(move |(from, to)| Some((source.column(from)?, to.as_str())))
    }

    /// For each column, true where a row of the source and one of the target differ in it.
    pub(super) fn differs(&self, source: &str, target: &str) -> Vec<String> {
        let differs = self.pairs().map(|(column, to)| {
            self.part.distinct(
                column,
                &format!("{source}{}", quote_ident(&column.name)),
                &format!("{target}{}", quote_ident(to)),
            )
        });
        differs.collect()
    }

    /// For each column of the source, or else of the target, true where it was changed.
    pub(super) fn changed(&self, of_target: bool) -> Vec<String> {
        let changed = self.pairs().map(|(column, to)| {
            let name = quote_ident(if of_target { to } else { &column.name });
            self.part.distinct(column, &format!("old.{name}"), &format!("new.{name}"))
        });
        changed.collect()
    }

    /// True for a row of the source that refers to a row of the target, over columns with this prefix. Without a column that is NOT NULL it is
    /// none that the source can hold.
    pub(super) fn has_values(&self, prefix: &str) -> String {
        let not_null =
            |column: &Column| self.part.is_not_null(column, &format!("{prefix}{}", quote_ident(&column.name)));
        let required: Vec<String> =
            self.pairs().filter(|(column, _)| column.not_null).map(|(column, _)| not_null(column)).collect();
        match (required.is_empty(), self.extract.always) {
            (false, _) => all(required),
            (true, true) => "true".to_owned(),
            (true, false) => any(self.pairs().map(|(column, _)| not_null(column))),
        }
    }

    /// True for a row of the source that is without its reference, over columns with this prefix.
    pub(super) fn pending(&self, prefix: &str) -> String {
        all([format!("{prefix}{} is null", quote_ident(&self.extract.reference)), self.has_values(prefix)])
    }

    fn target_columns(&self) -> Vec<String> {
        self.target.columns.iter().map(|column| column.name.clone()).collect()
    }

    fn create_table_step(&self) -> Step {
        let own = [primary_key_name(self.extract), values_key_name(self.extract), any_value_name(self.extract)];
        // What is carried has to hold for rows that are there.
        let constraints = self.target.constraints.iter().filter(|constraint| own.contains(&constraint.name));
        let is_carried = |name: &String| self.source.constraints.iter().any(|constraint| constraint.name == *name);
        let indexes = self.target.indexes.iter().filter(|index| index.name == values_key_name(self.extract));
        let values = self.extract.columns.iter().map(|(from, to)| (vec![from.clone()], to.clone()));
        NewTable {
            part: self.part,
            like: &self.extract.source,
            table: self.target,
            constraints: constraints.filter(|constraint| !is_carried(&constraint.name)).collect(),
            indexes: indexes.collect(),
            privileges: values.chain([(self.extract.gone(), self.extract.key.clone())]).collect(),
        }
        .create_step()
    }

    fn add_reference_step(&self) -> Step {
        let (table, name) = (&self.extract.source, &self.extract.reference);
        let privileges = copy_column_privileges(table, &self.extract.gone(), table, name);
        let columns: Vec<&Column> = self.referring.column(name).into_iter().collect();
        add_columns_step(self.part, table, &columns, &[], vec![privileges])
    }

    /// The check that stands in for NOT NULL of the reference until the contract; `None` where it is nullable.
    fn not_null_check(&self) -> Option<String> {
        let name = || derived_name(&[&self.part.own, &self.extract.reference, "not_null"]);
        self.extract.refers_always(self.source).then(name)
    }

    fn sync_step(&self, triggers: &Triggers<'_>) -> Step {
        let (source, target) = (&self.extract.source, &self.extract.target);
        let mut statements = triggers.create();
        let mut undo = Vec::new();
        let mut level = LockLevel::ShareRowExclusive;
        if let Some(check) = self.not_null_check() {
            level = LockLevel::AccessExclusive;
            let quoted = quote_ident(&check);
            let reference = quote_ident(&self.extract.reference);
            statements.push(format!(
                "alter table {} add constraint {quoted} check ({reference} is not null) not valid",
                source.quoted()
            ));
            let object = format!("constraint {quoted} on {}", source.quoted());
            statements.push(sql::mark(&object, &self.part.change.name));
            undo.push(drop_constraint_if_exists(source, &check));
        }
        let locks = vec![
            Lock { table: source.clone(), level, scans: false },
            Lock { table: target.clone(), level: LockLevel::ShareRowExclusive, scans: false },
        ];
        // The stronger lock first: asking for it later, with the weaker one held, can deadlock with a reader that goes on to write.
        statements.splice(..0, lock_tables(&locks));
        undo.extend(triggers.undo());
        Step {
            id: "sync".to_owned(),
            title: format!("keep the values of {source} and their rows in {target} in step, whichever is written"),
            phase: Phase::DualWriting,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: vec![Action {
                statements: undo,
                mode: Mode::Transaction,
                locks: vec![exclusive(source), exclusive(target)],
            }],
            leftover: None,
        }
    }

    fn index(&self) -> QualifiedName {
        QualifiedName::new(&self.extract.source.schema, reference_index_name(self.extract))
    }

    /// The index of the reference. It is no twin of anything, so it has its final name at once.
    fn index_steps(&self) -> Vec<Step> {
        let (table, index) = (&self.extract.source, self.index());
        let Some(definition) = self.referring.indexes.iter().find(|known| known.name == index.name) else {
            return Vec::new();
        };
        let lock = |scans| vec![Lock { table: table.clone(), level: LockLevel::ShareUpdateExclusive, scans }];
        let build = Step {
            id: format!("index_{}", index.name),
            title: format!("build the index of {}, while the table is written", self.extract.reference),
            phase: Phase::Validated,
            action: Action {
                statements: vec![sql::create_index(table, &index.name, definition)],
                mode: Mode::Outside,
                locks: lock(true),
            },
            undo: vec![Action {
                statements: vec![format!("drop index concurrently if exists {}", index.quoted())],
                mode: Mode::Outside,
                locks: lock(false),
            }],
            leftover: Some(Leftover::Index(index.clone())),
        };
        let mark = Step {
            id: "mark_index".to_owned(),
            title: "say on the index that it belongs to this change".to_owned(),
            phase: Phase::Validated,
            action: Action {
                statements: vec![sql::mark(&format!("index {}", index.quoted()), &self.part.change.name)],
                mode: Mode::Transaction,
                locks: Vec::new(),
            },
            undo: Vec::new(),
            leftover: None,
        };
        vec![build, mark]
    }

    /// Behind the backfill: it would look at each row that gets its reference, which takes several times as long as the rest.
    fn foreign_key_steps(&self) -> Vec<Step> {
        let name = foreign_key_name(self.extract);
        let key = self.referring.constraints.iter().find(|constraint| constraint.name == name);
        key.map_or_else(Vec::new, |key| {
            let (table, references) = (&self.extract.source, &self.extract.target);
            foreign_key_steps(self.part, table, references, LockLevel::ShareRowExclusive, key, &name)
        })
    }

    fn validate_not_null_step(&self) -> Option<Step> {
        let check = self.not_null_check()?;
        let reference = &self.extract.reference;
        let (of, what) = (format!("{reference}_not_null"), format!("{reference} is not null"));
        Some(validate_step(&self.extract.source, &check, &of, &what, Vec::new()))
    }

    fn contract_step(&self, carry: &Carry<'_>, triggers: &Triggers<'_>) -> Step {
        let source = self.extract.source.quoted();
        let mut locks = carry.contract_locks();
        lock_before(&mut locks, &self.extract.target, &self.extract.source);
        let mut statements = lock_tables(&locks);
        statements.extend(triggers.drop_statements());
        statements.extend(carry.contract_drops());
        if let Some(check) = self.not_null_check() {
            // The validated check proves it: no row is read (12 and later).
            let reference = quote_ident(&self.extract.reference);
            statements.push(format!("alter table {source} alter column {reference} set not null"));
            statements.push(format!("alter table {source} drop constraint {}", quote_ident(&check)));
        }
        let drops: Vec<String> =
            self.extract.columns.iter().map(|(from, _)| format!("drop column {}", quote_ident(from))).collect();
        statements.push(format!("alter table {source}\n  {}", drops.join(",\n  ")));
        statements.extend(carry.contract_renames());
        let foreign_key = quote_ident(&foreign_key_name(self.extract));
        let own = [
            format!("constraint {foreign_key} on {source}"),
            format!("index {}", self.index().quoted()),
            column_object(&self.extract.source, &self.extract.reference),
            format!("table {}", self.extract.target.quoted()),
        ];
        statements.extend(own.iter().map(|object| sql::comment(object, None)));
        Step {
            id: "contract".to_owned(),
            title: format!("drop {} from {}", self.extract.gone().join(", "), self.extract.source),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    /// Values that are longer than a unique key can hold. From the phase dual-writing on they cannot be written.
    fn long_values(&self) -> Option<Probe> {
        if !self.has_long_types() {
            return None;
        }
        let size = |(column, _): (&Column, &str)| {
            format!("coalesce(pg_catalog.pg_column_size(source.{}), 0)", quote_ident(&column.name))
        };
        let sizes: Vec<String> = self.pairs().map(size).collect();
        Some(Probe {
            id: "long_values".to_owned(),
            title: format!("values of {} that are too long for a unique key", self.extract.source),
            remedy: format!(
                "shorten them to {LONGEST_KEY} bytes together, or leave the column that holds them out of the change"
            ),
            blocks: Phase::DualWriting,
            search: Search::Rows {
                table: self.extract.source.clone(),
                key: key_columns(self.source),
                join: None,
                condition: format!("{} > {LONGEST_KEY}", sizes.join(" + ")),
            },
        })
    }

    fn has_long_types(&self) -> bool {
        self.pairs().any(|(column, _)| ["text", "character varying", "bytea"].iter().any(|long| column.ty.is(long)))
    }

    fn backfill(&self) -> Backfill {
        Backfill::Refer {
            operation: self.part.own.clone(),
            table: self.extract.source.clone(),
            reference: self.extract.reference.clone(),
            values: self.values.clone(),
            pending: self.pending(""),
            key: key_columns(self.source),
        }
    }

    /// Every row against the row that it refers to.
    fn reconcile(&self) -> Reconcile {
        let (reference, key) = (quote_ident(&self.extract.reference), quote_ident(&self.extract.key));
        let differs = any([format!("target.{key} is null")].into_iter().chain(self.differs("source.", "target.")));
        let wrong = all([format!("source.{reference} is not null"), differs]);
        Reconcile {
            table: self.extract.source.clone(),
            key: key_columns(self.source),
            join: Some((self.extract.target.clone(), format!("target.{key} = source.{reference}"))),
            mismatch: any([format!("({})", self.pending("source.")), format!("({wrong})")]),
            title: format!("{} of {} and {}", self.extract.gone().join(", "), self.extract.source, self.extract.target),
        }
    }

    fn notes(&self) -> Vec<String> {
        let (source, target) = (&self.extract.source, &self.extract.target);
        let mut notes = vec![
            format!(
                "an UPDATE of a row of {target} writes every row of {source} that refers to it, in the same transaction"
            ),
            format!("rows of {target} that nothing refers to any more stay: delete them when the change is contracted"),
        ];
        for (column, _) in self.pairs() {
            if let Some(default) = &column.default {
                notes.push(format!(
                    "the default {} of {} is not carried over: new code gives every row its {}",
                    default.text, column.name, self.extract.reference
                ));
            }
        }
        if self.has_long_types() {
            notes.push(format!(
                "from the phase {} on, values of more than {LONGEST_KEY} bytes together cannot be written: they are a unique key",
                Phase::DualWriting.name()
            ));
        }
        notes
    }
}
