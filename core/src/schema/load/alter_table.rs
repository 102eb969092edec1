//! `ALTER TABLE`.

use super::constraint::{self, Attributes, NewConstraint, Rule};
use super::cursor::{Cursor, Path, Read};
use super::index::{self, statistics_target, storage_parameters};
use super::loader::{Loader, Relation};
use super::sequence::{self, NewSequence};
use super::table::{self, NewColumn};
use super::{data_type, expression, partition, rename};
use crate::ident::QualifiedName;
use crate::schema::{ConstraintKind, Generated, Identity, SqlText, SqlType, Table, TriggerEnabled};

/// One thing that an `ALTER TABLE` does.
enum Action {
    AddColumn {
        new: Box<NewColumn>,
        keep_existing: bool,
    },
    DropColumn(String),
    Column {
        name: String,
        change: ColumnChange,
    },
    AddConstraint(Box<NewConstraint>),
    DropConstraint(String),
    ValidateConstraint(String),
    AlterConstraint(String, Attributes),
    RenameConstraint(String, String),
    RenameColumn(String, String),
    RenameTo(String),
    SetSchema(String),
    Owner(String),
    RowSecurity(bool),
    ForceRowSecurity(bool),
    ReplicaIdentity(Option<String>),
    Unlogged(bool),
    AttachPartition(Path),
    Inherit(Path),
    /// `DETACH PARTITION`: the child is named, or `NO INHERIT`: the parent is.
    Detach {
        child: Option<Path>,
        parent: Option<Path>,
    },
    /// Which index, or none.
    Cluster(Option<String>),
    /// All triggers, or one.
    Trigger(Option<String>, TriggerEnabled),
    /// Storage parameters, tablespaces, rules and other things that no change carries over.
    Nothing,
}

/// `ALTER COLUMN`.
#[derive(Clone)]
enum ColumnChange {
    Default(Option<SqlText>),
    NotNull(bool),
    Type {
        ty: SqlType,
        collation: Option<Path>,
    },
    Statistics(Option<i32>),
    Storage(Option<String>),
    Compression(Option<String>),
    SetOptions(Vec<(String, String)>),
    ResetOptions(Vec<(String, String)>),
    AddIdentity {
        always: bool,
        sequence: Box<NewSequence>,
    },
    SetIdentity {
        always: bool,
    },
    DropIdentity,
    Expression(SqlText),
    DropExpression,
    /// Options of a foreign table's column, options of an identity's sequence.
    Nothing,
}

/// `ALTER [FOREIGN] TABLE`, from behind `TABLE` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    if cursor.eat_all(&["ALL", "IN", "TABLESPACE"]) {
        cursor.take_rest();
        return Ok(());
    }
    cursor.if_exists();
    let only = cursor.eat("ONLY");
    let path = cursor.path()?;
    cursor.eat_symbol(b'*');
    let mut actions = Vec::new();
    while let Some(mut item) = cursor.next_item() {
        actions.push(action(&mut item, loader)?);
        item.expect_end()?;
    }
    let name = loader.relation_name(path);
    if loader.schema.tables.contains_key(&name) {
        apply_all(loader, name, only, actions);
        return Ok(());
    }
    match loader.relations.get(&name) {
        // `pg_dump` says `ALTER TABLE` of all kinds of relations.
        Some(_) => {
            for action in actions {
                apply_to_other(loader, &name, action);
            }
            Ok(())
        }
        None => Err(cursor.unexpected("a table that is created before this")),
    }
}

