//! The plans of constraints that come, each in steps of which none reads rows under a strong lock.

use super::mend::{Mending, over};
use super::{constraint_object, lock, step};
use crate::ident::{QualifiedName, derived_name, quote_ident};
use crate::model::rules::{BrokenWrites, ConstrainChange};
use crate::plan::carry::{build_index_step, exclusive, foreign_key_steps, index_behind, validate_step};
use crate::plan::columns::key_columns;
use crate::plan::duplicates::duplicates;
use crate::plan::make::{Part, Planned, table_notes};
use crate::plan::sql::{self, constraint_definition};
use crate::plan::{Action, Lock, LockLevel, Mode, Phase, Probe, Search, Step};
use crate::schema::{Column, ConstraintKind, Index, IndexTarget, Table};
use crate::sql::Expression;

pub(super) fn plan(part: &Part<'_>, constrain: &ConstrainChange) -> Option<Planned> {
    let table = part.before.table(&constrain.table)?;
    let coming = Coming { part, constrain, table };
    match (&constrain.constraint.kind, &constrain.condition) {
        (ConstraintKind::Check { .. }, Some(condition)) => Some(coming.check(condition)),
        (ConstraintKind::ForeignKey { columns, references, referenced, match_full, .. }, _) => {
            let columns = columns.iter().map(|name| table.column(name)).collect::<Option<_>>()?;
            let key = ForeignKey { part, columns, references, referenced, match_full: *match_full };
            Some(coming.foreign_key(&key))
        }
        (ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. }, _) => {
            Some(coming.key(&index_behind(&constrain.constraint)?))
        }
        _ => None,
    }
}

/// A constraint that comes to a table.
struct Coming<'a> {
    part: &'a Part<'a>,
    constrain: &'a ConstrainChange,
    table: &'a Table,
}

/// What a foreign key says.
struct ForeignKey<'a> {
    part: &'a Part<'a>,
    columns: Vec<&'a Column>,
    references: &'a QualifiedName,
    referenced: &'a [String],
    match_full: bool,
}

impl ForeignKey<'_> {
    /// The referenced row, as `referenced`, of a row whose columns have this prefix.
    fn join(&self, prefix: &str, referenced: &str) -> String {
        let pairs = self.columns.iter().zip(self.referenced);
        let equal =
            pairs.map(|(from, to)| format!("{referenced}.{} = {prefix}{}", quote_ident(to), quote_ident(&from.name)));
        equal.collect::<Vec<_>>().join(" and ")
    }

    /// True for a row that has to reference another one.
    fn references(&self, prefix: &str) -> String {
        let word = if self.match_full { " or " } else { " and " };
        let given = self.columns.iter();
        let given =
            given.map(|column| self.part.is_not_null(column, &format!("{prefix}{}", quote_ident(&column.name))));
        format!("({})", given.collect::<Vec<_>>().join(word))
    }
}

