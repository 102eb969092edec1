//! What hangs on the columns that go away: its twin on the after columns is built and validated beside it, and takes over its name at the
//! contract. What a twin says is decided in [`crate::model::apply`]; here it becomes steps.

use super::make::Part;
use super::sql::{self, constraint_definition};
use super::{Action, Leftover, Lock, LockLevel, Mode, Phase, Step};
use crate::ident::{QualifiedName, derived_name, quote_ident};
use crate::model::Shape;
use crate::model::apply::{constraint_columns, index_columns, target_columns};
use crate::schema::{Constraint, ConstraintKind, Index, Statistics, Table};

/// What is carried over for one change.
pub(super) struct Carry<'a> {
    part: &'a Part<'a>,
    /// The table that has the before columns.
    pub(super) source: &'a Table,
    /// The table that has the after columns: the same, or the new one of a split. As it will be.
    pub(super) target: &'a Table,
    constraints: Vec<Twin<'a, Constraint>>,
    indexes: Vec<Twin<'a, Index>>,
    statistics: Vec<Twin<'a, Statistics>>,
}

/// An object, and what takes its place.
struct Twin<'a, T> {
    /// The table that has the object in the before shape.
    before_on: &'a QualifiedName,
    /// The table that has its twin.
    on: &'a QualifiedName,
    before: &'a T,
    after: &'a T,
}

impl<'a> Carry<'a> {
    /// Finds what hangs on the columns `gone` of `source` and is carried to `target`.
    pub(super) fn new(
        part: &'a Part<'a>,
        source: &QualifiedName,
        target: &QualifiedName,
        gone: &[String],
    ) -> Option<Self> {
        Self::to_shape(part, part.after, source, target, gone, &|_, _| false)
    }

    /// The same where all of `source` goes: foreign keys that point at a column which does not move, its key, are carried as well.
    pub(super) fn of_table(
        part: &'a Part<'a>,
        source: &QualifiedName,
        target: &QualifiedName,
        moved: &[String],
    ) -> Option<Self> {
        let mut carry = Self::new(part, source, target, moved)?;
        let stays = |name: &&String| !moved.contains(name);
        let others: Vec<String> =
            carry.source.columns.iter().map(|column| &column.name).filter(stays).cloned().collect();
        for twin in foreign_keys_in(part.before, part.after, carry.source, &others, &|_, _| false) {
            let is_this = |known: &Twin<'_, Constraint>| known.on == twin.on && known.before.name == twin.before.name;
            if !carry.constraints.iter().any(is_this) {
                carry.constraints.push(twin);
            }
        }
        Some(carry)
    }

    /// The same with the twins of `after`. A foreign key that points at these columns is left out where `is_carried` says of its table and
    /// its columns that it is carried there.
    pub(super) fn to_shape(
        part: &'a Part<'a>,
        after: &'a Shape,
        source: &QualifiedName,
        target: &QualifiedName,
        gone: &[String],
        is_carried: &dyn Fn(&QualifiedName, &[String]) -> bool,
    ) -> Option<Self> {
        let source = part.before.table(source)?;
        let target = after.table(target)?;
        let touches = |columns: &[String]| columns.iter().any(|column| gone.contains(column));
        let own_constraints = source.constraints.iter().filter(|c| touches(&constraint_columns(c))).filter_map(|c| {
            let after = target.constraints.iter().find(|after| after.name == c.name)?;
            Some(Twin { before_on: &source.name, on: &target.name, before: c, after })
        });
        let constraints = own_constraints.chain(foreign_keys_in(part.before, after, source, gone, is_carried));
        let indexes = source.indexes.iter().filter(|index| touches(&index_columns(index))).filter_map(|index| {
            let after = target.indexes.iter().find(|after| after.name == index.name)?;
            Some(Twin { before_on: &source.name, on: &target.name, before: index, after })
        });
        let statistics = source.statistics.iter().filter(|s| touches(&target_columns(&s.on))).filter_map(|s| {
            let after = target.statistics.iter().find(|after| after.name == s.name)?;
            Some(Twin { before_on: &source.name, on: &target.name, before: s, after })
        });
        Some(Self {
            part,
            constraints: constraints.collect(),
            indexes: indexes.collect(),
            statistics: statistics.collect(),
            source,
            target,
        })
    }

