//! What is known while a schema is read: the objects so far, and which names are taken.

use std::collections::{HashMap, HashSet};

use super::cursor::Path;
use super::names;
use crate::ident::QualifiedName;
use crate::schema::{Column, Constraint, Index, Schema, Table};

/// Where unqualified names go as long as nothing else is said.
const DEFAULT_SCHEMA: &str = "public";

/// The schema that is read, and what reading it takes besides.
pub(super) struct Loader {
    pub schema: Schema,
    /// `SET search_path`, without `"$user"` and `pg_catalog`.
    pub search_path: Vec<String>,
    /// `SET default_tablespace`: `pg_dump` says it before each object instead of in it.
    pub default_tablespace: Option<String>,
    /// Everything that shares the name space of tables.
    pub relations: HashMap<QualifiedName, Relation>,
    /// The names of constraints, of tables and domains. A generated name avoids them in its whole schema.
    pub constraint_names: HashSet<QualifiedName>,
    /// The attributes of composite types: `CREATE TABLE … OF` takes its columns from one.
    pub composites: HashMap<QualifiedName, Vec<Column>>,
    /// Columns that a table declares itself, and inherits too: they stay when the parent's goes.
    pub merged_columns: HashSet<(QualifiedName, String)>,
    /// `CREATE COLLATION`.
    pub collations: HashSet<QualifiedName>,
    /// `NOT NULL … NOT VALID`, until the end shows whether it stays that way.
    pub unvalidated: Vec<UnvalidatedNotNull>,
    /// Objects whose comment says that a change in flight made them, as far as the comment is kept nowhere else.
    pub marked: HashSet<Marked>,
}

/// What a name in the name space of tables stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Table,
    View,
    Sequence,
    CompositeType,
    /// Of a table or a materialized view; those behind constraints too.
    Index {
        of: QualifiedName,
    },
}

/// `ADD CONSTRAINT … NOT NULL … NOT VALID`.
pub(super) struct UnvalidatedNotNull {
    pub table: QualifiedName,
    pub column: String,
    pub name: String,
    pub text: String,
    pub line: u32,
}

/// An object whose comment the model does not keep.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Marked {
    Schema(String),
    /// A sequence, a view or a type.
    Object(QualifiedName),
    /// By name and arguments, as [`normalized`](super::routine::normalized_arguments).
    Routine(QualifiedName, String),
    /// A trigger, a policy or a rule.
    OnTable(QualifiedName, String),
    /// The constraint behind an unvalidated `NOT NULL`.
    NotNull(QualifiedName, String),
}

impl Loader {
    pub fn new(source: &str) -> Self {
        Self {
            schema: Schema { source: source.to_owned(), ..Schema::default() },
            search_path: vec![DEFAULT_SCHEMA.to_owned()],
            default_tablespace: None,
            relations: HashMap::new(),
            constraint_names: HashSet::new(),
            composites: HashMap::new(),
            merged_columns: HashSet::new(),
            collations: HashSet::new(),
            unvalidated: Vec::new(),
            marked: HashSet::new(),
        }
    }

    /// Goes on with a schema that was read before. Collations are not part of it: those that it declares go by their full names.
    pub fn on(schema: Schema) -> Self {
        let mut loader = Self::new(&schema.source);
        for table in schema.tables.values() {
            loader.relations.insert(table.name.clone(), Relation::Table);
            for constraint in &table.constraints {
                let name = QualifiedName::new(&table.name.schema, &constraint.name);
                if constraint.kind.has_index() {
                    loader.relations.insert(name.clone(), Relation::Index { of: table.name.clone() });
                }
                loader.constraint_names.insert(name);
            }
            for index in &table.indexes {
                let name = QualifiedName::new(&table.name.schema, &index.name);
                loader.relations.insert(name, Relation::Index { of: table.name.clone() });
            }
        }
        for view in schema.views.values() {
            loader.relations.insert(view.name.clone(), Relation::View);
            for index in &view.indexes {
                let name = QualifiedName::new(&view.name.schema, &index.name);
                loader.relations.insert(name, Relation::Index { of: view.name.clone() });
            }
        }
        loader.relations.extend(schema.sequences.keys().map(|name| (name.clone(), Relation::Sequence)));
        loader.schema = schema;
        loader
    }

    // What a written name means.

    /// The full name of something that is created.
    pub fn new_name(&self, path: Path) -> QualifiedName {
        let schema = path.schema.or_else(|| self.search_path.first().cloned());
        QualifiedName::new(schema.unwrap_or_else(|| DEFAULT_SCHEMA.to_owned()), path.name)
    }

    /// The full name of a relation that may exist already.
    pub fn relation_name(&self, path: Path) -> QualifiedName {
        self.lookup(path, |name| self.relations.contains_key(name))
    }

    /// The full name of a type that is not built in.
    pub fn type_name(&self, path: Path) -> QualifiedName {
        self.lookup(path, |name| {
            self.schema.enums.contains_key(name)
                || self.schema.domains.contains_key(name)
                || self.schema.other_types.contains_key(name)
                || self.schema.tables.contains_key(name)
        })
    }

