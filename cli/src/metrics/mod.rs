//! Metrics for Prometheus: in a file, or over HTTP on this machine alone.

mod text;

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use coexist::Runner;
use tempfile::NamedTempFile;
use tiny_http::{Header, Method, Request, Response};

use crate::args;
use crate::commands::status::{STALE, gather};
use crate::commands::{Context, run};
use crate::connect::Server;
use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// How often a file is replaced.
const EVERY: Duration = Duration::from_secs(5);

/// How often to see whether it is over.
const MOMENT: Duration = Duration::from_millis(100);

/// Who gets metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receiver {
    File(PathBuf),
    Address(SocketAddr),
}

impl Receiver {
    /// An address and port, or else the name of a file.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let local =
            "metrics say what a database is doing, and are given to this machine alone: 127.0.0.1:PORT or [::1]:PORT";
        let with_address = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        match with_address.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::Address(address)),
            Ok(_) => Err(local.to_owned()),
            Err(_) => {
                let port = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
                if port.is_some_and(|(host, _)| !host.contains('/')) {
                    Err(local.to_owned())
                } else {
                    Ok(Self::File(text.into()))
                }
            }
        }
    }
}

/// Threads that give metrics away, each with a session of its own, until this is dropped.
pub(crate) struct Exporter {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Exporter {
    /// # Errors
    ///
    /// There is no connection to be had, the file cannot be written, or the address is taken.
    pub fn start(context: &Context, server: &Server, args: &args::Metrics) -> Result<Self> {
        let mut exporter = Self { over: Arc::default(), threads: Vec::new() };
        for receiver in &args.metrics {
            let source = Source { folder: context.common.folder().to_owned(), runner: run::looking(server.clone())? };
            exporter.give(receiver, source)?;
        }
        Ok(exporter)
    }

    fn give(&mut self, receiver: &Receiver, mut source: Source) -> Result<()> {
        let over = Arc::clone(&self.over);
        let thread = match receiver {
            Receiver::File(path) => {
                let path = path.clone();
                // The first time here, so that a failure ends the command.
                replace(&path, &source.text()).map_err(|error| Failure::file(Exit::Failed, "write", &path, &error))?;
                spawn(move || keep_replacing(&path, &mut source, &over))
            }
            Receiver::Address(address) => {
                let listening = tiny_http::Server::http(address).map_err(|error| {
                    Failure::new(Exit::Failed, format!("metrics cannot be given at {address}: {error}"))
                        .help("give another port: --metrics 127.0.0.1:PORT")
                })?;
                spawn(move || keep_answering(&listening, &mut source, &over))
            }
        };
        let failed = |error| Failure::new(Exit::Failed, format!("no thread can be started: {error}"));
        self.threads.push(thread.map_err(failed)?);
        Ok(())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A panic in it has been printed already.
            let _ = thread.join();
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("coexist metrics".into()).spawn(work)
}

/// Where the numbers come from: the ledger, which has them from all processes, and keeps them from one run to the next.
struct Source {
    folder: PathBuf,
    runner: Runner,
}

impl Source {
    fn text(&mut self) -> String {
        text::render(gather(&self.folder, &mut self.runner, STALE).ok().as_deref())
    }
}

fn keep_replacing(path: &Path, source: &mut Source, over: &AtomicBool) {
    let mut replaced = Instant::now();
    loop {
        let last = over.load(Ordering::Relaxed);
        if last || replaced.elapsed() >= EVERY {
            // Metrics are no reason to end: who reads them sees that they are old.
            let _ = replace(path, &source.text());
            replaced = Instant::now();
        }
        if last {
            return;
        }
        std::thread::sleep(MOMENT);
    }
}

/// Whoever reads the file finds all of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    readable_by_all(file.path())?;
    file.persist(path)?;
    Ok(())
}

/// Who collects metrics is another user as a rule.
fn readable_by_all(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    #[cfg(not(unix))]
    let _ = fs::metadata(path)?;
    Ok(())
}

fn keep_answering(listening: &tiny_http::Server, source: &mut Source, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if let Ok(Some(request)) = listening.recv_timeout(MOMENT) {
            // Who does not wait for the answer needs none.
            let _ = answer(request, source);
        }
    }
}

fn answer(request: Request, source: &mut Source) -> io::Result<()> {
    let plain = |text: &str, code: u16| Response::from_string(text).with_status_code(code);
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(plain("only GET\n", 405));
    }
    let path = request.url().split('?').next().unwrap_or_default();
    if path != "/metrics" {
        return request.respond(plain("metrics are at /metrics\n", 404));
    }
    let mut response = plain(&source.text(), 200);
    if let Ok(kind) = Header::from_bytes("Content-Type", text::CONTENT_TYPE) {
        response.add_header(kind);
    }
    request.respond(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_given_metrics() {
        let address = |text: &str| Ok(Receiver::Address(text.parse().unwrap()));
        assert_eq!(Receiver::parse("127.0.0.1:9187"), address("127.0.0.1:9187"));
        assert_eq!(Receiver::parse("localhost:9187"), address("127.0.0.1:9187"));
        assert_eq!(Receiver::parse("[::1]:9187"), address("[::1]:9187"));
        for elsewhere in ["0.0.0.0:9187", "[::]:9187", "192.0.2.1:80", "db.example:9187", ":9187"] {
            assert!(Receiver::parse(elsewhere).is_err(), "{elsewhere}");
        }
        for file in ["metrics.prom", "/var/lib/node_exporter/coexist.prom", "./a:1", "a:b"] {
            assert_eq!(Receiver::parse(file), Ok(Receiver::File(file.into())));
        }
    }
}
