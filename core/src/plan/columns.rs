//! The plan of a change that copies within a row: columns of a table become other columns of the same table.

use super::carried_proof;
use super::carry::{Carry, analyze_step, exclusive, lock_tables, validate_step};
use super::columns_mapping::Mapped;
use super::columns_sync::Sync;
use super::compare::any;
use super::make::{Part, Planned, table_notes};
use super::sql::{self, Block, anonymous};
use super::take_over::TakeOver;
use super::view::View;
use super::{Action, Backfill, KeyColumn, Mode, Phase, Reconcile, Step};
use crate::ident::{QualifiedName, derived_name, quote_ident, quote_literal};
use crate::model::apply::widen::interim;
use crate::model::apply::{apply, of_defaults};
use crate::model::{AfterColumn, ColumnsChange, Conversion, Mapping, OnFailure, OperationKind, Way};
use crate::schema::{Column, Table};
use crate::sql::Expression;

/// Plans all that becomes of the columns of one table by copying: one set of triggers, one backfill.
pub(super) fn plan(part: &Part<'_>, columns: &ColumnsChange) -> Option<Planned> {
    let gone = columns.before_names();
    let carry = Carry::new(part, &columns.table, &columns.table, &gone)?;
    let parts = Parts { part, columns, table: &columns.table, before: carry.source, after: carry.target };
    let mappings = columns.mappings.iter().enumerate().map(|(n, mapping)| Mapped::new(&parts, mapping, n)).collect();
    let sync = Sync::new(&parts, mappings);
    let mut planned = Planned::new(
        "copy: new columns beside the old ones, kept in step by triggers, because old and new code must both find their own",
        &carry,
    );
    let mut add_columns = parts.add_columns_step(&sync);
    add_columns.action.statements.extend(carried_proof::statement(&parts, &carry));
    planned.steps.push(add_columns);
    planned.steps.push(sync.step());
    planned.steps.push(analyze_step(&columns.table, &parts.after_names()));
    planned.steps.extend(carry.validate_steps());
    planned.steps.extend(parts.validate_not_null_steps());
    planned.steps.push(parts.contract_step(&carry, &sync));
    planned.backfill.push(Backfill::Update {
        operation: part.own.clone(),
        table: columns.table.clone(),
        set: sync.backfill_assignments(),
        conversions: sync.conditional_conversions(),
        pending: sync.pending(""),
        key: parts.key(),
    });
    planned.reconcile.push(Reconcile {
        table: columns.table.clone(),
        key: parts.key(),
        join: None,
        mismatch: any(sync.mappings.iter().map(|mapped| mapped.mismatch("source."))),
        title: format!("{} and {} of {}", gone.join(", "), parts.after_names().join(", "), columns.table),
    });
    if let [_, _, ..] = sync.mappings.as_slice() {
        let pairs = sync.mappings.iter();
        let pairs: Vec<String> =
            pairs.map(|mapped| format!("{} → {}", mapped.mapping.before.join(", "), mapped.after_names())).collect();
        planned.notes.push(format!(
            "one set of triggers and one pass of the backfill over {} serve {}; a write to the columns of one leaves the others alone",
            columns.table,
            pairs.join("; ")
        ));
    }
    planned.notes.extend(carry.notes());
    planned.notes.extend(table_notes(part.before, parts.before, &gone, &sync.first_trigger()));
    planned.notes.extend(sync.mappings.iter().filter_map(Mapped::marker_reason));
    let one_way: Vec<String> = sync
        .mappings
        .iter()
        .filter(|mapped| mapped.is_one_way())
        .map(|mapped| {
            let (after, before) = (mapped.after_names(), mapped.mapping.before.join(", "));
            format!("{after} is not written back to {before}: what new code writes is lost by a rollback")
        })
        .collect();
    planned.irreversible = (!one_way.is_empty()).then(|| one_way.join("; "));
    Some(planned)
}

