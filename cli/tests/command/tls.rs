//! TLS as libpq's `sslmode` has it, and passwords that never stand in the arguments (H84).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use coexist::sandbox::{Database, Sandbox};
use coexist_core::ident::quote_literal;
use postgres::Client;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::plans::rename;
use super::support::{Project, Ran, eventually};

/// A server on a loopback address of its own, which takes connections over TLS alone, and only with a password.
struct Server {
    /// Ends the server when it is dropped.
    _sandbox: Sandbox,
    database: Database,
    address: String,
    authority: CertifiedIssuer<'static, KeyPair>,
    project: Project,
}

impl Server {
    /// With a certificate for `name`; `%` stands for its own address.
    fn with_certificate_for(name: &str) -> Self {
        // Every test process and thread its own, so that nobody meets another one's server.
        static NEXT: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(1);
        let process = std::process::id();
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let address = format!("127.{}.{}.{number}", 1 + process / 250 % 250, 1 + process % 250);
        let sandbox = Sandbox::builder().setting("listen_addresses", &address).start().unwrap();
        let database = sandbox.database("shop").unwrap();
        let mut server = Self {
            database,
            address,
            authority: authority("ours"),
            project: Project::with(&[rename()]),
            _sandbox: sandbox,
        };
        let certificate = server.certificate(&name.replace('%', &server.address));
        server.listen(&certificate);
        server
    }

    /// A certificate of the authority, and its key, as PEM.
    fn certificate(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.authority).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn listen(&mut self, (certificate, key): &(String, String)) {
        let mut admin = self.database.connect().unwrap();
        write(&mut admin, "server.crt", certificate);
        write(&mut admin, "server.key", key);
        write(&mut admin, "pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n");
        for statement in [
            "set password_encryption = 'scram-sha-256'",
            "create role ann login password 'secret'",
            "alter system set ssl = on",
            "select pg_reload_conf()",
        ] {
            admin.batch_execute(statement).unwrap();
        }
        eventually("TLS", || {
            let mut other = self.database.connect().unwrap();
            other.query_one("show ssl", &[]).unwrap().get::<_, String>(0) == "on"
        });
    }

    /// The authority's certificate, in a file.
    fn root(&self) -> PathBuf {
        let path = self.project.path("root.crt");
        fs::write(&path, self.authority.pem()).unwrap();
        path
    }

    fn url(&self, mode: &str) -> String {
        format!("postgres://ann@{}/{}?sslmode={mode}", self.address, self.database.name())
    }

    fn status(&self, mode: &str, environment: &[(&str, &str)], options: &str) -> Ran {
        let mut command = self.project.command(&format!("status {options}"));
        command.env("DATABASE_URL", self.url(mode)).envs(environment.iter().copied());
        Ran::from(command.output().unwrap())
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a file in the server's folder, line by line. The server itself does it, so that the file is its own.
fn write(admin: &mut Client, name: &str, text: &str) {
    let folder: String = admin.query_one("show data_directory", &[]).unwrap().get(0);
    let path = format!("{folder}/{name}");
    let (text, target) = (quote_literal(text.trim_end()), quote_literal(&path));
    admin.batch_execute(&format!("copy (select unnest(string_to_array({text}, E'\\n'))) to {target}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

const PASSWORD: (&str, &str) = ("PGPASSWORD", "secret");

#[test]
fn modes_that_trust_anybody() {
    let server = Server::with_certificate_for("elsewhere.example");
    server.status("prefer", &[PASSWORD], "").ends_with(0);
    server.status("require", &[PASSWORD], "").ends_with(0);
    server.status("disable", &[PASSWORD], "").ends_with(1).says("no pg_hba.conf entry");
    // The option comes before the address.
    server.status("require", &[PASSWORD], "--sslmode disable").ends_with(1);
}

#[test]
fn an_authority_that_is_not_trusted() {
    let server = Server::with_certificate_for("%");
    for mode in ["verify-ca", "verify-full"] {
        let stranger = server.project.path("stranger.crt");
        fs::write(&stranger, authority("a stranger").pem()).unwrap();
        let option = format!("--tls-root-cert {}", stranger.display());
        server.status(mode, &[PASSWORD], &option).ends_with(1).says("UnknownIssuer").says("--tls-root-cert");
    }
}

#[test]
fn an_authority_that_is_trusted() {
    let server = Server::with_certificate_for("%");
    let root = server.root();
    let option = format!("--tls-root-cert {}", root.display());
    for mode in ["require", "verify-ca", "verify-full"] {
        server.status(mode, &[PASSWORD], &option).ends_with(0);
        server.status(mode, &[PASSWORD, ("PGSSLROOTCERT", root.to_str().unwrap())], "").ends_with(0);
    }
}

#[test]
fn a_certificate_for_another_name() {
    let server = Server::with_certificate_for("elsewhere.example");
    let option = format!("--tls-root-cert {}", server.root().display());
    server.status("verify-ca", &[PASSWORD], &option).ends_with(0);
    server.status("verify-full", &[PASSWORD], &option).ends_with(1).says("not valid for name").says("verify-ca");
}

#[test]
fn a_file_without_a_certificate() {
    let server = Server::with_certificate_for("%");
    server.status("verify-full", &[PASSWORD], "--tls-root-cert none").ends_with(2).says("in none: ");
    fs::write(server.project.path("empty"), "").unwrap();
    server
        .status("verify-full", &[PASSWORD], "--tls-root-cert empty")
        .ends_with(2)
        .says("no certificate of an authority");
}

#[test]
fn a_server_without_tls() {
    let server = Server::with_certificate_for("%");
    let mut admin = server.database.connect().unwrap();
    write(&mut admin, "pg_hba.conf", "local all all trust\nhost all all 127.0.0.0/8 scram-sha-256\n");
    admin.batch_execute("alter system set ssl = off").unwrap();
    admin.batch_execute("select pg_reload_conf()").unwrap();
    eventually("no TLS", || {
        server.database.connect().unwrap().query_one("show ssl", &[]).unwrap().get::<_, String>(0) == "off"
    });
    server.status("require", &[PASSWORD], "").ends_with(1).says("the server has TLS switched off");
    server.status("prefer", &[PASSWORD], "").ends_with(0);
}

#[test]
fn h84_passwords_from_everywhere_but_the_arguments() {
    let server = Server::with_certificate_for("%");
    server
        .status("require", &[], "")
        .ends_with(1)
        .says("give the password with PGPASSWORD, ~/.pgpass or --password-file");
    server.status("require", &[("PGPASSWORD", "wrong")], "").ends_with(1).says("password authentication failed");

    fs::write(server.project.path("password"), "secret\n").unwrap();
    server.status("require", &[("PGPASSWORD", "wrong")], "--password-file password").ends_with(0);

    let home = server.project.path("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".pgpass"), format!("{}:5432:*:ann:secret\n", server.address)).unwrap();
    fs::set_permissions(home.join(".pgpass"), fs::Permissions::from_mode(0o600)).unwrap();
    server.status("require", &[("HOME", home.to_str().unwrap())], "").ends_with(0);
}
