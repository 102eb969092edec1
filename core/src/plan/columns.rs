//! The plan of a change that copies within a row: columns of a table become other columns of the same table.

use super::carry::{Carry, analyze_step, exclusive, lock_tables, validate_step};
use super::columns_sync::Sync;
use super::compare::{all, any};
use super::make::{Part, Planned, table_notes};
use super::sql::{self, Block, anonymous};
use super::take_over::TakeOver;
use super::{Action, Backfill, KeyColumn, Mode, Phase, Reconcile, Step};
use crate::ident::{QualifiedName, derived_name, quote_ident, quote_literal};
use crate::model::ColumnsChange;
use crate::schema::{Column, Table};

/// Plans a rename or a retype by copying.
pub(super) fn plan(part: &Part<'_>, columns: &ColumnsChange) -> Option<Planned> {
    let carry = Carry::new(part, &columns.table, &columns.table, &columns.before)?;
    let parts = Parts { part, columns, before: carry.source, after: carry.target };
    let sync = Sync::new(&parts);
    let mut planned = Planned::new(
        "copy: new columns beside the old ones, kept in step by triggers, because old and new code must both find their own",
        &carry,
    );
    planned.steps.push(parts.add_columns_step(&sync));
    planned.steps.push(sync.step());
    planned.steps.push(analyze_step(&columns.table, &parts.after_names()));
    planned.steps.extend(carry.validate_steps());
    planned.steps.extend(parts.validate_not_null_steps());
    planned.steps.push(parts.contract_step(&carry, &sync));
    planned.backfill.push(Backfill::Update {
        table: columns.table.clone(),
        set: sync.backfill_assignments(),
        pending: sync.pending(""),
        key: parts.key(),
    });
    planned.reconcile.push(Reconcile {
        table: columns.table.clone(),
        key: parts.key(),
        join: None,
        mismatch: parts.mismatch(&sync),
        title: format!("{} and {} of {}", columns.before.join(", "), parts.after_names().join(", "), columns.table),
    });
    planned.notes.extend(carry.notes());
    planned.notes.extend(table_notes(part.before, parts.before, &columns.before, &sync.first_trigger()));
    if let Some(reason) = sync.marker_reason() {
        planned.notes.push(reason);
    }
    if columns.backward.is_empty() {
        planned.irreversible = Some(format!(
            "{} is not written back to {}: what new code writes is lost by a rollback",
            parts.after_names().join(", "),
            columns.before.join(", ")
        ));
    }
    Some(planned)
}

/// What the pieces of this plan have in common.
pub(super) struct Parts<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) columns: &'a ColumnsChange,
    pub(super) before: &'a Table,
    pub(super) after: &'a Table,
}

impl<'a> Parts<'a> {
    pub(super) fn table(&self) -> String {
        self.columns.table.quoted()
    }