    /// The tables that the change writes or alters: the source, the target, then the others.
    pub(super) fn tables(&self) -> Vec<QualifiedName> {
        let mut tables = vec![self.source.name.clone()];
        let others = self.constraints.iter().map(|twin| twin.on);
        for table in std::iter::once(&self.target.name).chain(others) {
            if !tables.contains(table) {
                tables.push(table.clone());
            }
        }
        tables
    }

    /// What is carried, for the notes of the plan.
    pub(super) fn notes(&self) -> Vec<String> {
        let constraints = self.constraints.iter().map(|twin| format!("constraint {} of {}", twin.before.name, twin.on));
        let indexes = self.indexes.iter().map(|twin| format!("index {}", twin.before.name));
        let statistics = self.statistics.iter().map(|twin| format!("statistics {}", twin.before.name));
        let carried: Vec<String> = constraints.chain(indexes).chain(statistics).collect();
        if carried.is_empty() { Vec::new() } else { vec![format!("carried over: {}", carried.join(", "))] }
    }

    /// Makes what computes something of the columns that come, or is built of their values, on a table like the target: each statement with
    /// the name of the object.
    pub(super) fn proofs(&self, on: &QualifiedName) -> Vec<(String, String)> {
        let proof = |name: &str| derived_name(&[&self.part.own, name, "proof"]);
        let checks = self.constraints.iter().filter_map(|twin| match &twin.after.kind {
            ConstraintKind::Check { expression, .. } => Some((
                format!("check {}", twin.after.name),
                format!("perform ({}) from {} where false", expression.text, on.quoted()),
            )),
            _ => None,
        });
        let indexes = self.indexes.iter().map(|twin| {
            let index = Index { name: proof(&twin.after.name), ..twin.after.clone() };
            (format!("index {}", twin.after.name), sql::create_first_index(on, &index))
        });
        let statistics = self.statistics.iter().map(|twin| {
            let name = QualifiedName::new(&on.schema, proof(&twin.after.name.name));
            (format!("statistics {}", twin.after.name.name), sql::create_statistics(on, &name, twin.after))
        });
        checks.chain(indexes).chain(statistics).collect()
    }

    /// Builds the twins, the indexes first: foreign keys need them.
    pub(super) fn validate_steps(&self) -> Vec<Step> {
        let mut steps = self.index_steps();
        steps.extend(self.rule_steps());
        steps
    }

    /// Builds the indexes, those behind keys among them.
    pub(super) fn index_steps(&self) -> Vec<Step> {
        let plain = self.indexes.iter().map(|twin| self.index_step(&twin.after.name, twin.after));
        let behind = self.constraints.iter().filter_map(|twin| {
            let index = index_behind(twin.after)?;
            Some(self.index_step(&twin.after.name, &index))
        });
        plain.chain(behind).chain(self.mark_indexes_step()).collect()
    }

