//! What no change between two tables can do yet, for each of them.

use super::Case;
use crate::testing::snapshot;

/// A table, and one that references it.
fn mistakes(first: &str, second: &str) -> String {
    let schema = format!(
        "CREATE TABLE users (id int NOT NULL, bio text, day date NOT NULL, PRIMARY KEY (id, day)) {first};
        CREATE TABLE profiles (id int NOT NULL, day date NOT NULL, note text, PRIMARY KEY (id, day),
            FOREIGN KEY (id, day) REFERENCES users) {second};"
    );
    Case::with(&schema).mistakes(&[
        "change x { split users into bios { key id, day, move bio } stage expand; }",
        "change x { merge profiles into users { key id, day, move note } stage expand; }",
        "change x { extract bios from users (bio) { key id: bigint, reference bio_id } stage expand; }",
        "change x { move profiles.note to users.note { via profiles.id, day } stage expand; }",
        "change x { move users.bio to profiles.bio { via profiles.id, day, unmatched discard } stage expand; }",
    ])
}

/// A row that moves to another partition is deleted from the one and inserted into the other.
#[test]
fn h47_partitioned_tables() {
    snapshot!(mistakes("PARTITION BY RANGE (day)", "PARTITION BY RANGE (day)"));
}

#[test]
fn h43_row_level_security() {
    let enable = |table: &str| format!("; ALTER TABLE {table} ENABLE ROW LEVEL SECURITY");
    snapshot!(mistakes(&enable("users"), &enable("profiles")));
}
