//! The page that the measurements write: a section for each, with its goals.

use std::fs;
use std::path::{Path, PathBuf};

use super::{SETTINGS, server};

/// Results of one measurement, as Markdown.
#[derive(Default)]
pub struct Section {
    text: String,
    goals: Vec<[String; 4]>,
}

impl Section {
    pub fn line(&mut self, line: impl AsRef<str>) {
        println!("{}", line.as_ref());
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// The head of a table: columns of text are given with a trailing space, all others hold numbers.
    pub fn head(&mut self, columns: &[&str]) {
        self.line("");
        let rule: Vec<&str> = columns.iter().map(|column| if column.ends_with(' ') { "---" } else { "--:" }).collect();
        self.row(&columns.iter().map(|column| column.trim_end().to_owned()).collect::<Vec<_>>());
        self.line(format!("|{}|", rule.join("|")));
    }

    pub fn row(&mut self, cells: &[String]) {
        self.line(format!("| {} |", cells.join(" | ")));
    }

    /// A value that should be at most, or at least, another one.
    pub fn goal(&mut self, what: impl Into<String>, measured: f64, wanted: Wanted) {
        let (wanted, met) = match wanted {
            Wanted::AtMost(limit) => (format!("at most {limit}"), measured <= limit),
            Wanted::AtLeast(limit) => (format!("at least {limit}"), measured >= limit),
        };
        let met = if met { "met" } else { "**missed**" };
        self.goals.push([what.into(), wanted, format!("{measured:.2}"), met.to_owned()]);
    }

    pub fn picture(&mut self, name: &str, title: &str, svg: &str, write: bool) {
        if write {
            let folder = docs().join("performance");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{name}.svg")), svg).unwrap();
        }
        self.line(format!("\n![{title}](performance/{name}.svg)"));
    }

    /// Ends it with the goals; `write` puts it between its marks in `docs/performance.md`.
    pub fn end(mut self, name: &str, write: bool) {
        if !self.goals.is_empty() {
            self.head(&["goal ", "wanted ", "measured", " "]);
            for goal in std::mem::take(&mut self.goals) {
                self.row(&goal);
            }
        }
        self.line(format!("\n{}", machine()));
        if write {
            let path = docs().join("performance.md");
            let page = fs::read_to_string(&path).unwrap();
            let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
            let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{begin} is not in the page"));
            let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{end} is not in the page"));
            fs::write(&path, format!("{before}{begin}{}\n{end}{after}", self.text)).unwrap();
        }
    }
}

/// What a goal says.
#[derive(Clone, Copy)]
pub enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Where it was measured.
fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let settings: Vec<String> = SETTINGS.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!(
        "PostgreSQL {}, {processors} processors ({}), memory {}, data on {}; {}; all else as it comes.",
        server().version(),
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal"),
        file_system(server().socket_dir()),
        settings.join(", ")
    )
}

/// The kind of file system that holds `folder`.
fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let of_folder = mounts.filter(|(point, _)| folder.starts_with(point));
    of_folder.max_by_key(|(point, _)| point.len()).map_or("an unknown file system", |(_, kind)| kind).to_owned()
}
