//! `CREATE SEQUENCE`, `ALTER SEQUENCE`, and the options of identity columns, which are those of a sequence.

use super::cursor::{Cursor, Path, Read};
use super::data_type;
use super::loader::{Loader, Relation};
use crate::ident::{QualifiedName, quote_ident};
use crate::schema::{Sequence, SequenceOptions, SqlText, SqlType};

/// The options of a sequence, as written.
#[derive(Clone, Default)]
pub(super) struct NewSequence {
    /// `SEQUENCE NAME`, of identity columns.
    pub name: Option<Path>,
    ty: Option<SqlType>,
    options: SequenceOptions,
    /// `OWNED BY`; an empty path is `NONE`.
    owned_by: Option<Vec<String>>,
}

impl NewSequence {
    /// What `LIKE … INCLUDING IDENTITY` makes of a sequence: the same options, but always of the largest type.
    pub fn like(original: &Sequence) -> Self {
        let limit = match &original.ty {
            Some(ty) if ty.is("smallint") => Some(i64::from(i16::MAX)),
            Some(ty) if ty.is("integer") => Some(i64::from(i32::MAX)),
            _ => None,
        };
        let mut options = original.options.clone();
        options.max = options.max.or(limit);
        Self { ty: Some(SqlType::builtin("bigint")), options, ..Self::default() }
    }
}

/// `CREATE SEQUENCE`, from behind `SEQUENCE` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, line: u32) -> Read<()> {
    let keep_existing = cursor.if_not_exists();
    let name = cursor.path()?;
    let mut new = NewSequence::default();
    options(cursor, loader, &mut new)?;
    cursor.expect_end()?;
    let name = loader.new_name(name);
    if keep_existing && loader.relations.contains_key(&name) {
        return Ok(());
    }
    let sequence = Sequence { name: name.clone(), ty: new.ty, owned_by: None, options: normalized(new.options), line };
    put(loader, sequence);
    set_owner(loader, &name, new.owned_by);
    Ok(())
}

/// `ALTER SEQUENCE`, from behind `SEQUENCE` on.
pub(super) fn alter(cursor: &mut Cursor<'_>, loader: &mut Loader) -> Read<()> {
    cursor.if_exists();
    let name = cursor.path()?;
    let name = loader.relation_name(name);
    if cursor.eat_all(&["RENAME", "TO"]) {
        let new = cursor.name()?;
        cursor.expect_end()?;
        let new = QualifiedName::new(&name.schema, new);
        super::rename::sequence(loader, &name, new);
        return Ok(());
    }
    if cursor.eat_all(&["SET", "SCHEMA"]) {
        let schema = cursor.name()?;
        cursor.expect_end()?;
        let new = QualifiedName::new(schema, &name.name);
        super::rename::sequence(loader, &name, new);
        return Ok(());
    }
    if cursor.eat_all(&["OWNER", "TO"]) || cursor.eat("SET") {
        cursor.take_rest();
        return Ok(());
    }
    let existing = loader.schema.sequences.get(&name);
    let mut new = NewSequence::default();
    if let Some(existing) = existing {
        new.ty = existing.ty.clone();
        new.options = existing.options.clone();
    }
    options(cursor, loader, &mut new)?;
    cursor.expect_end()?;
    if let Some(existing) = loader.schema.sequences.get_mut(&name) {
        existing.ty = new.ty;
        existing.options = normalized(new.options);
    }
    set_owner(loader, &name, new.owned_by);
    Ok(())
}

