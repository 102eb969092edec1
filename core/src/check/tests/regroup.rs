use super::Case;
use crate::testing::snapshot;

/// A table with a column of each kind that matters, and `more`.
fn people(more: &str) -> String {
    let table = "CREATE TABLE people (\n    id int PRIMARY KEY,\n    name text NOT NULL,\n    middle text,\n    city text DEFAULT 'Rome',\n    zip text\n);\nCREATE DOMAIN short AS text CHECK (length(VALUE) < 9);\n";
    format!("{table}{more}")
}

/// `divide people.name`, with this block.
fn divide(block: &str) -> String {
    format!("change x {{ divide people.name into first: text not null, last: text {{\n    {block}\n}} stage expand; }}")
}

const GOOD: &str = r#"forward first "split_part(name, ' ', 1)" or reject, forward last "split_part(name, ' ', 2)" or reject,
    backward "first || ' ' || last" or reject"#;
const COMBINE: &str = r#"change x { combine people.(city, zip) into place: text {
    forward "city || zip" or reject, backward city "left(place, 3)" or reject, backward zip "right(place, 3)" or reject,
    insert nulls take before,
} stage expand; }"#;

#[test]
fn regroups() {
    Case::with(&people("")).model(&divide(GOOD));
    Case::with(&people("")).model(COMBINE);
    // One change, several of them.
    Case::with(&people("")).model(&format!("change y {{ rename people.middle to second; {} stage expand; }}", {
        let start = COMBINE.find("combine").unwrap();
        let end = COMBINE.find(" stage").unwrap();
        &COMBINE[start..end]
    }));
}

#[test]
fn regroups_that_are_written_wrongly() {
    let sources = [
        "change x { divide people.name into first: text { forward \"name\", backward \"first\" } stage expand; }".to_owned(),
        "change x { combine people.(name) into first: text { forward \"name\", backward \"first\" } stage expand; }".to_owned(),
        "change x { combine people.name into first: text { forward \"name\" } stage expand; }".to_owned(),
        "change x { divide people.(name, zip) into first: text, last: text { irreversible } stage expand; }".to_owned(),
        "change x { combine people.(name, name) into first: text { irreversible, forward \"name\" } stage expand; }".to_owned(),
        "change x { divide people.name into first: text, first: text { irreversible } stage expand; }".to_owned(),
        "change x { divide people.name into first: text, zip: text not { irreversible } stage expand; }".to_owned(),
        "change x { retype people.name to first: bigint not null { forward \"name::bigint\" or reject, irreversible } stage expand; }".to_owned(),
        divide(""),
        divide("forward \"split_part(name, ' ', 1)\" or reject, irreversible"),
        divide("forward first \"name\", irreversible"),
        divide("forward fist \"name\", forward last \"name\", irreversible"),
        divide("forward first \"name\", forward first \"name\", forward last \"name\", irreversible"),
        divide("forward first \"name\", forward last \"zip\", backward name \"first || last\" or reject"),
        divide("forward first \"name\", forward last \"name\", backward \"last\""),
        divide("forward first \"name\", forward last \"name\" or quarantine, backward \"first\", irreversible"),
        "change x { divide people.middle into first: text not null, last: text { forward first \"middle\", forward last \"middle\", backward \"last\" } stage expand; }".to_owned(),
        "change x { divide people.city into first: text, last: text { forward first \"city\", forward last \"city\", backward \"last\" } stage expand; }".to_owned(),
        "change x { divide people.name into zip: text, last: text { forward zip \"name\", forward last \"name\", backward \"last\" or reject } stage expand; }".to_owned(),
        "change x { divide people.name into first: short, last: text { forward first \"name\", forward last \"name\", backward \"last\" or reject } stage expand; }".to_owned(),
        "change x { combine people.(city, zpi) into place: text { forward \"city\", irreversible } stage expand; }".to_owned(),
        "change x { combine people.(city, zip) into place: text { forward \"city || zip\" or reject, backward city \"place\" } stage expand; }".to_owned(),
    ];
    snapshot!(Case::with(&people("")).mistakes(&sources.iter().map(String::as_str).collect::<Vec<_>>()));
}

#[test]
fn what_columns_that_are_regrouped_cannot_hand_on() {
    let mut text = String::new();
    for (source, dependent) in [
        (COMBINE, "CREATE INDEX people_city ON people (city);"),
        (COMBINE, "ALTER TABLE people ADD CONSTRAINT people_key UNIQUE (city, zip);"),
        (COMBINE, "ALTER TABLE people ADD CONSTRAINT people_key UNIQUE (zip, id);"),
        (COMBINE, "CREATE UNIQUE INDEX people_key ON people (city, zip);"),
        (COMBINE, "CREATE STATISTICS both_of_them ON city, zip FROM people;"),
        (COMBINE, "CREATE INDEX people_city ON people USING gist (city, zip);"),
        (COMBINE, "ALTER TABLE people ADD CONSTRAINT far FOREIGN KEY (zip) REFERENCES people (name);"),
        (COMBINE, "CREATE SEQUENCE zips OWNED BY people.zip;"),
        (
            &divide(GOOD),
            "ALTER TABLE people ADD UNIQUE (name); CREATE TABLE pets (owner text REFERENCES people (name));",
        ),
        (&divide(GOOD), "CREATE INDEX people_name ON people (name text_pattern_ops);"),
        (&divide(GOOD), "ALTER TABLE people ALTER COLUMN name SET DEFAULT gen_random_uuid()::text;"),
        (
            &divide(&GOOD.replace("first || ' ' || last", "concat_ws(' ', first, last)")),
            "CREATE INDEX people_name ON people (lower(name));",
        ),
        (
            &divide("forward first \"name\", forward last \"name\", irreversible"),
            "ALTER TABLE people ADD CONSTRAINT people_name CHECK (name <> ''); CREATE INDEX people_lower ON people (lower(name));",
        ),
        (&divide(GOOD), "CREATE VIEW named AS SELECT people.name FROM people;"),
        (&divide(GOOD), "ALTER TABLE people ADD COLUMN loud text GENERATED ALWAYS AS (upper(name)) VIRTUAL;"),
    ] {
        text.push_str(&format!("-- {dependent}\n"));
        text.push_str(&Case::with(&people(dependent)).mistakes(&[source]));
    }
    snapshot!(text);
}

#[test]
fn what_they_hand_on() {
    for (source, dependents) in [
        (
            COMBINE,
            "CREATE INDEX i ON people (zip, city); ALTER TABLE people ADD CHECK (zip <> city); CREATE INDEX j ON people (lower(zip));",
        ),
        (
            &divide(GOOD),
            "CREATE INDEX i ON people (name, id); CREATE STATISTICS s ON name, zip FROM people; CREATE INDEX j ON people (id) WHERE name <> '';",
        ),
    ] {
        Case::with(&people(dependents)).model(source);
    }
}

#[test]
fn several_operations_share_what_stands_on_their_columns() {
    Case::with(&people("CREATE INDEX i ON people (name, zip);"))
        .model("change x { rename people.name to full_name; rename people.zip to postcode; stage expand; }");
    snapshot!(Case::with(&people("CREATE TABLE pets (id int PRIMARY KEY, owner text NOT NULL); ALTER TABLE people ADD UNIQUE (name); ALTER TABLE pets ADD CONSTRAINT owned FOREIGN KEY (owner) REFERENCES people (name);"))
        .mistakes(&["change x { rename people.name to full_name; rename pets.owner to person; stage expand; }"]));
}