/// Plans a retype that keeps the name: by copying into a column under a name of our own, which a view shows under the old name until the
/// contract gives it that name.
pub(super) fn plan_behind_view(part: &Part<'_>, columns: &ColumnsChange) -> Option<Planned> {
    let names = columns.before_names();
    let copied = under_other_names(part, columns)?;
    let after = apply(part.before, &OperationKind::Columns(copied.clone()));
    let inner = Part { after: &after, own: part.own.clone(), ..*part };
    let view = View::of(part, columns)?;
    let mut planned = plan(&inner, &copied)?;
    planned.way = format!(
        "view of a copy: {} shows a new column as {}, kept in step with the old one by triggers, because one table has no room for two columns of one name",
        view.name,
        names.join(", ")
    );
    let contract = planned.steps.iter_mut().find(|step| step.phase == Phase::Contracted)?;
    contract.title =
        format!("drop the old {} of {} and give the new columns their names", names.join(", "), columns.table);
    for name in &names {
        contract.action.statements.push(format!(
            "alter table {} rename column {} to {}",
            columns.table.quoted(),
            quote_ident(&interim(&part.own, name)),
            quote_ident(name)
        ));
        let take_over = TakeOver {
            part,
            table: &columns.table,
            before: part.before.table(&columns.table)?.column(name),
            after: part.after.table(&columns.table)?.column(name)?,
            default_otherwise: None,
        };
        contract.action.statements.extend(take_over.rename_not_null(name));
    }
    view.add_to(&mut planned);
    Some(planned)
}

/// The same change, with names of our own for its after columns.
fn under_other_names(part: &Part<'_>, columns: &ColumnsChange) -> Option<ColumnsChange> {
    let renamed = |mapping: &Mapping| {
        let names = |expression: &Expression| {
            let hidden = expression.replace_columns(|column| Some(quote_ident(&interim(&part.own, &column.name))));
            Expression::parse(&hidden).ok()
        };
        let backward = mapping.backward.iter().map(|conversion| {
            let on_failure = match &conversion.on_failure {
                OnFailure::Expression(expression) => OnFailure::Expression(names(expression)?),
                other => other.clone(),
            };
            Some(Conversion { expression: names(&conversion.expression)?, on_failure, lossy: conversion.lossy })
        });
        let after = mapping.after.iter();
        let after = after.map(|after| AfterColumn { name: interim(&part.own, &after.name), ..after.clone() });
        Some(Mapping { after: after.collect(), backward: backward.collect::<Option<_>>()?, ..mapping.clone() })
    };
    let mappings = columns.mappings.iter().map(renamed).collect::<Option<_>>()?;
    Some(ColumnsChange { table: columns.table.clone(), mappings, way: Way::Copy })
}

/// What the pieces of this plan have in common.
pub(super) struct Parts<'a> {
    pub(super) part: &'a Part<'a>,
    pub(super) columns: &'a ColumnsChange,
    pub(super) table: &'a QualifiedName,
    pub(super) before: &'a Table,
    pub(super) after: &'a Table,
}

