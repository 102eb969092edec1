//! A pooler between a test and its server.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coexist::sandbox::Sandbox;
use postgres::{Client, NoTls};

/// A pgbouncer of one's own; it ends with this value.
pub struct Pooler {
    process: Child,
    folder: tempfile::TempDir,
    database: String,
}

impl Pooler {
    /// `None` where there is none on this machine.
    pub fn start(database: &str, mode: &str, size: u32) -> Option<Self> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = program.into_iter().map(PathBuf::from).find(|path| path.exists());
        let Some(program) = program else {
            eprintln!("skipped: pgbouncer is not installed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pooler").tempdir().unwrap();
        let path = folder.path().display();
        let settings = format!(
            "[databases]\n* = host={} port=5432 user=postgres\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {path}\nlisten_port = 6432\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = {size}\nmax_client_conn = 50\nignore_startup_parameters = extra_float_digits\n",
            Sandbox::shared().unwrap().socket_dir().display()
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::File::create(&file).unwrap().write_all(settings.as_bytes()).unwrap();
        let mut command = Command::new(program);
        // It refuses to run as root.
        if rustix::process::geteuid().is_root() {
            let all = |path: &std::path::Path| {
                std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
            };
            all(folder.path());
            command.args(["-u", "nobody"]);
        }
        let process =
            command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let pooler = Self { process, folder, database: database.to_string() };
        let begun = Instant::now();
        while Client::connect(&pooler.address(), NoTls).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(120), "the pooler never answered");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(pooler)
    }

    pub fn address(&self) -> String {
        format!("host={} port=6432 user=postgres dbname={}", self.folder.path().display(), self.database)
    }

    /// A session of the application's.
    pub fn connect(&self) -> Client {
        Client::connect(&self.address(), NoTls).unwrap()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
