//! The way to the database: from the options and the environment to open connections.

mod address;
mod password_file;
pub(crate) mod tls;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use coexist::Explained;
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::address::Options;
use self::password_file::Whose;
use self::tls::{Certificates, TlsMode};
use crate::args;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// Looks up a variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A database, and how to connect to it.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    /// Which database this is, in words: `shop at db.example:5432 as ann`.
    pub place: String,
    /// What the user should know about how it was found.
    pub warnings: Vec<String>,
}

impl Server {
    /// A new connection.
    pub fn open(&self) -> std::result::Result<Client, postgres::Error> {
        self.config.connect(self.tls.clone())
    }

    /// A new connection.
    ///
    /// # Errors
    ///
    /// There is none to be had; the failure says to where.
    pub fn connect(&self) -> Result<Client> {
        self.open().map_err(|error| connection_failure(&self.place, &error))
    }
}

/// The database that the options and the environment name.
///
/// # Errors
///
/// They name none, or something in them is wrong.
pub(crate) fn server(args: &args::Connection, environment: Environment) -> Result<Server> {
    named_server(args, environment)?.ok_or_else(|| {
        Failure::new(Exit::Usage, "no database is named")
            .help("give its address, --database-url postgresql://user@host/name, or set DATABASE_URL, or PGHOST and PGDATABASE")
    })
}

/// The database that the options and the environment name; `None` where they name none.
pub(crate) fn named_server(args: &args::Connection, environment: Environment) -> Result<Option<Server>> {
    let address = args.database_url.as_deref().unwrap_or_default();
    let mut options = Options::parse(address).map_err(|error| bad_address(&error))?;
    let mut warnings = Vec::new();
    // The address may also come from the environment, which others cannot read.
    if options.get("password").is_some() && environment("DATABASE_URL").as_deref() != Some(address) {
        warnings.push(
            "a password stands in the arguments, where every user of this machine can read it: give it with PGPASSWORD, ~/.pgpass or --password-file"
                .to_owned(),
        );
    }
    options.fill(environment);
    if options.get("service").is_some() {
        return Err(Failure::new(Exit::Usage, "connection service files (PGSERVICE) are not read")
            .help("unset PGSERVICE, and give the address: --database-url or DATABASE_URL"));
    }
    if ["host", "hostaddr", "dbname"].iter().all(|option| options.get(option).is_none()) && address.is_empty() {
        return Ok(None);
    }

    let home = environment("HOME").map(PathBuf::from);
    let passfile =
        options.take("passfile").map(PathBuf::from).or_else(|| home.as_ref().map(|home| home.join(".pgpass")));
    let mode = tls_mode(args, &mut options)?;
    let certificates = certificates(args, &mut options, home.as_deref())?;
    fill_defaults(&mut options)?;
    if let Some(password) = password(args, &options, passfile.as_deref(), &mut warnings)? {
        options.set("password", password);
    }

    let place = place(&options);
    let mut config: Config =
        options.words_again().parse().map_err(|error: postgres::Error| bad_address(&Explained(&error).to_string()))?;
    let local = !config.get_hosts().is_empty() && config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
    config.ssl_mode(match mode {
        // As in libpq: there is no TLS on a Unix socket, and nobody to hide from.
        _ if local => SslMode::Disable,
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
    });
    // Certificates are not even read where there is no TLS.
    let (mode, certificates) = if config.get_ssl_mode() == SslMode::Disable {
        (TlsMode::Disable, Certificates::default())
    } else {
        (mode, certificates)
    };
    Ok(Some(Server { config, tls: tls::connector(mode, &certificates)?, place, warnings }))
}

fn place(options: &Options) -> String {
    let get = |option| options.get(option).unwrap_or_default();
    let host = options.get("host").or_else(|| options.get("hostaddr")).unwrap_or_default();
    let port = options.get("port").map(|port| format!(":{port}")).unwrap_or_default();
    format!("{} at {host}{port} as {}", get("dbname"), get("user"))
}

fn tls_mode(args: &args::Connection, options: &mut Options) -> Result<TlsMode> {
    let written = options.take("sslmode");
    match (args.sslmode, written) {
        (Some(mode), _) => Ok(mode),
        (None, None) => Ok(TlsMode::Prefer),
        (None, Some(name)) => TlsMode::from_str(&name, false).map_err(|_| {
            Failure::new(Exit::Usage, format!("`{name}` is no sslmode that is known"))
                .help("it is one of disable, prefer, require, verify-ca and verify-full")
        }),
    }
}

