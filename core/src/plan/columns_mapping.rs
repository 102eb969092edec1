//! One mapping of columns: how its values are converted, and how a row that is not in step is recognised.

use super::columns::{Parts, copy_column_privileges, key_columns};
use super::compare::{all, any};
use super::sql::{Block, CONVERSION_ERRORS, create_function};
use crate::ident::{QualifiedName, derived_name, quote_ident, quote_literal};
use crate::model::{AfterColumn, Conversion, Mapping, OnFailure, Side};
use crate::schema::Column;
use crate::sql::expression::Expression;
use crate::sql::surely::surely_converts;

/// How a row that no trigger and no backfill has been at yet is recognised. It is exact in every case.
pub(super) enum Unsynced {
    /// This after column is NOT NULL in the after shape, as they all are, and null.
    NotNull(String),
    /// Conversion maps null to null, and nothing else to null, both ways: the one after column is null and the one before column is not.
    NullMeansNull,
    /// This marker column is null.
    Marker(String),
}

/// What a synced row's marker holds. The bits above it say which after columns a blind write has set to null, between two triggers.
pub(super) const SYNCED: &str = "1";
/// What the marker of a row holds that new code wrote, where nothing is written back: there is nothing to compare it with.
pub(super) const WRITTEN_ONE_WAY: &str = "-1";

/// A mapping of a change's table, as its plan sees it.
pub(super) struct Mapped<'a> {
    pub(super) parts: &'a Parts<'a>,
    pub(super) mapping: &'a Mapping,
    pub(super) unsynced: Unsynced,
}

/// Which shape a conversion makes.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

impl<'a> Mapped<'a> {
    /// The mapping at position `n` of its change.
    pub(super) fn new(parts: &'a Parts<'a>, mapping: &'a Mapping, n: usize) -> Self {
        let plain = |conversion: &Conversion| {
            matches!(conversion.on_failure, OnFailure::Never | OnFailure::Reject)
                && conversion.expression.maps_null_to_null_only(parts.part.before.schema(), |column| {
                    let column = parts.before.column(&column.name).or_else(|| parts.after.column(&column.name))?;
                    Some(column.ty.clone())
                })
        };
        let null_means_null = mapping.is_one_to_one()
            && mapping.backward.len() == 1
            && mapping.insert_nulls != Some(Side::After)
            && mapping.after.iter().all(|column| plain(&column.forward))
            && mapping.backward.iter().all(plain);
        let own = &parts.part.own;
        let unsynced = match mapping.after.as_slice() {
            [column, others @ ..]
                if !mapping.backward.is_empty() && column.not_null && others.iter().all(|other| other.not_null) =>
            {
                Unsynced::NotNull(column.name.clone())
            }
            _ if null_means_null => Unsynced::NullMeansNull,
            _ if n == 0 => Unsynced::Marker(derived_name(&[own, "synced"])),
            _ => Unsynced::Marker(derived_name(&[own, "synced", &(n + 1).to_string()])),
        };
        Self { parts, mapping, unsynced }
    }

