//! `CREATE INDEX`, `ALTER INDEX`.

use super::constraint::nulls_distinct;
use super::cursor::{Cursor, Path, Read};
use super::loader::Loader;
use super::{expression, names, partition};
use crate::ident::QualifiedName;
use crate::schema::{Constraint, ConstraintKind, Index, IndexKey, IndexTarget, SqlText};
use crate::sql::tree;

/// One column or expression of an index, as written.
#[derive(Clone)]
pub(super) struct NewKey {
    pub on: IndexTarget,
    pub collation: Option<Path>,
    pub operator_class: Option<String>,
    pub descending: bool,
    pub nulls_first: Option<bool>,
}

/// `CREATE [UNIQUE] INDEX`, from behind `INDEX` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, unique: bool, line: u32) -> Read<()> {
    cursor.eat("CONCURRENTLY");
    let keep_existing = cursor.if_not_exists();
    let name = if cursor.at("ON") { None } else { Some(cursor.name()?) };
    cursor.expect("ON")?;
    let only = cursor.eat("ONLY");
    let of = cursor.path()?;
    let method = if cursor.eat("USING") { cursor.name()? } else { "btree".to_owned() };
    let mut keys = Vec::new();
    let mut list = cursor.parenthesized()?;
    while let Some(mut item) = list.next_item() {
        keys.push(key(&mut item)?);
        item.expect_end()?;
    }
    let include = if cursor.eat("INCLUDE") { cursor.parenthesized()?.names()? } else { Vec::new() };
    let nulls_not_distinct = nulls_distinct(cursor);
    let with = if cursor.eat("WITH") { storage_parameters(cursor.parenthesized()?)? } else { Vec::new() };
    let tablespace = if cursor.eat("TABLESPACE") { Some(cursor.name()?) } else { None };
    let predicate = if cursor.eat("WHERE") { Some(cursor.take_rest().expression()?) } else { None };
    cursor.expect_end()?;

    let of = loader.relation_name(of);
    let taken = |name: &String| loader.relations.contains_key(&QualifiedName::new(&of.schema, name));
    if keep_existing && name.as_ref().is_some_and(taken) {
        return Ok(());
    }
    let name = name.unwrap_or_else(|| choose_name(loader, &of, keys.iter().map(|key| &key.on), &include));
    let keys = keys.into_iter().map(|key| IndexKey {
        on: key.on,
        collation: key.collation.map(|collation| loader.collation_name(collation)),
        operator_class: key.operator_class,
        descending: key.descending,
        nulls_first: key.nulls_first,
        statistics_target: None,
    });
    let index = Index {
        name,
        unique,
        method,
        keys: keys.collect(),
        include,
        nulls_not_distinct,
        predicate,
        with,
        tablespace: tablespace.or_else(|| loader.default_tablespace.clone()),
        clustered: false,
        attached_to: None,
        comment: None,
        line,
    };
    loader.add_index(&of, index.clone());
    if !only {
        partition::spread_index(loader, &of, &index);
    }
    Ok(())
}

/// One key of an index: `lower(a) text_pattern_ops DESC NULLS LAST`.
pub(super) fn key(cursor: &mut Cursor<'_>) -> Read<NewKey> {
    let start = *cursor;
    let on = if cursor.at_symbol(b'(') {
        let inner = cursor.parenthesized()?;
        match inner.without_parentheses().only_name() {
            // A column in parentheses is a column.
            Some(column) => IndexTarget::Column(column),
            None => IndexTarget::Expression(inner.expression()?),
        }
    } else {
        let path = cursor.path()?;
        if cursor.at_symbol(b'(') {
            cursor.parenthesized()?;
            IndexTarget::Expression(start.up_to(cursor).expression()?)
        } else {
            IndexTarget::Column(path.name)
        }
    };
    let collation = if cursor.eat("COLLATE") { Some(cursor.path()?) } else { None };
    let mut operator_class = None;
    if !cursor.is_done() && !cursor.at_any(&["ASC", "DESC", "NULLS", "WITH"]) {
        let start = *cursor;
        cursor.path()?;
        cursor.optional_parenthesized()?;
        operator_class = Some(start.up_to(cursor).text().to_owned());
    }
    let descending = cursor.eat("DESC");
    cursor.eat("ASC");
    let nulls_first = if cursor.eat_all(&["NULLS", "FIRST"]) {
        Some(true)
    } else if cursor.eat_all(&["NULLS", "LAST"]) {
        Some(false)
    } else {
        None
    };
    Ok(NewKey { on, collation, operator_class, descending, nulls_first })
}

/// `fillfactor=70, toast.autovacuum_enabled=false`, the values as written.
pub(super) fn storage_parameters(mut list: Cursor<'_>) -> Read<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    while let Some(mut item) = list.next_item() {
        let path = item.path()?;
        let name = path.schema.map_or(path.name.clone(), |prefix| format!("{prefix}.{}", path.name));
        let value = if item.eat_symbol(b'=') { item.take_rest().text() } else { "true" };
        item.expect_end()?;
        parameters.push((name, value.to_owned()));
    }
    Ok(parameters)
}

/// The name that PostgreSQL gives to an index without one.
pub(super) fn choose_name<'a>(
    loader: &Loader,
    of: &QualifiedName,
    keys: impl Iterator<Item = &'a IndexTarget>,
    include: &[String],
) -> String {
    loader.choose_relation_name(&of.schema, &of.name, Some(&joined_names(keys, include)), "idx")
}

