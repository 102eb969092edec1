//! `docs/evidence.md` names tests: each of them is there.
#![allow(clippy::unwrap_used, reason = "a test says by a panic that it fails")]

use std::path::Path;

#[test]
fn every_test_that_the_book_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let book = std::fs::read_to_string(root.join("docs/evidence.md")).unwrap();
    let mut named = 0;
    for row in book.lines().filter(|line| line.starts_with("| ")) {
        let evidence = row.rsplit('|').nth(1).unwrap();
        let mut file = String::new();
        // In code, between the other pieces: a file, then the tests in it.
        for code in evidence.split('`').skip(1).step_by(2) {
            if code.ends_with(".rs") {
                file = std::fs::read_to_string(root.join(code)).unwrap_or_default();
                assert!(!file.is_empty(), "{code} is not there");
            } else {
                assert!(file.contains(&format!("fn {code}(")), "there is no test {code}: {row}");
            }
            named += 1;
        }
    }
    assert!(named > 100, "{named}");
}
