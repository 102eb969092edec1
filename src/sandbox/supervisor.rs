//! The small shell process that owns a server: it starts, stops and finally removes it.
//!
//! It outlives this process on purpose, if only by a moment: destructors do not run for statics, after Ctrl-C or after
//! `kill -9`, but the kernel closes the pipe in every case, and the end of the pipe is what makes the supervisor clean
//! up.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::account::Account;
use super::error::Error;

const SCRIPT: &str = include_str!("supervisor.sh");

/// The longest path of a Unix socket that every system takes: 104 bytes with the closing NUL on macOS and the BSDs, 108
/// on Linux.
const MAX_SOCKET_PATH_BYTES: usize = 103;

/// What follows the parent folder in the path of the socket.
const SOCKET_PATH_TAIL: &str = "/coexist.XXXXXX/.s.PGSQL.5432";

#[derive(Debug)]
pub(super) struct Supervisor {
    process: Child,
    /// `None` only while the supervisor is told to clean up.
    commands: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// Makes the data directory.
    Init,
    /// Starts the server and waits until it takes connections.
    Start,
    /// Ends every session, writes a checkpoint, and waits for the end of the server.
    Stop,
    /// The same without any clean-up, as in a crash.
    Kill,
}

impl Action {
    fn command(self) -> &'static str {
        match self {
            Self::Init => "init\n",
            Self::Start => "start\n",
            Self::Stop => "stop\n",
            Self::Kill => "kill\n",
        }
    }
}

impl Supervisor {
    /// Starts a supervisor, which makes the folder; there is no server yet.
    pub(super) fn spawn(bin_dir: &Path, account: Option<&Account>) -> Result<Self, Error> {
        let parents = short_folders([std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()]);
        let mut command = Command::new("sh");
        command.arg("-c").arg(SCRIPT).arg("coexist-sandbox").arg(bin_dir).args(&parents);
        let mut process = as_account(&mut command, account)
            .current_dir("/")
            // A group of its own: Ctrl-C in a terminal goes to the whole group of this process.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Not inherited, or whoever reads the output of this process would wait for the supervisor as well.
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Error::Supervisor { source })?;
        let lost = || Error::Supervisor { source: io::ErrorKind::BrokenPipe.into() };
        let commands = process.stdin.take().ok_or_else(lost)?;
        let replies = process.stdout.take().ok_or_else(lost)?;
        let mut supervisor =
            Self { process, commands: Some(commands), replies: BufReader::new(replies), folder: PathBuf::new() };
        match supervisor.reply() {
            Ok(folder) => supervisor.folder = folder.into(),
            Err(_) => return Err(Error::NoFolder { parents, user: account.map(|account| account.name.clone()) }),
        }
        Ok(supervisor)
    }

    /// The folder with the socket, the log and the data directory.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Carries out one action and waits for it. `Ok(false)` when it failed; the log says why.
    pub(super) fn run(&mut self, action: Action) -> Result<bool, Error> {
        let status = self.send(action).and_then(|()| self.reply()).map_err(|source| Error::Supervisor { source })?;
        Ok(status == "0")
    }

    fn send(&mut self, action: Action) -> io::Result<()> {
        let commands = self.commands.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        commands.write_all(action.command().as_bytes())
    }

    fn reply(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.replies.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.commands = None;
        // Whoever drops a sandbox finds it gone. A failure leaves nothing to do: the supervisor is not ours any more.
        let _ = self.process.wait();
    }
}

/// `command` as `account`, without the environment variables that change what PostgreSQL's programs do.
pub(super) fn as_account<'c>(command: &'c mut Command, account: Option<&Account>) -> &'c mut Command {
    for (name, _) in std::env::vars_os() {
        let prefixes: [&[u8]; 3] = [b"PG", b"LC_", b"LANG"];
        if prefixes.iter().any(|prefix| name.as_encoded_bytes().starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Those of `folders` that can hold a socket: short enough, and plain enough to stand in a URL and in a setting as they
/// are.
fn short_folders(folders: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut short = Vec::new();
    for folder in folders {
        let bytes = folder.as_os_str().as_encoded_bytes();
        let plain = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(byte));
        let fits = bytes.len() + SOCKET_PATH_TAIL.len() <= MAX_SOCKET_PATH_BYTES;
        if folder.is_absolute() && plain && fits && !short.contains(&folder) {
            short.push(folder);
        }
    }
    short
}

/// Runs `program` and gives what it prints, trimmed; `None` when it is not there, fails, or prints nothing.
pub(super) fn output_of(program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_socket_path_would_be_too_long_is_passed_over() {
        let long = PathBuf::from(format!("/{}", "x".repeat(MAX_SOCKET_PATH_BYTES - SOCKET_PATH_TAIL.len())));
        let longest = PathBuf::from(format!("/{}", "x".repeat(MAX_SOCKET_PATH_BYTES - SOCKET_PATH_TAIL.len() - 1)));
        assert_eq!(short_folders([long, longest.clone()]), [longest]);
    }

    #[test]
    fn a_folder_that_would_need_quoting_is_passed_over() {
        let folders = ["/tmp/a b", "relative", "/tmp/it's", "/tmp", "/tmp"].map(PathBuf::from);
        assert_eq!(short_folders(folders), [PathBuf::from("/tmp")]);
    }
}