    pub(super) fn before_columns(&self) -> impl Iterator<Item = &'a Column> {
        let before = self.parts.before;
        self.mapping.before.iter().filter_map(move |name| before.column(name))
    }

    pub(super) fn after_columns(&self) -> impl Iterator<Item = &'a Column> {
        let after = self.parts.after;
        self.mapping.after.iter().filter_map(move |column| after.column(&column.name))
    }

    /// For people: `first_name, last_name`.
    pub(super) fn after_names(&self) -> String {
        self.mapping.after_names().collect::<Vec<_>>().join(", ")
    }

    pub(super) fn marker(&self) -> Option<&str> {
        match &self.unsynced {
            Unsynced::Marker(name) => Some(name),
            _ => None,
        }
    }

    /// Whether nothing is written back.
    pub(super) fn is_one_way(&self) -> bool {
        self.mapping.backward.is_empty()
    }

    /// The marker's type: it has a bit for each after column.
    pub(super) fn marker_type(&self) -> &'static str {
        match self.mapping.after.len() {
            0..=14 => "smallint",
            15..=30 => "integer",
            _ => "bigint",
        }
    }

    pub(super) fn marker_reason(&self) -> Option<String> {
        let marker = self.marker()?;
        let after = self.after_names();
        Some(match self.is_one_way() {
            true => format!(
                "{marker} marks the rows that are in step, and those that new code wrote: {after} cannot be compared there"
            ),
            false => format!(
                "{marker} marks the rows that are in step: null in {after} does not say whether a row was converted or holds no value"
            ),
        })
    }

    /// True for rows that are not in step yet, over columns with this prefix (`new.`, `source.`, nothing).
    pub(super) fn pending(&self, prefix: &str) -> String {
        match &self.unsynced {
            Unsynced::NotNull(column) => any(self
                .after_columns()
                .filter(|known| known.name == *column)
                .map(|column| self.parts.is_null(column, prefix))),
            Unsynced::Marker(marker) => format!("{prefix}{} is null", quote_ident(marker)),
            Unsynced::NullMeansNull => all([
                all(self.after_columns().map(|column| self.parts.is_null(column, prefix))),
                any(self.before_columns().map(|column| self.parts.is_not_null(column, prefix))),
            ]),
        }
    }

    /// True where an after column is null in the row that a trigger is about to write.
    pub(super) fn is_null(&self, after: &AfterColumn) -> String {
        any(self
            .after_columns()
            .filter(|column| column.name == after.name)
            .map(|column| self.parts.is_null(column, "new.")))
    }

    /// Whether the row that a trigger is about to write is [not in step](Self::pending), or was blindly written.
    pub(super) fn still_pending(&self) -> String {
        match self.marker() {
            Some(marker) => {
                let marker = quote_ident(marker);
                any([format!("new.{marker} is null"), format!("new.{marker} > {SYNCED}")])
            }
            None => self.pending("new."),
        }
    }

    /// What a backfill sets on a row that is not in step, over the columns of its table.
    pub(super) fn backfill_assignments(&self) -> Vec<(String, String)> {
        let assignments = self.mapping.after.iter().map(|column| (column.name.clone(), self.forward(column, "", true)));
        assignments.chain(self.marker().map(|marker| (marker.to_owned(), SYNCED.to_owned()))).collect()
    }

    /// The columns whose values may be put in quarantine, and what converts and records them, over the columns of the table.
    pub(super) fn quarantining(&self) -> Vec<(String, String)> {
        let quarantined =
            self.mapping.after.iter().filter(|after| matches!(after.forward.on_failure, OnFailure::Quarantine));
        quarantined.map(|after| (after.name.clone(), self.forward(after, "", true))).collect()
    }

    /// For each after column, true where it is not what the before columns convert to.
    fn forward_differs(&self, prefix: &str) -> Vec<String> {
        let after = self.after_columns().zip(&self.mapping.after);
        after
            .map(|(column, after)| {
                let is = format!("{prefix}{}", quote_ident(&column.name));
                self.distinct(column, &is, &self.forward(after, prefix, false))
            })
            .collect()
    }

    /// For each before column, true where it is not what the after columns convert to.
    pub(super) fn backward_differs(&self, prefix: &str) -> Vec<String> {
        let before = self.before_columns().zip(&self.mapping.backward);
        before
            .map(|(column, backward)| {
                let is = format!("{prefix}{}", quote_ident(&column.name));
                self.distinct(column, &is, &self.backward(column, backward, prefix, false))
            })
            .collect()
    }

    /// True for a row whose shapes disagree. A row that one side wrote with loss need only agree in the direction of that write.
    pub(super) fn mismatch(&self, prefix: &str) -> String {
        let forward = any(self.forward_differs(prefix));
        match self.marker() {
            _ if self.mapping.is_exact() => forward,
            Some(marker) if self.is_one_way() => {
                all([forward, format!("{prefix}{} is distinct from {WRITTEN_ONE_WAY}", quote_ident(marker))])
            }
            _ => all([forward, any(self.backward_differs(prefix))]),
        }
    }

    /// True for each of these columns that an UPDATE has given another value.
    pub(super) fn changed<'c>(&self, columns: impl Iterator<Item = &'c Column>) -> Vec<String> {
        columns
            .map(|column| {
                let name = quote_ident(&column.name);
                self.distinct(column, &format!("new.{name}"), &format!("old.{name}"))
            })
            .collect()
    }

    pub(super) fn distinct(&self, column: &Column, a: &str, b: &str) -> String {
        self.parts.part.distinct(column, a, b)
    }

    // --- conversions ---

    /// The after column, made from the before columns with this prefix; `record` says whether a value that does not convert is recorded.
    pub(super) fn forward(&self, after: &AfterColumn, prefix: &str, record: bool) -> String {
        match self.parts.after.column(&after.name) {
            Some(column) => self.convert(Direction::Forward, column, &after.forward, prefix, record),
            None => "null".to_owned(),
        }
    }

    pub(super) fn backward(&self, before: &Column, conversion: &Conversion, prefix: &str, record: bool) -> String {
        self.convert(Direction::Backward, before, conversion, prefix, record)
    }

    fn convert(
        &self,
        direction: Direction,
        column: &Column,
        conversion: &Conversion,
        prefix: &str,
        record: bool,
    ) -> String {
        if !is_guarded(conversion) {
            if let Some(column) = conversion.expression.as_column() {
                return format!("{prefix}{}", quote_ident(&column.name));
            }
            return conversion.expression.replace_columns(|column| {
                let reference = format!("{prefix}{}", quote_ident(&column.name));
                // `new.address.street` would read a column `street` of `new.address`; parentheses make it a field.
                Some(if prefix.is_empty() { reference } else { format!("({reference})") })
            });
        }
        let mut arguments: Vec<String> =
            read_columns(conversion).iter().map(|name| format!("{prefix}{}", quote_ident(name))).collect();
        if matches!(conversion.on_failure, OnFailure::Quarantine) {
            arguments.push(if record { self.key_as_json(prefix) } else { "null".to_owned() });
        }
        let guarded = format!("{}({})", self.conversion_function(direction, column).quoted(), arguments.join(", "));
        match self.surely_converts(column, conversion, prefix) {
            Some((condition, converted)) => format!("(case when {condition} then {converted} else {guarded} end)"),
            None => guarded,
        }
    }

    /// When the conversion needs no guard, and what it is then.
    fn surely_converts(&self, column: &Column, conversion: &Conversion, prefix: &str) -> Option<(String, String)> {
        let (read, ty) = conversion.expression.as_cast_of_column()?;
        let from = self.parts.before.column(&read.name).or_else(|| self.parts.after.column(&read.name))?;
        let value = format!("{prefix}{}", quote_ident(&read.name));
        let condition = surely_converts(&from.ty, ty, &value, self.parts.part.before.schema())?;
        // Another type would be given its own rules by the function's RETURN.
        (*ty == column.ty).then(|| (condition, format!("{value}::{ty}")))
    }

    fn key_as_json(&self, prefix: &str) -> String {
        let key = key_columns(self.parts.before);
        if key.is_empty() {
            return "'{}'::jsonb".to_owned();
        }
        let pairs: Vec<String> = key
            .iter()
            .map(|column| format!("{}, {prefix}{}", quote_literal(&column.name), quote_ident(&column.name)))
            .collect();
        format!("pg_catalog.jsonb_build_object({})", pairs.join(", "))
    }

    /// All conversions, in both directions, each with the column that it makes.
    fn conversions(&self) -> impl Iterator<Item = (Direction, &'a Column, &'a Conversion)> {
        let mapping = self.mapping;
        let forward = self.after_columns().zip(&mapping.after);
        let forward = forward.map(|(column, after)| (Direction::Forward, column, &after.forward));
        let backward = self.before_columns().zip(&mapping.backward);
        forward.chain(backward.map(|(column, backward)| (Direction::Backward, column, backward)))
    }

    /// Conversions that need a function of their own, because a value that does not convert must not fail the write.
    fn guarded(&self) -> impl Iterator<Item = (Direction, &'a Column, &'a Conversion)> {
        self.conversions().filter(|(_, _, conversion)| is_guarded(conversion))
    }

    /// Whether no name in the conversions could be looked up in the wrong place: they are made of columns and casts to PostgreSQL's own types.
    pub(super) fn names_nothing(&self) -> bool {
        self.conversions().all(|(_, _, conversion)| {
            let expression = &conversion.expression;
            let cast_to_builtin = expression.as_cast_of_column().is_some_and(|(_, ty)| ty.schema.is_none());
            expression.as_column().is_some() || cast_to_builtin
        })
    }

    // --- functions ---

    fn conversion_function(&self, direction: Direction, column: &Column) -> QualifiedName {
        self.parts.function(&format!("{}_{}", direction.name(), column.name))
    }

    /// The functions of the conversions, each with the types of its parameters.
    pub(super) fn functions(&self) -> impl Iterator<Item = (QualifiedName, String)> {
        self.guarded().map(|(direction, column, conversion)| {
            let types: Vec<String> = self.parameters(conversion).into_iter().map(|(_, ty)| ty).collect();
            (self.conversion_function(direction, column), types.join(", "))
        })
    }

    pub(super) fn create_functions(&self, search_path: &[String]) -> Vec<String> {
        self.guarded()
            .map(|(direction, column, conversion)| self.create_function(direction, column, conversion, search_path))
            .collect()
    }

    /// Names and types: what the conversion reads, and the key of the row where a failure is recorded.
    fn parameters(&self, conversion: &Conversion) -> Vec<(String, String)> {
        let mut parameters: Vec<(String, String)> = read_columns(conversion)
            .into_iter()
            .filter_map(|name| {
                let column = self.parts.before.column(&name).or_else(|| self.parts.after.column(&name))?;
                Some((name, column.ty.to_string()))
            })
            .collect();
        if matches!(conversion.on_failure, OnFailure::Quarantine) {
            parameters.push(("coexist_key".to_owned(), "jsonb".to_owned()));
        }
        parameters
    }

    fn create_function(
        &self,
        direction: Direction,
        column: &Column,
        conversion: &Conversion,
        search_path: &[String],
    ) -> String {
        let parameters: Vec<String> =
            self.parameters(conversion).iter().map(|(name, ty)| format!("{} {ty}", quote_ident(name))).collect();
        let own = |expression: &Expression| expression.replace_columns(|column| Some(quote_ident(&column.name)));
        let converted = own(&conversion.expression);
        let mut body = Block::default();
        body.open("begin");
        match &conversion.on_failure {
            // For a column that takes no null, null is a value that does not convert.
            OnFailure::Expression(fallback) if column.not_null => {
                body.line(format!("return coalesce({converted}, {});", own(fallback)));
            }
            _ => {
                body.line(format!("return {converted};"));
            }
        }
        body.branch(format!("exception when {CONVERSION_ERRORS} then"));
        match &conversion.on_failure {
            OnFailure::Expression(fallback) => {
                body.line(format!("return {};", own(fallback)));
            }
            _ => {
                let values: Vec<String> =
                    read_columns(conversion).iter().map(|name| format!("{}::text", quote_ident(name))).collect();
                body.open("if coexist_key is not null then");
                body.line(format!(
                    "perform coexist.quarantine_row({}, {}, coexist_key, {},",
                    quote_literal(&self.parts.part.change.name),
                    quote_literal(&self.parts.table.to_string()),
                    quote_literal(&column.name)
                ));
                body.line(format!("  concat_ws(', ', {}), sqlstate, sqlerrm);", values.join(", ")));
                body.close("end if;");
                body.line("return null;");
            }
        }
        body.close("end");
        let mut attributes =
            vec![if matches!(conversion.on_failure, OnFailure::Quarantine) { "volatile" } else { "stable" }.to_owned()];
        attributes.extend_from_slice(search_path);
        create_function(
            &self.conversion_function(direction, column),
            &parameters.join(", "),
            &column.ty.to_string(),
            &attributes,
            body,
        )
    }

    /// Gives the roles that may read or write all columns that an after column is made of the same right to it, as they are on the live
    /// table (H41). A role that may see only some of them does not come to see the others by it.
    pub(super) fn copy_privileges(&self) -> impl Iterator<Item = String> {
        self.mapping.after.iter().map(|after| {
            let read = read_columns(&after.forward);
            let sources = if read.is_empty() { self.mapping.before.clone() } else { read };
            copy_column_privileges(self.parts.table, &sources, self.parts.table, &after.name)
        })
    }
}

fn is_guarded(conversion: &Conversion) -> bool {
    matches!(conversion.on_failure, OnFailure::Quarantine | OnFailure::Expression(_))
}

/// The columns that a conversion reads, its fallback included, each once.
fn read_columns(conversion: &Conversion) -> Vec<String> {
    let fallback = match &conversion.on_failure {
        OnFailure::Expression(expression) => expression.columns(),
        _ => &[],
    };
    let mut names = Vec::new();
    for column in conversion.expression.columns().iter().chain(fallback) {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    names
}
