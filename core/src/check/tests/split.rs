use super::Case;
use crate::testing::snapshot;

#[test]
fn keys_and_moved_columns() {
    snapshot!(Case::shop().mistakes(&[
        "change x { split users into profiles { move bio } stage expand; }",
        "change x { split users into profiles { key user_id } stage expand; }",
        "change x { split users into profiles { key user_id, other_id, move bio } stage expand; }",
        "change x { split users into profiles { key name, move bio } stage expand; }",
        "change x { split users into profiles { key bio, move bio } stage expand; }",
        "change x { split users into profiles { key ctid, move bio } stage expand; }",
        "change x { split users into profiles { key user_id, move id, bio } stage expand; }",
        "change x { split users into profiles { key user_id, move bio, bio } stage expand; }",
        "change x { split users into profiles { key user_id, move age } stage expand; }",
        "change x { split app.events into kinds { key id, move happened } stage expand; }",
    ]));
    let composite = "CREATE TABLE parts (tenant int, id int, note text, PRIMARY KEY (tenant, id));
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE, note text);
CREATE TABLE guarded (id int PRIMARY KEY, note text); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TABLE counted (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, s serial, g int GENERATED ALWAYS AS (1) STORED);";
    snapshot!(Case::with(composite).mistakes(&[
        "change x { split parts into notes { key part_id, move note } stage expand; }",
        "change x { split late into notes { key late_id, move note } stage expand; }",
        "change x { split guarded into notes { key id, move note } stage expand; }",
        "change x { split counted into notes { key id, move n, s, g } stage expand; }",
    ]));
}

#[test]
fn what_has_columns_of_both_tables() {
    let schema = "CREATE TABLE users (id int PRIMARY KEY, a int, b int, c int,
    CONSTRAINT ordered CHECK (a < b),
    CONSTRAINT pair UNIQUE (a, b));
CREATE INDEX part ON users (a) WHERE b > 0;
CREATE STATISTICS both_of_them ON a, b FROM users;
CREATE VIEW v AS SELECT a FROM users;";
    snapshot!(
        Case::with(schema).mistakes(&["change x { split users into halves { key user_id, move a } stage expand; }"])
    );
}
