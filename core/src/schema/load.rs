//! Reads a schema from SQL: what `pg_dump --schema-only` writes, and what people write in the same language.
//!
//! A schema is read statement by statement from a flat list of tokens. A syntax tree of the whole would say more than is needed here,
//! and takes five times as long, in every build of every user; trees are made only where nothing else will do (see [`crate::sql`]).
//!
//! A statement that is SQL but says something that is not modelled is kept as [`OpaqueStatement`].

mod alter_table;
mod column;
mod comment;
mod constraint;
mod cursor;
mod data_type;
mod drop;
mod expression;
mod file;
mod finish;
mod index;
mod like;
mod loader;
mod names;
mod partition;
mod privileges;
mod publication;
mod rename;
mod routine;
mod sequence;
mod settings;
mod source;
mod statement;
mod statistics;
mod table;
mod trigger;
mod types;
mod view;

use std::fmt;

pub use self::file::{LoadFileError, load_file};

use self::cursor::Cursor;
use self::loader::Loader;
use self::source::{Source, split};
use self::statement::Outcome;
use super::{OpaqueStatement, Schema};
use crate::sql::{token, tree};

/// A place where the text of a schema is not SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// 1-based.
    pub line: u32,
    /// In characters, 1-based.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

/// `line:column: message`.
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for LoadError {}

/// Reads a schema. `source` is what messages call the text.
///
/// # Errors
///
/// Every statement that is no SQL, at the place where it stops being one.
pub fn load(source: &str, sql: &str) -> Result<Schema, Vec<LoadError>> {
    // Places are kept in 32 bits.
    if u32::try_from(sql.len()).is_err() {
        let message = "the schema is longer than 4 GiB".to_owned();
        return Err(vec![LoadError { line: 1, column: 1, message }]);
    }
    read(Loader::new(source), sql)
}

/// The statements of a text, each without the `;` behind it.
///
/// # Errors
///
/// A string, quoted name or comment that does not end.
pub fn statements(sql: &str) -> Result<Vec<String>, Vec<LoadError>> {
    let source = Source::new(sql);
    let statements = split(&source).map_err(|error| vec![error])?;
    let tokens = statements.ranges.into_iter().map(|range| statements.tokens.get(range).unwrap_or_default());
    Ok(tokens.map(|tokens| Cursor::new(&source, tokens).text().to_owned()).collect())
}

/// Reads more statements into a schema.
///
/// # Errors
///
/// As [`load`].
pub fn extend(schema: Schema, sql: &str) -> Result<Schema, Vec<LoadError>> {
    read(Loader::on(schema), sql)
}

fn read(mut loader: Loader, sql: &str) -> Result<Schema, Vec<LoadError>> {
    let source = Source::new(sql);
    let statements = split(&source).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    for range in statements.ranges {
        let tokens = statements.tokens.get(range).unwrap_or_default();
        let statement = Cursor::new(&source, tokens);
        let text = statement.text();
        match statement::read(statement, &mut loader) {
            Ok(Outcome::Understood) => {}
            Ok(Outcome::Opaque) => loader.schema.opaque.push(opaque(text, statement.line())),
            // It may be right all the same: there is more in SQL than is read here.
            Err(_) if tree::is_sql(text) == Some(true) => loader.schema.opaque.push(opaque(text, statement.line())),
            Err(unexpected) => errors.push(source.error(unexpected.at, unexpected.message)),
        }
    }
    if errors.is_empty() { Ok(finish::finish(loader)) } else { Err(errors) }
}

/// A statement that is kept as it is.
fn opaque(text: &str, line: u32) -> OpaqueStatement {
    OpaqueStatement { text: text.to_owned(), identifiers: token::names(text), line }
}
