//! Constraints of tables, read and added.

use super::cursor::{Cursor, Path, Read};
use super::index::{self, NewKey, storage_parameters};
use super::loader::{Loader, UnvalidatedNotNull};
use super::{expression, names};
use crate::ident::QualifiedName;
use crate::schema::{Constraint, ConstraintKind, Index, IndexTarget, ReferentialAction, SqlText};

/// A constraint as written, before it has a name and a table.
#[derive(Clone)]
pub(super) struct NewConstraint {
    pub name: Option<String>,
    pub rule: Rule,
    pub attributes: Attributes,
    /// Those of the index behind it.
    pub with: Vec<(String, String)>,
    pub tablespace: Option<String>,
    /// The whole constraint, as written.
    pub text: String,
    pub line: u32,
}

/// What a constraint says.
#[derive(Clone)]
pub(super) enum Rule {
    PrimaryKey {
        columns: Vec<String>,
        include: Vec<String>,
    },
    Unique {
        columns: Vec<String>,
        include: Vec<String>,
        nulls_not_distinct: bool,
    },
    /// `PRIMARY KEY | UNIQUE USING INDEX`.
    UsingIndex {
        primary: bool,
        index: String,
    },
    Check(SqlText),
    ForeignKey(NewForeignKey),
    Exclude {
        definition: SqlText,
        keys: Vec<NewKey>,
        include: Vec<String>,
        predicate: Option<SqlText>,
    },
    NotNull {
        column: String,
    },
    /// With `WITHOUT OVERLAPS` or `PERIOD`, PostgreSQL 18 and later: kept as a statement that is not understood. What it says all the same
    /// is which columns a primary key makes `NOT NULL`.
    Temporal {
        not_null: Vec<String>,
    },
}

#[derive(Clone)]
pub(super) struct NewForeignKey {
    pub columns: Vec<String>,
    pub references: Path,
    /// Empty where the primary key is meant.
    pub referenced: Vec<String>,
    pub on_update: ReferentialAction,
    pub on_delete: ReferentialAction,
    pub on_delete_columns: Vec<String>,
    pub match_full: bool,
}

/// What may follow any constraint.
#[derive(Clone, Default)]
pub(super) struct Attributes {
    pub deferrable: bool,
    pub initially_deferred: bool,
    pub not_valid: bool,
    pub not_enforced: bool,
    pub no_inherit: bool,
}

/// Whether a constraint of a table begins here, rather than a column.
pub(super) fn begins_table_constraint(cursor: &Cursor<'_>) -> bool {
    cursor.at_any(&["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN"])
        || (cursor.at("EXCLUDE")
            && cursor.peek_second().is_some_and(|token| token.is_symbol(b'(') || cursor.is_word_at(token, "USING")))
        || cursor.at_all(&["NOT", "NULL"])
}

/// `[CONSTRAINT name] …` of a table.
pub(super) fn table_constraint(cursor: &mut Cursor<'_>) -> Read<NewConstraint> {
    let start = *cursor;
    let name = if cursor.eat("CONSTRAINT") { Some(cursor.name()?) } else { None };
    let mut new = begin(name, &start);
    if cursor.eat("CHECK") {
        new.rule = Rule::Check(cursor.parenthesized()?.expression()?);
    } else if cursor.eat_all(&["NOT", "NULL"]) {
        new.rule = Rule::NotNull { column: cursor.name()? };
    } else if cursor.eat_all(&["FOREIGN", "KEY"]) {
        let columns = key_columns(cursor)?;
        new.rule = references(cursor, columns)?;
    } else if cursor.at("EXCLUDE") {
        exclude(cursor, &mut new)?;
    } else {
        unique(cursor, &mut new, None)?;
    }
    new.attributes = attributes(cursor);
    new.text = start.up_to(cursor).text().to_owned();
    Ok(new)
}

