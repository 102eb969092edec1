use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ident::QualifiedName;
use crate::schema::{Constraint, ConstraintKind, Schema, Table, TableKind};

/// The tables as one version of the application knows them: a schema, and what changes made of some of its tables.
///
/// Cheap to clone: a declaration with a hundred changes has two hundred of them.
#[derive(Clone, Debug)]
pub struct Shape {
    schema: Arc<Schema>,
    /// `None` for a table that is gone.
    changed: BTreeMap<QualifiedName, Option<Arc<Table>>>,
}

impl Shape {
    /// The schema as it is.
    pub fn of(schema: Arc<Schema>) -> Self {
        Self { schema, changed: BTreeMap::new() }
    }

    /// The schema that it is made of: for everything that is not a table.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// A schema of its own with the tables as this shape has them.
    pub fn to_schema(&self) -> Schema {
        let mut schema = Schema::clone(&self.schema);
        for (name, table) in &self.changed {
            match table {
                Some(table) => schema.tables.insert(name.clone(), Table::clone(table)),
                None => schema.tables.remove(name),
            };
        }
        schema
    }

    /// The table of this name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        match self.changed.get(name) {
            Some(changed) => changed.as_deref(),
            None => self.schema.tables.get(name),
        }
    }

    /// All tables.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        let unchanged = self.schema.tables.iter().filter(|(name, _)| !self.changed.contains_key(name));
        self.changed.values().flatten().map(Arc::as_ref).chain(unchanged.map(|(_, table)| table))
    }

    /// A table, its partitions, and theirs.
    pub fn with_partitions<'a>(&'a self, root: &QualifiedName) -> Vec<&'a Table> {
        let mut tables: Vec<&Table> = self.table(root).into_iter().collect();
        let mut next = 0;
        while let Some(parent) = tables.get(next) {
            if parent.kind == TableKind::Partitioned {
                let children: Vec<&Table> =
                    self.tables().filter(|table| table.parents.contains(&parent.name)).collect();
                tables.extend(children);
            }
            next += 1;
        }
        tables
    }

    /// Puts a table in place of the one with its name, or adds it.
    pub fn put(&mut self, table: Table) {
        self.changed.insert(table.name.clone(), Some(Arc::new(table)));
    }

    /// Takes a table away.
    pub fn remove(&mut self, name: &QualifiedName) {
        self.changed.insert(name.clone(), None);
    }

    /// The foreign keys that point at a table, with the tables that have them.
    pub fn foreign_keys_to<'a>(
        &'a self,
        referenced: &'a QualifiedName,
    ) -> impl Iterator<Item = (&'a Table, &'a Constraint)> + 'a {
        self.tables().flat_map(move |table| {
            let points_here = move |c: &&Constraint| {
                matches!(&c.kind, ConstraintKind::ForeignKey { references, .. } if references == referenced)
            };
            table.constraints.iter().filter(points_here).map(move |constraint| (table, constraint))
        })
    }
}