fn certificates(args: &args::Connection, options: &mut Options, home: Option<&Path>) -> Result<Certificates> {
    let usual = |name: &str| home.map(|home| home.join(".postgresql").join(name)).filter(|path| path.exists());
    let written = args.tls_root_cert.clone().or_else(|| options.take("sslrootcert").map(PathBuf::from));
    let roots = match written {
        Some(path) if path.as_os_str() == "system" => None,
        written => written.or_else(|| usual("root.crt")),
    };
    let own = match (options.take("sslcert"), options.take("sslkey")) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => usual("postgresql.crt").zip(usual("postgresql.key")),
        _ => {
            return Err(Failure::new(Exit::Usage, "a client's certificate needs both sslcert and sslkey")
                .help("give both in the address, or set both PGSSLCERT and PGSSLKEY"));
        }
    };
    Ok(Certificates { roots, own })
}

/// What libpq does where nothing else is said.
fn fill_defaults(options: &mut Options) -> Result<()> {
    if options.get("host").is_none() && options.get("hostaddr").is_none() {
        let port = options.get("port").unwrap_or("5432").to_owned();
        let socket = ["/var/run/postgresql", "/tmp"]
            .into_iter()
            .find(|folder| cfg!(unix) && Path::new(folder).join(format!(".s.PGSQL.{port}")).exists());
        options.set("host", socket.unwrap_or("localhost"));
    }
    if options.get("user").is_none() {
        let user = whoami::username().map_err(|error| {
            Failure::new(Exit::Usage, format!("no role is named, and the name of this user cannot be found: {error}"))
                .help("name the role in the address, or set PGUSER")
        })?;
        options.set("user", user);
    }
    if options.get("dbname").is_none() {
        let user = options.get("user").unwrap_or_default().to_owned();
        options.set("dbname", user);
    }
    if options.get("connect_timeout").is_none() {
        options.set("connect_timeout", "10");
    }
    if options.get("application_name").is_none() {
        options.set("application_name", "coexist");
    }
    Ok(())
}

fn password(
    args: &args::Connection,
    options: &Options,
    passfile: Option<&Path>,
    warnings: &mut Vec<String>,
) -> Result<Option<String>> {
    if let Some(path) = &args.password_file {
        return password_file::whole_file(path).map(Some);
    }
    let (None, Some(passfile)) = (options.get("password"), passfile) else { return Ok(None) };
    let first = |option| options.get(option).unwrap_or_default().split(',').next().filter(|value| !value.is_empty());
    let host = match first("host").or_else(|| first("hostaddr")) {
        // libpq's name for its own socket.
        Some("/var/run/postgresql" | "/tmp") | None => "localhost",
        Some(host) => host,
    };
    let whose = Whose {
        host,
        port: first("port").unwrap_or("5432"),
        database: first("dbname").unwrap_or_default(),
        user: first("user").unwrap_or_default(),
    };
    let (password, warning) = password_file::passfile(passfile, whose);
    warnings.extend(warning);
    Ok(password)
}

fn bad_address(error: &str) -> Failure {
    Failure::new(Exit::Usage, format!("the address of the database cannot be read: {error}"))
        .help("an address looks like postgresql://user@host:5432/name, or like host=… dbname=… user=…")
}

/// A connection that could not be opened, with what to do about the usual reasons.
fn connection_failure(place: &str, error: &postgres::Error) -> Failure {
    let text = Explained(error).to_string();
    let help = if error.code() == Some(&SqlState::INVALID_PASSWORD) || text.contains("password missing") {
        "give the password with PGPASSWORD, ~/.pgpass or --password-file"
    } else if text.contains("UnknownIssuer") || text.contains("BadSignature") {
        "the server's certificate is of an authority that is not trusted: give its certificate with --tls-root-cert FILE"
    } else if text.contains("not valid for name") {
        "the server's certificate is for another name: connect by that name, or trust the authority alone with sslmode=verify-ca"
    } else if text.contains("UnsupportedCertVersion") {
        "the server's certificate is of version 1, which cannot be checked: make one of version 3 (openssl x509 … -extfile), or use sslmode=require without a root certificate"
    } else if text.contains("does not support TLS") {
        "the server has TLS switched off: switch it on there, or use sslmode=prefer"
    } else {
        "see that the address is right, and that the server runs and takes connections from here"
    };
    Failure::new(Exit::Failed, format!("no connection to the database {place}: {text}")).help(help)
}