    pub(super) fn before_columns(&self) -> impl Iterator<Item = &'a Column> {
        let before = self.before;
        self.columns.before.iter().filter_map(move |name| before.column(name))
    }

    pub(super) fn after_columns(&self) -> impl Iterator<Item = &'a Column> {
        let after = self.after;
        self.columns.after.iter().filter_map(move |column| after.column(&column.name))
    }

    pub(super) fn after_names(&self) -> Vec<String> {
        self.columns.after.iter().map(|column| column.name.clone()).collect()
    }

    /// The check that stands in for NOT NULL until the contract.
    pub(super) fn not_null_check(&self, column: &str) -> String {
        derived_name(&[&self.part.own, column, "not_null"])
    }

    /// Each own object: its kind and name, as `comment on` takes it.
    fn column_object(&self, column: &str) -> String {
        format!("column {}.{}", self.table(), quote_ident(column))
    }

    fn add_columns_step(&self, sync: &Sync<'_>) -> Step {
        let table = self.table();
        let mut added: Vec<String> = self.after_columns().map(sql::column_definition).collect();
        let mut names = self.after_names();
        if let Some(marker) = sync.marker() {
            added.push(format!("{} smallint", quote_ident(marker)));
            names.push(marker.to_owned());
        }
        let add: Vec<String> = added.iter().map(|definition| format!("add column {definition}")).collect();
        let drop: Vec<String> =
            names.iter().map(|name| format!("drop column if exists {}", quote_ident(name))).collect();
        let mut statements = vec![format!("alter table {table}\n  {}", add.join(",\n  "))];
        for column in self.after_columns() {
            statements.extend(sql::column_settings(&self.columns.table, column));
        }
        for (before, after) in self.columns.before.iter().zip(&self.columns.after) {
            statements.push(copy_column_privileges(&self.columns.table, before, &self.columns.table, &after.name));
        }
        statements.extend(names.iter().map(|name| sql::mark(&self.column_object(name), &self.part.change.name)));
        Step {
            id: "add_columns".to_owned(),
            title: format!("add {} to {}, empty; no row is touched", names.join(", "), self.columns.table),
            phase: Phase::Expanded,
            action: Action { statements, mode: Mode::Transaction, locks: vec![exclusive(&self.columns.table)] },
            undo: vec![Action {
                statements: names
                    .iter()
                    .map(|name| sql::refuse_unless_marked(&self.columns.table, Some(name), &self.part.change.name))
                    .chain([format!("alter table if exists {table}\n  {}", drop.join(",\n  "))])
                    .collect(),
                mode: Mode::Transaction,
                locks: vec![exclusive(&self.columns.table)],
            }],
            leftover: None,
        }
    }

    fn validate_not_null_steps(&self) -> Vec<Step> {
        self.columns
            .after
            .iter()
            .filter(|column| column.not_null)
            .map(|column| {
                let name = self.not_null_check(&column.name);
                let what = format!("{} is not null", column.name);
                validate_step(&self.columns.table, &name, &format!("{}_not_null", column.name), &what, Vec::new())
            })
            .collect()
    }

    fn contract_step(&self, carry: &Carry<'_>, sync: &Sync<'_>) -> Step {
        let table = self.table();
        let locks = carry.contract_locks();
        let mut statements = lock_tables(&locks);
        statements.extend(sync.drop_statements());
        statements.extend(carry.contract_drops());
        for column in self.columns.after.iter().filter(|column| column.not_null) {
            let name = quote_ident(&column.name);
            // The validated check proves it: no row is read (12 and later).
            statements.push(format!("alter table {table} alter column {name} set not null"));
            let check = quote_ident(&self.not_null_check(&column.name));
            statements.push(format!("alter table {table} drop constraint {check}"));
        }
        statements.extend(self.take_overs().flat_map(|take_over| take_over.statements()));
        let mut gone = self.columns.before.clone();
        gone.extend(sync.marker().map(str::to_owned));
        let drops: Vec<String> = gone.iter().map(|name| format!("drop column {}", quote_ident(name))).collect();
        statements.push(format!("alter table {table}\n  {}", drops.join(",\n  ")));
        statements.extend(self.take_overs().filter_map(|take_over| take_over.rename_sequence()));
        statements.extend(carry.contract_renames());
        statements.extend(
            self.after_columns()
                .map(|column| sql::comment(&self.column_object(&column.name), column.comment.as_deref())),
        );
        Step {
            id: "contract".to_owned(),
            title: format!(
                "drop {} and give the new columns their final names and rules",
                self.columns.before.join(", ")
            ),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    fn take_overs(&self) -> impl Iterator<Item = TakeOver<'a>> {
        let before = self.columns.before.iter().map(|name| self.before.column(name)).chain(std::iter::repeat(None));
        let (part, table) = (self.part, &self.columns.table);
        self.after_columns().zip(before).map(move |(after, before)| TakeOver { part, table, before, after })
    }

    /// The primary key, or else the first unique key without nulls.
    fn key(&self) -> Vec<KeyColumn> {
        key_columns(self.before)
    }

    /// True for a row whose shapes disagree. A row that one side wrote with loss need only agree in the direction of that write.
    fn mismatch(&self, sync: &Sync<'_>) -> String {
        let forward = any(sync.forward_differs("source."));
        let exact = sync.is_exact();
        if exact || self.columns.backward.is_empty() {
            return forward;
        }
        all([forward, any(sync.backward_differs("source."))])
    }
}

/// The columns by which a table can be cut into pieces: its primary key, or else its first unique key without nulls.
pub(super) fn key_columns(table: &Table) -> Vec<KeyColumn> {
    use crate::schema::ConstraintKind;
    let not_null = |columns: &[String]| columns.iter().all(|name| table.column(name).is_some_and(|c| c.not_null));
    let unique = table.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::Unique { columns, .. } if !constraint.deferrable && not_null(columns) => {
            Some(columns.as_slice())
        }
        _ => None,
    });
    let key = match table.primary_key() {
        [] => unique.unwrap_or_default(),
        key => key,
    };
    key.iter()
        .filter_map(|name| table.column(name))
        .map(|column| KeyColumn { name: column.name.clone(), ty: column.ty.to_string() })
        .collect()
}

/// Gives the roles with privileges on one column the same on another, as they are on the live table (H41).
pub(super) fn copy_column_privileges(
    from_table: &QualifiedName,
    from: &str,
    to_table: &QualifiedName,
    to: &str,
) -> String {
    let object = format!("({}) on {}", quote_ident(to), to_table.quoted()).replace('%', "%%");
    let grant = format!("grant %s {object} to %s%s");
    let mut block = Block::default();
    block.open("declare").line("granted record;").branch("begin");
    block
        .open("for granted in")
        .line("select a.privilege_type, a.is_grantable,")
        .line(
            "  case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role",
        )
        .line("from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a")
        .line(format!(
            "where c.attrelid = {}::regclass and c.attname = {} and not c.attisdropped",
            quote_literal(&from_table.quoted()),
            quote_literal(from)
        ))
        .line("order by 3, 1");
    grant_in_loop(&mut block, &grant);
    block.close("end");
    anonymous(block)
}

/// The body of a loop over `granted`, each a privilege, whether it is grantable, and a role.
pub(super) fn grant_in_loop(block: &mut Block, grant: &str) {
    block
        .branch("loop")
        .line(format!("execute format({}, granted.privilege_type, granted.role,", quote_literal(grant)))
        .line("  case when granted.is_grantable then ' with grant option' else '' end);")
        .close("end loop;");
}
