//! The SQL of a dozen declarations, byte for byte. A difference in a snapshot is a difference in what users review and run.

#![allow(clippy::expect_used, reason = "a test says by a panic that it fails")]

#[macro_use]
mod declarations;

use std::path::Path;

use coexist_core::compile::{Context, compile};
use coexist_core::render::files::files;
use declarations::SCHEMA;

fn sql_of(change: &str) -> String {
    let tokens = format!("schema sql r#\"{SCHEMA}\"#; {change}").parse().expect("tokens");
    let context = Context { manifest_dir: Path::new("."), missing_feature: &|_| None, writes_migrations: false };
    let compiled = compile(tokens, &context);
    let mistakes: Vec<String> = compiled.diagnostics.iter().map(|d| d.text()).collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n\n"));
    let mut text = String::new();
    for file in compiled.plans.iter().flat_map(files).filter(|file| file.name != "change.toml") {
        text.push_str(&format!("==> {} <==\n{}\n", file.name, file.text));
    }
    text
}

test_each!(is_as_reviewed);

fn is_as_reviewed(name: &str, change: &str) {
    insta::assert_snapshot!(name, sql_of(&format!("change {name} {{ {change} stage contract; }}")));
}