    /// Makes the constraints and the statistics.
    pub(super) fn rule_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for twin in &self.constraints {
            match &twin.after.kind {
                ConstraintKind::Unique { .. } => steps.push(self.unique_step(twin)),
                ConstraintKind::Check { .. } => steps.extend(self.check_steps(twin)),
                ConstraintKind::ForeignKey { references, .. } => {
                    steps.extend(self.foreign_key_steps(twin, references));
                }
                // The key is swapped at the contract, when the columns are NOT NULL.
                ConstraintKind::PrimaryKey { .. } | ConstraintKind::Exclude { .. } => {}
            }
        }
        steps.extend(self.statistics.iter().map(|twin| self.statistics_step(twin)));
        steps
    }

    /// The name of an object until the contract.
    fn interim(&self, name: &str) -> String {
        derived_name(&[&self.part.own, name])
    }

    fn interim_index(&self, name: &str) -> QualifiedName {
        QualifiedName::new(&self.target.name.schema, self.interim(name))
    }

    fn index_step(&self, name: &str, index: &Index) -> Step {
        let title = format!("build the index that takes over from {name}, while the table is written");
        build_index_step(&self.target.name, &self.interim_index(name), index, title)
    }

    fn mark_indexes_step(&self) -> Option<Step> {
        let plain = self.indexes.iter().map(|twin| &twin.after.name);
        let behind = self.constraints.iter().filter(|twin| index_behind(twin.after).is_some());
        let statements: Vec<String> = plain
            .chain(behind.map(|twin| &twin.after.name))
            .map(|name| sql::mark(&format!("index {}", self.interim_index(name).quoted()), &self.part.change.name))
            .collect();
        (!statements.is_empty()).then(|| Step {
            id: "mark_indexes".to_owned(),
            title: "say on each new index that it belongs to this change".to_owned(),
            phase: Phase::Validated,
            action: Action { statements, mode: Mode::Transaction, locks: Vec::new() },
            undo: Vec::new(),
            leftover: None,
        })
    }

    fn unique_step(&self, twin: &Twin<'_, Constraint>) -> Step {
        let table = twin.on;
        let interim = self.interim(&twin.after.name);
        let deferrable = sql::deferrability(twin.after);
        let quoted = quote_ident(&interim);
        Step {
            id: format!("unique_{}", twin.after.name),
            title: format!("make the index the constraint that takes over from {}", twin.before.name),
            phase: Phase::Validated,
            action: Action {
                statements: vec![
                    format!(
                        "alter table {} add constraint {quoted} unique using index {quoted}{deferrable}",
                        table.quoted()
                    ),
                    self.mark_constraint(table, &interim),
                ],
                mode: Mode::Transaction,
                locks: vec![exclusive(table)],
            },
            undo: vec![self.drop_constraint(table, &interim, vec![exclusive(table)])],
            leftover: None,
        }
    }

    fn check_steps(&self, twin: &Twin<'_, Constraint>) -> Vec<Step> {
        let table = twin.on;
        let interim = self.interim(&twin.after.name);
        let add = Step {
            id: format!("check_{}", twin.after.name),
            title: format!("hold new rows to the check that takes over from {}", twin.before.name),
            phase: Phase::Validated,
            action: Action {
                statements: vec![
                    format!(
                        "alter table {} add constraint {} {} {}",
                        table.quoted(),
                        quote_ident(&interim),
                        constraint_definition(twin.after),
                        unchecked(twin.after)
                    ),
                    self.mark_constraint(table, &interim),
                ],
                mode: Mode::Transaction,
                locks: vec![exclusive(table)],
            },
            undo: vec![self.drop_constraint(table, &interim, vec![exclusive(table)])],
            leftover: None,
        };
        let validate = validate_step(table, &interim, &twin.after.name, &twin.after.name, Vec::new());
        if twin.after.not_valid || twin.after.not_enforced { vec![add] } else { vec![add, validate] }
    }

    fn foreign_key_steps(&self, twin: &Twin<'_, Constraint>, references: &QualifiedName) -> Vec<Step> {
        let name = self.interim(&twin.after.name);
        foreign_key_steps(self.part, twin.on, references, LockLevel::ShareRowExclusive, twin.after, &name)
    }

    fn statistics_step(&self, twin: &Twin<'_, Statistics>) -> Step {
        let interim = QualifiedName::new(&twin.after.name.schema, self.interim(&twin.after.name.name));
        let mut statements = vec![sql::create_statistics(twin.on, &interim, twin.after)];
        if let Some(target) = twin.after.target {
            statements.push(format!("alter statistics {} set statistics {target}", interim.quoted()));
        }
        statements.push(sql::mark(&format!("statistics {}", interim.quoted()), &self.part.change.name));
        Step {
            id: format!("statistics_{}", twin.after.name.name),
            title: format!("make the statistics that take over from {}", twin.before.name),
            phase: Phase::Validated,
            action: Action {
                statements,
                mode: Mode::Transaction,
                locks: vec![Lock { table: twin.on.clone(), level: LockLevel::ShareUpdateExclusive, scans: false }],
            },
            undo: vec![Action {
                statements: vec![format!("drop statistics if exists {}", interim.quoted())],
                mode: Mode::Transaction,
                locks: vec![Lock { table: twin.on.clone(), level: LockLevel::ShareUpdateExclusive, scans: false }],
            }],
            leftover: None,
        }
    }

    fn mark_constraint(&self, table: &QualifiedName, name: &str) -> String {
        sql::mark(&format!("constraint {} on {}", quote_ident(name), table.quoted()), &self.part.change.name)
    }

    fn drop_constraint(&self, table: &QualifiedName, name: &str, locks: Vec<Lock>) -> Action {
        Action { statements: vec![drop_constraint_if_exists(table, name)], mode: Mode::Transaction, locks }
    }

    /// The locks of the contract, in the order in which they are taken: referenced tables before referencing ones.
    pub(super) fn contract_locks(&self) -> Vec<Lock> {
        let mut tables: Vec<&QualifiedName> = Vec::new();
        let referenced = self.constraints.iter().filter_map(|twin| match &twin.before.kind {
            ConstraintKind::ForeignKey { references, .. } => Some(references),
            _ => None,
        });
        let others = self.constraints.iter().map(|twin| twin.on);
        for table in referenced.chain([&self.source.name, &self.target.name]).chain(others) {
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        tables.into_iter().map(exclusive).collect()
    }

    /// The first half of the contract: what stands in the way of dropping the before columns, or would go with them, goes by name.
    pub(super) fn contract_drops(&self) -> Vec<String> {
        self.foreign_key_drops().chain(self.other_drops()).collect()
    }

    /// Foreign keys go before the keys that they need.
    pub(super) fn foreign_key_drops(&self) -> impl Iterator<Item = String> {
        self.constraints.iter().filter(|twin| is_foreign_key(twin.before)).map(drop_before)
    }

    /// All that is dropped behind the foreign keys.
    pub(super) fn other_drops(&self) -> impl Iterator<Item = String> {
        let constraints = self.constraints.iter().filter(|twin| !is_foreign_key(twin.before)).map(drop_before);
        let indexes = self.indexes.iter().map(|twin| {
            format!("drop index {}", QualifiedName::new(&self.source.name.schema, &twin.before.name).quoted())
        });
        let statistics = self.statistics.iter().map(|twin| format!("drop statistics {}", twin.before.name.quoted()));
        constraints.chain(indexes).chain(statistics)
    }

    /// The comment, the clustering and the statistics targets of an index, for the twin that bears its name by now.
    fn take_over_index(&self, table: &QualifiedName, index: &Index) -> Vec<String> {
        let name = QualifiedName::new(&table.schema, &index.name).quoted();
        let mut statements = vec![sql::comment(&format!("index {name}"), index.comment.as_deref())];
        if index.clustered {
            statements.push(format!("alter table {} cluster on {}", table.quoted(), quote_ident(&index.name)));
        }
        for (n, key) in index.keys.iter().enumerate() {
            if let Some(target) = key.statistics_target {
                statements.push(format!("alter index {name} alter column {} set statistics {target}", n + 1));
            }
        }
        statements
    }

    /// The second half: the twins take the names, and the comments, of what they replace.
    pub(super) fn contract_renames(&self) -> Vec<String> {
        let mut statements = Vec::new();
        for twin in &self.constraints {
            let name = quote_ident(&twin.after.name);
            let interim = quote_ident(&self.interim(&twin.after.name));
            let table = twin.on.quoted();
            if let ConstraintKind::PrimaryKey { .. } = twin.after.kind {
                statements.push(format!("alter table {table} add constraint {name} primary key using index {interim}"));
            } else {
                statements.push(format!("alter table {table} rename constraint {interim} to {name}"));
            }
            if let Some(behind) = index_behind(twin.after) {
                statements.extend(self.take_over_index(twin.on, &behind));
            }
            let object = format!("constraint {name} on {table}");
            statements.push(sql::comment(&object, twin.before.comment.as_deref()));
        }
        for twin in &self.indexes {
            let interim = self.interim_index(&twin.after.name).quoted();
            let name = quote_ident(&twin.after.name);
            statements.push(format!("alter index {interim} rename to {name}"));
            statements.extend(self.take_over_index(twin.on, twin.after));
        }
        for twin in &self.statistics {
            let interim = QualifiedName::new(&twin.after.name.schema, self.interim(&twin.after.name.name));
            let name = &twin.after.name;
            statements.push(format!("alter statistics {} rename to {}", interim.quoted(), quote_ident(&name.name)));
            statements.push(sql::comment(&format!("statistics {}", name.quoted()), twin.before.comment.as_deref()));
        }
        statements
    }
}