/// `[CONSTRAINT name] …` of a column. `None` if no constraint begins here.
pub(super) fn column_constraint(cursor: &mut Cursor<'_>, column: &str) -> Read<Option<NewConstraint>> {
    let start = *cursor;
    let name = if cursor.eat("CONSTRAINT") { Some(cursor.name()?) } else { None };
    let mut new = begin(name, &start);
    if cursor.eat("CHECK") {
        new.rule = Rule::Check(cursor.parenthesized()?.expression()?);
    } else if cursor.eat_all(&["NOT", "NULL"]) {
        new.rule = Rule::NotNull { column: column.to_owned() };
    } else if cursor.at("REFERENCES") {
        new.rule = references(cursor, Key { columns: vec![column.to_owned()], temporal: false })?;
    } else if cursor.at_any(&["PRIMARY", "UNIQUE"]) {
        unique(cursor, &mut new, Some(column))?;
    } else {
        *cursor = start;
        return Ok(None);
    }
    new.attributes = attributes(cursor);
    new.text = start.up_to(cursor).text().to_owned();
    Ok(Some(new))
}

fn begin(name: Option<String>, start: &Cursor<'_>) -> NewConstraint {
    NewConstraint {
        name,
        rule: Rule::Temporal { not_null: Vec::new() },
        attributes: Attributes::default(),
        with: Vec::new(),
        tablespace: None,
        text: String::new(),
        line: start.line(),
    }
}

/// The columns of a key.
struct Key {
    columns: Vec<String>,
    temporal: bool,
}

/// `(a, b)`, `(a, PERIOD b)`, `(a, b WITHOUT OVERLAPS)`.
fn key_columns(cursor: &mut Cursor<'_>) -> Read<Key> {
    let mut list = cursor.parenthesized()?;
    let mut key = Key { columns: Vec::new(), temporal: false };
    while let Some(mut item) = list.next_item() {
        key.temporal |= item.tokens().len() == 2 && item.eat("PERIOD");
        key.columns.push(item.name()?);
        key.temporal |= item.eat_all(&["WITHOUT", "OVERLAPS"]);
        item.expect_end()?;
    }
    Ok(key)
}

/// `PRIMARY KEY …` and `UNIQUE …`, of a table or of the column `of`.
fn unique(cursor: &mut Cursor<'_>, new: &mut NewConstraint, of: Option<&str>) -> Read<()> {
    let primary = cursor.eat_all(&["PRIMARY", "KEY"]);
    let mut nulls_not_distinct = false;
    if !primary {
        if !cursor.eat("UNIQUE") {
            return Err(cursor.unexpected("a constraint"));
        }
        nulls_not_distinct = nulls_distinct(cursor);
    }
    if of.is_none() && cursor.eat_all(&["USING", "INDEX"]) {
        new.rule = Rule::UsingIndex { primary, index: cursor.name()? };
        return Ok(());
    }
    let key = match of {
        Some(column) => Key { columns: vec![column.to_owned()], temporal: false },
        None => key_columns(cursor)?,
    };
    let include = index_options(cursor, new)?;
    let columns = key.columns;
    new.rule = match (primary, key.temporal) {
        (true, true) => Rule::Temporal { not_null: columns },
        (false, true) => Rule::Temporal { not_null: Vec::new() },
        (true, false) => Rule::PrimaryKey { columns, include },
        (false, false) => Rule::Unique { columns, include, nulls_not_distinct },
    };
    Ok(())
}

/// `NULLS NOT DISTINCT`, which is true, or `NULLS DISTINCT`, which is the default.
pub(super) fn nulls_distinct(cursor: &mut Cursor<'_>) -> bool {
    if cursor.eat_all(&["NULLS", "NOT", "DISTINCT"]) {
        return true;
    }
    cursor.eat_all(&["NULLS", "DISTINCT"]);
    false
}