/// The names of an index's own columns, those of the payload among them, as the middle of its name.
pub(super) fn joined_names<'a>(keys: impl Iterator<Item = &'a IndexTarget>, include: &[String]) -> String {
    let of_keys = keys.map(|key| match key {
        IndexTarget::Column(name) => name.clone(),
        IndexTarget::Expression(sql) => tree::column_name(&sql.text).unwrap_or_else(|| "expr".to_owned()),
    });
    let names: Vec<String> = of_keys.chain(include.iter().cloned()).collect();
    let columns = names::index_columns(names.iter().map(String::as_str));
    names::joined_columns(columns.iter().map(String::as_str))
}

/// The columns that a key names.
pub(super) fn columns_of(target: &IndexTarget) -> Vec<String> {
    match target {
        IndexTarget::Column(name) => vec![name.clone()],
        IndexTarget::Expression(SqlText { text, .. }) => expression::columns(text),
    }
}

/// `ALTER INDEX`, from behind `INDEX` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    cursor.if_exists();
    if cursor.eat_all(&["ALL", "IN"]) {
        cursor.take_rest();
        return Ok(());
    }
    let name = cursor.path()?;
    let name = loader.relation_name(name);
    if cursor.eat_all(&["ATTACH", "PARTITION"]) {
        let part = cursor.path()?;
        cursor.expect_end()?;
        let part = loader.relation_name(part);
        attach(loader, name, &part);
    } else if cursor.eat_all(&["RENAME", "TO"]) {
        let new = cursor.name()?;
        cursor.expect_end()?;
        super::rename::index(loader, &name, &new);
    } else if cursor.eat("ALTER") {
        cursor.eat("COLUMN");
        let number = cursor.integer()?;
        cursor.expect("SET")?;
        cursor.expect("STATISTICS")?;
        let target = statistics_target(cursor)?;
        cursor.expect_end()?;
        let index = usize::try_from(number - 1).ok().zip(index_mut(loader, &name));
        if let Some(key) = index.and_then(|(at, index)| index.keys.get_mut(at)) {
            key.statistics_target = target;
        }
    } else if cursor.eat_all(&["SET", "TABLESPACE"]) {
        let tablespace = cursor.name()?;
        set_tablespace(loader, &name, tablespace);
    } else if cursor.eat("SET") {
        let changed = storage_parameters(cursor.parenthesized()?)?;
        if let Some(with) = parameters_mut(loader, &name) {
            with.retain(|(name, _)| !changed.iter().any(|(new, _)| new == name));
            with.extend(changed);
        }
    } else if cursor.eat("RESET") {
        let names = storage_parameters(cursor.parenthesized()?)?;
        if let Some(with) = parameters_mut(loader, &name) {
            with.retain(|(name, _)| !names.iter().any(|(reset, _)| reset == name));
        }
    } else {
        // `DEPENDS ON EXTENSION`, `OWNER TO`: nothing that is modelled.
        if !cursor.at_any(&["DEPENDS", "NO", "OWNER"]) {
            return Err(cursor.unexpected("what to alter"));
        }
        cursor.take_rest();
    }
    cursor.expect_end()
}

/// A statistics target: `DEFAULT` (PostgreSQL 17 and later) and -1 are none.
pub(super) fn statistics_target(cursor: &mut Cursor<'_>) -> Read<Option<i32>> {
    if cursor.eat("DEFAULT") {
        return Ok(None);
    }
    Ok(i32::try_from(cursor.integer()?).ok().filter(|target| *target >= 0))
}

fn attach(loader: &mut Loader, parent: QualifiedName, part: &QualifiedName) {
    if let Some(index) = index_mut(loader, part) {
        index.attached_to = Some(parent);
    } else if let Some(constraint) = constraint_mut(loader, part) {
        constraint.attached_to = Some(parent);
    }
}

fn set_tablespace(loader: &mut Loader, name: &QualifiedName, tablespace: String) {
    if let Some(index) = index_mut(loader, name) {
        index.tablespace = Some(tablespace);
    } else if let Some(constraint) = constraint_mut(loader, name) {
        constraint.tablespace = Some(tablespace);
    }
}

fn parameters_mut<'l>(loader: &'l mut Loader, name: &QualifiedName) -> Option<&'l mut Vec<(String, String)>> {
    if index_mut(loader, name).is_some() {
        return index_mut(loader, name).map(|index| &mut index.with);
    }
    match &mut constraint_mut(loader, name)?.kind {
        ConstraintKind::PrimaryKey { with, .. } | ConstraintKind::Unique { with, .. } => Some(with),
        _ => None,
    }
}

/// The index of this name that belongs to no constraint.
pub(super) fn index_mut<'l>(loader: &'l mut Loader, name: &QualifiedName) -> Option<&'l mut Index> {
    let of = loader.owner_of_index(name)?;
    loader.indexes_mut(&of)?.iter_mut().find(|index| index.name == name.name)
}

/// The constraint whose index has this name.
pub(super) fn constraint_mut<'l>(loader: &'l mut Loader, name: &QualifiedName) -> Option<&'l mut Constraint> {
    let of = loader.owner_of_index(name)?;
    let constraints = &mut loader.table_mut(&of)?.constraints;
    constraints.iter_mut().find(|constraint| constraint.name == name.name && constraint.kind.has_index())
}