fn drop_before(twin: &Twin<'_, Constraint>) -> String {
    format!("alter table {} drop constraint {}", twin.before_on.quoted(), quote_ident(&twin.before.name))
}

/// Foreign keys that point at a column which goes away; those of the table itself, unless they stand on such a column as well.
fn foreign_keys_in<'a>(
    before: &'a Shape,
    after: &'a Shape,
    source: &'a Table,
    gone: &[String],
    is_carried: &dyn Fn(&QualifiedName, &[String]) -> bool,
) -> impl Iterator<Item = Twin<'a, Constraint>> {
    before.foreign_keys_to(&source.name).filter_map(move |(table, constraint)| {
        let ConstraintKind::ForeignKey { columns, referenced, .. } = &constraint.kind else { return None };
        let is_own = table.name == source.name && columns.iter().any(|column| gone.contains(column));
        if is_own || is_carried(&table.name, columns) || !referenced.iter().any(|column| gone.contains(column)) {
            return None;
        }
        let table = after.table(&table.name)?;
        let twin = table.constraints.iter().find(|twin| twin.name == constraint.name)?;
        Some(Twin { before_on: &table.name, on: &table.name, before: constraint, after: twin })
    })
}

/// The step that builds an index under the name `interim`.
pub(super) fn build_index_step(table: &QualifiedName, interim: &QualifiedName, index: &Index, title: String) -> Step {
    let lock = |scans| vec![Lock { table: table.clone(), level: LockLevel::ShareUpdateExclusive, scans }];
    Step {
        id: format!("index_{}", index.name),
        title,
        phase: Phase::Validated,
        action: Action {
            statements: vec![sql::create_index(table, &interim.name, index)],
            mode: Mode::Outside,
            locks: lock(true),
        },
        undo: vec![Action {
            statements: vec![format!("drop index concurrently if exists {}", interim.quoted())],
            mode: Mode::Outside,
            locks: lock(false),
        }],
        leftover: Some(Leftover::Index(interim.clone())),
    }
}