/// `INCLUDE (…) WITH (…) USING INDEX TABLESPACE …`: returns the payload columns.
fn index_options(cursor: &mut Cursor<'_>, new: &mut NewConstraint) -> Read<Vec<String>> {
    let include = if cursor.eat("INCLUDE") { cursor.parenthesized()?.names()? } else { Vec::new() };
    if cursor.eat("WITH") {
        new.with = storage_parameters(cursor.parenthesized()?)?;
    }
    if cursor.eat_all(&["USING", "INDEX", "TABLESPACE"]) {
        new.tablespace = Some(cursor.name()?);
    }
    Ok(include)
}

fn exclude(cursor: &mut Cursor<'_>, new: &mut NewConstraint) -> Read<()> {
    let start = *cursor;
    cursor.expect("EXCLUDE")?;
    if cursor.eat("USING") {
        cursor.name()?;
    }
    let mut keys = Vec::new();
    let mut list = cursor.parenthesized()?;
    while let Some(mut item) = list.next_item() {
        keys.push(index::key(&mut item)?);
        item.expect("WITH")?;
    }
    let include = index_options(cursor, new)?;
    let predicate = if cursor.eat("WHERE") { Some(cursor.parenthesized()?.expression()?) } else { None };
    let definition = SqlText { text: start.up_to(cursor).text().to_owned(), line: start.line() };
    new.rule = Rule::Exclude { definition, keys, include, predicate };
    Ok(())
}

/// `REFERENCES table [(columns)] [MATCH …] [ON …]`.
fn references(cursor: &mut Cursor<'_>, key: Key) -> Read<Rule> {
    cursor.expect("REFERENCES")?;
    let mut new = NewForeignKey {
        columns: key.columns,
        references: cursor.path()?,
        referenced: Vec::new(),
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::NoAction,
        on_delete_columns: Vec::new(),
        match_full: false,
    };
    let mut temporal = key.temporal;
    if cursor.at_symbol(b'(') {
        let referenced = key_columns(cursor)?;
        new.referenced = referenced.columns;
        temporal |= referenced.temporal;
    }
    if cursor.eat("MATCH") {
        new.match_full = cursor.name()? == "full";
    }
    loop {
        if cursor.eat_all(&["ON", "UPDATE"]) {
            new.on_update = referential_action(cursor)?;
        } else if cursor.eat_all(&["ON", "DELETE"]) {
            new.on_delete = referential_action(cursor)?;
            if let Some(columns) = cursor.optional_parenthesized()? {
                new.on_delete_columns = columns.names()?;
            }
        } else {
            break;
        }
    }
    Ok(if temporal { Rule::Temporal { not_null: Vec::new() } } else { Rule::ForeignKey(new) })
}

fn referential_action(cursor: &mut Cursor<'_>) -> Read<ReferentialAction> {
    let actions: [(&[&str], _); 5] = [
        (&["NO", "ACTION"], ReferentialAction::NoAction),
        (&["RESTRICT"], ReferentialAction::Restrict),
        (&["CASCADE"], ReferentialAction::Cascade),
        (&["SET", "NULL"], ReferentialAction::SetNull),
        (&["SET", "DEFAULT"], ReferentialAction::SetDefault),
    ];
    let action = actions.into_iter().find(|(words, _)| cursor.eat_all(words));
    action.map(|(_, action)| action).ok_or_else(|| cursor.unexpected("what the foreign key does, as `CASCADE`"))
}

