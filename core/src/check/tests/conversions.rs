use super::Case;
use crate::testing::snapshot;

fn retype(block: &str) -> String {
    format!("change x {{ retype orders.total to total_cents: bigint {{\n    {block}\n}} stage expand; }}")
}

fn mistakes(blocks: &[&str]) -> String {
    let sources: Vec<String> = blocks.iter().map(|block| retype(block)).collect();
    Case::shop().mistakes(&sources.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn expressions() {
    snapshot!(mistakes(&[
        r#"forward "total::bigint + (1", irreversible"#,
        r#"forward "", irreversible"#,
        r#"forward "1; drop table orders", irreversible"#,
        r#"forward "total, discount", irreversible"#,
        r#"forward "total_cents", irreversible"#,
        r#"forward "total::bigint", backward "total::integer" or reject"#,
        r#"forward "totl::bigint", backward "total_cent::integer" or reject"#,
        r#"forward "total - discount" or reject, irreversible"#,
        r#"forward "users.age" or reject, irreversible"#,
        r#"forward "new.total::bigint", irreversible"#,
        r#"forward "sum(total)" or reject, irreversible"#,
        r#"forward "row_number() over (order by total)" or reject, irreversible"#,
        r#"forward "generate_series(1, total)" or reject, irreversible"#,
        r#"forward "total + random()" or reject, irreversible"#,
        r#"forward "totaal(total)" or reject, irreversible"#,
        r#"forward "(select max(total) from orders)" or reject, irreversible"#,
        r#"forward "total::bgint", irreversible"#,
        r#"forward "total::bigint" or "totl", irreversible"#,
        "forward r#\"case\n  when total > 0\n    then total * 100\n  else totl\nend\"# or reject, irreversible",
    ]));
}

#[test]
fn what_may_fail_or_lose() {
    snapshot!(mistakes(&[
        r#"forward "total::bigint", backward "total_cents::integer""#,
        r#"forward "total * 100", backward "total_cents / 100""#,
        r#"forward "total::bigint", backward "total_cents::integer" or quarantine"#,
        r#"forward "total::bigint", backward "total_cents::integer" or "null""#,
        r#"forward "total::bigint", backward "0""#,
        r#"forward "total::bigint""#,
        r#"backward "total_cents::integer" or reject"#,
        "",
        r#"forward "total::bigint", backward "total_cents::integer" or reject, irreversible"#,
    ]));
    snapshot!(Case::shop().mistakes(&[
        r#"change x { retype users.created_at to created_on: date { forward "created_at::date", irreversible } stage expand; }"#,
        r#"change x { retype users.created_at to created: timestamptz { forward "created_at::timestamptz" or reject, irreversible } stage expand; }"#,
        r#"change x { retype app.events.happened to happened_at: integer { forward "happened::integer" or reject, irreversible } stage expand; }"#,
        r#"change x { retype orders.code to number: "varchar(3)" { forward "code", irreversible } stage expand; }"#,
        r#"change x { retype orders.code to number: "varchar(3)" { forward "code::varchar(3)", irreversible } stage expand; }"#,
    ]));
}

#[test]
fn types() {
    snapshot!(Case::shop().mistakes(&[
        r#"change x { retype orders.total to total_cents: bigitn { forward "total::bigitn", irreversible } stage expand; }"#,
        r#"change x { retype orders.code to state: status { forward "code::app.status" or reject, irreversible } stage expand; }"#,
        r#"change x { retype orders.code to state: app.sttus { forward "code" or reject, irreversible } stage expand; }"#,
        r#"change x { retype orders.code to state: citext { forward "code" or reject, irreversible } stage expand; }"#,
        r#"change x { retype orders.code to amount: numeric(1200, 2) { forward "code" or reject, irreversible } stage expand; }"#,
        r#"change x { retype orders.total to total_cents: bigserial { forward "total" or reject, irreversible } stage expand; }"#,
        r#"change x { retype orders.total to total_cents: integer { forward "total", backward "total_cents" } stage expand; }"#,
        r#"change x { retype orders.total to total: bigint { forward "total::bigint", irreversible } stage expand; }"#,
        r#"change x { retype users.nick to mail: email { forward "nick::email" or reject, irreversible } stage expand; }"#,
        r#"change x { rename users.contact to mail; stage expand; }"#,
    ]));
    Case::shop().model(
        r#"change x { retype users.nick to tag: label { forward "nick::label", backward "tag::text" } stage expand; }"#,
    );
    let extended =
        "CREATE EXTENSION citext; CREATE EXTENSION something_of_theirs; CREATE TABLE t (id int PRIMARY KEY, a text);";
    for (ty, insert) in [("citext", ""), ("their_type", ", insert nulls take before")] {
        let block = format!("{{ forward \"a::{ty}\" or reject, irreversible{insert} }}");
        Case::with(extended).model(&format!("change x {{ retype t.a to b: {ty} {block} stage expand; }}"));
    }
}

#[test]
fn inserts() {
    snapshot!(Case::shop().mistakes(&[
        "change x { rename users.greeting to salutation; stage expand; }",
        "change x { rename users.name to full_name { insert nulls take before } stage expand; }",
        "change x { rename users.nick to nickname { insert nulls take after } stage expand; }",
        r#"change x { retype users.level to grade: bigint { forward "level::bigint", irreversible } stage expand; }"#,
        r#"change x { retype users.age to years: bigint { forward "coalesce(age, 0)" or reject, irreversible } stage expand; }"#,
    ]));
}

#[test]
fn what_reads_the_column_must_have_a_meaning_in_the_after_shape() {
    let shop = "CREATE TABLE t (id int PRIMARY KEY, code text, at timestamp);
        ALTER TABLE t ADD CONSTRAINT short CHECK (length(code) < 5);
        CREATE INDEX lowered ON t (lower(code)) WHERE code <> '';
        CREATE INDEX plain ON t (code);
        CREATE INDEX months ON t (date_trunc('month', at));
        CREATE FUNCTION day_of(text) RETURNS timestamp LANGUAGE sql STABLE AS 'select $1::timestamp';
        CREATE STATISTICS lengths ON id, length(code) FROM t;";
    snapshot!(Case::with(shop).mistakes(&[
        r#"change x { retype t.code to number: integer { forward "code::integer" or quarantine, irreversible } stage expand; }"#,
        r#"change x { retype t.code to number: integer { forward "code::integer" or quarantine, backward "number::text" or quarantine } stage expand; }"#,
        r#"change x { retype t.code to number: integer { forward "code::integer" or quarantine, backward "number::text" or "'?'" } stage expand; }"#,
        r#"change x { retype t.at to day: text { forward "to_char(at, 'YYYY-MM-DD')" or reject, backward "day_of(day)" or reject, insert nulls take before } stage expand; }"#,
    ]));
}
