//! What hangs on columns that become others in another number: what stands on all of them passes to all that take their place, and what
//! stands on some of them has nothing that it could pass to.

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::apply::{constraint_columns, expression_columns, index_columns, target_columns};
use crate::model::{AfterColumn, Mapping, Shape};
use crate::schema::{Column, ConstraintKind, Index, IndexTarget, Table};
use crate::sql::Expression;
use crate::sql::fitness;
use crate::syntax::{Name, Regroup};

use super::dependents::Touched;
use super::stand_in::{self, Reader};
use super::{at_line, listed, types, written, written_column};

/// Of more after columns than this, no marker has a bit for each.
const MOST_COLUMNS: usize = 60;

/// Whether the word fits the number of columns; one column into one is a retype.
pub fn numbers_fit(tree: &Regroup, errors: &mut Errors) -> bool {
    let few = match tree.word {
        "divide" if tree.into.len() < 2 => "`divide` makes several columns",
        "combine" if tree.columns.len() < 2 => "`combine` takes several columns",
        _ if tree.into.len() > MOST_COLUMNS => {
            let message =
                format!("`{}` makes {MOST_COLUMNS} columns at most, and these are {}", tree.word, tree.into.len());
            errors.push(Diagnostic::new(tree.keyword, message).help("make the others in another change"));
            return false;
        }
        _ => return true,
    };
    errors.push(
        Diagnostic::new(tree.keyword, few)
            .note("one column that becomes one is a `retype`, one that becomes several a `divide`, and several that become others a `combine`")
            .help("write the word that fits, or name the other columns"),
    );
    false
}

/// No column is named twice, neither of those that go nor of those that come.
pub fn names_differ(tree: &Regroup, errors: &mut Errors) -> bool {
    let into: Vec<&Name> = tree.into.iter().map(|column| &column.name).collect();
    let found = errors.len();
    for names in [tree.columns.iter().collect::<Vec<_>>(), into] {
        for (i, name) in names.iter().enumerate() {
            if names.get(..i).unwrap_or_default().iter().any(|earlier| earlier.text == name.text) {
                let message = format!("`{}` is named twice", written(&name.text));
                errors.push(Diagnostic::new(name.span, message).help("leave one of them out"));
            }
        }
    }
    errors.len() == found
}

/// Columns that are regrouped, with all that is known of how.
pub struct Group<'a> {
    /// As written.
    pub tree: &'a Regroup,
    /// The table.
    pub table: &'a Table,
    /// The columns that go.
    pub before: &'a [&'a Column],
    /// The shape that has them.
    pub shape: &'a Shape,
    /// `divided` or `combined`
    pub fate: &'static str,
}

impl<'a> Group<'a> {
    /// A column of the group, for messages.
    pub fn touched(&self, column: &'a str) -> Touched<'a> {
        let span =
            self.tree.columns.iter().find(|name| name.text == column).map_or(self.tree.keyword, |name| name.span);
        Touched { column, span, fate: self.fate, in_place: false, table: self.table, shape: self.shape }
    }

    /// What gives a column its values passes to one column only.
    pub fn no_sequences(&self, errors: &mut Errors) {
        for column in self.before {
            let has_sequence = self.shape.schema().sequences_of(&self.table.name, &column.name).next().is_some();
            let what = match &column.identity {
                Some(_) => "it is an identity column",
                None if has_sequence => "a sequence gives its values",
                None => continue,
            };
            let why = "a sequence passes to one column that takes the place of one";
            errors.push(
                self.touched(&column.name)
                    .hindrance(what, column.line, why)
                    .help("take the sequence away from it before this change"),
            );
        }
    }

    /// All that hangs on the columns and cannot be carried to `mapping`.
    pub fn dependents(&self, mapping: &Mapping, errors: &mut Errors) {
        self.constraints(mapping, errors);
        for index in &self.table.indexes {
            self.index(index, mapping, errors);
        }
        self.statistics(mapping, errors);
        self.defaults(mapping, errors);
    }

    /// The first of the group's columns among these.
    fn first_of(&self, names: &[String]) -> Option<&'a str> {
        self.before.iter().map(|column| column.name.as_str()).find(|name| names.iter().any(|known| known == name))
    }

