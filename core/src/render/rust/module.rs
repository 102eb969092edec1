//! The module of a change, and its documentation.

use std::fmt::Write as _;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::accessors::{self, Form};
use super::proofs;
use super::table::{Origin, ShapeOf, Table};
use super::tombstones;
use super::types::TypeSettings;
use crate::model::{Change, Model, Side};
use crate::plan::{Plan, Stage};
use crate::render::plan_file;

/// The module of a change. Without a plan, as for a change with mistakes, it has the same items, and says nothing of SQL.
pub(super) fn expand(model: &Model, change: &Change, plan: Option<&Plan>, settings: &TypeSettings) -> TokenStream {
    let before = ShapeOf { model, change, side: Side::Before, settings }.tables();
    let after = ShapeOf { model, change, side: Side::After, settings }.tables();
    let name = Ident::new(&change.name, change.span);
    let text = &change.name;
    let docs = docs(change, plan, &before, &after);
    let stage = format_ident!("{}", format!("{:?}", change.stage));
    let toml = plan.map(plan_file::to_toml).unwrap_or_default();
    let shapes =
        if before.is_empty() && after.is_empty() { TokenStream::new() } else { shape_modules(change, &before, &after) };
    quote! {
        #[doc = #docs]
        #[allow(dead_code, deprecated, non_snake_case, clippy::all, clippy::pedantic, clippy::nursery)]
        pub mod #name {
            /// The change: what a program runs, and how far the source code is.
            pub static CHANGE: ::coexist::Change = ::coexist::Change::new(#text, ::coexist::Stage::#stage, #toml);
            /// The change as a type: a proof for one change is none for another.
            #[derive(Debug)]
            pub enum Change {}
            #[automatically_derived]
            impl ::coexist::change::Declared for Change {
                const CHANGE: &'static ::coexist::Change = &CHANGE;
            }
            #shapes
        }
    }
}

/// The accessors of both shapes, with the proofs that they take. A change that leaves the shape of every row alone has none.
fn shape_modules(change: &Change, before: &[Table<'_>], after: &[Table<'_>]) -> TokenStream {
    let proofs = proofs::expand(change);
    let instead = Instead::of(change, after);
    let gone = gone(change);
    let (form, before_docs, dropped) = match change.stage {
        Stage::Expand => (Form::Working(Side::Before), "The before shape.".to_owned(), None),
        Stage::Migrate => (Form::Deprecated(&instead), format!("The before shape: {}.", instead.text(None)), None),
        Stage::Contract => {
            let text = instead.text(None);
            let dropped = tombstones::dropped(change, &gone, &text);
            (Form::Tombstone(&gone), format!("The before shape is gone: {text}."), Some(dropped))
        }
    };
    let before = before.iter().map(|table| accessors::module(table, &form));
    let after = after.iter().map(|table| accessors::module(table, &Form::Working(Side::After)));
    quote! {
        #proofs
        #dropped
        #[doc = #before_docs]
        pub mod before {
            #(#before)*
        }
        /// The after shape.
        pub mod after {
            #(#after)*
        }
    }
}

/// What the before shape has and the after shape has not, for people.
fn gone(change: &Change) -> String {
    let items: Vec<String> = gone_items(change).collect();
    let verb = if items.len() == 1 { "is" } else { "are" };
    format!("{} {verb} gone: change `{}` is at stage `contract`", list(&items), change.name)
}

/// Each column, or whole table, that only the before shape has; all that differs, where nothing goes away.
fn gone_items(change: &Change) -> impl Iterator<Item = String> {
    let after = &change.after_shape;
    let mut items = Vec::new();
    for table in change.before_tables.iter().filter_map(|name| change.before.table(name)) {
        match after.table(&table.name) {
            None => items.push(format!("`{}`", table.name)),
            Some(now) => {
                let columns = table.columns.iter().filter(|column| now.column(&column.name).is_none());
                items.extend(columns.map(|column| format!("`{}.{}`", table.name, column.name)));
            }
        }
    }
    if items.is_empty() {
        items.extend(change.before_tables.iter().map(|table| format!("the before shape of `{table}`")));
    }
    items.into_iter()
}

/// What takes the place of the before shape, for people.
pub(super) struct Instead {
    change: String,
    /// The modules of the after shape, the table of the before shape first.
    modules: Vec<String>,
    /// What has moved to the others.
    moved: Vec<String>,
}

