//! `LIKE table INCLUDING …` in `CREATE TABLE`.

use super::cursor::{Cursor, Path, Read};
use super::loader::Loader;
use super::sequence::{self, NewSequence};
use super::{constraint, index, statistics};
use crate::ident::QualifiedName;
use crate::schema::{Column, Constraint, ConstraintKind, Index, Statistics};

/// Which parts of a table another one copies.
pub(super) struct Like {
    pub source: Path,
    included: Vec<String>,
}

const PARTS: [&str; 9] =
    ["comments", "compression", "constraints", "defaults", "generated", "identity", "indexes", "statistics", "storage"];

pub(super) fn read(cursor: &mut Cursor<'_>) -> Read<Like> {
    cursor.expect("LIKE")?;
    let source = cursor.path()?;
    let mut included = Vec::new();
    while !cursor.is_done() {
        let including = cursor.eat("INCLUDING");
        if !including {
            cursor.expect("EXCLUDING")?;
        }
        let part = cursor.name()?;
        let parts: Vec<String> =
            if part == "all" { PARTS.iter().map(|&part| part.to_owned()).collect() } else { vec![part] };
        if including {
            included.extend(parts);
        } else {
            included.retain(|known| !parts.contains(known));
        }
    }
    Ok(Like { source, included })
}

impl Like {
    fn includes(&self, part: &str) -> bool {
        self.included.iter().any(|known| known == part)
    }

    /// The columns of the source, with what is included of them.
    pub fn columns(&self, loader: &mut Loader, source: &QualifiedName, table: &QualifiedName) -> Vec<Column> {
        let columns = loader.schema.tables.get(source).map(|source| source.columns.clone()).unwrap_or_default();
        columns.into_iter().map(|column| self.column(loader, column, table)).collect()
    }

    fn column(&self, loader: &mut Loader, mut column: Column, table: &QualifiedName) -> Column {
        let keep = |part| self.includes(part);
        column.default = column.default.filter(|_| keep("defaults"));
        column.generated = column.generated.filter(|_| keep("generated"));
        column.storage = column.storage.filter(|_| keep("storage"));
        column.compression = column.compression.filter(|_| keep("compression"));
        column.comment = column.comment.filter(|_| keep("comments"));
        column.identity = column.identity.filter(|_| keep("identity"));
        column.statistics_target = None;
        column.options = Vec::new();
        column.not_null_name = None;
        if let Some(identity) = &mut column.identity {
            let original = identity.sequence.as_ref().and_then(|name| loader.schema.sequences.get(name));
            let options = original.map(NewSequence::like).unwrap_or_default();
            let sequence = sequence::make_for_column(loader, table, &column.name, &column.ty, options, column.line);
            identity.sequence = Some(sequence);
        }
        column
    }

    /// Copies constraints, indexes and statistics, once the table is there.
    pub fn finish(&self, loader: &mut Loader, source: &QualifiedName, table: &QualifiedName) {
        let Some(source) = loader.schema.tables.get(source).cloned() else { return };
        let comment = |comment: &Option<String>| comment.clone().filter(|_| self.includes("comments"));
        let copied = source.constraints.iter().filter(|constraint| match constraint.kind {
            ConstraintKind::Check { .. } => self.includes("constraints"),
            ConstraintKind::ForeignKey { .. } => false,
            _ => self.includes("indexes"),
        });
        for constraint in copied {
            // A check keeps its name, the others get one by the usual rules.
            let name = match constraint.kind {
                ConstraintKind::Check { .. } => constraint.name.clone(),
                _ => constraint::choose_key_name(loader, table, &constraint.kind),
            };
            let comment = comment(&constraint.comment);
            let copy = Constraint { name, comment, clustered: false, attached_to: None, ..constraint.clone() };
            loader.add_constraint(table, copy);
        }
        if self.includes("indexes") {
            for index in &source.indexes {
                let name = index::choose_name(loader, table, index.keys.iter().map(|key| &key.on), &index.include);
                let comment = comment(&index.comment);
                let copy = Index { name, comment, clustered: false, attached_to: None, ..index.clone() };
                loader.add_index(table, copy);
            }
        }
        if self.includes("statistics") {
            for original in &source.statistics {
                let name = statistics::choose_name(loader, table, &original.on);
                let copy = Statistics { name, comment: comment(&original.comment), ..original.clone() };
                if let Some(table) = loader.table_mut(table) {
                    table.statistics.push(copy);
                }
            }
        }
    }
}
