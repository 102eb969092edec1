//! `CREATE TABLE` and `CREATE FOREIGN TABLE`.

use super::constraint::{self, NewConstraint, Rule};
use super::cursor::{Cursor, Path, Read};
use super::loader::{Loader, Relation};
use super::sequence::{self, NewSequence};
use super::{data_type, like, partition};
use crate::ident::QualifiedName;
use crate::schema::{Column, Generated, Identity, SqlText, SqlType, Table, TableKind};

/// What stands before `TABLE`.
#[derive(Clone, Copy, Default)]
pub(super) struct Persistence {
    pub unlogged: bool,
    pub temporary: bool,
    pub foreign: bool,
}

/// A column as written.
pub(super) struct NewColumn {
    pub column: Column,
    pub serial: bool,
    /// The options of the identity's sequence.
    pub identity: Option<NewSequence>,
    pub constraints: Vec<NewConstraint>,
}

enum Element {
    Column(NewColumn),
    /// `column WITH OPTIONS …`, of a typed table or a partition.
    Options(NewColumn),
    Constraint(NewConstraint),
    Like(like::Like),
}

/// Where a table's columns come from besides its own list.
enum Origin {
    Own,
    Type(Path),
    Partition(Path),
}

/// `CREATE [UNLOGGED | TEMPORARY | FOREIGN] TABLE`, from behind `TABLE` on.
pub(super) fn create(cursor: &mut Cursor<'_>, loader: &mut Loader, persistence: Persistence, line: u32) -> Read<()> {
    let keep_existing = cursor.if_not_exists();
    let name = cursor.path()?;
    let origin = if cursor.eat("OF") {
        Origin::Type(cursor.path()?)
    } else if cursor.eat_all(&["PARTITION", "OF"]) {
        Origin::Partition(cursor.path()?)
    } else {
        Origin::Own
    };
    let mut elements = Vec::new();
    let list = match origin {
        Origin::Own => Some(cursor.parenthesized()?),
        _ => cursor.optional_parenthesized()?,
    };
    if let Some(mut list) = list {
        while let Some(mut item) = list.next_item() {
            elements.push(element(&mut item, loader, matches!(origin, Origin::Own))?);
            item.expect_end()?;
        }
    }
    if let Origin::Partition(_) = origin
        && !cursor.eat("DEFAULT")
    {
        cursor.expect("FOR")?;
        cursor.expect("VALUES")?;
        cursor.take_until(|cursor| {
            cursor.at_any(&["PARTITION", "USING", "WITHOUT", "ON", "TABLESPACE", "SERVER"]) || at_storage(cursor)
        });
    }
    let mut parents = Vec::new();
    if cursor.eat("INHERITS") {
        let mut list = cursor.parenthesized()?;
        while let Some(mut item) = list.next_item() {
            parents.push(item.path()?);
        }
    }
    let mut partition_key = None;
    if cursor.eat_all(&["PARTITION", "BY"]) {
        cursor.name()?;
        let key = cursor.parenthesized()?;
        partition_key = Some(SqlText { text: key.text().to_owned(), line: key.line() });
    }
    if persistence.foreign {
        cursor.expect("SERVER")?;
        cursor.name()?;
        if cursor.eat("OPTIONS") {
            cursor.parenthesized()?;
        }
    }
    storage(cursor)?;
    cursor.expect_end()?;

    let name = loader.new_name(name);
    if persistence.temporary || (keep_existing && loader.relations.contains_key(&name)) {
        return Ok(());
    }
    let kind = match () {
        () if persistence.foreign => TableKind::Foreign,
        () if partition_key.is_some() => TableKind::Partitioned,
        () => TableKind::Ordinary,
    };
    let table = Table { partition_key, unlogged: persistence.unlogged, ..empty(name, kind, line) };
    build(loader, table, origin, parents, elements);
    Ok(())
}

/// A table without anything.
fn empty(name: QualifiedName, kind: TableKind, line: u32) -> Table {
    Table {
        name,
        kind,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        triggers: Vec::new(),
        policies: Vec::new(),
        statistics: Vec::new(),
        rules: Vec::new(),
        grants: Vec::new(),
        row_security: false,
        force_row_security: false,
        partition_key: None,
        parents: Vec::new(),
        owner: None,
        unlogged: false,
        replica_identity: None,
        comment: None,
        line,
    }
}