impl<'a> Parts<'a> {
    pub(super) fn after_columns(&self) -> impl Iterator<Item = &'a Column> {
        let after = self.after;
        self.columns.after().filter_map(move |column| after.column(&column.name))
    }

    pub(super) fn after_names(&self) -> Vec<String> {
        self.columns.after().map(|column| column.name.clone()).collect()
    }

    pub(super) fn not_null_columns(&self) -> impl Iterator<Item = &'a Column> {
        self.after_columns().filter(|column| column.not_null)
    }

    /// True where a column is null, over columns with this prefix.
    pub(super) fn is_null(&self, column: &Column, prefix: &str) -> String {
        self.part.is_null(column, &format!("{prefix}{}", quote_ident(&column.name)))
    }

    /// True where a column is not null, over columns with this prefix.
    pub(super) fn is_not_null(&self, column: &Column, prefix: &str) -> String {
        self.part.is_not_null(column, &format!("{prefix}{}", quote_ident(&column.name)))
    }

    /// The check that stands in for NOT NULL until the contract.
    pub(super) fn not_null_check(&self, column: &str) -> String {
        derived_name(&[&self.part.own, column, "not_null"])
    }

    /// A function of this plan's own.
    pub(super) fn function(&self, purpose: &str) -> QualifiedName {
        self.part.own_name(self.table, purpose)
    }

    fn add_columns_step(&self, sync: &Sync<'_>) -> Step {
        let columns: Vec<&Column> = self.after_columns().collect();
        let markers: Vec<(&str, &str)> = sync.markers().collect();
        let privileges = sync.mappings.iter().flat_map(Mapped::copy_privileges).collect();
        add_columns_step(self.part, self.table, &columns, &markers, privileges)
    }

    fn validate_not_null_steps(&self) -> Vec<Step> {
        self.not_null_columns()
            .map(|column| {
                let name = self.not_null_check(&column.name);
                let what = format!("{} is not null", column.name);
                validate_step(self.table, &name, &format!("{}_not_null", column.name), &what, Vec::new())
            })
            .collect()
    }

    fn contract_step(&self, carry: &Carry<'_>, sync: &Sync<'_>) -> Step {
        let table = self.table.quoted();
        let locks = carry.contract_locks();
        let mut statements = lock_tables(&locks);
        statements.extend(sync.drop_statements());
        statements.extend(carry.contract_drops());
        for column in self.not_null_columns() {
            let name = quote_ident(&column.name);
            // The validated check proves it: no row is read (12 and later).
            statements.push(format!("alter table {table} alter column {name} set not null"));
            let check = quote_ident(&self.not_null_check(&column.name));
            statements.push(format!("alter table {table} drop constraint {check}"));
        }
        let take_overs: Vec<TakeOver<'_>> = sync.mappings.iter().flat_map(|mapped| self.take_overs(mapped)).collect();
        statements.extend(take_overs.iter().flat_map(TakeOver::statements));
        let mut gone = self.columns.before_names();
        gone.extend(sync.markers().map(|(marker, _)| marker.to_owned()));
        let drops: Vec<String> = gone.iter().map(|name| format!("drop column {}", quote_ident(name))).collect();
        statements.push(format!("alter table {table}\n  {}", drops.join(",\n  ")));
        statements.extend(take_overs.iter().filter_map(TakeOver::rename_sequence));
        statements.extend(carry.contract_renames());
        statements.extend(
            self.after_columns()
                .map(|column| sql::comment(&column_object(self.table, &column.name), column.comment.as_deref())),
        );
        Step {
            id: "contract".to_owned(),
            title: format!(
                "drop {} and give the new columns their final names and rules",
                self.columns.before_names().join(", ")
            ),
            phase: Phase::Contracted,
            action: Action { statements, mode: Mode::Transaction, locks },
            undo: Vec::new(),
            leftover: None,
        }
    }

    /// A sequence or an identity passes from one column to one column; a default follows from all that a column is made of.
    fn take_overs(&self, mapped: &Mapped<'a>) -> impl Iterator<Item = TakeOver<'a>> {
        let (part, table, source) = (self.part, self.table, self.before);
        let before = mapped.before_columns().next().filter(|_| mapped.mapping.is_one_to_one());
        mapped.after_columns().zip(&mapped.mapping.after).map(move |(after, declared)| {
            let default_otherwise = match &declared.forward.on_failure {
                OnFailure::Never | OnFailure::Reject => None,
                OnFailure::Quarantine => Some("null".to_owned()),
                OnFailure::Expression(otherwise) => Some(of_defaults(otherwise, source)),
            };
            TakeOver { part, table, before, after, default_otherwise }
        })
    }

    /// The primary key, or else the first unique key without nulls.
    fn key(&self) -> Vec<KeyColumn> {
        key_columns(self.before)
    }
}