/// `DEFERRABLE INITIALLY DEFERRED NOT VALID …`, in any order.
pub(super) fn attributes(cursor: &mut Cursor<'_>) -> Attributes {
    let mut attributes = Attributes::default();
    loop {
        if cursor.eat("DEFERRABLE") {
            attributes.deferrable = true;
        } else if cursor.eat_all(&["INITIALLY", "DEFERRED"]) {
            attributes.deferrable = true;
            attributes.initially_deferred = true;
        } else if cursor.eat_all(&["NOT", "VALID"]) {
            attributes.not_valid = true;
        } else if cursor.eat_all(&["NOT", "ENFORCED"]) {
            attributes.not_enforced = true;
        } else if cursor.eat_all(&["NO", "INHERIT"]) {
            attributes.no_inherit = true;
        } else if !cursor.eat_all(&["INITIALLY", "IMMEDIATE"])
            && !cursor.eat_all(&["NOT", "DEFERRABLE"])
            && !cursor.eat("ENFORCED")
        {
            return attributes;
        }
    }
}

/// Gives a constraint to its table, with the name that PostgreSQL gives to one without.
pub(super) fn add(loader: &mut Loader, table: &QualifiedName, new: NewConstraint) {
    let schema = &table.schema;
    let (kind, chosen) = match new.rule {
        Rule::Temporal { not_null } => {
            require_not_null(loader, table, &not_null);
            let prefix = format!("ALTER TABLE {} ADD ", table.quoted());
            loader.schema.opaque.push(super::opaque(&format!("{prefix}{}", new.text), new.line));
            return;
        }
        Rule::NotNull { column } => {
            return add_not_null(loader, table, &column, new.name, &new.attributes, new.text, new.line);
        }
        Rule::UsingIndex { primary, index } => {
            let Some(index) = take_index(loader, table, &index) else { return };
            let columns = index.keys.iter().filter_map(|key| match &key.on {
                IndexTarget::Column(name) => Some(name.clone()),
                IndexTarget::Expression(_) => None,
            });
            let columns = columns.collect();
            let Index { include, with, nulls_not_distinct, .. } = index;
            let kind = if primary {
                ConstraintKind::PrimaryKey { columns, include, with }
            } else {
                ConstraintKind::Unique { columns, include, nulls_not_distinct, with }
            };
            let constraint = Constraint {
                tablespace: index.tablespace,
                clustered: index.clustered,
                attached_to: index.attached_to,
                index_comment: index.comment,
                ..constraint(new.name.unwrap_or(index.name), kind, &new.attributes, new.line)
            };
            imply_not_null(loader, table, &constraint.kind);
            loader.add_constraint(table, constraint);
            return;
        }
        Rule::PrimaryKey { columns, include } => {
            let name =
                new.name.unwrap_or_else(|| loader.choose_index_constraint_name(schema, &table.name, None, "pkey"));
            (ConstraintKind::PrimaryKey { columns, include, with: new.with }, name)
        }
        Rule::Unique { columns, include, nulls_not_distinct } => {
            let name = new.name.unwrap_or_else(|| {
                let columns = names::index_columns(columns.iter().chain(&include).map(String::as_str));
                let columns = names::joined_columns(columns.iter().map(String::as_str));
                loader.choose_index_constraint_name(schema, &table.name, Some(&columns), "key")
            });
            (ConstraintKind::Unique { columns, include, nulls_not_distinct, with: new.with }, name)
        }
        Rule::Exclude { definition, keys, include, predicate } => {
            let name = new.name.unwrap_or_else(|| {
                let columns = index::column_names(&keys, &include);
                let columns = names::joined_columns(columns.iter().map(String::as_str));
                loader.choose_index_constraint_name(schema, &table.name, Some(&columns), "excl")
            });
            let mut columns: Vec<String> = keys.iter().flat_map(|key| index::columns_of(&key.on)).collect();
            columns.extend(include);
            columns.extend(predicate.iter().flat_map(|predicate| expression::columns(&predicate.text)));
            columns.dedup();
            (ConstraintKind::Exclude { definition, columns }, name)
        }
        Rule::Check(expression) => {
            let name = new.name.unwrap_or_else(|| {
                let columns = check_columns(loader, table, &expression);
                let column = if let [column] = columns.as_slice() { Some(column.as_str()) } else { None };
                loader.choose_constraint_name(schema, &table.name, column, "check")
            });
            (ConstraintKind::Check { expression, no_inherit: new.attributes.no_inherit }, name)
        }
        Rule::ForeignKey(key) => {
            let name = new.name.unwrap_or_else(|| {
                let columns = names::joined_columns(key.columns.iter().map(String::as_str));
                loader.choose_constraint_name(schema, &table.name, Some(&columns), "fkey")
            });
            let kind = ConstraintKind::ForeignKey {
                columns: key.columns,
                references: loader.relation_name(key.references),
                referenced: key.referenced,
                on_update: key.on_update,
                on_delete: key.on_delete,
                on_delete_columns: key.on_delete_columns,
                match_full: key.match_full,
            };
            (kind, name)
        }
    };
    imply_not_null(loader, table, &kind);
    let has_index = kind.has_index();
    let mut constraint = constraint(chosen, kind, &new.attributes, new.line);
    if has_index {
        constraint.tablespace = new.tablespace.or_else(|| loader.default_tablespace.clone());
    }
    loader.add_constraint(table, constraint);
}

