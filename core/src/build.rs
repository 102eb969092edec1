//! What a user's `build.rs` calls: writes the folder `migrations/` from the declaration.

use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use crate::compile::{Compiled, Context, MIGRATIONS, compile};
use crate::plan::Plan;
use crate::render::files::{self, File};
use crate::syntax::source;

/// Set to `1`, it makes a build fail where a file of `migrations/` is stale, and write nothing.
pub const CHECK: &str = "COEXIST_CHECK";

/// Writes `migrations/<change>/` for each change that `source` declares; the whole of a user's `build.rs`:
///
/// ```text
/// fn main() {
///     coexist_core::build("src/migrations.rs");
/// }
/// ```
///
/// `source` is the Rust file with the `migrations!` declaration, from the folder of `Cargo.toml`. Files are only written where their content
/// differs. A declaration with mistakes writes nothing and fails nothing: the macro reports them, at the place where they are.
///
/// With `COEXIST_CHECK=1` nothing is written, and a file that differs fails the build.
///
/// What fails (a file that cannot be read or written, a stale file under `COEXIST_CHECK`) is said on stderr, and ends the process with the
/// exit code 1.
pub fn build(source: impl AsRef<Path>) {
    if let Err(error) = run(source.as_ref()) {
        eprintln!("coexist: {error}");
        process::exit(1);
    }
}

fn run(source: &Path) -> Result<(), GenerateError> {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    println!("cargo:rerun-if-env-changed={CHECK}");
    println!("cargo:rerun-if-changed={}", manifest_dir.join(source).display());
    println!("cargo:rerun-if-changed={}", manifest_dir.join(MIGRATIONS).display());
    let compiled = compile_source(&manifest_dir, source)?;
    for file in &compiled.read_files {
        println!("cargo:rerun-if-changed={}", file.display());
    }
    if !compiled.diagnostics.is_empty() {
        return Ok(());
    }
    let mode = if env::var_os(CHECK).is_some_and(|value| value == "1") { Mode::Check } else { Mode::Write };
    generate(&manifest_dir.join(MIGRATIONS), &compiled.plans, mode).map(drop)
}

/// Compiles the declaration in a Rust file.
///
/// # Errors
///
/// The file cannot be read, or has no declaration in it.
pub fn compile_source(manifest_dir: &Path, source: &Path) -> Result<Compiled, GenerateError> {
    let path = manifest_dir.join(source);
    let text = fs::read_to_string(&path).map_err(|error| GenerateError::Read(path.clone(), error))?;
    let tokens = source::find(&text).map_err(|error| {
        let at = error.span.start();
        GenerateError::Declaration(format!("{}:{}:{}: {}", path.display(), at.line, at.column + 1, error.text()))
    })?;
    // Which types are features of the user's build is for the macro to say: a build script does not know them.
    Ok(compile(tokens, &Context { manifest_dir, missing_feature: &|_| None, writes_migrations: true }))
}

/// What to do with a file whose content differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Write it.
    Write,
    /// Say so, and fail.
    Check,
}

/// Brings the folder of each plan's change up to date. Returns the files that were written or removed.
///
/// # Errors
///
/// A file cannot be read, written or removed; or, in [`Mode::Check`], one differs.
pub fn generate(migrations: &Path, plans: &[Plan], mode: Mode) -> Result<Vec<PathBuf>, GenerateError> {
    let mut changed = Vec::new();
    for plan in plans {
        let folder = migrations.join(&plan.change);
        let files = files::files(plan);
        for file in &files {
            let path = folder.join(file.name);
            let current = match fs::read_to_string(&path) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(GenerateError::Read(path, error)),
            };
            if current.as_deref() == Some(file.text.as_str()) {
                continue;
            }
            match mode {
                Mode::Check => return Err(stale(path, current.as_deref(), file)),
                Mode::Write => write(&folder, &path, &file.text)?,
            }
            changed.push(path);
        }
        for name in files::NAMES.iter().filter(|name| files.iter().all(|file| file.name != **name)) {
            let path = folder.join(name);
            if !path.exists() {
                continue;
            }
            match mode {
                Mode::Check => {
                    return Err(GenerateError::Stale { path, difference: "the file should not be there".to_owned() });
                }
                Mode::Write => fs::remove_file(&path).map_err(|error| GenerateError::Write(path.clone(), error))?,
            }
            changed.push(path);
        }
    }
    Ok(changed)
}

fn write(folder: &Path, path: &Path, text: &str) -> Result<(), GenerateError> {
    fs::create_dir_all(folder).map_err(|error| GenerateError::Write(folder.to_owned(), error))?;
    fs::write(path, text).map_err(|error| GenerateError::Write(path.to_owned(), error))
}

fn stale(path: PathBuf, current: Option<&str>, file: &File) -> GenerateError {
    let difference = match current {
        Some(current) => difference(current, &file.text),
        None => "the file is missing".to_owned(),
    };
    GenerateError::Stale { path, difference }
}

/// The lines from the first to the last that differ, with the old ones before the new ones.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let removed = old_rest.iter().take(old_rest.len() - end).map(|line| format!("-{line}"));
    let added = new_rest.iter().take(new_rest.len() - end).map(|line| format!("+{line}"));
    let lines: Vec<String> = std::iter::once(format!("@@ line {} @@", start + 1)).chain(removed).chain(added).collect();
    lines.join("\n")
}

/// Why `migrations/` could not be brought up to date.
#[derive(Debug)]
#[non_exhaustive]
pub enum GenerateError {
    /// A file or folder cannot be read.
    Read(PathBuf, io::Error),
    /// A file or folder cannot be written or removed.
    Write(PathBuf, io::Error),
    /// The source has no declaration.
    Declaration(String),
    /// A file is not what the declaration makes of it.
    Stale {
        /// Which.
        path: PathBuf,
        /// What differs, `-` as it is, `+` as it should be.
        difference: String,
    },
}

impl std::fmt::Display for GenerateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "{} cannot be read: {error}", path.display()),
            Self::Write(path, error) => write!(
                f,
                "{} cannot be written: {error}\nwhere the sources are read-only, build with {CHECK}=1: then the files are compared and not written",
                path.display()
            ),
            Self::Declaration(text) => f.write_str(text),
            Self::Stale { path, difference } => write!(
                f,
                "{} is stale\n{difference}\nrun `cargo build` without {CHECK}, review the difference, and commit it",
                path.display()
            ),
        }
    }
}

impl std::error::Error for GenerateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read(_, error) | Self::Write(_, error) => Some(error),
            Self::Declaration(_) | Self::Stale { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_what_differs() {
        assert_eq!(difference("a\nb\nc\n", "a\nx\ny\nc\n"), "@@ line 2 @@\n-b\n+x\n+y");
        assert_eq!(difference("a\n", "a\nb\n"), "@@ line 2 @@\n+b");
    }
}