/// Adds columns, empty, and marker columns: their names and types.
pub(super) fn add_columns_step(
    part: &Part<'_>,
    table: &QualifiedName,
    columns: &[&Column],
    markers: &[(&str, &str)],
    privileges: Vec<String>,
) -> Step {
    let change = &part.change.name;
    let quoted = table.quoted();
    let definitions = columns.iter().map(|column| sql::column_definition(column));
    let definitions = definitions.chain(markers.iter().map(|(marker, ty)| format!("{} {ty}", quote_ident(marker))));
    let add: Vec<String> = definitions.map(|definition| format!("add column {definition}")).collect();
    let names: Vec<&str> =
        columns.iter().map(|column| column.name.as_str()).chain(markers.iter().map(|(marker, _)| *marker)).collect();
    let drop: Vec<String> = names.iter().map(|name| format!("drop column if exists {}", quote_ident(name))).collect();
    let mut statements = vec![format!("alter table {quoted}\n  {}", add.join(",\n  "))];
    for column in columns {
        statements.extend(sql::column_settings(table, column));
    }
    statements.extend(privileges);
    statements.extend(names.iter().map(|name| sql::mark(&column_object(table, name), change)));
    Step {
        id: "add_columns".to_owned(),
        title: format!("add {} to {table}, empty; no row is touched", names.join(", ")),
        phase: Phase::Expanded,
        action: Action { statements, mode: Mode::Transaction, locks: vec![exclusive(table)] },
        undo: vec![Action {
            statements: names
                .iter()
                .map(|name| sql::refuse_unless_marked(table, Some(name), change))
                .chain([format!("alter table if exists {quoted}\n  {}", drop.join(",\n  "))])
                .collect(),
            mode: Mode::Transaction,
            locks: vec![exclusive(table)],
        }],
        leftover: None,
    }
}

/// A column, as `comment on` takes it.
pub(super) fn column_object(table: &QualifiedName, column: &str) -> String {
    format!("column {}.{}", table.quoted(), quote_ident(column))
}

/// Gives the roles with privileges on one table the same on a column of another, as far as columns have them, and as they are on the live
/// table (H41).
pub(super) fn copy_privileges_to_column(from: &QualifiedName, to: &QualifiedName, column: &str) -> String {
    let object = format!("({}) on {}", quote_ident(column), to.quoted()).replace('%', "%%");
    let mut block = Block::default();
    block.open("declare").line("granted record;").branch("begin");
    block
        .open("for granted in")
        .line("select a.privilege_type, a.is_grantable,")
        .line(
            "  case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role",
        )
        .line("from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a")
        .line(format!("where c.oid = {}::regclass and a.grantee <> c.relowner", quote_literal(&from.quoted())))
        .line("  and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')")
        // Who has it on all of the table has it on the column.
        .line("  and not exists (")
        .line("    select from pg_catalog.pg_class t, pg_catalog.aclexplode(t.relacl) o")
        .line(format!("    where t.oid = {}::regclass", quote_literal(&to.quoted())))
        .line("      and o.grantee = a.grantee and o.privilege_type = a.privilege_type)")
        .line("order by 3, 1");
    grant_in_loop(&mut block, &format!("grant %s {object} to %s%s"));
    block.close("end");
    anonymous(block)
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

/// Gives the roles with a privilege on all of some columns the same on another, as they are on the live table (H41).
pub(super) fn copy_column_privileges(
    from_table: &QualifiedName,
    from: &[String],
    to_table: &QualifiedName,
    to: &str,
) -> String {
    let object = format!("({}) on {}", quote_ident(to), to_table.quoted()).replace('%', "%%");
    let grant = format!("grant %s {object} to %s%s");
    let names: Vec<String> = from.iter().map(|name| quote_literal(name)).collect();
    let (grantable, columns, of_all) = match names.as_slice() {
        [only] => ("a.is_grantable", format!("c.attname = {only}"), None),
        several => (
            "bool_and(a.is_grantable) as is_grantable",
            format!("c.attname in ({})", several.join(", ")),
            Some(format!("group by a.privilege_type, a.grantee having count(distinct c.attnum) = {}", several.len())),
        ),
    };
    let mut block = Block::default();
    block.open("declare").line("granted record;").branch("begin");
    block
        .open("for granted in")
        .line(format!("select a.privilege_type, {grantable},"))
        .line(
            "  case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role",
        )
        .line("from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a")
        .line(format!(
            "where c.attrelid = {}::regclass and {columns} and not c.attisdropped",
            quote_literal(&from_table.quoted()),
        ));
    if let Some(of_all) = of_all {
        block.line(of_all);
    }
    block.line("order by 3, 1");
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