impl Coming<'_> {
    fn name(&self) -> &str {
        &self.constrain.constraint.name
    }

    fn mark(&self) -> String {
        sql::mark(&constraint_object(&self.table.name, self.name()), &self.part.change.name)
    }

    fn refuse_unless_ours(&self) -> String {
        sql::refuse_unless_marked_constraint(&self.table.name, self.name(), &self.part.change.name)
    }

    fn drop_if_exists(&self) -> String {
        crate::plan::carry::drop_constraint_if_exists(&self.table.name, self.name())
    }

    fn mending<'m>(&'m self, broken: Option<&'m dyn Fn(&str) -> String>) -> Mending<'m> {
        Mending { part: self.part, table: self.table, policy: &self.constrain.policy, broken }
    }

    fn check(&self, condition: &Expression) -> Planned {
        let (table, name) = (&self.table.name, self.name());
        // A check admits what it says nothing of.
        let broken = |prefix: &str| format!("({}) is false", over(condition, prefix));
        let mending = self.mending(Some(&broken));
        let way =
            "in place and validate: the check holds new rows at once, and is validated while the table is written";
        let mut planned = Planned::on(way, vec![table.clone()]);
        let mut statements = vec![
            format!(
                "alter table {} add constraint {} {} not valid",
                table.quoted(),
                quote_ident(name),
                constraint_definition(&self.constrain.constraint)
            ),
            self.mark(),
        ];
        statements.extend(mending.triggers().create());
        let mut undo = vec![self.refuse_unless_ours()];
        undo.extend(mending.triggers().undo());
        undo.push(self.drop_if_exists());
        let undo = vec![Action { statements: undo, mode: Mode::Transaction, locks: vec![exclusive(table)] }];
        let title = match (mending.has_triggers(), self.constrain.policy.writes) {
            (true, BrokenWrites::Repaired) => format!("mend each row that is written and breaks {name}"),
            _ => format!("hold each row that is written to {name}"),
        };
        planned
            .steps
            .push(Step { undo, ..step("hold", title, Phase::DualWriting, statements, vec![exclusive(table)]) });
        planned.steps.push(validate_step(table, name, name, name, Vec::new()));
        planned.steps.push(self.contract_step(&mending, Vec::new()));
        planned.backfill.extend(mending.backfill(broken("")));
        planned.reconcile.push(mending.reconcile(broken("source."), format!("{name} of {table}")));
        if self.constrain.policy.repairs.is_empty() {
            planned.probes.push(Probe {
                id: format!("breaks_{name}"),
                title: format!("rows of {table} that break {name}"),
                remedy: "mend them, or declare how: `fix <column> \"…\"`".to_owned(),
                blocks: Phase::DualWriting,
                search: Search::Rows {
                    table: table.clone(),
                    key: key_columns(self.table),
                    join: None,
                    condition: broken("source."),
                },
            });
        }
        self.add_notes(&mut planned, &mending, Phase::DualWriting);
        planned
    }

    fn foreign_key(&self, key: &ForeignKey<'_>) -> Planned {
        let (table, name) = (&self.table.name, self.name());
        let mending = self.mending(None);
        let way = "in place and validate: the foreign key holds new rows at once, and is validated while both tables are written";
        let mut tables = vec![table.clone()];
        if key.references != table {
            tables.push(key.references.clone());
        }
        let mut planned = Planned::on(way, tables);
        let constraint = &self.constrain.constraint;
        let level = LockLevel::ShareRowExclusive;
        let mut steps = foreign_key_steps(self.part, table, key.references, level, constraint, name);
        if let Some(add) = steps.first_mut() {
            add.phase = Phase::DualWriting;
            for undo in &mut add.undo {
                undo.statements.insert(0, self.refuse_unless_ours());
            }
            self.add_restoring(add, &mending);
        }
        planned.steps.extend(steps);
        planned.steps.push(self.contract_step(&mending, Vec::new()));
        let own = format!("{}.", quote_ident(&table.name));
        planned.backfill.extend(mending.backfill(format!(
            "{} and not exists (select from {} as coexist_referenced where {})",
            key.references(""),
            key.references.quoted(),
            key.join(&own, "coexist_referenced")
        )));
        let orphan = format!("{} and target.{} is null", key.references("source."), first(key.referenced));
        let join = Some((key.references.clone(), key.join("source.", "target")));
        let mut reconcile = mending.reconcile(orphan.clone(), format!("{name} of {table}"));
        reconcile.join.clone_from(&join);
        planned.reconcile.push(reconcile);
        if self.constrain.policy.repairs.is_empty() {
            planned.probes.push(Probe {
                id: format!("orphans_{name}"),
                title: format!("rows of {table} that reference no row of {}", key.references),
                remedy: "delete them, or reference a row that is there, or declare how: `fix <column> \"…\", old writes reject`"
                    .to_owned(),
                blocks: Phase::DualWriting,
                search: Search::Rows {
                    table: table.clone(),
                    key: key_columns(self.table),
                    join,
                    condition: orphan,
                },
            });
        }
        let names: Vec<String> = key.columns.iter().map(|column| column.name.clone()).collect();
        if !self.is_indexed(&names) {
            planned.notes.push(format!(
                "no index of {table} begins with {}: each delete in {}, and each update of its key, reads all of {table}",
                names.join(", "),
                key.references
            ));
        }
        planned.notes.push(format!(
            "from phase {} on, a delete in {} does what {name} says, in old code as well",
            Phase::DualWriting.name(),
            key.references
        ));
        self.add_notes(&mut planned, &mending, Phase::DualWriting);
        planned
    }

    /// The backfill of a table with BEFORE triggers of its own needs one of ours.
    fn add_restoring(&self, add: &mut Step, mending: &Mending<'_>) {
        if mending.has_triggers() {
            add.action.statements.extend(mending.triggers().create());
            for undo in &mut add.undo {
                undo.statements.extend(mending.triggers().undo());
            }
        }
    }

    fn is_indexed(&self, columns: &[String]) -> bool {
        let begins =
            |key: &[String]| key.len() >= columns.len() && key[..columns.len()].iter().all(|c| columns.contains(c));
        let by_constraint = self.table.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey { columns: key, .. } | ConstraintKind::Unique { columns: key, .. } => {
                begins(key)
            }
            _ => false,
        });
        by_constraint
            || self.table.indexes.iter().any(|index| {
                let key = index.keys.iter().map_while(|key| match &key.on {
                    IndexTarget::Column(name) => Some(name.clone()),
                    IndexTarget::Expression(_) => None,
                });
                index.method == "btree" && index.predicate.is_none() && begins(&key.collect::<Vec<_>>())
            })
    }

    /// A unique constraint or a primary key: its index is built while the table is written, under a name of our own, so that an index which
    /// was there before is never taken for ours (H28, H76).
    fn key(&self, index: &Index) -> Planned {
        let (table, name) = (&self.table.name, self.name());
        let mending = self.mending(None);
        let interim = QualifiedName::new(&table.schema, derived_name(&[&self.part.own, name]));
        let is_primary = matches!(self.constrain.constraint.kind, ConstraintKind::PrimaryKey { .. });
        let way = "in place: the index is built concurrently, while the table is written, and becomes the constraint";
        let mut planned = Planned::on(way, vec![table.clone()]);
        let title = format!("build the index of {name} while the table is written");
        planned.steps.push(build_index_step(table, &interim, index, title));
        let mark_index = sql::mark(&format!("index {}", interim.quoted()), &self.part.change.name);
        let title = "say on the new index that it belongs to this change".to_owned();
        planned.steps.push(step("mark_index", title, Phase::Validated, vec![mark_index], Vec::new()));
        let kind = if is_primary { "primary key" } else { "unique" };
        let statements = vec![
            format!(
                "alter table {} add constraint {} {kind} using index {}{}",
                table.quoted(),
                quote_ident(name),
                quote_ident(&interim.name),
                sql::deferrability(&self.constrain.constraint)
            ),
            self.mark(),
        ];
        let undo = vec![Action {
            statements: vec![self.refuse_unless_ours(), self.drop_if_exists()],
            mode: Mode::Transaction,
            locks: vec![exclusive(table)],
        }];
        let title = format!("make the index the constraint {name}");
        planned
            .steps
            .push(Step { undo, ..step("constrain", title, Phase::Validated, statements, vec![exclusive(table)]) });
        let index_object = format!("index {}", QualifiedName::new(&table.schema, name).quoted());
        planned.steps.push(self.contract_step(&mending, vec![sql::comment(&index_object, None)]));
        planned.probes.push(duplicates(self.part, self.table, index));
        if self.constrain.constraint.deferrable {
            planned
                .notes
                .push(format!("{name} is deferrable: no foreign key can point at it, and ON CONFLICT cannot use it"));
        }
        self.add_notes(&mut planned, &mending, Phase::Validated);
        planned
    }

    /// The constraint belongs to the table from here on.
    fn contract_step(&self, mending: &Mending<'_>, others: Vec<String>) -> Step {
        let table = &self.table.name;
        let mut statements = mending.triggers().drop_statements();
        statements.push(sql::comment(&constraint_object(table, self.name()), None));
        statements.extend(others);
        let lock: Lock = match mending.has_triggers() {
            true => exclusive(table),
            false => lock(table, LockLevel::ShareUpdateExclusive),
        };
        step("contract", format!("{} is there to stay", self.name()), Phase::Contracted, statements, vec![lock])
    }

    fn add_notes(&self, planned: &mut Planned, mending: &Mending<'_>, from: Phase) {
        let (name, from) = (self.name(), from.name());
        planned.notes.push(match self.constrain.policy.writes {
            BrokenWrites::Repaired => {
                format!("from phase {from} on, a row that is written and breaks {name} is mended, in old code as well")
            }
            BrokenWrites::Rejected => {
                format!("from phase {from} on, a write that breaks {name} fails, in old code as well")
            }
        });
        if !self.constrain.policy.repairs.is_empty() {
            planned.notes.extend(table_notes(self.part.before, self.table, &[], &mending.first_trigger()));
            planned.notes.push("a rollback leaves the rows as they were mended".to_owned());
        }
    }
}

fn first(columns: &[String]) -> String {
    columns.first().map(|column| quote_ident(column)).unwrap_or_default()
}
