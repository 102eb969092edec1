//! `docs/preflight.md` lists every finding, as it is.

use coexist::Kind;

#[test]
fn the_book_lists_every_finding() {
    let book = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/preflight.md")).unwrap();
    let rows: Vec<Vec<&str>> = (book.lines().filter(|line| line.starts_with("| `")))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let listed: Vec<(&str, &str, bool)> =
        rows.iter().map(|row| (row[1].trim_matches('`'), row[2], row[3] == "yes")).collect();
    let known: Vec<(&str, &str, bool)> =
        Kind::ALL.iter().map(|kind| (kind.id(), kind.severity().name(), kind.can_be_overridden())).collect();
    assert_eq!(listed, known);
}
