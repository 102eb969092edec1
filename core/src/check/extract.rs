//! What an extraction needs.

use crate::diagnostic::{Diagnostic, Errors};
use crate::ident::QualifiedName;
use crate::model::apply::extract::{any_value_name, primary_key_name, reference_index_name, values_key_name};
use crate::model::apply::{constraint_columns, index_columns};
use crate::model::{ExtractChange, Shape};
use crate::plan::is_exact;
use crate::schema::{Column, ConstraintKind, SqlType, Table};
use crate::syntax::{Extract, ExtractedColumn, Name};

use super::dependents::{self, Touched};
use super::lookup::{self, Surroundings};
use super::split::{Parting, nothing_spans_both};
use super::{at_line, listed, names, types, written, written_column, written_table};

/// An extraction, and the table that the values come from.
pub struct Extraction<'a> {
    /// As it is written.
    pub tree: &'a Extract,
    /// The table that has the columns.
    pub source: &'a Table,
    /// Everything else.
    pub shape: &'a Shape,
}

impl<'a> Extraction<'a> {
    /// What keeps values from being extracted from a table, whatever they are.
    pub fn source_fits(&self, errors: &mut Errors) {
        if self.source.row_security {
            // A policy of the new table would have to read the old one, and a missing one shows values to who must not see them.
            errors.push(
                Diagnostic::new(
                    self.tree.table.table.span,
                    format!(
                        "`{}` has row level security, which the new table cannot carry",
                        written_table(&self.source.name)
                    ),
                )
                .note(format!(
                    "{}; a value that many rows share belongs to no one of them, and nobody but you can say who may see it",
                    at_line(self.source.line, self.shape.schema())
                ))
                .help("create the new table with its policies in a migration of its own, and fill it in the application"),
            );
        }
    }

    /// The new table's key, and its type. The database makes its values: old code knows none.
    pub fn key(&self, errors: &mut Errors) -> Option<(String, SqlType)> {
        let Some(key) = &self.tree.key else {
            errors.push(
                Diagnostic::new(self.tree.keyword, "missing `key`")
                    .note("it names the new table's key, whose values the database makes")
                    .help("add `key id: bigint`"),
            );
            return None;
        };
        let is_name = names::is_identifier(&key.name, errors) && names::is_no_system_column(&key.name, errors);
        let ty = types::declared(&key.ty, self.shape, errors)?;
        if !types::is_integer(&ty) && !ty.is("uuid") {
            errors.push(
                Diagnostic::new(key.ty.span, format!("the database cannot make keys of type `{ty}`"))
                    .note("a key of integers is an identity column, and one of `uuid` has the default `gen_random_uuid()`")
                    .help(format!("write `key {}: bigint`", written(&key.name.text))),
            );
            return None;
        }
        is_name.then(|| (key.name.text.clone(), ty))
    }

