use super::Case;
use crate::testing::snapshot;

const SCHEMA: &str = "CREATE TABLE users (
    id bigint PRIMARY KEY,
    tenant integer NOT NULL,
    email text,
    name text NOT NULL DEFAULT 'x',
    doubled integer GENERATED ALWAYS AS (tenant * 2) STORED,
    place point,
    CONSTRAINT users_name_key UNIQUE (name)
);
COMMENT ON COLUMN users.email IS 'Where to write';
CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL,
    user_name text,
    total numeric,
    CONSTRAINT positive CHECK (total > 0),
    CONSTRAINT of_user FOREIGN KEY (user_name) REFERENCES users (name)
);
CREATE TABLE loose (a integer, b text);
CREATE INDEX loose_a ON loose (a);
CREATE TABLE parted (id integer) PARTITION BY RANGE (id);";

fn mistakes(operations: &[&str]) -> String {
    let declarations: Vec<String> =
        operations.iter().map(|operation| format!("change x {{ {operation} stage expand; }}")).collect();
    Case::with(SCHEMA).mistakes(&declarations.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn what_becomes_of_rows_that_break_a_rule() {
    snapshot!(mistakes(&[
        "require users.email;",
        "require users.email or reject { fill \"''\" }",
        "require users.email { old writes reject }",
        "require users.email { fill \"null\" }",
        "require users.email { fill \"name || '@none'\" }",
        "require users.email { fill \"email\" }",
        "require users.email { fill \"doubled::text\" or reject }",
        "require users.email { fill \"nmae\" }",
        "require users.email { fill \"count(*)\" }",
        "require users.doubled { fill \"1\" }",
        "constrain loose: check c \"a > 0\";",
        "constrain loose: check c \"a > 0\" { fix c \"1\" }",
        "constrain loose: check c \"a > 0\" { fix a \"1\", fix a \"2\" }",
        "constrain orders: check c \"id > 0\" { fix id \"1\" }",
        "constrain users: check c \"doubled > 0\" { fix tenant \"1\" }",
        "constrain loose: unique (a) { fix a \"1\" }",
        "constrain orders: (user_id) references users { fix user_id \"1\" }",
        "constrain loose: check c \"a > 0\" or reject { old writes reject }",
    ]));
}

#[test]
fn what_is_so_already() {
    snapshot!(mistakes(&[
        "require users.name or reject;",
        "relax users.email { nulls from contract }",
        "default users.name: \"'x'\";",
        "default users.email: none;",
        "comment users.email: \"Where to write\";",
        "comment users: none;",
        "constrain users: unique (name) or reject;",
        "constrain orders: check positive \"total > 1\" or reject;",
    ]));
    let at_contract = [
        "change x { require users.name or reject; stage contract; }",
        "change x { constrain orders: check positive \"total > 0\" or reject; stage contract; }",
        "change x { unconstrain orders: gone; stage contract; }",
    ];
    snapshot!(Case::with(SCHEMA).mistakes(&at_contract));
}

#[test]
fn what_cannot_be() {
    snapshot!(mistakes(&[
        "require parted.id or reject;",
        "relax users.id { nulls from contract }",
        "relax users.tenant;",
        "relax users.tenant { nulls from dual_write }",
        "relax users.tenant { nulls from expand }",
        "relax users.tenant { nulls from contract, backward \"1\" }",
        "relax users.tenant { nulls from dual_write, backward \"null\" }",
        "default users.doubled: \"1\";",
        "default orders.id: \"1\";",
        "default users.email: \"name\";",
        "constrain users: unique (place) or reject;",
        "constrain users: unique (tenant, tenant) or reject;",
        "constrain users: unique (tenant) nulls not distinct or reject;",
        "constrain loose: unique loose_a (b) or reject;",
        "constrain users: primary key (tenant) or reject;",
        "constrain loose: primary key (a) or reject;",
        "constrain loose: check c \"a > nope\" or reject;",
        "constrain loose: check c \"now() > '2020-01-01'\" or reject;",
        "constrain orders: (total) references users or reject;",
        "constrain orders: (user_id) references loose or reject;",
        "constrain orders: (user_id) references users (tenant) or reject;",
        "constrain orders: (user_id, total) references users or reject;",
        "constrain orders: (user_id) references users on delete set null or reject;",
        "unconstrain orders: positve;",
        "unconstrain loose: loose_a;",
        "unconstrain users: users_name_key;",
    ]));
}

#[test]
fn rules_that_two_changes_are_about() {
    snapshot!(Case::with(SCHEMA).mistakes(&[
        "change a { require users.email or reject; stage expand; } change b { require users.email { fill \"''\" } stage expand; }",
        "change a { rename users.email to mail; stage expand; } change b { require users.email or reject; stage expand; }",
        "change a { constrain loose: check c \"a > 0\" or reject; stage expand; } change b { constrain loose: check c \"b > ''\" or reject; stage expand; }",
        "change a { comment loose: \"x\"; stage expand; } change b { comment loose: \"y\"; stage expand; }",
        "change a { default loose.a: \"1\"; default loose.a: \"2\"; stage expand; }",
        "change a { unconstrain orders: positive; stage expand; } change b { retype orders.total to sum: text { forward \"total::text\", backward \"sum::numeric\" or reject } stage expand; }",
    ]));
}

/// Changes of one table are in flight together freely, where they are about different things.
#[test]
fn many_rules_of_one_table() {
    let model = Case::with(SCHEMA).model(
        r#"change a { require users.email { fill "name" } stage expand; }
           change b { default users.email: "'x'"; stage expand; }
           change c { constrain users: check c "email <> ''" { fix email "name" } stage expand; }
           change d { constrain users: unique (email, tenant) or reject; stage expand; }
           change e { comment users.email: none; stage expand; }
           change f { relax users.tenant { nulls from contract } stage expand; }"#,
    );
    assert_eq!(model.changes.len(), 6);
}
