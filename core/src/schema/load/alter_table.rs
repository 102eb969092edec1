//! `ALTER TABLE`.

mod apply;
mod read;

pub(super) use self::apply::{cluster, drop_column};

use super::column::NewColumn;
use super::constraint::{Attributes, NewConstraint};
use super::cursor::{Cursor, Path, Read};
use super::loader::Loader;
use super::sequence::NewSequence;
use crate::schema::{SqlText, SqlType, TriggerEnabled};

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

/// `ALTER [FOREIGN] TABLE`, from behind `TABLE` on. Returns whether the table is known.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<bool> {
    if cursor.eat_all(&["ALL", "IN", "TABLESPACE"]) {
        cursor.take_rest();
        return Ok(true);
    }
    cursor.if_exists();
    let only = cursor.eat("ONLY");
    let path = cursor.path()?;
    cursor.eat_symbol(b'*');
    let mut actions = Vec::new();
    while let Some(mut item) = cursor.next_item() {
        actions.push(read::action(&mut item, loader)?);
        item.expect_end()?;
    }
    let name = loader.relation_name(path);
    let is_known = loader.relations.contains_key(&name);
    if loader.schema.tables.contains_key(&name) {
        apply::all(loader, name, only, actions);
    } else {
        // `pg_dump` says `ALTER TABLE` of all kinds of relations.
        actions.into_iter().for_each(|action| apply::to_other(loader, &name, action));
    }
    Ok(is_known)
}