    /// The column that refers to the new table.
    pub fn reference(&self, errors: &mut Errors) -> Option<&'a Name> {
        let Some(reference) = &self.tree.reference else {
            let into = self.tree.into.table.text.as_str();
            let singular = match into.strip_suffix("ies") {
                Some(stem) => format!("{stem}y"),
                None => into.strip_suffix('s').unwrap_or(into).to_owned(),
            };
            errors.push(
                Diagnostic::new(self.tree.keyword, "missing `reference`")
                    .note(format!(
                        "it names the new column of `{}` that refers to the new table",
                        written_table(&self.source.name)
                    ))
                    .help(format!("add `reference {}`", written(&format!("{singular}_id")))),
            );
            return None;
        };
        names::is_free_column(reference, self.source, self.shape, errors).then_some(reference)
    }

    /// The columns that go, each with its name in the new table. `None` if there is a mistake in them.
    pub fn columns(&self, around: &Surroundings<'_>, errors: &mut Errors) -> Option<Vec<(String, String)>> {
        if self.tree.columns.is_empty() {
            let columns = self.source.columns.iter().map(|column| &column.name);
            errors.push(
                Diagnostic::new(self.tree.keyword, "an extraction without columns does nothing")
                    .note(format!("the columns of `{}` are {}", written_table(&self.source.name), listed(columns)))
                    .help("write those whose values repeat between the parentheses"),
            );
            return None;
        }
        let mut columns = Vec::new();
        for (i, of) in self.tree.columns.iter().enumerate() {
            let Some(column) = lookup::column(self.source, &of.column, self.shape, around, errors) else { continue };
            let earlier = self.tree.columns.get(..i).unwrap_or_default();
            if earlier.iter().any(|other| other.column.text == column.name) {
                errors.push(
                    Diagnostic::new(of.column.span, format!("`{}` is extracted twice", written(&column.name)))
                        .help("leave one of them out"),
                );
            } else if self.is_free(of, earlier, errors) && self.is_extractable(of, column, errors) {
                columns.push((column.name.clone(), of.new_name().text.clone()));
            }
        }
        let names = self.tree.columns.iter().map(|of| &of.column).collect();
        let parting = Parting { names, keyword: self.tree.keyword, fate: "extracted" };
        nothing_spans_both(&parting, self.source, self.shape, errors);
        (columns.len() == self.tree.columns.len()).then_some(columns)
    }

    /// Each column of the new table has a name of its own.
    fn is_free(&self, of: &ExtractedColumn, earlier: &[ExtractedColumn], errors: &mut Errors) -> bool {
        let name = of.new_name();
        if !names::is_identifier(name, errors) {
            return false;
        }
        let is_key = self.tree.key.as_ref().is_some_and(|key| key.name.text == name.text);
        let twice = is_key || earlier.iter().any(|other| other.new_name().text == name.text);
        if twice {
            errors.push(
                Diagnostic::new(name.span, format!("`{}` would be there twice", written(&name.text)))
                    .note("the key and the extracted columns are the columns of the new table")
                    .help(format!("give it another name: `{} as <new_name>`", written(&of.column.text))),
            );
        }
        !twice && names::is_no_system_column(name, errors)
    }

    fn is_extractable(&self, of: &ExtractedColumn, column: &Column, errors: &mut Errors) -> bool {
        let (found, span) = (errors.len(), of.column.span);
        let touched = Touched {
            column: &column.name,
            span,
            fate: "extracted",
            table: self.source,
            shape: self.shape,
            in_place: false,
        };
        dependents::check(&touched, errors);
        self.is_no_key(of, errors);
        let schema = self.shape.schema();
        let cannot = |because: String, line: u32, why: &str| {
            let name = written_column(&self.source.name, &column.name);
            Diagnostic::new(span, format!("`{name}` cannot be extracted: {because}"))
                .note(format!("{}; {why}", at_line(line, schema)))
        };
        if column.identity.is_some() || schema.sequences_of(&self.source.name, &column.name).next().is_some() {
            errors.push(
                cannot(
                    "a sequence gives its values".to_owned(),
                    column.line,
                    "each row has a value of its own, and nothing repeats",
                )
                .help("leave it out"),
            );
        } else if !is_one_value(column, types::base_type(&column.ty, schema), self.shape) {
            errors.push(
                cannot(
                    format!("`=` of `{}` calls different values equal, or there is none", type_of(column)),
                    column.line,
                    "rows that share a value would get it as it is written in one of them",
                )
                .help(format!(
                    "retype `{}` to a type with one way to write a value, such as text, in a change before this one",
                    written(&column.name)
                )),
            );
        }
        for constraint in &self.source.constraints {
            if let ConstraintKind::ForeignKey { columns, .. } = &constraint.kind
                && columns.contains(&column.name)
                && columns.iter().all(|name| self.goes(name))
            {
                errors.push(
                    cannot(
                        format!("foreign key `{}` stands on it", constraint.name),
                        constraint.line,
                        "both tables would follow what it references at the same moment, and get in each other's way",
                    )
                    .help("drop the foreign key before this change, and add one to the new table after the contract"),
                );
            }
        }
        errors.len() == found
    }

    fn goes(&self, column: &str) -> bool {
        self.tree.columns.iter().any(|of| of.column.text == column)
    }

    /// What is unique does not repeat.
    fn is_no_key(&self, of: &ExtractedColumn, errors: &mut Errors) {
        let keys = self.source.constraints.iter().filter(|constraint| {
            matches!(constraint.kind, ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. })
        });
        let keys = keys.map(|key| (&key.name, constraint_columns(key), key.line));
        let indexes = self.source.indexes.iter().filter(|index| index.unique);
        let indexes = indexes.map(|index| (&index.name, index_columns(index), index.line));
        for (name, columns, line) in keys.chain(indexes) {
            // Of one with other columns beside, another rule speaks.
            if columns.iter().all(|name| self.goes(name)) && columns.first() == Some(&of.column.text) {
                errors.push(
                    Diagnostic::new(
                        of.column.span,
                        format!("nothing repeats in {}: `{name}` is unique over it", listed(&columns)),
                    )
                    .note(at_line(line, self.shape.schema()))
                    .help(format!(
                        "to have a table with a row for each row, write `split {} into {} {{ … }}`",
                        written_table(&self.source.name),
                        written_table(&lookup::qualified(&self.tree.into))
                    )),
                );
            }
        }
    }

    /// What holds for the columns together.
    pub fn fits(&self, change: &ExtractChange, errors: &mut Errors) {
        if change.values(self.source).nulls {
            self.nulls_can_be_keyed(change, errors);
        }
        if !change.refers_always(self.source) {
            self.defaults_are_clear(errors);
        }
        self.names_are_free(change, errors);
    }

    /// A unique key takes two nulls for different values. One over an array does not, and an array has elements of one type: text, for types
    /// whose text does not depend on settings.
    fn nulls_can_be_keyed(&self, change: &ExtractChange, errors: &mut Errors) {
        const TEXT_SAYS_ALL: [&str; 9] =
            ["text", "character varying", "character", "name", "smallint", "integer", "bigint", "uuid", "boolean"];
        let nullable = change.of(self.source).find(|column| !change.is_not_null(column)).map(|column| &column.name);
        for of in &self.tree.columns {
            let Some(column) = self.source.column(&of.column.text) else { continue };
            let base = types::base_type(&column.ty, self.shape.schema());
            if let Some(nullable) = nullable
                && !TEXT_SAYS_ALL.iter().any(|name| base.is(name))
            {
                errors.push(
                    Diagnostic::new(
                        of.column.span,
                        format!(
                            "`{}` cannot be in one key with `{}`, which can be null",
                            written(&column.name),
                            written(nullable)
                        ),
                    )
                    .note(format!(
                        "{}; the key that takes nulls for equal is made of texts, and how a `{}` is written depends on settings",
                        at_line(column.line, self.shape.schema()),
                        column.ty
                    ))
                    .help(format!("make `{}` NOT NULL before this change, or extract one of them alone", written(nullable))),
                );
            }
        }
    }

    /// New code that gives no reference means none, and the default would make one.
    fn defaults_are_clear(&self, errors: &mut Errors) {
        for of in &self.tree.columns {
            let Some(column) = self.source.column(&of.column.text) else { continue };
            let Some(default) = &column.default else { continue };
            if !default.text.trim().eq_ignore_ascii_case("null") {
                let reference = self.tree.reference.as_ref().map_or("reference", |name| name.text.as_str());
                errors.push(
                    Diagnostic::new(
                        of.column.span,
                        format!("an INSERT without a value for `{}` can mean two things", written(reference)),
                    )
                    .note(format!(
                        "old code means the default {} of `{}` ({}), and new code may mean null",
                        default.text,
                        written_column(&self.source.name, &column.name),
                        at_line(default.line, self.shape.schema())
                    ))
                    .help(format!(
                        "drop the default before this change, or make `{}` NOT NULL: then there is always a reference",
                        written(&column.name)
                    )),
                );
            }
        }
    }

    /// The names of the new table, of what comes with it, and of the reference's index.
    fn names_are_free(&self, change: &ExtractChange, errors: &mut Errors) {
        let (into, shape) = (&self.tree.into, self.shape);
        let name = &into.table;
        if !names::is_not_the_ledgers(into, errors)
            || !names::is_schema(into, shape, errors)
            || !names::is_free_table(name, &change.target, shape, errors)
        {
            return;
        }
        let in_target = |name: String| QualifiedName::new(&change.target.schema, name);
        let own = [
            (primary_key_name(change), "the primary key of the new table"),
            (values_key_name(change), "the unique key of the new table"),
        ];
        for (key, what) in own {
            names::is_free_own(name, &in_target(key), what, shape, errors);
        }
        let index = QualifiedName::new(&change.source.schema, reference_index_name(change));
        if let Some(reference) = &self.tree.reference {
            names::is_free_own(reference, &index, "the index of the reference", shape, errors);
        }
        if change.target.schema != change.source.schema {
            let goes = |columns: Vec<String>| columns.iter().any(|name| self.goes(name));
            for index in self.source.indexes.iter().filter(|index| goes(index_columns(index))) {
                names::is_free_carried(name, &in_target(index.name.clone()), shape, errors);
            }
        }
        let carried = self.source.constraints.iter().filter(|constraint| {
            constraint_columns(constraint).iter().any(|name| self.goes(name))
                && (constraint.name == any_value_name(change) || constraint.name == values_key_name(change))
        });
        for constraint in carried {
            errors.push(
                Diagnostic::new(name.span, format!("the name `{}` would be there twice", constraint.name))
                    .note(format!(
                        "a constraint of this name comes along ({}), and the new table has one of its own",
                        at_line(constraint.line, shape.schema())
                    ))
                    .help("rename the constraint before this change"),
            );
        }
    }
}

/// Whether two values that are equal are one value, so that rows can share it.
fn is_one_value(column: &Column, base: &SqlType, shape: &Shape) -> bool {
    // With a scale of its own, or a length, each value is written in one way.
    let is_fixed = (base.is("numeric") || base.is("character")) && !base.modifiers.is_empty();
    // Other collations than PostgreSQL's own may be told to take different texts for equal.
    let is_deterministic = column.collation.as_ref().is_none_or(|name| name.schema == "pg_catalog");
    (is_fixed || is_exact(shape.schema(), base)) && is_deterministic
}

fn type_of(column: &Column) -> String {
    match &column.collation {
        Some(collation) if collation.schema != "pg_catalog" => format!("{} collate {collation}", column.ty),
        _ => column.ty.to_string(),
    }
}