    fn has_all(&self, names: &[String]) -> bool {
        self.before.iter().all(|column| names.contains(&column.name))
    }

    /// Why these columns are no key of what takes their place, though the old ones are a key.
    fn no_key(&self, key: &[String], mapping: &Mapping) -> Option<String> {
        if !self.has_all(key) {
            let missing = self.before.iter().map(|column| &column.name).filter(|name| !key.contains(name));
            return Some(format!(
                "it does not have {}, and says nothing about what all of them become",
                listed(missing)
            ));
        }
        if !mapping.is_exact() {
            return Some(
                "different values may become the same, because not both conversions are without loss".to_owned(),
            );
        }
        let null = self.before.iter().filter(|column| !column.not_null).map(|column| &column.name);
        let null = null.chain(mapping.after.iter().filter(|column| !column.not_null).map(|column| &column.name));
        if let Some(name) = null.into_iter().next() {
            return Some(format!(
                "`{name}` can be null: rows with a null are never the same under one key, and may be under the other"
            ));
        }
        self.unsortable(mapping)
    }

    fn unsortable(&self, mapping: &Mapping) -> Option<String> {
        let schema = self.shape.schema();
        let column = mapping.after.iter().find(|column| !types::is_sortable(&column.ty, schema))?;
        Some(format!("values of `{}` have no order", column.ty))
    }

    fn constraints(&self, mapping: &Mapping, errors: &mut Errors) {
        for constraint in &self.table.constraints {
            let columns = constraint_columns(constraint);
            let Some(column) = self.first_of(&columns) else { continue };
            let (because, why) = match &constraint.kind {
                ConstraintKind::PrimaryKey { columns, include, .. }
                | ConstraintKind::Unique { columns, include, .. } => {
                    let why = match self.first_of(include) {
                        Some(_) => Some("what a key includes beside its columns is not carried here".to_owned()),
                        None => self.no_key(columns, mapping),
                    };
                    let Some(why) = why else { continue };
                    (format!("`{}` is a key of it", constraint.name), why)
                }
                ConstraintKind::ForeignKey { references, .. } => (
                    format!("foreign key `{}` stands on it", constraint.name),
                    format!(
                        "the columns of `{}` that it references stay as they are",
                        super::written_table(references)
                    ),
                ),
                ConstraintKind::Check { .. } => {
                    let why = stand_in::why_not(&mapping.backward, Reader::Check, &self.surroundings());
                    let Some(why) = why else { continue };
                    (format!("check `{}` reads it", constraint.name), why)
                }
                // Refused with every change of a column.
                ConstraintKind::Exclude { .. } => continue,
            };
            errors.push(self.hindrance(column, &because, constraint.line, &why, &constraint.name));
        }
        for (table, foreign_key) in self.shape.foreign_keys_to(&self.table.name) {
            let ConstraintKind::ForeignKey { referenced, .. } = &foreign_key.kind else { continue };
            if let Some(column) = self.first_of(referenced)
                && !(table.name == self.table.name && self.first_of(&constraint_columns(foreign_key)).is_some())
            {
                let because = format!(
                    "foreign key `{}` of `{}` references it",
                    foreign_key.name,
                    super::written_table(&table.name)
                );
                let why = "the columns on the other side stay as they are";
                errors.push(self.hindrance(column, &because, foreign_key.line, why, &foreign_key.name));
            }
        }
    }

