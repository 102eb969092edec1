//! What the measurements share: their arguments, a server that is set up as a real one, and medians.
#![allow(dead_code, reason = "each measurement uses a part of it")]

pub mod orders;
pub mod page;
pub mod plot;

use std::sync::OnceLock;

use coexist::sandbox::{Database, Sandbox};

/// What differs from the server's defaults. The sandbox itself does not wait for the disk; here that counts.
pub const SETTINGS: &[(&str, &str)] =
    &[("fsync", "on"), ("shared_buffers", "1GB"), ("max_wal_size", "16GB"), ("checkpoint_timeout", "30min")];

/// `--rows 10000,1000000`, `--rounds 3`, `--write`, and names.
pub struct Arguments {
    /// What is to be measured; none means all.
    names: Vec<String>,
    pub rows: Vec<u64>,
    pub rounds: usize,
    /// Writes the results to `docs/performance.md`, besides printing them.
    pub write: bool,
}

impl Arguments {
    /// With these where nothing is said.
    pub fn parse(rows: &[u64], rounds: usize) -> Self {
        let mut parsed = Self { names: Vec::new(), rows: rows.to_vec(), rounds, write: false };
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} takes a value"));
            match argument.as_str() {
                "--rows" => {
                    parsed.rows = value().split(',').map(|rows| rows.parse().expect("a number of rows")).collect()
                }
                "--rounds" => parsed.rounds = value().parse().expect("a number of rounds"),
                "--write" => parsed.write = true,
                other if other.starts_with('-') => panic!("{other}: there are --rows, --rounds and --write"),
                _ => parsed.names.push(argument),
            }
        }
        parsed
    }

    /// Whether what has this name is to be measured.
    pub fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

/// The server of this process.
pub fn server() -> &'static Sandbox {
    static SERVER: OnceLock<Sandbox> = OnceLock::new();
    SERVER.get_or_init(|| {
        let builder = SETTINGS.iter().fold(Sandbox::builder(), |builder, (name, value)| builder.setting(*name, *value));
        builder.start().unwrap()
    })
}

/// A fresh database in it, with these statements run and everything on disk.
pub fn database(hint: &str, statements: &[&str]) -> Database {
    let database = server().database(hint).unwrap();
    let mut client = database.connect().unwrap();
    for sql in statements.iter().filter(|sql| !sql.is_empty()) {
        client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    settle(&database);
    database
}

/// Vacuums, analyzes, and writes everything to disk.
pub fn settle(database: &Database) {
    let mut client = database.connect().unwrap();
    for sql in ["vacuum analyze", "checkpoint"] {
        client.batch_execute(sql).unwrap();
    }
}

/// The middle one.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// `1.5 s`, `3.2 ms`.
pub fn time(seconds: f64) -> String {
    if seconds >= 1.0 { format!("{seconds:.1} s") } else { format!("{:.2} ms", seconds * 1000.0) }
}

/// `10 k`, `1 M`.
pub fn count(rows: u64) -> String {
    match rows {
        1_000_000.. => format!("{} M", rows as f64 / 1e6),
        1000.. => format!("{} k", rows as f64 / 1e3),
        _ => rows.to_string(),
    }
}
