//! `CREATE TABLE` and `CREATE FOREIGN TABLE`.

use super::column::{self, NewColumn};
use super::constraint::{self, NewConstraint, Rule};
use super::cursor::{Cursor, Path, Read};
use super::loader::{Loader, Relation};
use super::{like, partition};
use crate::ident::QualifiedName;
use crate::schema::{Column, SqlText, Table, TableKind};

/// What stands before `TABLE`.
#[derive(Clone, Copy, Default)]
pub(super) struct Persistence {
    pub unlogged: bool,
    pub temporary: bool,
    pub foreign: bool,
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
    let kind = if persistence.foreign {
        TableKind::Foreign
    } else if partition_key.is_some() {
        TableKind::Partitioned
    } else {
        TableKind::Ordinary
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
        return column::read(cursor, loader).map(Element::Column);
    }
    column::read_options(cursor, loader).map(Element::Options)
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
    if !parents.is_empty() {
        // A table that is created twice is a mistake; it must not become its own ancestor.
        let descendants = loader.with_descendants(&name);
        parents.retain(|parent| !descendants.contains(parent));
    }
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
                let (column, own) = column::finish(loader, &name, new);
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