fn constraint(name: String, kind: ConstraintKind, attributes: &Attributes, line: u32) -> Constraint {
    Constraint {
        name,
        kind,
        deferrable: attributes.deferrable,
        initially_deferred: attributes.initially_deferred,
        // What is not enforced is not checked either.
        not_valid: attributes.not_valid || attributes.not_enforced,
        not_enforced: attributes.not_enforced,
        tablespace: None,
        clustered: false,
        attached_to: None,
        comment: None,
        index_comment: None,
        line,
    }
}

fn add_not_null(
    loader: &mut Loader,
    table: &QualifiedName,
    column: &str,
    name: Option<String>,
    attributes: &Attributes,
    text: String,
    line: u32,
) {
    if let Some(name) = &name {
        loader.constraint_names.insert(QualifiedName::new(&table.schema, name));
    }
    if attributes.not_valid {
        let name =
            name.unwrap_or_else(|| loader.choose_constraint_name(&table.schema, &table.name, Some(column), "not_null"));
        let text = format!("ALTER TABLE {} ADD {text}", table.quoted());
        loader.unvalidated.push(UnvalidatedNotNull {
            table: table.clone(),
            column: column.to_owned(),
            name,
            text,
            line,
        });
        return;
    }
    let Some(table) = loader.table_mut(table) else { return };
    if let Some(column) = table.columns.iter_mut().find(|candidate| candidate.name == column) {
        column.not_null = true;
        column.not_null_name = name.or(column.not_null_name.take());
    }
}

/// A primary key makes its columns `NOT NULL`.
fn imply_not_null(loader: &mut Loader, table: &QualifiedName, kind: &ConstraintKind) {
    if let ConstraintKind::PrimaryKey { columns, .. } = kind {
        require_not_null(loader, table, columns);
    }
}

fn require_not_null(loader: &mut Loader, table: &QualifiedName, columns: &[String]) {
    for column in loader.table_mut(table).into_iter().flat_map(|table| &mut table.columns) {
        column.not_null |= columns.contains(&column.name);
    }
}

/// Takes an index away from its table: it becomes the one behind a constraint.
fn take_index(loader: &mut Loader, table: &QualifiedName, name: &str) -> Option<Index> {
    let indexes = loader.indexes_mut(table)?;
    let at = indexes.iter().position(|index| index.name == name)?;
    let index = indexes.remove(at);
    loader.relations.remove(&QualifiedName::new(&table.schema, name));
    Some(index)
}

/// The columns of its table that a check names, each once.
fn check_columns(loader: &Loader, table: &QualifiedName, expression: &SqlText) -> Vec<String> {
    let mut columns = expression::columns(&expression.text);
    if let Some(table) = loader.schema.tables.get(table) {
        columns.retain(|column| table.column(column).is_some());
    }
    columns.sort_unstable();
    columns.dedup();
    columns
}