/// The steps that add a foreign key without holding up writers: not valid first, then validated in a transaction of its own (H26).
/// `referenced` is the lock on the referenced table, at least what PostgreSQL takes: SHARE ROW EXCLUSIVE.
pub(super) fn foreign_key_steps(
    part: &Part<'_>,
    table: &QualifiedName,
    references: &QualifiedName,
    referenced: LockLevel,
    constraint: &Constraint,
    name: &str,
) -> Vec<Step> {
    let locks = |referenced, level| {
        let mut locks = vec![Lock { table: references.clone(), level: referenced, scans: false }];
        if table != references {
            locks.push(Lock { table: table.clone(), level, scans: false });
        }
        locks
    };
    let quoted = quote_ident(name);
    let adding = locks(referenced, LockLevel::ShareRowExclusive);
    // Left to itself, ALTER TABLE locks the referencing table first. Code that writes both in one transaction begins with the referenced
    // one, and the two would wait for each other (H25).
    let mut statements = lock_tables(&adding);
    statements.extend([
        format!(
            "alter table {} add constraint {quoted} {} {}",
            table.quoted(),
            constraint_definition(constraint),
            unchecked(constraint)
        ),
        sql::mark(&format!("constraint {quoted} on {}", table.quoted()), &part.change.name),
    ]);
    let removing = locks(LockLevel::AccessExclusive, LockLevel::AccessExclusive);
    // Where the change has made the referenced table, an earlier rollback may have taken it away, with the constraint.
    let lock = sql::while_constrained(table, name, &lock_tables(&removing[..1]));
    let undo = vec![lock, drop_constraint_if_exists(table, name)];
    let add = Step {
        id: format!("foreign_key_{}", constraint.name),
        title: format!("hold new rows to the foreign key {}", constraint.name),
        phase: Phase::Validated,
        action: Action { statements, mode: Mode::Transaction, locks: adding },
        undo: vec![Action { statements: undo, mode: Mode::Transaction, locks: removing }],
        leftover: None,
    };
    let parent = Lock { table: references.clone(), level: LockLevel::RowShare, scans: false };
    let validate = validate_step(table, name, &constraint.name, &constraint.name, vec![parent]);
    if constraint.not_valid || constraint.not_enforced { vec![add] } else { vec![add, validate] }
}

