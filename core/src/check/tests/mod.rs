//! Declarations with mistakes, and what is said about them. Grouped by kind of mistake; each snapshot shows the messages as a user sees them.

mod between_tables;
mod come_and_go;
mod conflicts;
mod conversions;
mod dependents;
mod extract;
mod good;
mod merge;
mod move_column;
mod names;
mod order;
mod regroup;
mod rules;
mod split;
mod structure;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::resolve::resolve;
use crate::model::{Committed, Model};
use crate::plan::Stage;
use crate::schema::SqlType;
use crate::schema::load::load;
use crate::syntax::parse::parse;
use crate::testing::{render, tokens};

/// A small shop, as `pg_dump` writes it.
pub const SHOP: &str = include_str!("shop.sql");

/// What is found out about a declaration.
pub struct Case<'a> {
    schema: &'a str,
    committed: Committed,
}

impl<'a> Case<'a> {
    pub fn shop() -> Self {
        Self::with(SHOP)
    }

    pub fn with(schema: &'a str) -> Self {
        Self { schema, committed: Committed::Unknown }
    }

    pub fn committed(mut self, stages: &[(&str, Stage)]) -> Self {
        self.committed = Committed::Stages(
            stages.iter().map(|(name, stage)| ((*name).to_owned(), *stage)).collect::<BTreeMap<_, _>>(),
        );
        self
    }

    pub fn resolve(&self, source: &str) -> (Model, Vec<Diagnostic>) {
        let schema = match load("schema.sql", self.schema) {
            Ok(schema) => Arc::new(schema),
            Err(errors) => panic!("{errors:?}"),
        };
        let mut errors = Errors::new();
        let declaration = parse(tokens(source), &mut errors);
        let feature_off = |ty: &SqlType| ty.is("uuid").then_some("with-uuid-1");
        let model = resolve(&declaration, schema, &self.committed, &feature_off, &mut errors);
        (model, errors.take())
    }

    /// All messages for each of the declarations; each must have one at least.
    pub fn mistakes(&self, sources: &[&str]) -> String {
        let mut text = String::new();
        for source in sources {
            let found = self.resolve(source).1;
            assert!(!found.is_empty(), "no mistake found in {source}");
            text.push_str(&render(source, &found));
            text.push_str("----------\n");
        }
        text
    }

    /// The model of a declaration without mistakes.
    pub fn model(&self, source: &str) -> Model {
        let (model, errors) = self.resolve(source);
        assert_eq!(render(source, &errors), "");
        model
    }
}