    fn index(&self, index: &Index, mapping: &Mapping, errors: &mut Errors) {
        let Some(column) = self.first_of(&index_columns(index)) else { return };
        let plain: Vec<String> = index
            .keys
            .iter()
            .filter_map(|key| match &key.on {
                IndexTarget::Column(name) => Some(name.clone()),
                IndexTarget::Expression(_) => None,
            })
            .collect();
        let of_group = |key: &&crate::schema::IndexKey| matches!(&key.on, IndexTarget::Column(name) if self.before.iter().any(|column| column.name == *name));
        let in_expressions = index
            .keys
            .iter()
            .filter_map(|key| match &key.on {
                IndexTarget::Expression(sql) => Some(sql),
                IndexTarget::Column(_) => None,
            })
            .chain(&index.predicate)
            .any(|sql| self.first_of(&expression_columns(sql)).is_some());
        let in_keys = self.first_of(&plain).is_some() || self.first_of(&index.include).is_some();
        let why = if in_keys && (!self.has_all(&plain) || self.first_of(&index.include).is_some()) {
            Some(
                "it does not have all columns of this change as keys, and says nothing about what they become"
                    .to_owned(),
            )
        } else if in_keys && index.unique {
            self.no_key(&plain, mapping)
        } else if in_keys && !["btree", "hash"].contains(&index.method.as_str()) {
            Some("which types an index of this method takes is not known".to_owned())
        } else if in_keys && index.method == "hash" && mapping.after.len() > 1 {
            Some("a hash index has one column".to_owned())
        } else if index.keys.iter().filter(of_group).any(|key| key.operator_class.is_some() || key.collation.is_some())
        {
            Some("it has an operator class or a collation, which is for the old column".to_owned())
        } else if let Some(why) = self.unsortable(mapping).filter(|_| in_keys) {
            Some(why)
        } else if in_expressions {
            stand_in::why_not(&mapping.backward, Reader::Index, &self.surroundings())
        } else {
            None
        };
        if let Some(why) = why {
            let because = format!("index `{}` has it", index.name);
            errors.push(self.hindrance(column, &because, index.line, &why, &index.name));
        }
    }

    fn surroundings(&self) -> fitness::Surroundings<'_> {
        fitness::Surroundings {
            schema: self.shape.schema(),
            search_path: &["public"],
            column_type: &|_| None,
            server: crate::plan::OLDEST_SERVER,
        }
    }

    fn statistics(&self, mapping: &Mapping, errors: &mut Errors) {
        for statistics in &self.table.statistics {
            let columns = target_columns(&statistics.on);
            let Some(column) = self.first_of(&columns) else { continue };
            let count = columns.len() - self.before.len().min(columns.len()) + mapping.after.len();
            let why = if !self.has_all(&columns) {
                "they do not have all columns of this change".to_owned()
            } else if !(2..=8).contains(&count) {
                "PostgreSQL makes statistics of two to eight columns".to_owned()
            } else if let Some(why) = self.unsortable(mapping) {
                why
            } else {
                continue;
            };
            let because = format!("statistics `{}` have it", statistics.name);
            errors.push(self.hindrance(column, &because, statistics.line, &why, &statistics.name.to_string()));
        }
    }

    /// A default that is another value each time would give each of several columns one of its own.
    fn defaults(&self, mapping: &Mapping, errors: &mut Errors) {
        let reads = |after: &&AfterColumn, name: &str| {
            after.forward.expression.columns().iter().any(|column| column.name == name)
        };
        for column in self.before {
            let Some(default) = &column.default else { continue };
            let several = mapping.after.iter().filter(|after| reads(after, &column.name)).count() > 1;
            let Ok(expression) = Expression::parse_lenient(&default.text) else { continue };
            if several && fitness::calls_volatile(&expression, &self.surroundings()) {
                let because = format!("its default is {}", default.text);
                let why = "that is another value each time, and each new column would get a part of another one";
                errors.push(
                    self.touched(&column.name).hindrance(because, default.line, why).help(
                        "drop the default before this change, and give the new columns defaults after the contract",
                    ),
                );
            }
        }
    }

    fn hindrance(&self, column: &'a str, because: &str, line: u32, why: &str, name: &str) -> Diagnostic {
        self.touched(column)
            .hindrance(because, line, why)
            .help(format!("drop `{name}` before this change, and make one for the new columns after the contract"))
    }
}

/// A change that the schema shows as contracted: all that goes is gone, and all that comes is there.
pub fn is_finished(tree: &Regroup, table: &Table, shape: &Shape) -> Option<(String, String)> {
    let is_gone = tree.columns.iter().all(|name| table.column(&name.text).is_none());
    let new: Vec<&Column> = tree.into.iter().filter_map(|column| table.column(&column.name.text)).collect();
    let (first, name) = (new.first().filter(|_| is_gone && new.len() == tree.into.len())?, tree.columns.first()?);
    let gone = written_column(&table.name, &name.text);
    let place = at_line(first.line, shape.schema());
    Some((
        gone.clone(),
        format!("`{}` is there ({place}), and `{gone}` is not", written_column(&table.name, &first.name)),
    ))
}
