//! Expansions as a person reads them: what they show to change is what changes for users.

use std::sync::Arc;

use proc_macro2::Span;
use quote::quote;

use super::*;
use crate::ident::{QualifiedName, quote_ident};
use crate::model::{
    self, AfterColumn, Change, ColumnsChange, Conversion, Mapping, OnFailure, OperationKind, Shape, Side, SplitChange,
    TypeOverride,
};
use crate::plan::{Action, Mode, Phase, Plan, Stage, Step};
use crate::schema::{SqlType, load};
use crate::sql::expression::Expression;
use crate::sql::parse_type;

/// A declaration with one change.
fn model(schema: &str, name: &str, stage: Stage, kind: OperationKind) -> Model {
    let schema = Arc::new(load::load("schema.sql", schema).unwrap());
    let before = Shape::of(Arc::clone(&schema));
    let operations = model::Operation::chain(&before, [kind]);
    let change = Change {
        name: name.to_owned(),
        span: Span::call_site(),
        docs: vec!["Invoices address people by their full name.".to_owned()],
        stage,
        after: Vec::new(),
        after_shape: operations[0].after.clone(),
        before_tables: model::Operation::tables(&operations, Side::Before),
        after_tables: model::Operation::tables(&operations, Side::After),
        operations,
        before,
        batch: None,
        contract_by: None,
    };
    Model { schema, server: 13, changes: vec![change], types: Vec::new() }
}

fn table(name: &str) -> QualifiedName {
    QualifiedName::new("public", name)
}

fn conversion(expression: &str) -> Conversion {
    let expression = Expression::parse(expression).unwrap();
    Conversion { expression, lossy: false, on_failure: OnFailure::Never }
}

/// `rename <table>.<from> to <to>`
fn rename(table: QualifiedName, from: &str, to: &str, ty: &str) -> OperationKind {
    retype(table, (from, &quote_ident(from)), (to, &quote_ident(to)), ty, true)
}

fn retype(table: QualifiedName, from: (&str, &str), to: (&str, &str), ty: &str, rename: bool) -> OperationKind {
    let ty: SqlType = parse_type(ty).unwrap();
    let mapping = Mapping {
        before: vec![from.0.to_owned()],
        after: vec![AfterColumn { name: to.0.to_owned(), ty, not_null: true, forward: conversion(from.1) }],
        backward: vec![conversion(to.1)],
        rename,
        insert_nulls: None,
    };
    OperationKind::Columns(ColumnsChange { table, mappings: vec![mapping], way: crate::model::Way::Copy })
}

const USERS: &str = "
    create table users (
        id bigint generated always as identity primary key,
        name text not null,
        bio text,
        visits integer not null default 0
    );
    comment on column users.bio is 'In Markdown.';";

fn rename_user_name(stage: Stage) -> Model {
    model(USERS, "rename_user_name", stage, rename(table("users"), "name", "full_name", "text"))
}

fn split_user_profile(stage: Stage) -> Model {
    let kind = OperationKind::Split(SplitChange {
        source: table("users"),
        target: table("profiles"),
        key: vec![("id".to_owned(), "user_id".to_owned())],
        moved: vec!["bio".to_owned()],
        always: false,
    });
    model(USERS, "split_user_profile", stage, kind)
}

fn expansion(model: &Model, plans: &[Plan], settings: &TypeSettings) -> String {
    prettyplease::unparse(&syn::parse2(expand(model, plans, settings)).unwrap())
}

macro_rules! snapshot {
    ($text:expr) => {
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!($text);
        })
    };
}

#[test]
fn rename_at_expand() {
    snapshot!(expansion(&rename_user_name(Stage::Expand), &[], &TypeSettings::default()));
}

#[test]
fn rename_at_migrate() {
    snapshot!(expansion(&rename_user_name(Stage::Migrate), &[], &TypeSettings::default()));
}

#[test]
fn rename_at_contract() {
    snapshot!(expansion(&rename_user_name(Stage::Contract), &[], &TypeSettings::default()));
}

#[test]
fn split_at_migrate() {
    snapshot!(expansion(&split_user_profile(Stage::Migrate), &[], &TypeSettings::default()));
}

#[test]
fn split_at_contract() {
    snapshot!(expansion(&split_user_profile(Stage::Contract), &[], &TypeSettings::default()));
}

/// H66, and a composite key of values that are passed in different ways.
#[test]
fn nasty_names() {
    let schema = r#"
        create schema "2fa";
        create type "2fa"."Kind of thing" as enum ('a');
        create table "2fa"."Order Items" (
            "type" "2fa"."Kind of thing",
            "db" text,
            "a b" bytea,
            "a_b" integer not null,
            "self" jsonb,
            "émoji 🦀" integer[],
            "q""uote | pipe" bit varying(5) not null,
            primary key ("type", "db", "a b")
        );"#;
    let kind = rename(QualifiedName::new("2fa", "Order Items"), "a_b", "2fa", "integer");
    snapshot!(expansion(&model(schema, "nasty_names", Stage::Expand, kind), &[], &TypeSettings::default()));
}

