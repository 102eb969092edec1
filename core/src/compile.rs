//! From the tokens of a declaration to its plans: the one path that the macro, the build script and the command share.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proc_macro2::{Span, TokenStream};

use crate::diagnostic::{Diagnostic, Errors};
use crate::model::{Committed, Model, resolve};
use crate::plan::{self, Plan, Stage};
use crate::schema::load::{self, LoadFileError};
use crate::schema::{Schema, SqlType};
use crate::syntax::{Declaration, Literal, SchemaSource, parse};

/// The folder, next to `Cargo.toml`, that holds a folder for each change.
pub const MIGRATIONS: &str = "migrations";

/// Where a declaration stands.
pub struct Context<'a> {
    /// The folder of the crate's `Cargo.toml`: paths in a declaration begin here.
    pub manifest_dir: &'a Path,
    /// The feature that a column of this type needs and that is off.
    pub missing_feature: &'a dyn Fn(&SqlType) -> Option<&'static str>,
    /// Whether the crate has a build script, which writes `migrations/`: a change that is not there is new.
    pub writes_migrations: bool,
}

/// What a declaration came to.
pub struct Compiled {
    /// As it was written, as far as it was understood.
    pub declaration: Declaration,
    /// The changes without mistakes; `None` without a schema.
    pub model: Option<Model>,
    /// The plans of the changes of the model, in its order.
    pub plans: Vec<Plan>,
    /// Every mistake, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
    /// The files that were read: when one changes, the declaration means something else.
    pub read_files: Vec<PathBuf>,
}

/// Compiles what stands between the braces of `migrations!`.
pub fn compile(tokens: TokenStream, context: &Context<'_>) -> Compiled {
    let mut errors = Errors::new();
    let mut read_files = Vec::new();
    let declaration = parse::parse(tokens, &mut errors);
    let schema = load_schema(&declaration, context, &mut read_files, &mut errors);
    let committed = read_committed(&declaration, context, &mut read_files, &mut errors);
    let model =
        schema.map(|schema| resolve::resolve(&declaration, schema, &committed, context.missing_feature, &mut errors));
    let plans =
        model.iter().flat_map(|model| model.changes.iter().filter_map(|change| plan::make(model, change))).collect();
    Compiled { declaration, model, plans, diagnostics: errors.take(), read_files }
}

fn load_schema(
    declaration: &Declaration,
    context: &Context<'_>,
    read_files: &mut Vec<PathBuf>,
    errors: &mut Errors,
) -> Option<Arc<Schema>> {
    match &declaration.schema {
        Some(SchemaSource::Inline(sql)) => match load::load("the inline schema", &sql.value) {
            Ok(schema) => Some(Arc::new(schema)),
            Err(mistakes) => {
                for mistake in mistakes {
                    errors.push(
                        Diagnostic::new(sql.span, format!("the schema is not SQL that PostgreSQL accepts: {mistake}"))
                            .note("line and column count from the beginning of the string"),
                    );
                }
                None
            }
        },
        Some(SchemaSource::File(path)) => {
            let file = context.manifest_dir.join(&path.value);
            match load::load_file(&file) {
                Ok(schema) => {
                    read_files.push(file);
                    Some(schema)
                }
                Err(error) => {
                    unusable_file(path, &error, errors);
                    None
                }
            }
        }
        None => {
            // Without any declaration at all there is nothing that needs one.
            if !declaration.changes.is_empty() || !declaration.types.is_empty() {
                errors.push(
                    Diagnostic::new(Span::call_site(), "the declaration does not say which schema it changes")
                        .help("begin it with `schema \"schema.sql\";`, a file that `pg_dump --schema-only` writes"),
                );
            }
            None
        }
    }
}

/// What is wrong with a schema file, by its name as it is declared.
fn unusable_file(path: &Literal, error: &LoadFileError, errors: &mut Errors) {
    let name = &path.value;
    let command = format!("make it with `pg_dump --schema-only --no-owner --file {name} <database>`");
    let mut report = |message: String, help: &str| {
        let begins = "the path begins at the folder of Cargo.toml";
        errors.push(Diagnostic::new(path.span, message).note(begins).help(help));
    };
    match error {
        LoadFileError::Missing { .. } => report(format!("there is no schema file `{name}`"), &command),
        LoadFileError::Unreadable { error, .. } => {
            report(format!("the schema file `{name}` cannot be read: {error}"), &command);
        }
        LoadFileError::NotUtf8 { line, .. } => report(
            format!("line {line} of the schema file `{name}` is not in UTF-8"),
            "add `--encoding UTF8` to the command of pg_dump that makes it",
        ),
        LoadFileError::Invalid { errors: mistakes, .. } => {
            for mistake in mistakes {
                report(
                    format!("{name}:{}:{}: {}", mistake.line, mistake.column, mistake.message),
                    "write SQL that PostgreSQL takes, as `pg_dump --schema-only` does",
                );
            }
        }
    }
}

/// Which stage each change was at when its files were last written.
fn read_committed(
    declaration: &Declaration,
    context: &Context<'_>,
    read_files: &mut Vec<PathBuf>,
    errors: &mut Errors,
) -> Committed {
    let folder = context.manifest_dir.join(MIGRATIONS);
    if !context.writes_migrations && !folder.is_dir() {
        return Committed::Unknown;
    }
    let mut stages = BTreeMap::new();
    for change in &declaration.changes {
        let file = folder.join(&change.name.text).join("change.toml");
        match fs::read_to_string(&file) {
            Ok(text) => {
                match stage_of(&text) {
                    Some(stage) => {
                        stages.insert(change.name.text.clone(), stage);
                    }
                    None => errors.push(
                        Diagnostic::new(
                            change.name.span,
                            format!("{} does not say at which stage the change is", display(&file, context)),
                        )
                        .help("restore the file from version control; it is written by `cargo build` and not edited"),
                    ),
                }
                read_files.push(file);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => errors.push(Diagnostic::new(
                change.name.span,
                format!("{} cannot be read: {error}", display(&file, context)),
            )),
        }
    }
    Committed::Stages(stages)
}

fn stage_of(change_toml: &str) -> Option<Stage> {
    let table = toml::de::DeTable::parse(change_toml).ok()?;
    Stage::from_name(table.get_ref().get("stage")?.get_ref().as_str()?)
}

fn display(path: &Path, context: &Context<'_>) -> String {
    path.strip_prefix(context.manifest_dir).unwrap_or(path).display().to_string()
}
