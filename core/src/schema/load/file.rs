//! Schema files, each read once per process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fmt, fs, io};

use super::{LoadError, load};
use crate::schema::Schema;

/// A schema file that cannot be had.
#[derive(Debug)]
pub enum LoadFileError {
    /// There is no such file.
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is not in UTF-8.
    NotUtf8 {
        /// Where it is.
        path: PathBuf,
        /// The line of the first byte that is wrong, 1-based.
        line: u32,
    },
    /// The file is not SQL.
    Invalid {
        /// Where it is.
        path: PathBuf,
        /// Each mistake.
        errors: Vec<LoadError>,
    },
}

impl fmt::Display for LoadFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "there is no schema file `{}`", path.display()),
            Self::Unreadable { path, error } => write!(f, "cannot read the schema file `{}`: {error}", path.display()),
            Self::NotUtf8 { path, line } => {
                write!(f, "the schema file `{}` is not in UTF-8, first at line {line}", path.display())
            }
            Self::Invalid { path, errors } => {
                let lines = errors.iter().map(|error| format!("{}:{error}", path.display()));
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

impl std::error::Error for LoadFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// What a file was when it was read: it is read again when one of these differs.
#[derive(Clone, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
}

/// A declaration is expanded by one process and a language server expands for days: both read a file once as long as it stays the same.
static CACHE: Mutex<BTreeMap<PathBuf, (Version, Arc<Schema>)>> = Mutex::new(BTreeMap::new());

/// Reads a schema file, or returns what was read before if the file is still the same.
///
/// # Errors
///
/// The file is missing, cannot be read, or is not SQL.
pub fn load_file(path: &Path) -> Result<Arc<Schema>, LoadFileError> {
    let cannot_read = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => LoadFileError::Missing { path: path.to_owned() },
        _ => LoadFileError::Unreadable { path: path.to_owned(), error },
    };
    // Held while the file is parsed: whoever asks at the same time wants the same thing.
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let metadata = fs::metadata(path).map_err(cannot_read)?;
    let version = Version { modified: metadata.modified().ok(), length: metadata.len() };
    if let Some((known, schema)) = cache.get(path)
        && *known == version
    {
        return Ok(Arc::clone(schema));
    }
    let bytes = fs::read(path).map_err(cannot_read)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        LoadFileError::NotUtf8 { path: path.to_owned(), line }
    })?;
    // Messages name the file as people speak of it: which folder it is in is clear to who reads them.
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let schema = load(&name, &text).map_err(|errors| LoadFileError::Invalid { path: path.to_owned(), errors })?;
    let schema = Arc::new(schema);
    cache.insert(path.to_owned(), (version, Arc::clone(&schema)));
    Ok(schema)
}