impl Instead {
    fn of(change: &Change, after: &[Table<'_>]) -> Self {
        let modules = after.iter().map(|table| format!("{}::after::{}", change.name, table.module)).collect();
        let first = change.after_tables.first();
        let others = after.iter().filter(|table| Some(&table.table.name) != first);
        let has = |column: &&crate::schema::Column| {
            let mut tables = change.before_tables.iter().filter_map(|name| change.before.table(name));
            tables.any(|table| table.column(&column.name).is_some())
                && first
                    .and_then(|name| change.after_shape.table(name))
                    .is_none_or(|table| table.column(&column.name).is_none())
        };
        let moved = others
            .flat_map(|table| table.table.columns.iter().filter(has))
            .map(|column| format!("`{}`", column.name))
            .collect();
        Self { change: change.name.clone(), modules, moved }
    }

    /// The note of a deprecated item.
    pub fn note(&self, item: &str) -> String {
        format!("change `{}` is at stage `migrate`: {}", self.change, self.text(Some(item)))
    }

    fn text(&self, item: Option<&str>) -> String {
        let path = |module: &String| match item {
            Some(item) => format!("`{module}::{item}`"),
            None => format!("`{module}`"),
        };
        match self.modules.as_slice() {
            [first, others @ ..] if !others.is_empty() => {
                let others: Vec<String> = others.iter().map(path).collect();
                format!("use {}, and {} for {}", path(first), list(&others), list(&self.moved))
            }
            modules => format!("use {} instead", list(&modules.iter().map(path).collect::<Vec<_>>())),
        }
    }
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

fn docs(change: &Change, plan: Option<&Plan>, before: &[Table<'_>], after: &[Table<'_>]) -> String {
    let mut docs = change.docs.join("\n");
    if !docs.is_empty() {
        docs.push_str("\n\n");
    }
    let _ = writeln!(docs, "A parallel change at stage `{}`.", change.stage.name());
    if !(before.is_empty() && after.is_empty()) {
        docs.push_str("\n# Shapes\n\n| column | type | in Rust | shape |\n|---|---|---|---|\n");
        shapes(&mut docs, before, after);
    }
    if let Some(plan) = plan {
        docs.push_str("\n# SQL\n\n");
        docs.push_str(&plan.way);
        docs.push_str("\n\n");
        sql(&mut docs, plan);
    }
    docs
}

/// One row for each column: those of the before shape in their order, then what is only in the after shape.
fn shapes(docs: &mut String, before: &[Table<'_>], after: &[Table<'_>]) {
    let columns = |tables: &[Table<'_>]| -> Vec<(String, String, String)> {
        let cells = tables.iter().flat_map(|table| {
            table.columns.iter().map(|column| {
                let note = if column.origin == Origin::Text { ", its text form" } else { "" };
                let rust = format!("{}{note}", code(&without_paths(&column.row_type())));
                (format!("{}.{}", table.table.name, column.column.name), column.sql(), rust)
            })
        });
        cells.collect()
    };
    let (before, after) = (columns(before), columns(after));
    let mut row = |(name, sql, rust): &(String, String, String), shape: &str| {
        let _ = writeln!(docs, "| {} | {} | {} | {shape} |", code(name), code(sql), rust);
    };
    for column in &before {
        row(column, if after.contains(column) { "both" } else { "before" });
    }
    for column in after.iter().filter(|column| !before.contains(column)) {
        row(column, "after");
    }
}

/// `:: core :: option :: Option < i64 >` as `Option<i64>`.
fn without_paths(ty: &TokenStream) -> String {
    let text: String = ty.to_string().split_whitespace().collect();
    let words = text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    words.map(|word| word.rsplit("::").next().unwrap_or(word)).collect()
}

/// As code in a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// What the change runs, in order.
fn sql(docs: &mut String, plan: &Plan) {
    let mut sql = String::new();
    for step in &plan.steps {
        let _ = writeln!(sql, "-- {}: {}", step.phase.name(), step.title);
        for statement in &step.action.statements {
            let _ = writeln!(sql, "{statement};");
        }
    }
    // A fence that nothing in the SQL can end.
    let mut fence = "```".to_owned();
    while sql.contains(&fence) {
        fence.push('`');
    }
    let _ = write!(docs, "{fence}sql\n{sql}{fence}");
}
