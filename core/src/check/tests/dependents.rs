use super::Case;
use crate::testing::snapshot;

/// A table, and one thing that hangs on it.
fn with(dependents: &str) -> String {
    let table = "CREATE TABLE users (\n    id int PRIMARY KEY,\n    name text NOT NULL,\n    age int\n);\nCREATE TABLE orders (id int PRIMARY KEY, user_id int, name text);\n";
    format!("{table}{dependents}")
}

fn refused(source: &str, dependents: &[&str]) -> String {
    let mut text = String::new();
    for dependent in dependents {
        text.push_str(&format!("-- {dependent}\n"));
        text.push_str(&Case::with(&with(dependent)).mistakes(&[source]));
    }
    text
}

const RENAME: &str = "change x { rename users.name to full_name; stage expand; }";

#[test]
fn what_cannot_be_carried() {
    snapshot!(refused(
        RENAME,
        &[
            "CREATE VIEW adults AS SELECT users.id, users.name FROM users;",
            "CREATE VIEW named AS SELECT u.name FROM (users u JOIN orders o ON ((o.user_id = u.id)));",
            "CREATE MATERIALIZED VIEW adults AS SELECT users.id, users.name FROM users WITH NO DATA;",
            "CREATE RULE quiet AS ON DELETE TO users DO INSTEAD NOTHING;",
            "CREATE POLICY own ON users USING ((name = CURRENT_USER));",
            "CREATE TRIGGER changed BEFORE UPDATE OF name ON users FOR EACH ROW EXECUTE FUNCTION f();",
            "CREATE TRIGGER changed BEFORE UPDATE ON users FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION f();",
            "ALTER TABLE users ADD COLUMN shouted text GENERATED ALWAYS AS (upper(name)) STORED;",
            "ALTER TABLE users DROP COLUMN name; ALTER TABLE users ADD COLUMN name text GENERATED ALWAYS AS (upper('a')) STORED;",
            "CREATE PUBLICATION pub FOR TABLE users (id, name);",
            "CREATE PUBLICATION pub FOR TABLE users WHERE ((name IS NOT NULL));",
            "CREATE UNIQUE INDEX users_name ON users (name); ALTER TABLE users REPLICA IDENTITY USING INDEX users_name;",
            "ALTER TABLE users ADD CONSTRAINT no_twins EXCLUDE USING gist (name WITH =);",
            "ALTER TABLE users ADD CONSTRAINT users_id_key UNIQUE (id) INCLUDE (name); ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id);",
            "CREATE FUNCTION names() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(users.name) FROM users; END;",
        ]
    ));
}

#[test]
fn what_does_not_stand_in_the_way() {
    for dependent in [
        "CREATE VIEW ids AS SELECT users.id FROM users;",
        "CREATE VIEW orders_of AS SELECT o.name FROM (users u JOIN orders o ON ((o.user_id = u.id)));",
        "CREATE POLICY own ON users USING ((id > 0));",
        "CREATE TRIGGER changed BEFORE UPDATE OF age ON users FOR EACH ROW WHEN ((old.age IS DISTINCT FROM new.age)) EXECUTE FUNCTION f();",
        "CREATE PUBLICATION pub FOR TABLE users; CREATE PUBLICATION everything FOR ALL TABLES;",
        "ALTER TABLE users REPLICA IDENTITY FULL;",
        "ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id);",
        "CREATE INDEX i ON users (lower(name)) WHERE name <> ''; ALTER TABLE users ADD CHECK (name <> ''); CREATE STATISTICS s ON name, age FROM users;",
        "CREATE FUNCTION names() RETURNS bigint LANGUAGE sql AS $$ SELECT count(name) FROM users $$;",
        "ALTER TABLE users ADD CONSTRAINT names UNIQUE (name) DEFERRABLE;",
    ] {
        Case::with(&with(dependent)).model(RENAME);
    }
}

#[test]
fn tables_of_other_kinds() {
    let schema = "CREATE TABLE logs (day date, line text) PARTITION BY RANGE (day);
CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE things (name text);
CREATE TABLE houses (rooms int) INHERITS (things);
CREATE FOREIGN TABLE far (name text) SERVER elsewhere;";
    snapshot!(Case::with(schema).mistakes(&[
        "change x { rename logs.day to on_day; stage expand; }",
        "change x { rename logs_2026.line to text; stage expand; }",
        "change x { rename things.name to title; stage expand; }",
        "change x { rename houses.rooms to room_count; stage expand; }",
        "change x { rename far.name to title; stage expand; }",
        "change x { split far into near { key id, move name } stage expand; }",
    ]));
}

#[test]
fn what_a_new_type_cannot_have() {
    let to_text = r#"change x { retype users.id to key: text { forward "id::text", backward "key::int" or reject } stage expand; }"#;
    let to_json = r#"change x { retype users.name to names: json { forward "to_json(name)" or reject, irreversible } stage expand; }"#;
    let mut text = refused(
        to_text,
        &[
            "ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id);",
            "ALTER TABLE users ADD CONSTRAINT users_order_fkey FOREIGN KEY (id) REFERENCES orders (id);",
            "CREATE SEQUENCE users_id_seq OWNED BY users.id;",
            "ALTER TABLE users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;",
        ],
    );
    text += &refused(
        to_json,
        &[
            "CREATE INDEX users_name ON users (name);",
            "CREATE INDEX users_name ON users (name text_pattern_ops);",
            "CREATE INDEX users_name ON users USING gist (name);",
            "ALTER TABLE users ADD CONSTRAINT users_name UNIQUE (name);",
            "CREATE STATISTICS both_of_them ON name, age FROM users;",
        ],
    );
    snapshot!(text);
    let widen = r#"change x { retype users.id to key: bigint { forward "id::bigint", backward "key::int" or reject } stage expand; }"#;
    Case::with(&with(
        "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id); CREATE SEQUENCE s OWNED BY users.id;",
    ))
    .model(widen);
}