fn at_storage(cursor: &Cursor<'_>) -> bool {
    // `FOR VALUES WITH (MODULUS …)` begins with the same word.
    cursor.at("WITH") && !cursor.tokens().get(2).is_some_and(|token| cursor.is_word_at(*token, "MODULUS"))
}

/// `USING method WITH (…) ON COMMIT … TABLESPACE …`: nothing that a change carries over.
fn storage(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.eat("USING") {
        cursor.name()?;
    }
    if cursor.eat("WITH") {
        if !cursor.eat("OIDS") {
            cursor.parenthesized()?;
        }
    } else {
        cursor.eat_all(&["WITHOUT", "OIDS"]);
    }
    if cursor.eat_all(&["ON", "COMMIT"]) {
        cursor.take_until(|cursor| cursor.at("TABLESPACE"));
    }
    if cursor.eat("TABLESPACE") {
        cursor.name()?;
    }
    Ok(())
}

fn element(cursor: &mut Cursor<'_>, loader: &Loader, typed_columns: bool) -> Read<Element> {
    if constraint::begins_table_constraint(cursor) {
        return constraint::table_constraint(cursor).map(Element::Constraint);
    }
    if cursor.at("LIKE") {
        return like::read(cursor).map(Element::Like);
    }
    if typed_columns {
        return column(cursor, loader).map(Element::Column);
    }
    let line = cursor.line();
    let name = cursor.name()?;
    cursor.eat_all(&["WITH", "OPTIONS"]);
    let mut new = NewColumn {
        column: plain_column(name, SqlType::builtin("unknown"), line),
        serial: false,
        identity: None,
        constraints: Vec::new(),
    };
    column_attributes(cursor, loader, &mut new)?;
    Ok(Element::Options(new))
}

