//! Finding the programs of a PostgreSQL server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;
use super::error::Error;
use super::supervisor::{as_account, output_of};

/// The environment variable that names the folder of the server binaries.
pub(super) const BIN_DIR_VARIABLE: &str = "COEXIST_PG_BIN";

const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Where packages and installers put server binaries. A `*` stands for anything in one part of the path.
const USUAL_FOLDERS: [&str; 7] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/opt/postgresql*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

#[derive(Clone, Debug)]
pub(super) struct Binaries {
    pub(super) bin_dir: PathBuf,
    pub(super) major: u32,
}

/// One place that was looked at and why it would not do, for the error.
#[derive(Clone, Debug)]
pub struct Miss {
    place: String,
    reason: String,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl Binaries {
    /// The first that will do of: the folder asked for, [`BIN_DIR_VARIABLE`], `PATH`, the usual folders (newest first).
    ///
    /// A folder that was named must do: another one in its place would be a surprise.
    pub(super) fn find(
        named: Option<&Path>,
        wanted_major: Option<u32>,
        account: Option<&Account>,
    ) -> Result<Self, Error> {
        let from_variable = std::env::var_os(BIN_DIR_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let mut misses = Vec::new();
        let mut probe = |place: String, folder: &Path| {
            let found = Self::at(folder, account).and_then(|found| match wanted_major {
                Some(wanted) if found.major != wanted => Err(format!("has version {}", found.major)),
                _ => Ok(found),
            });
            found.map_err(|reason| misses.push(Miss { place, reason })).ok()
        };

        let found = if let Some(folder) = named {
            probe(folder.display().to_string(), folder)
        } else if let Some(folder) = from_variable {
            probe(format!("{BIN_DIR_VARIABLE}={}", folder.display()), &folder)
        } else {
            (folders_on_path().into_iter())
                .chain(USUAL_FOLDERS.iter().flat_map(|pattern| matching_folders(pattern)))
                .find_map(|folder| probe(folder.display().to_string(), &folder))
        };
        found.ok_or(Error::NoBinaries { wanted_major, misses })
    }

    fn at(folder: &Path, account: Option<&Account>) -> Result<Self, String> {
        // Absolute, because the server has another working directory; and links followed, because the server looks for
        // its libraries and extensions next to itself.
        let bin_dir = folder.canonicalize().map_err(|error| error.to_string())?;
        let absent: Vec<_> = PROGRAMS.into_iter().filter(|program| !bin_dir.join(program).is_file()).collect();
        if !absent.is_empty() {
            return Err(format!("has no {}", absent.join(", no ")));
        }
        let output = as_account(&mut Command::new(bin_dir.join("postgres")), account)
            .arg("--version")
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| match account {
                Some(account) => format!("cannot be run by the user {}: {error}", account.name),
                None => format!("cannot be run: {error}"),
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let major = major_version(&text).ok_or_else(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("`postgres --version` says {:?}", format!("{text}{errors}").trim())
        })?;
        Ok(Self { bin_dir, major })
    }
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `… 18beta1` or `… 17devel`.
fn major_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

/// The folders that `PATH` leads to: by `pg_config`, which knows where its siblings were installed, and by each server
/// program, which may be a link into the folder that has all of them.
fn folders_on_path() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = output_of("pg_config", &["--bindir"]).into_iter().map(PathBuf::from).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    for program in ["postgres", "initdb"] {
        for link in std::env::split_paths(&path).map(|folder| folder.join(program)) {
            if let Some(folder) = link.canonicalize().ok().as_deref().and_then(Path::parent)
                && !folders.iter().any(|known| known == folder)
            {
                folders.push(folder.to_owned());
            }
        }
    }
    folders
}

/// The folders that match a pattern with at most one `*`, the highest version first. The pattern itself when there are
/// none, so that the error says that it was looked at.
fn matching_folders(pattern: &str) -> Vec<PathBuf> {
    let found = || {
        let (before, after) = pattern.split_once('*')?;
        let (parent, prefix) = before.rsplit_once('/')?;
        let mut names: Vec<_> = (std::fs::read_dir(parent).ok()?)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort_by_key(|name| std::cmp::Reverse(version_in(name)));
        Some(names.iter().map(|name| PathBuf::from(format!("{parent}/{name}{after}"))).collect::<Vec<_>>())
    };
    found().filter(|folders| !folders.is_empty()).unwrap_or_else(|| vec![pattern.into()])
}

/// The numbers in `15`, `pgsql-9.6`, `postgresql@17`, `postgresql` or `latest`. No number stands for the newest, as
/// Homebrew and Postgres.app mean it.
fn version_in(name: &str) -> Vec<u32> {
    let numbers: Vec<u32> =
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    if numbers.is_empty() { vec![u32::MAX] } else { numbers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version("postgres (PostgreSQL) 17devel\n"), Some(17));
        assert_eq!(major_version("sh: not found"), None);
    }

    #[test]
    fn versions_compare_as_numbers() {
        let mut names = ["9.6", "10", "postgresql@17", "latest"];
        names.sort_by_key(|name| std::cmp::Reverse(version_in(name)));
        assert_eq!(names, ["latest", "postgresql@17", "10", "9.6"]);
    }

    #[test]
    fn a_pattern_gives_the_folders_there_are_the_newest_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "17", "15"] {
            std::fs::create_dir_all(root.path().join(version).join("bin")).unwrap();
        }
        let root = root.path().display();
        let expected = ["17", "15", "9.6"].map(|version| PathBuf::from(format!("{root}/{version}/bin")));
        assert_eq!(matching_folders(&format!("{root}/*/bin")), expected);
        assert_eq!(matching_folders(&format!("{root}/none/*")), [PathBuf::from(format!("{root}/none/*"))]);
    }

    #[test]
    fn a_named_folder_without_a_server_is_an_error_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = Binaries::find(Some(folder.path()), None, None).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{}: has no initdb, no pg_ctl, no postgres", folder.path().display())),
            "{error}"
        );
        assert!(error.contains("apt install postgresql"), "{error}");
    }
}