/// Reads options until something else follows.
pub(super) fn options(cursor: &mut Cursor<'_>, loader: &Loader, new: &mut NewSequence) -> Read<()> {
    loop {
        if cursor.eat("AS") {
            new.ty = Some(data_type::read(cursor, loader)?.ty);
        } else if cursor.eat("START") {
            cursor.eat("WITH");
            new.options.start = Some(cursor.integer()?);
        } else if cursor.eat("INCREMENT") {
            cursor.eat("BY");
            new.options.increment = Some(cursor.integer()?);
        } else if cursor.eat("MINVALUE") {
            new.options.min = Some(cursor.integer()?);
        } else if cursor.eat_all(&["NO", "MINVALUE"]) {
            new.options.min = None;
        } else if cursor.eat("MAXVALUE") {
            new.options.max = Some(cursor.integer()?);
        } else if cursor.eat_all(&["NO", "MAXVALUE"]) {
            new.options.max = None;
        } else if cursor.eat("CACHE") {
            new.options.cache = Some(cursor.integer()?);
        } else if cursor.eat("CYCLE") {
            new.options.cycle = true;
        } else if cursor.eat_all(&["NO", "CYCLE"]) {
            new.options.cycle = false;
        } else if cursor.eat_all(&["SEQUENCE", "NAME"]) {
            new.name = Some(cursor.path()?);
        } else if cursor.eat_all(&["OWNED", "BY"]) {
            new.owned_by = Some(owner(cursor)?);
        } else if cursor.eat("RESTART") {
            cursor.eat("WITH");
            if !cursor.is_done() {
                cursor.integer()?;
            }
        } else if !cursor.eat("LOGGED") && !cursor.eat("UNLOGGED") {
            return Ok(());
        }
    }
}

/// `schema.table.column`, or nothing for `NONE`.
fn owner(cursor: &mut Cursor<'_>) -> Read<Vec<String>> {
    if cursor.eat("NONE") {
        return Ok(Vec::new());
    }
    let mut path = vec![cursor.name()?];
    while cursor.eat_symbol(b'.') {
        path.push(cursor.name()?);
    }
    Ok(path)
}

fn set_owner(loader: &mut Loader, sequence: &QualifiedName, owner: Option<Vec<String>>) {
    let Some(mut path) = owner else { return };
    let column = path.pop();
    let table = path.pop().map(|name| loader.relation_name(Path { schema: path.pop(), name }));
    if let Some(sequence) = loader.schema.sequences.get_mut(sequence) {
        sequence.owned_by = table.zip(column);
    }
}

/// Makes the sequence behind a `serial` or identity column, and returns its name.
pub(super) fn make_for_column(
    loader: &mut Loader,
    table: &QualifiedName,
    column: &str,
    ty: &SqlType,
    new: NewSequence,
    line: u32,
) -> QualifiedName {
    let name = match new.name {
        Some(path) => {
            let schema = path.schema.unwrap_or_else(|| table.schema.clone());
            QualifiedName::new(schema, path.name)
        }
        None => {
            let chosen = loader.choose_relation_name(&table.schema, &table.name, Some(column), "seq");
            QualifiedName::new(&table.schema, chosen)
        }
    };
    let sequence = Sequence {
        name: name.clone(),
        ty: Some(new.ty.unwrap_or_else(|| ty.clone())),
        owned_by: Some((table.clone(), column.to_owned())),
        options: normalized(new.options),
        line,
    };
    put(loader, sequence);
    name
}

fn put(loader: &mut Loader, mut sequence: Sequence) {
    // What `pg_dump` leaves out is the default.
    sequence.ty = sequence.ty.filter(|ty| !ty.is("bigint"));
    loader.relations.insert(sequence.name.clone(), Relation::Sequence);
    loader.schema.sequences.insert(sequence.name.clone(), sequence);
}

/// `nextval('schema.name'::regclass)`.
pub(super) fn next_value(sequence: &QualifiedName, line: u32) -> SqlText {
    let plain = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let quoted = |name: &str| if plain(name) { name.to_owned() } else { quote_ident(name) };
    let name = format!("{}.{}", quoted(&sequence.schema), quoted(&sequence.name));
    SqlText { text: format!("nextval({}::regclass)", crate::ident::quote_literal(&name)), line }
}

/// Leaves out what is PostgreSQL's default anyhow: `pg_dump` writes all of it, people nearly nothing.
fn normalized(mut options: SequenceOptions) -> SequenceOptions {
    let ascending = options.increment.is_none_or(|step| step > 0);
    let first = if ascending { options.min.unwrap_or(1) } else { options.max.unwrap_or(-1) };
    options.start = options.start.filter(|start| *start != first);
    options.increment = options.increment.filter(|step| *step != 1);
    options.cache = options.cache.filter(|cache| *cache != 1);
    options
}