fn action(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Action> {
    if cursor.eat("ADD") {
        return add(cursor, loader);
    }
    if cursor.eat("DROP") {
        let constraint = cursor.eat("CONSTRAINT");
        if !constraint {
            cursor.eat("COLUMN");
        }
        cursor.if_exists();
        let name = cursor.name()?;
        if !cursor.eat("CASCADE") {
            cursor.eat("RESTRICT");
        }
        return Ok(if constraint { Action::DropConstraint(name) } else { Action::DropColumn(name) });
    }
    if cursor.eat_all(&["ALTER", "CONSTRAINT"]) {
        let name = cursor.name()?;
        return Ok(Action::AlterConstraint(name, constraint::attributes(cursor)));
    }
    if cursor.eat("ALTER") {
        cursor.eat("COLUMN");
        let name = cursor.name()?;
        return Ok(Action::Column { name, change: column_change(cursor, loader)? });
    }
    if cursor.eat("RENAME") {
        return rename_action(cursor);
    }
    if cursor.eat_all(&["VALIDATE", "CONSTRAINT"]) {
        return cursor.name().map(Action::ValidateConstraint);
    }
    if cursor.eat_all(&["OWNER", "TO"]) {
        return cursor.name().map(Action::Owner);
    }
    if cursor.eat_all(&["SET", "SCHEMA"]) {
        return cursor.name().map(Action::SetSchema);
    }
    if cursor.eat_all(&["ATTACH", "PARTITION"]) {
        let child = cursor.path()?;
        cursor.take_rest();
        return Ok(Action::AttachPartition(child));
    }
    if cursor.eat_all(&["DETACH", "PARTITION"]) {
        let child = Some(cursor.path()?);
        if !cursor.eat("CONCURRENTLY") {
            cursor.eat("FINALIZE");
        }
        return Ok(Action::Detach { child, parent: None });
    }
    if cursor.eat_all(&["NO", "INHERIT"]) {
        return Ok(Action::Detach { child: None, parent: Some(cursor.path()?) });
    }
    if cursor.eat("INHERIT") {
        return cursor.path().map(Action::Inherit);
    }
    if cursor.eat_all(&["REPLICA", "IDENTITY"]) {
        let text = cursor.take_rest().text();
        return Ok(Action::ReplicaIdentity((!text.eq_ignore_ascii_case("DEFAULT")).then(|| text.to_owned())));
    }
    if cursor.eat_all(&["CLUSTER", "ON"]) {
        return Ok(Action::Cluster(Some(cursor.name()?)));
    }
    if cursor.eat_all(&["SET", "WITHOUT", "CLUSTER"]) {
        return Ok(Action::Cluster(None));
    }
    if cursor.eat_all(&["SET", "LOGGED"]) {
        return Ok(Action::Unlogged(false));
    }
    if cursor.eat_all(&["SET", "UNLOGGED"]) {
        return Ok(Action::Unlogged(true));
    }
    if let Some(action) = enable_or_disable(cursor)? {
        return Ok(action);
    }
    if cursor.at_any(&["SET", "RESET", "OF", "NOT", "OPTIONS"]) {
        cursor.take_rest();
        return Ok(Action::Nothing);
    }
    Err(cursor.unexpected("what to alter"))
}

fn add(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<Action> {
    if constraint::begins_table_constraint(cursor) {
        return Ok(Action::AddConstraint(Box::new(constraint::table_constraint(cursor)?)));
    }
    cursor.eat("COLUMN");
    let keep_existing = cursor.if_not_exists();
    Ok(Action::AddColumn { new: Box::new(table::column(cursor, loader)?), keep_existing })
}

fn rename_action(cursor: &mut Cursor<'_>) -> Read<Action> {
    if cursor.eat("TO") {
        return cursor.name().map(Action::RenameTo);
    }
    let constraint = cursor.eat("CONSTRAINT");
    if !constraint {
        cursor.eat("COLUMN");
    }
    let from = cursor.name()?;
    cursor.expect("TO")?;
    let to = cursor.name()?;
    Ok(if constraint { Action::RenameConstraint(from, to) } else { Action::RenameColumn(from, to) })
}

/// `ENABLE | DISABLE TRIGGER | RULE`, `[NO] FORCE ROW LEVEL SECURITY`.
fn enable_or_disable(cursor: &mut Cursor<'_>) -> Read<Option<Action>> {
    const ROW_SECURITY: [&str; 3] = ["ROW", "LEVEL", "SECURITY"];
    let start = *cursor;
    let no = cursor.eat("NO");
    if cursor.eat("FORCE") && cursor.eat_all(&ROW_SECURITY) {
        return Ok(Some(Action::ForceRowSecurity(!no)));
    }
    *cursor = start;
    let enable = cursor.eat("ENABLE");
    if !enable && !cursor.eat("DISABLE") {
        return Ok(None);
    }
    if cursor.eat_all(&ROW_SECURITY) {
        return Ok(Some(Action::RowSecurity(enable)));
    }
    let enabled = if !enable {
        TriggerEnabled::Disabled
    } else if cursor.eat("ALWAYS") {
        TriggerEnabled::Always
    } else if cursor.eat("REPLICA") {
        TriggerEnabled::Replica
    } else {
        TriggerEnabled::Origin
    };
    if cursor.eat("RULE") {
        cursor.name()?;
        return Ok(Some(Action::Nothing));
    }
    cursor.expect("TRIGGER")?;
    if cursor.eat("ALL") || cursor.eat("USER") {
        return Ok(Some(Action::Trigger(None, enabled)));
    }
    Ok(Some(Action::Trigger(Some(cursor.name()?), enabled)))
}

fn column_change(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<ColumnChange> {
    if cursor.eat_all(&["SET", "DEFAULT"]) {
        return Ok(ColumnChange::Default(Some(cursor.take_rest().expression()?)));
    }
    if cursor.eat_all(&["DROP", "DEFAULT"]) {
        return Ok(ColumnChange::Default(None));
    }
    if cursor.eat_all(&["SET", "NOT", "NULL"]) {
        return Ok(ColumnChange::NotNull(true));
    }
    if cursor.eat_all(&["DROP", "NOT", "NULL"]) {
        return Ok(ColumnChange::NotNull(false));
    }
    if cursor.eat_all(&["SET", "STATISTICS"]) {
        return statistics_target(cursor).map(ColumnChange::Statistics);
    }
    if cursor.eat_all(&["SET", "STORAGE"]) {
        return table::storage_mode(cursor).map(ColumnChange::Storage);
    }
    if cursor.eat_all(&["SET", "COMPRESSION"]) {
        return table::compression(cursor).map(ColumnChange::Compression);
    }
    if cursor.eat_all(&["ADD", "GENERATED"]) {
        let (always, sequence) = table::identity(cursor, loader)?;
        return Ok(ColumnChange::AddIdentity { always, sequence: Box::new(sequence) });
    }
    if cursor.eat_all(&["DROP", "IDENTITY"]) {
        cursor.if_exists();
        return Ok(ColumnChange::DropIdentity);
    }
    if cursor.eat_all(&["SET", "GENERATED"]) {
        let always = cursor.eat("ALWAYS");
        cursor.take_rest();
        return Ok(ColumnChange::SetIdentity { always });
    }
    if cursor.eat_all(&["SET", "EXPRESSION", "AS"]) {
        return Ok(ColumnChange::Expression(cursor.parenthesized()?.expression()?));
    }
    if cursor.eat_all(&["DROP", "EXPRESSION"]) {
        cursor.if_exists();
        return Ok(ColumnChange::DropExpression);
    }
    if cursor.at("TYPE") || cursor.at_all(&["SET", "DATA"]) {
        if !cursor.eat("TYPE") {
            cursor.eat_all(&["SET", "DATA"]);
            cursor.expect("TYPE")?;
        }
        let ty = data_type::read(cursor, loader)?.ty;
        let collation = if cursor.eat("COLLATE") { Some(cursor.path()?) } else { None };
        if cursor.eat("USING") {
            cursor.take_rest();
        }
        return Ok(ColumnChange::Type { ty, collation });
    }
    let set = cursor.at("SET");
    if (set || cursor.at("RESET")) && cursor.peek_second().is_some_and(|token| token.is_symbol(b'(')) {
        cursor.bump();
        let options = storage_parameters(cursor.parenthesized()?)?;
        return Ok(if set { ColumnChange::SetOptions(options) } else { ColumnChange::ResetOptions(options) });
    }
    if cursor.at_any(&["OPTIONS", "SET", "RESTART"]) {
        cursor.take_rest();
        return Ok(ColumnChange::Nothing);
    }
    Err(cursor.unexpected("what to alter"))
}

fn apply_all(loader: &mut Loader, mut name: QualifiedName, only: bool, actions: Vec<Action>) {
    // Constraints come after columns, wherever they stand in the statement.
    let mut constraints = Vec::new();
    for action in actions {
        match action {
            Action::RenameTo(new) => {
                let new = QualifiedName::new(&name.schema, new);
                rename::table(loader, &name, &new);
                name = new;
            }
            Action::SetSchema(schema) => {
                let new = QualifiedName::new(schema, &name.name);
                rename::table(loader, &name, &new);
                name = new;
            }
            Action::AddConstraint(constraint) => constraints.push(*constraint),
            Action::AddColumn { new, keep_existing } => {
                let exists =
                    loader.schema.tables.get(&name).is_some_and(|table| table.column(&new.column.name).is_some());
                if !(keep_existing && exists) {
                    constraints.extend(add_column(loader, &name, only, *new));
                }
            }
            action => apply(loader, &name, only, action),
        }
    }
    let before = loader.schema.tables.get(&name).map_or(0, |table| table.constraints.len());
    table::add_constraints(loader, &name, constraints);
    spread_constraints(loader, &name, only, before);
}

/// Gives the constraints of a table from number `first` on to its children, as far as they hold for these.
fn spread_constraints(loader: &mut Loader, name: &QualifiedName, only: bool, first: usize) {
    let added = loader.schema.tables.get(name).and_then(|table| table.constraints.get(first..));
    let added = added.map(<[_]>::to_vec).unwrap_or_default();
    for constraint in added.iter().filter(|_| !only) {
        if constraint.kind.has_index() {
            partition::spread_constraint(loader, name, constraint);
        } else if partition::is_inherited_check(constraint) {
            for child in loader.with_descendants(name).iter().skip(1) {
                partition::inherit_check(loader, constraint, child);
            }
        }
    }
}

/// Adds a column to a table and, unless `only`, to its children. Returns its constraints.
fn add_column(loader: &mut Loader, name: &QualifiedName, only: bool, new: NewColumn) -> Vec<NewConstraint> {
    let (column, constraints) = table::finish_column(loader, name, new);
    let not_null = constraints.iter().any(|constraint| matches!(constraint.rule, Rule::NotNull { .. }));
    for (at, target) in targets(loader, name, only).into_iter().enumerate() {
        let Some(table) = loader.table_mut(&target) else { continue };
        if table.column(&column.name).is_none() {
            let mut column = column.clone();
            if at > 0 {
                column.identity = None;
                column.not_null |= not_null;
            }
            table.columns.push(column);
        }
    }
    constraints
}

/// The table alone, or with its children.
fn targets(loader: &Loader, name: &QualifiedName, only: bool) -> Vec<QualifiedName> {
    if only { vec![name.clone()] } else { loader.with_descendants(name) }
}

fn apply(loader: &mut Loader, name: &QualifiedName, only: bool, action: Action) {
    match action {
        Action::DropColumn(column) => drop_column_with_children(loader, name, only, &column),
        Action::RenameColumn(from, to) => {
            for target in targets(loader, name, only) {
                rename::column(loader, &target, &from, &to);
            }
        }
        Action::RenameConstraint(from, to) => rename::constraint(loader, name, &from, &to),
        Action::DropConstraint(constraint) => {
            for target in targets(loader, name, only) {
                drop_constraint(loader, &target, &constraint);
            }
        }
        Action::ValidateConstraint(constraint) => validate(loader, name, &constraint),
        Action::Column { name: column, change } => change_column(loader, name, only, &column, change),
        Action::AttachPartition(child) => {
            let child = loader.relation_name(child);
            if loader.add_parent(&child, name.clone()) {
                partition::inherit_indexes(loader, name, &child);
            }
        }
        Action::Inherit(parent) => {
            let parent = loader.relation_name(parent);
            loader.add_parent(name, parent);
        }
        Action::Detach { child, parent } => {
            let child = child.map_or_else(|| name.clone(), |child| loader.relation_name(child));
            let parent = parent.map_or_else(|| name.clone(), |parent| loader.relation_name(parent));
            if let Some(table) = loader.table_mut(&child) {
                table.parents.retain(|known| *known != parent);
                let of_indexes = table.indexes.iter_mut().map(|index| &mut index.attached_to);
                let of_constraints = table.constraints.iter_mut().map(|constraint| &mut constraint.attached_to);
                of_indexes.chain(of_constraints).for_each(|attached| *attached = None);
            }
        }
        Action::Cluster(index) => cluster(loader, name, index.as_deref()),
        action => {
            if let Some(table) = loader.table_mut(name) {
                apply_to_table(table, action);
            }
        }
    }
}

/// What concerns the table alone.
fn apply_to_table(table: &mut Table, action: Action) {
    match action {
        Action::Owner(owner) => table.owner = Some(owner),
        Action::RowSecurity(on) => table.row_security = on,
        Action::ForceRowSecurity(on) => table.force_row_security = on,
        Action::ReplicaIdentity(identity) => table.replica_identity = identity,
        Action::Unlogged(unlogged) => table.unlogged = unlogged,
        Action::Trigger(name, enabled) => {
            for trigger in &mut table.triggers {
                if name.as_ref().is_none_or(|name| *name == trigger.name) {
                    trigger.enabled = enabled;
                }
            }
        }
        Action::AlterConstraint(name, attributes) => {
            if let Some(constraint) = table.constraints.iter_mut().find(|constraint| constraint.name == name) {
                constraint.deferrable = attributes.deferrable;
                constraint.initially_deferred = attributes.initially_deferred;
                constraint.not_enforced = attributes.not_enforced;
            }
        }
        _ => {}
    }
}

fn apply_to_other(loader: &mut Loader, name: &QualifiedName, action: Action) {
    let renamed = match action {
        Action::RenameTo(new) => QualifiedName::new(&name.schema, new),
        Action::SetSchema(schema) => QualifiedName::new(schema, &name.name),
        Action::Cluster(index) => return cluster(loader, name, index.as_deref()),
        _ => return,
    };
    match loader.relations.get(name) {
        Some(Relation::View) => rename::view(loader, name, renamed),
        Some(Relation::Sequence) => rename::sequence(loader, name, renamed),
        Some(Relation::Index { .. }) => rename::index(loader, name, &renamed.name),
        _ => {}
    }
}

/// `CLUSTER ON`: one index of a table or materialized view, or none.
pub(super) fn cluster(loader: &mut Loader, of: &QualifiedName, index: Option<&str>) {
    for known in loader.indexes_mut(of).into_iter().flatten() {
        known.clustered = index == Some(known.name.as_str());
    }
    if let Some(table) = loader.table_mut(of) {
        for constraint in table.constraints.iter_mut().filter(|constraint| constraint.kind.has_index()) {
            constraint.clustered = index == Some(constraint.name.as_str());
        }
    }
}

fn change_column(loader: &mut Loader, name: &QualifiedName, only: bool, column: &str, change: ColumnChange) {
    let line = loader.schema.tables.get(name).and_then(|table| table.column(column)).map_or(0, |column| column.line);
    let recurses = !matches!(
        change,
        ColumnChange::SetOptions(_)
            | ColumnChange::ResetOptions(_)
            | ColumnChange::Compression(_)
            | ColumnChange::AddIdentity { .. }
            | ColumnChange::SetIdentity { .. }
            | ColumnChange::DropIdentity
    );
    if let ColumnChange::AddIdentity { always, sequence } = change {
        let Some(ty) =
            loader.schema.tables.get(name).and_then(|table| table.column(column)).map(|column| column.ty.clone())
        else {
            return;
        };
        let sequence = sequence::make_for_column(loader, name, column, &ty, *sequence, line);
        if let Some(column) = column_mut(loader, name, column) {
            column.identity = Some(Identity { always, sequence: Some(sequence) });
            column.not_null = true;
        }
        return;
    }
    if let ColumnChange::DropIdentity = change {
        let identity = column_mut(loader, name, column).and_then(|column| column.identity.take());
        if let Some(sequence) = identity.and_then(|identity| identity.sequence) {
            loader.schema.sequences.remove(&sequence);
            loader.relations.remove(&sequence);
        }
        return;
    }
    let collation = match &change {
        ColumnChange::Type { collation: Some(path), .. } => table::collation(loader, path.clone()),
        _ => None,
    };
    for target in targets(loader, name, only || !recurses) {
        let Some(column) = column_mut(loader, &target, column) else { continue };
        match change.clone() {
            ColumnChange::Default(default) => column.default = default,
            ColumnChange::NotNull(not_null) => {
                column.not_null = not_null;
                column.not_null_name = column.not_null_name.take().filter(|_| not_null);
            }
            ColumnChange::Type { ty, .. } => {
                column.ty = ty;
                column.collation = collation.clone();
            }
            ColumnChange::Statistics(target) => column.statistics_target = target,
            ColumnChange::Storage(storage) => column.storage = storage,
            ColumnChange::Compression(compression) => column.compression = compression,
            ColumnChange::SetOptions(options) => {
                column.options.retain(|(name, _)| !options.iter().any(|(new, _)| new == name));
                column.options.extend(options);
            }
            ColumnChange::ResetOptions(options) => {
                column.options.retain(|(name, _)| !options.iter().any(|(reset, _)| reset == name));
            }
            ColumnChange::SetIdentity { always } => {
                if let Some(identity) = &mut column.identity {
                    identity.always = always;
                }
            }
            ColumnChange::Expression(expression) => {
                let stored = column.generated.as_ref().is_none_or(|generated| generated.stored);
                column.generated = Some(Generated { expression, stored });
            }
            ColumnChange::DropExpression => column.generated = None,
            ColumnChange::AddIdentity { .. } | ColumnChange::DropIdentity | ColumnChange::Nothing => {}
        }
    }
}

fn column_mut<'l>(
    loader: &'l mut Loader,
    table: &QualifiedName,
    column: &str,
) -> Option<&'l mut crate::schema::Column> {
    loader.table_mut(table)?.columns.iter_mut().find(|candidate| candidate.name == column)
}

fn drop_column_with_children(loader: &mut Loader, name: &QualifiedName, only: bool, column: &str) {
    drop_column(loader, name, column);
    let children: Vec<QualifiedName> = loader.schema.children_of(name).map(|child| child.name.clone()).collect();
    for child in children.iter().filter(|_| !only) {
        if !loader.merged_columns.contains(&(child.clone(), column.to_owned())) {
            drop_column_with_children(loader, child, only, column);
        }
    }
}

/// Drops a column with the constraints, indexes, statistics and sequences that hang on it.
pub(super) fn drop_column(loader: &mut Loader, name: &QualifiedName, column: &str) {
    let names = |columns: &[String]| columns.iter().any(|candidate| candidate == column);
    let Some(table) = loader.table_mut(name) else { return };
    table.columns.retain(|candidate| candidate.name != column);
    let hangs = |kind: &ConstraintKind| match kind {
        ConstraintKind::PrimaryKey { columns, include, .. } | ConstraintKind::Unique { columns, include, .. } => {
            names(columns) || names(include)
        }
        ConstraintKind::ForeignKey { columns, .. } | ConstraintKind::Exclude { columns, .. } => names(columns),
        ConstraintKind::Check { expression, .. } => names(&expression::columns(&expression.text)),
    };
    let constraints = table.constraints.iter().filter(|constraint| hangs(&constraint.kind));
    let constraints: Vec<String> = constraints.map(|constraint| constraint.name.clone()).collect();
    let indexes = table.indexes.iter().filter(|index| {
        index.keys.iter().any(|key| names(&index::columns_of(&key.on)))
            || names(&index.include)
            || index.predicate.as_ref().is_some_and(|predicate| names(&expression::columns(&predicate.text)))
    });
    let indexes: Vec<String> = indexes.map(|index| index.name.clone()).collect();
    table.indexes.retain(|index| !indexes.contains(&index.name));
    table.statistics.retain(|statistics| !statistics.on.iter().any(|on| names(&index::columns_of(on))));
    for grant in &mut table.grants {
        let on_columns = !grant.columns.is_empty();
        grant.columns.retain(|candidate| candidate != column);
        if on_columns && grant.columns.is_empty() {
            grant.privilege.clear();
        }
    }
    table.grants.retain(|grant| !grant.privilege.is_empty());
    for index in indexes {
        loader.relations.remove(&QualifiedName::new(&name.schema, index));
    }
    for constraint in constraints {
        drop_constraint(loader, name, &constraint);
    }
    let owned: Vec<QualifiedName> =
        loader.schema.sequences_of(name, column).map(|sequence| sequence.name.clone()).collect();
    for sequence in owned {
        loader.schema.sequences.remove(&sequence);
        loader.relations.remove(&sequence);
    }
    loader.unvalidated.retain(|not_null| not_null.table != *name || not_null.column != column);
}

pub(super) fn drop_constraint(loader: &mut Loader, name: &QualifiedName, constraint: &str) {
    let taken = QualifiedName::new(&name.schema, constraint);
    loader.constraint_names.remove(&taken);
    if loader.owner_of_index(&taken).as_ref() == Some(name) {
        loader.relations.remove(&taken);
    }
    loader.unvalidated.retain(|not_null| not_null.table != *name || not_null.name != constraint);
    let Some(table) = loader.table_mut(name) else { return };
    table.constraints.retain(|candidate| candidate.name != constraint);
    for column in &mut table.columns {
        if column.not_null_name.as_deref() == Some(constraint) {
            column.not_null_name = None;
            column.not_null = false;
        }
    }
}

fn validate(loader: &mut Loader, name: &QualifiedName, constraint: &str) {
    let not_null = loader.unvalidated.iter().position(|known| known.table == *name && known.name == constraint);
    if let Some(at) = not_null {
        let known = loader.unvalidated.remove(at);
        if let Some(column) = column_mut(loader, name, &known.column) {
            column.not_null = true;
            column.not_null_name = Some(known.name);
        }
        return;
    }
    let Some(table) = loader.table_mut(name) else { return };
    if let Some(known) = table.constraints.iter_mut().find(|known| known.name == constraint) {
        known.not_valid = false;
    }
}