    /// The full name of a function that may exist already.
    pub fn routine_name(&self, path: Path) -> QualifiedName {
        self.lookup(path, |name| self.schema.functions.iter().any(|function| function.name == *name))
    }

    /// The full name of extended statistics that exist.
    pub fn statistics_name(&self, path: Path) -> QualifiedName {
        self.lookup(path, |name| {
            self.schema.tables.values().any(|table| table.statistics.iter().any(|statistics| statistics.name == *name))
        })
    }

    /// The full name of a collation: those of `pg_catalog` are not declared.
    pub fn collation_name(&self, path: Path) -> QualifiedName {
        if path.schema.is_none() && !self.search_path.iter().any(|schema| self.has_collation(schema, &path.name)) {
            return QualifiedName::new("pg_catalog", path.name);
        }
        self.lookup(path, |name| self.collations.contains(name))
    }

    fn has_collation(&self, schema: &str, name: &str) -> bool {
        self.collations.contains(&QualifiedName::new(schema, name))
    }

    fn lookup(&self, path: Path, exists: impl Fn(&QualifiedName) -> bool) -> QualifiedName {
        if path.schema.is_none() {
            for schema in &self.search_path {
                let name = QualifiedName::new(schema, &path.name);
                if exists(&name) {
                    return name;
                }
            }
        }
        self.new_name(path)
    }

    // Names that are not written.

    /// A name for a sequence or index, as PostgreSQL chooses it.
    pub fn choose_relation_name(&self, schema: &str, name1: &str, name2: Option<&str>, label: &str) -> String {
        names::free_name(name1, name2, label, |name| self.relations.contains_key(&QualifiedName::new(schema, name)))
    }

    /// A name for a constraint with an index behind it: free as both.
    pub fn choose_index_constraint_name(&self, schema: &str, name1: &str, name2: Option<&str>, label: &str) -> String {
        names::free_name(name1, name2, label, |name| {
            let name = QualifiedName::new(schema, name);
            self.relations.contains_key(&name) || self.constraint_names.contains(&name)
        })
    }

    /// A name for any other constraint.
    pub fn choose_constraint_name(&self, schema: &str, name1: &str, name2: Option<&str>, label: &str) -> String {
        names::free_name(name1, name2, label, |name| self.constraint_names.contains(&QualifiedName::new(schema, name)))
    }

    // Objects.

    /// The table, if it is one.
    pub fn table_mut(&mut self, name: &QualifiedName) -> Option<&mut Table> {
        self.schema.tables.get_mut(name)
    }

    /// A table with all that inherit from it, itself first.
    pub fn with_descendants(&self, table: &QualifiedName) -> Vec<QualifiedName> {
        let mut found = vec![table.clone()];
        let mut next = 0;
        while let Some(parent) = found.get(next).cloned() {
            next += 1;
            for child in self.schema.children_of(&parent) {
                if !found.contains(&child.name) {
                    found.push(child.name.clone());
                }
            }
        }
        found
    }

    /// Makes a table a child of another, unless that would go round in a circle.
    pub fn add_parent(&mut self, child: &QualifiedName, parent: QualifiedName) -> bool {
        let allowed = !self.with_descendants(child).contains(&parent);
        if let Some(table) = self.table_mut(child).filter(|_| allowed) {
            table.parents.push(parent);
        }
        allowed
    }

    /// Adds a constraint to its table, and takes its name.
    pub fn add_constraint(&mut self, table: &QualifiedName, constraint: Constraint) {
        let name = QualifiedName::new(&table.schema, &constraint.name);
        if constraint.kind.has_index() {
            self.relations.insert(name.clone(), Relation::Index { of: table.clone() });
        }
        self.constraint_names.insert(name);
        if let Some(table) = self.table_mut(table) {
            table.constraints.push(constraint);
        }
    }

    /// Adds an index to its table or materialized view, and takes its name.
    pub fn add_index(&mut self, of: &QualifiedName, index: Index) {
        let name = QualifiedName::new(&of.schema, &index.name);
        self.relations.insert(name, Relation::Index { of: of.clone() });
        if let Some(indexes) = self.indexes_mut(of) {
            indexes.push(index);
        }
    }

    /// The indexes of a table or materialized view.
    pub fn indexes_mut(&mut self, of: &QualifiedName) -> Option<&mut Vec<Index>> {
        let of_table = self.schema.tables.get_mut(of).map(|table| &mut table.indexes);
        of_table.or_else(|| self.schema.views.get_mut(of).map(|view| &mut view.indexes))
    }

    /// Whose index this is.
    pub fn owner_of_index(&self, index: &QualifiedName) -> Option<QualifiedName> {
        match self.relations.get(index) {
            Some(Relation::Index { of }) => Some(of.clone()),
            _ => None,
        }
    }
}