#[test]
fn without_a_primary_key_there_is_nothing_to_find() {
    let schema = "create table log (at timestamp with time zone not null default now(), line text not null)";
    let kind = rename(table("log"), "line", "message", "text");
    let model = model(schema, "rename_line", Stage::Expand, kind);
    let text = expansion(&model, &[], &TypeSettings { chrono: true, ..TypeSettings::default() });
    for absent in ["fn find", "fn update", "fn delete", "fn page"] {
        assert!(!text.contains(absent), "{absent}");
    }
    assert!(text.contains("fn insert<") && text.contains("fn insert_many<"));
    assert!(text.contains("It has no primary key"));
    assert!(text.contains("pub at: ::coexist::Value<"), "{text}");
}

/// The Rust type of every column of a table.
fn types(columns: &str, settings: &TypeSettings) -> String {
    let schema = format!(
        "create domain money_cents as bigint; create domain flags as text[]; create type mood as enum ('ok');
         create table things (id integer primary key, {columns})"
    );
    let model = model(&schema, "touch", Stage::Expand, rename(table("things"), "id", "key", "integer"));
    let docs = module_docs(&model, settings);
    docs.lines().filter(|line| line.starts_with("| `") && !line.contains(".id`") && !line.contains(".key`")).fold(
        String::new(),
        |text, line| {
            text + &line.replace("| `things.", "").replace(" | both |", "").replace("` | `", ": ").replace('`', "")
                + "\n"
        },
    )
}

fn module_docs(model: &Model, settings: &TypeSettings) -> String {
    let file: syn::File = syn::parse2(expand(model, &[], settings)).unwrap();
    let text = prettyplease::unparse(&file);
    text.split("*/").next().unwrap_or_default().to_owned()
}

#[test]
fn types_without_features() {
    let columns = "a smallint, b integer, c bigint, d real, e double precision, f boolean, g text, h varchar(10), i char(3), j name,
        k bytea, l oid, m \"char\", n inet, o interval, p int4range, q tsvector, r mood, s mood[], t bit(3), u money, v xml, w point,
        x text[], y bytea[], z varchar(10)[] not null, aa money_cents, ab money_cents[], ac flags, ad time with time zone";
    snapshot!(types(columns, &TypeSettings::default()));
}

#[test]
fn types_with_features() {
    let columns = "a uuid, b date, c time, d timestamp, e timestamptz(3), f json, g jsonb not null, h numeric(12,2), i uuid[], j timestamptz[]";
    let all = TypeSettings { uuid: true, chrono: true, time: true, json: true, decimal: true };
    snapshot!(types(columns, &all));
    let time = TypeSettings { chrono: false, ..all };
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("types_with_the_crate_time", types(columns, &time));
    });
}

#[test]
fn a_type_whose_feature_is_off_is_named_with_its_feature() {
    let off = |ty: &str| feature_off(&parse_type(ty).unwrap(), &TypeSettings::default());
    assert_eq!(off("uuid"), Some("with-uuid-1"));
    assert_eq!(off("uuid[]"), Some("with-uuid-1"));
    assert_eq!(off("timestamptz"), Some("with-chrono-0_4"));
    assert_eq!(off("numeric(10,2)"), Some("with-rust_decimal-1"));
    assert_eq!(off("jsonb"), Some("with-serde_json-1"));
    assert_eq!(off("text"), None);
    assert_eq!(off("interval"), None);
}

fn overridden(column: &str, rust: TokenStream, mut model: Model) -> String {
    model.types.push(TypeOverride { table: table("users"), column: column.to_owned(), rust, span: Span::call_site() });
    expansion(&model, &[], &TypeSettings::default())
}

#[test]
fn a_type_of_the_users_own() {
    let mut model = split_user_profile(Stage::Expand);
    // The new table alone: it has the type because the column has moved there.
    model.changes[0].before_tables.clear();
    model.changes[0].after_tables.remove(0);
    snapshot!(overridden("bio", quote! { crate::Markdown }, model));
}

#[test]
fn a_type_of_the_users_own_stays_with_a_renamed_column() {
    let text = overridden("name", quote! { crate::Name }, rename_user_name(Stage::Expand));
    assert!(text.contains("pub name: super::super::super::UsersName"), "{text}");
    assert!(text.contains("pub full_name: super::super::super::UsersName"), "{text}");
}

#[test]
fn string_in_place_of_another_type_asks_for_its_text_form() {
    let text = overridden("visits", quote! { String }, rename_user_name(Stage::Expand));
    assert!(text.contains("pub visits: ::std::string::String"), "{text}");
    assert!(text.contains("Carried::Text(\"integer\")"), "{text}");
}

/// H66: nothing in the SQL ends the block of code that it stands in.
#[test]
fn docs_show_the_sql() {
    let model = rename_user_name(Stage::Expand);
    let action =
        |statement: &str| Action { statements: vec![statement.to_owned()], mode: Mode::Transaction, locks: Vec::new() };
    let step = |id: &str, phase, statement: &str| Step {
        id: id.to_owned(),
        title: format!("does {id}"),
        phase,
        action: action(statement),
        undo: Vec::new(),
        leftover: None,
    };
    let plan = Plan {
        steps: vec![
            step("a", Phase::Expanded, "alter table \"public\".\"users\" add column \"full_name\" text"),
            step("b", Phase::DualWriting, "comment on table \"public\".\"users\" is '\n```\n'"),
        ],
        ..crate::plan::make(&model, &model.changes[0]).unwrap()
    };
    let text = expansion(&model, &[plan], &TypeSettings::default());
    snapshot!(text.split("*/").next().unwrap_or_default());
    assert!(text.contains("::coexist::Change::new(\n        \"rename_user_name\""), "{text}");
}