/// `name type …`.
pub(super) fn column(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<NewColumn> {
    let line = cursor.line();
    let name = cursor.name()?;
    let data_type = data_type::read(cursor, loader)?;
    let mut new = NewColumn {
        column: plain_column(name, data_type.ty, line),
        serial: data_type.serial,
        identity: None,
        constraints: Vec::new(),
    };
    if cursor.eat("STORAGE") {
        new.column.storage = storage_mode(cursor)?;
    }
    if cursor.eat("COMPRESSION") {
        new.column.compression = compression(cursor)?;
    }
    if cursor.eat("OPTIONS") {
        cursor.parenthesized()?;
    }
    column_attributes(cursor, loader, &mut new)?;
    Ok(new)
}

/// `EXTERNAL`; `DEFAULT` is none.
pub(super) fn storage_mode(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    Ok(Some(cursor.name()?.to_uppercase()).filter(|mode| mode != "DEFAULT"))
}

/// `pglz`; `default` is none.
pub(super) fn compression(cursor: &mut Cursor<'_>) -> Read<Option<String>> {
    Ok(Some(cursor.name()?).filter(|method| method != "default"))
}

/// A column with nothing but a name and a type.
pub(super) fn plain_column(name: String, ty: SqlType, line: u32) -> Column {
    Column {
        name,
        ty,
        not_null: false,
        not_null_name: None,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        comment: None,
        statistics_target: None,
        storage: None,
        compression: None,
        options: Vec::new(),
        line,
    }
}

/// `COLLATE … DEFAULT … GENERATED … NOT NULL …`, in any order.
fn column_attributes(cursor: &mut Cursor<'_>, loader: &Loader, new: &mut NewColumn) -> Read<()> {
    while !cursor.is_done() {
        if cursor.eat("COLLATE") {
            let path = cursor.path()?;
            new.column.collation = collation(loader, path);
            continue;
        }
        if let Some(constraint) = constraint::column_constraint(cursor, &new.column.name)? {
            new.constraints.push(constraint);
            continue;
        }
        // The name of what is no constraint of its own is not kept.
        if cursor.eat("CONSTRAINT") {
            cursor.name()?;
        }
        if cursor.eat("DEFAULT") {
            new.column.default = Some(default_expression(cursor)?);
        } else if cursor.eat("GENERATED") {
            generated(cursor, loader, new)?;
        } else if !cursor.eat("NULL") {
            return Err(cursor.unexpected("`,` or `)`"));
        }
    }
    Ok(())
}

/// The collation that a path names; `None` for the type's own.
pub(super) fn collation(loader: &Loader, path: Path) -> Option<QualifiedName> {
    let name = loader.collation_name(path);
    (name != QualifiedName::new("pg_catalog", "default")).then_some(name)
}

/// `ALWAYS AS (…) STORED | VIRTUAL`, `ALWAYS | BY DEFAULT AS IDENTITY [(…)]`.
fn generated(cursor: &mut Cursor<'_>, loader: &Loader, new: &mut NewColumn) -> Read<()> {
    let is_expression = cursor.tokens().get(2).is_some_and(|token| token.is_symbol(b'('));
    if is_expression && cursor.eat_all(&["ALWAYS", "AS"]) {
        let expression = cursor.parenthesized()?.expression()?;
        let stored = cursor.eat("STORED");
        cursor.eat("VIRTUAL");
        new.column.generated = Some(Generated { expression, stored });
        return Ok(());
    }
    let (always, sequence) = identity(cursor, loader)?;
    new.column.identity = Some(Identity { always, sequence: None });
    new.identity = Some(sequence);
    Ok(())
}

/// `ALWAYS | BY DEFAULT AS IDENTITY [(…)]`: whether always, and the options of its sequence.
pub(super) fn identity(cursor: &mut Cursor<'_>, loader: &Loader) -> Read<(bool, NewSequence)> {
    let always = cursor.eat("ALWAYS");
    if !always {
        cursor.expect("BY")?;
        cursor.expect("DEFAULT")?;
    }
    cursor.expect("AS")?;
    cursor.expect("IDENTITY")?;
    let mut sequence = NewSequence::default();
    if let Some(mut options) = cursor.optional_parenthesized()? {
        sequence::options(&mut options, loader, &mut sequence)?;
        options.expect_end()?;
    }
    Ok((always, sequence))
}

/// The expression behind `DEFAULT` in a column: it ends where something else begins that may follow.
pub(super) fn default_expression(cursor: &mut Cursor<'_>) -> Read<SqlText> {
    let start = *cursor;
    loop {
        if cursor.is_done() {
            break;
        }
        let first = cursor.tokens().len() == start.tokens().len();
        let after_operator = start.up_to(cursor).ends_with_operator();
        let ends = cursor.at_any(&[
            "CONSTRAINT",
            "CHECK",
            "UNIQUE",
            "PRIMARY",
            "REFERENCES",
            "DEFERRABLE",
            "INITIALLY",
            "COLLATE",
            "DEFAULT",
        ]) || cursor.at_all(&["GENERATED", "ALWAYS"])
            || cursor.at_all(&["GENERATED", "BY"])
            || (cursor.at("NOT") && !start.up_to(cursor).ends_with_word("IS"))
            || (cursor.at("NULL") && !first && !after_operator);
        if ends {
            break;
        }
        cursor.take_nested();
    }
    start.up_to(cursor).expression()
}

/// Makes the table of what was read, in the order in which PostgreSQL does: that decides which names are still free.
fn build(loader: &mut Loader, mut table: Table, origin: Origin, parents: Vec<Path>, elements: Vec<Element>) {
    let name = table.name.clone();
    let mut constraints = Vec::new();
    let mut copied = Vec::new();

    let mut parents: Vec<QualifiedName> = parents.into_iter().map(|parent| loader.relation_name(parent)).collect();
    match origin {
        Origin::Own => {}
        Origin::Type(path) => {
            let of = loader.type_name(path);
            table.columns = loader.composites.get(&of).cloned().unwrap_or_default();
        }
        Origin::Partition(path) => parents.push(loader.relation_name(path)),
    }
    // A table that is created twice is a mistake; it must not become its own ancestor.
    let descendants = loader.with_descendants(&name);
    parents.retain(|parent| !descendants.contains(parent));
    for parent in &parents {
        partition::inherit_columns(loader, parent, &mut table);
    }
    for element in elements {
        match element {
            Element::Constraint(constraint) => constraints.push(constraint),
            Element::Like(like) => {
                let source = loader.relation_name(like.source.clone());
                table.columns.extend(like.columns(loader, &source, &name));
                copied.push((source, like));
            }
            Element::Column(new) | Element::Options(new) => {
                let (column, own) = finish_column(loader, &name, new);
                constraints.extend(own);
                match table.columns.iter_mut().find(|known| known.name == column.name) {
                    Some(known) => {
                        loader.merged_columns.insert((name.clone(), column.name.clone()));
                        merge(known, column);
                    }
                    None => table.columns.push(column),
                }
            }
        }
    }

    table.parents.clone_from(&parents);
    loader.relations.insert(name.clone(), Relation::Table);
    loader.schema.tables.insert(name.clone(), table);
    for parent in &parents {
        partition::inherit_checks(loader, parent, &name);
    }
    add_constraints(loader, &name, constraints);
    for parent in &parents {
        partition::inherit_indexes(loader, parent, &name);
    }
    for (source, like) in copied {
        like.finish(loader, &source, &name);
    }
}

/// Gives a `serial` or identity column its sequence.
pub(super) fn finish_column(
    loader: &mut Loader,
    table: &QualifiedName,
    new: NewColumn,
) -> (Column, Vec<NewConstraint>) {
    let NewColumn { mut column, serial, identity, constraints } = new;
    let line = column.line;
    let ty = &column.ty;
    let is_domain = ty.qualified().is_some_and(|name| loader.schema.domains.contains_key(&name));
    if ty.modifiers.is_empty() && !is_domain {
        column.default = column.default.filter(|default| !is_null(&default.text, ty));
    }
    if serial {
        let sequence = sequence::make_for_column(loader, table, &column.name, &column.ty, NewSequence::default(), line);
        column.default = Some(sequence::next_value(&sequence, line));
        column.not_null = true;
    }
    if let (Some(options), Some(identity)) = (identity, &mut column.identity) {
        identity.sequence = Some(sequence::make_for_column(loader, table, &column.name, &column.ty, options, line));
        column.not_null = true;
    }
    (column, constraints)
}

/// `NULL`, or a cast of it to the column's type: PostgreSQL does not keep such a default, unless the type has something to check.
fn is_null(default: &str, ty: &SqlType) -> bool {
    let cast = default.split_once("::").map(|(null, cast)| (null.trim(), cast.trim()));
    let null = match cast {
        Some((null, cast)) if cast.eq_ignore_ascii_case(&ty.to_string()) => null,
        Some(_) => return false,
        None => default,
    };
    null.eq_ignore_ascii_case("NULL")
}

/// Puts what a column says about itself over what it inherits.
fn merge(known: &mut Column, own: Column) {
    known.not_null |= own.not_null;
    known.default = own.default.or(known.default.take());
    known.identity = own.identity.or(known.identity.take());
    known.generated = own.generated.or(known.generated.take());
    known.line = own.line;
}

/// Adds the constraints of one statement, in PostgreSQL's order: checks, then the primary key, other keys, and foreign keys.
pub(super) fn add_constraints(loader: &mut Loader, table: &QualifiedName, constraints: Vec<NewConstraint>) {
    let rank = |constraint: &NewConstraint| match constraint.rule {
        Rule::Check(_) => 0,
        Rule::NotNull { .. } => 1,
        Rule::PrimaryKey { .. } => 2,
        Rule::Unique { .. } | Rule::UsingIndex { .. } | Rule::Exclude { .. } | Rule::Temporal { .. } => 3,
        Rule::ForeignKey(_) => 4,
    };
    let mut sorted = constraints;
    sorted.sort_by_key(rank);
    let mut keys: Vec<(Vec<String>, Vec<String>, bool)> = Vec::new();
    for constraint in sorted {
        // `UNIQUE` beside `PRIMARY KEY` of the same columns makes no second index.
        if let Rule::PrimaryKey { columns, include } | Rule::Unique { columns, include, .. } = &constraint.rule {
            let key = (columns.clone(), include.clone(), constraint.attributes.deferrable);
            if keys.contains(&key) && constraint.name.is_none() {
                continue;
            }
            keys.push(key);
        }
        constraint::add(loader, table, constraint);
    }
}