/// How a constraint is added so that no row is read under a strong lock.
fn unchecked(constraint: &Constraint) -> &'static str {
    if constraint.not_enforced { "not enforced" } else { "not valid" }
}

/// Reads all rows under a lock that lets them be read and written.
///
/// `of` names the step, `what` says what every row must satisfy.
pub(super) fn validate_step(table: &QualifiedName, name: &str, of: &str, what: &str, other_locks: Vec<Lock>) -> Step {
    let own = Lock { table: table.clone(), level: LockLevel::ShareUpdateExclusive, scans: true };
    Step {
        id: format!("validate_{of}"),
        title: format!("check every row: {what}"),
        phase: Phase::Validated,
        action: Action {
            statements: vec![format!("alter table {} validate constraint {}", table.quoted(), quote_ident(name))],
            mode: Mode::LongTransaction,
            locks: std::iter::once(own).chain(other_locks).collect(),
        },
        undo: Vec::new(),
        leftover: None,
    }
}

/// Planner statistics for what was just filled, before anything relies on them.
pub(super) fn analyze_step(table: &QualifiedName, columns: &[String]) -> Step {
    Step {
        id: "analyze".to_owned(),
        title: "give the planner statistics of the new columns".to_owned(),
        phase: Phase::Validated,
        action: Action {
            statements: vec![format!("analyze {} ({})", table.quoted(), sql::names(columns))],
            mode: Mode::LongTransaction,
            locks: vec![Lock { table: table.clone(), level: LockLevel::ShareUpdateExclusive, scans: false }],
        },
        undo: Vec::new(),
        leftover: None,
    }
}

/// `ACCESS EXCLUSIVE`, for as long as a change of the catalog takes.
pub(super) fn exclusive(table: &QualifiedName) -> Lock {
    Lock { table: table.clone(), level: LockLevel::AccessExclusive, scans: false }
}

pub(super) fn drop_constraint_if_exists(table: &QualifiedName, name: &str) -> String {
    format!("alter table if exists {} drop constraint if exists {}", table.quoted(), quote_ident(name))
}

/// Takes all locks of a transaction first and in one order, so that two of them cannot wait for each other.
pub(super) fn lock_tables(locks: &[Lock]) -> Vec<String> {
    locks
        .iter()
        .map(|lock| format!("lock table {} in {} mode", lock.table.quoted(), lock.level.name().to_lowercase()))
        .collect()
}

/// Has `referenced` locked before `referencing`: clients that write both begin with it.
pub(super) fn lock_before(locks: &mut Vec<Lock>, referenced: &QualifiedName, referencing: &QualifiedName) {
    locks.retain(|lock| lock.table != *referenced);
    let at = locks.iter().position(|lock| lock.table == *referencing).unwrap_or(locks.len());
    locks.insert(at, exclusive(referenced));
}

fn is_foreign_key(constraint: &Constraint) -> bool {
    matches!(constraint.kind, ConstraintKind::ForeignKey { .. })
}

/// The unique index that stands behind a primary key or unique constraint, so that it can be built beforehand.
pub(super) fn index_behind(constraint: &Constraint) -> Option<Index> {
    use crate::schema::{IndexKey, IndexTarget};
    let (columns, include, with, nulls_not_distinct) = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, include, with } => (columns, include, with, false),
        ConstraintKind::Unique { columns, include, nulls_not_distinct, with } => {
            (columns, include, with, *nulls_not_distinct)
        }
        _ => return None,
    };
    Some(Index {
        name: constraint.name.clone(),
        unique: true,
        method: "btree".to_owned(),
        keys: columns
            .iter()
            .map(|column| IndexKey {
                on: IndexTarget::Column(column.clone()),
                collation: None,
                operator_class: None,
                descending: false,
                nulls_first: None,
                statistics_target: None,
            })
            .collect(),
        include: include.clone(),
        nulls_not_distinct,
        predicate: None,
        with: with.clone(),
        tablespace: constraint.tablespace.clone(),
        clustered: constraint.clustered,
        attached_to: None,
        comment: constraint.index_comment.clone(),
        line: constraint.line,
    })
}
