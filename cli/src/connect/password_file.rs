//! Passwords from files: libpq's `~/.pgpass`, and a file with nothing else.

use std::fs;
use std::path::Path;

use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Whose password is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    pub host: &'a str,
    pub port: &'a str,
    pub database: &'a str,
    pub user: &'a str,
}

/// The first line of a file that holds the password and nothing else.
pub(crate) fn whole_file(path: &Path) -> Result<String> {
    let text =
        fs::read_to_string(path).map_err(|error| Failure::file(Exit::Usage, "read the password file", path, &error))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(Failure::new(Exit::Usage, format!("the password file {} is empty", path.display()))),
    }
}

/// The password in a file such as `~/.pgpass`; `None` where the file, or a line for this database, is not there. As in libpq, a file that
/// others may read is not used; the second value then says so.
pub(crate) fn passfile(path: &Path, whose: Whose) -> (Option<String>, Option<String>) {
    let Ok(metadata) = fs::metadata(path) else { return (None, None) };
    if !metadata.is_file() || others_may_read(&metadata) {
        let warning = format!("{} is not used: others may read it; run `chmod 600` on it", path.display());
        return (None, Some(warning));
    }
    let text = fs::read_to_string(path).unwrap_or_default();
    (text.lines().find_map(|line| password(line, whose)), None)
}

#[cfg(unix)]
fn others_may_read(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_read(_: &fs::Metadata) -> bool {
    false
}

/// The password of a line `host:port:database:user:password` that is meant for this database.
fn password(line: &str, whose: Whose) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let (fields, password) = fields(line)?;
    let wanted = [whose.host, whose.port, whose.database, whose.user];
    let fits = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    (fits && !password.is_empty()).then_some(password)
}

/// The first four fields and the password; a backslash takes the next character as it is.
fn fields(line: &str) -> Option<([String; 4], String)> {
    let mut fields: [String; 5] = Default::default();
    let mut current = 0;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => fields[current].extend(characters.next()),
            ':' if current < 4 => current += 1,
            character => fields[current].push(character),
        }
    }
    let [host, port, database, user, password] = fields;
    (current == 4).then_some(([host, port, database, user], password))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: Whose = Whose { host: "db.example", port: "5432", database: "shop", user: "ann" };

    #[test]
    fn lines() {
        for (line, expected) in [
            ("db.example:5432:shop:ann:secret", Some("secret")),
            ("*:*:*:*:with:colon", Some("with:colon")),
            (r"*:*:*:*:a\:b\\c", Some(r"a:b\c")),
            ("db.example:5433:shop:ann:secret", None),
            ("#db.example:5432:shop:ann:secret", None),
            ("db.example:5432:shop:ann", None),
            ("", None),
        ] {
            assert_eq!(password(line, WHOSE).as_deref(), expected, "{line}");
        }
    }
}
