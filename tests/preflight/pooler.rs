//! A pooler between us and the server.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use coexist::sandbox::Sandbox;
use coexist::{Class, Database, Options, Pace, Runner};

use crate::shop;
use crate::world::eventually;

/// A pgbouncer of one's own; it ends with this value.
struct Pooler {
    process: Child,
    folder: tempfile::TempDir,
    database: String,
}

impl Pooler {
    /// `None` where there is none on this machine.
    fn start(database: &str, mode: &str, size: u32) -> Option<Self> {
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
        eventually("the pooler answers", || pooler.address().is_some());
        Some(pooler)
    }

    /// `None` while nobody answers there.
    fn address(&self) -> Option<Database> {
        let address = format!("host={} port=6432 user=postgres dbname={}", self.folder.path().display(), self.database);
        postgres::Client::connect(&address, postgres::NoTls).ok()?;
        Database::at(&address).ok()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn h77_a_pooler_that_shares_processes_is_found() {
    let (world, plan) = shop("pooled");
    for (mode, size, found) in [("session", 20, false), ("transaction", 20, true), ("transaction", 1, true)] {
        let Some(pooler) = Pooler::start(world.database.name(), mode, size) else { return };
        let mut runner = Runner::new(pooler.address().unwrap(), Options::default()).unwrap();
        let findings = runner.check(&plan).unwrap();
        assert_eq!(findings.iter().any(|finding| finding.kind.id() == "pooler"), found, "{mode}, {size}: {findings:?}");
        if found {
            let refused = runner.up(&plan, &Pace::default()).unwrap_err();
            assert_eq!(refused.class(), Class::Refused, "{refused}");
            assert!(!world.value::<bool>("select to_regnamespace('coexist') is not null"), "nothing was touched");
        }
    }
}
