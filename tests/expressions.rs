//! The parser of expressions, held against a server: what PostgreSQL takes is taken, what is a syntax error there is one here, and a
//! copy with other columns means the same.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

use coexist::sandbox::Sandbox;
use coexist_core::ident::quote_ident;
use coexist_core::sql::Expression;
use postgres::Client;

const TABLE: &str = r#"
    create type mood as enum ('sad', 'ok');
    create type address as (city text, zip text);
    create table t (
        id bigint, a integer, b integer, c text, d text, "Odd ""name""" text, flag boolean, amount numeric(12,2), ratio double precision,
        day date, at timestamp, zoned timestamptz, span interval, tags text[], grid integer[], data jsonb, old json, home address,
        feeling mood, net inet, bits bit(8), doc xml, "user" text, "é" text, u integer, document text, unknown text
    );
    create function plus_one(n integer) returns integer language sql immutable as 'select n + 1';
"#;

/// What every supported server takes.
const VALID: &[&str] = &[
    "a",
    "\"a\"",
    "t.a",
    "public.t.a",
    "((a))",
    "A + B * -a % 3 - 2 ^ ratio",
    "a - -b",
    "+a",
    "@ a",
    "|/ ratio",
    "split_part(c, ' ', 1)",
    "SPLIT_PART(C, ' ', 1)",
    "\"Odd \"\"name\"\"\" || c",
    "U&\"\\0061\" + a",
    "U&\"!0061\" uescape '!' + a",
    "é || 'ü'",
    "c || E'\\n\\'' || $$it's$$ || $x$ $$ $x$ || U&'\\0061'",
    "'a'\n'b'",
    "c -- a comment\n || d /* and /* a nested */ one */",
    "a::bigint",
    "a::text::varchar(10)",
    "cast(a as numeric(10, 2))",
    "amount::numeric(12,4) / 100",
    "bigint '12' + a",
    "date '2020-01-01' + a",
    "interval '1' day * a",
    "interval '1 day' + interval(3) '00:00:01.5'",
    "timestamp with time zone '2020-01-01 00:00+00'",
    "double precision '1.5' + ratio",
    "c::\"char\"",
    "c::character varying(3)",
    "at::timestamp(3) without time zone",
    "zoned::timestamptz(0)",
    "span::interval day to second(3)",
    "tags::varchar(3)[]",
    "grid::bigint array",
    "feeling::text",
    "c::mood",
    "pg_catalog.int4(a)",
    "case when a > b then c else d end",
    "case a when 1 then c when 2 then d end",
    "coalesce(c, nullif(d, ''), 'x')",
    "greatest(a, b, 0) + least(a, b)",
    "a between 1 and b and c like 'x%' escape '!'",
    "a between symmetric b and 1",
    "a not between b and 1 or c not ilike d",
    "c similar to 'a|b' and c ~* d and c !~ d",
    "a is null or b is not null or c isnull or d notnull",
    "flag is true and flag is not false or flag is unknown",
    "(flag is null) = flag",
    "flag is null = flag",
    "a is distinct from b or a is not distinct from b",
    "a in (1, 2, b) and c not in ('x')",
    "a = any (grid) or a <> all (array[1, b])",
    "array[a, b] || grid",
    "array[[1, 2], [3, 4]]",
    "tags[1] || tags[a:b]::text || grid[1:]::text",
    "grid[a]",
    "(home).city || (home).zip",
    "(t.home).city",
    "row(a, c) = row(b, d)",
    "(a, c) < (b, d)",
    "row(a, c)::address",
    "data -> 'k' ->> 'l'",
    "data #>> '{a,b}' || (data ->> 'x')",
    "data @> '{\"a\": 1}' and data ? 'a' and data ?| array['a']",
    "extract(year from day) + extract(epoch from span)",
    "extract('month' from at)",
    "substring(c from 1 for 2) || substring(c, 2) || substring(c from 'a+')",
    "trim(c) || trim(both 'x' from c) || trim(leading from c) || trim(trailing 'x' from c) || btrim(c)",
    "position('a' in c) + overlay(c placing d from 1 for 2)::int",
    "at at time zone 'UTC'",
    "zoned at time zone 'Europe/Berlin' at time zone 'UTC'",
    "(day, day) overlaps (day, span)",
    "current_date - day",
    "current_timestamp(3) > zoned or localtimestamp > at",
    "current_user || session_user || \"user\" || user",
    "normalize(c, nfc) || normalize(d)",
    "c is normalized and d is nfkc normalized",
    "collation for (c)",
    "c collate \"C\" < d and d collate pg_catalog.\"POSIX\" > c",
    "a operator(pg_catalog.+) b",
    "make_interval(days => a, hours := b)",
    "format('%s %s', variadic array[c, d])",
    "plus_one(a) + public.plus_one(n => b)",
    "b'101' | bits::bit(3)",
    "x'1F'::int",
    "net << inet '10.0.0.0/8'",
    "doc is document",
    "document || unknown",
    "xmlelement(name foo, xmlattributes(c as bar), d)",
    "xmlforest(c, d as e)",
    "not flag and not (a > b) or flag",
    "a + b::int4 - u&a",
    "1.5e3 + .5 + 1.",
    "null::text",
    "to_tsvector('english', c) @@ plainto_tsquery('english', d)",
];

/// What servers take from a major version on.
const VALID_SINCE: &[(u32, &str)] = &[
    (14, "data['a']::text || data['b'][a]::text"),
    (14, "substring(c similar 'a#\"b#\"' escape '#')"),
    (16, "c is json object with unique keys or d is not json"),
    (16, "json_array(a, b null on null returning jsonb)"),
    (16, "json_object('a': a, c value d absent on null)"),
    (16, "0x1F + 0b101 + 1_000 + a"),
    (17, "at at local"),
    (17, "json_value(data, '$.a' passing a as x, c as y returning integer default 0 on empty error on error)"),
    (17, "json_query(data, '$.b' with wrapper) || json_scalar(a)::jsonb || json_serialize(old)::jsonb"),
    (17, "json_exists(data, '$.a')"),
];

/// What no server takes, because it is not the syntax of one expression.
const INVALID: &[&str] = &[
    "",
    "a b",
    "a + ",
    "+",
    "* a",
    "a,",
    ", a",
    "a..b",
    "a.",
    "f(a,)",
    "f(a b)",
    "f(, a)",
    "(a",
    "a)",
    "((a)",
    "a]",
    "a[1",
    "case when a then b",
    "case a end",
    "case when a b end",
    "cast(a int)",
    "cast(a as)",
    "a::",
    "a::int::",
    "a::select",
    "a in ()",
    "a in b",
    "a between 1",
    "a is",
    "a is b",
    "a is not",
    "a is 1",
    "a like",
    "not",
    "a not b",
    "a and",
    "and a",
    "a = = b",
    "a + <= b",
    "f(=> a)",
    "tags[]",
    "'abc",
    "\"abc",
    "$x$ abc",
    "/* abc",
    "E'abc",
    "'a' 'b'",
    "\"\"",
    "1e",
    "{a}",
    "a => b",
    "a := b",
    "extract(year day)",
    "substring(c from)",
    "position(a, b)",
    "trim(both)",
    "array[1, 2",
    "interval 1 day",
    "select",
    "from t",
    "a; ; b",
    "collate \"C\"",
    "a collate",
    "where a",
    "a -> ,",
    "f(distinct)",
    "f(order by a)",
    "row(a,)",
    "coalesce()",
    "nullif(a)",
    "a.b.",
    "t.1",
    "current_date()",
    "'x'::interval foo",
    "a a a",
];

/// The error's code and message, if the server does not take the expression.
fn refusal(client: &mut Client, text: &str, table: &str) -> Option<String> {
    // In parentheses on lines of their own, so that neither a comment nor an alias hides anything.
    let prepare = format!("prepare p as select (\n{text}\n) from {table}; deallocate p");
    let error = client.batch_execute(&prepare).err()?;
    Some(error.as_db_error().map_or_else(|| error.to_string(), |e| format!("{} {}", e.code().code(), e.message())))
}

#[test]
fn what_the_server_takes_is_taken() {
    let server = Sandbox::shared().unwrap();
    let database = server.database("expressions").unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute(TABLE).unwrap();
    client.batch_execute("create table renamed (like t)").unwrap();
    let rename = "select format('alter table renamed rename %I to %I', attname, attname || ' 2')
        from pg_attribute where attrelid = 'renamed'::regclass and attnum > 0";
    for row in client.query(rename, &[]).unwrap() {
        client.batch_execute(row.get(0)).unwrap();
    }

    let mut wrong = Vec::new();
    let newer = VALID_SINCE.iter().filter(|(since, _)| *since <= server.version()).map(|(_, text)| text);
    for text in VALID.iter().chain(newer) {
        if let Some(error) = refusal(&mut client, text, "t") {
            wrong.push(format!("the server does not take {text}: {error}"));
        }
        match Expression::parse(text) {
            Ok(expression) => {
                // Over a table with other names: nothing else may be renamed, and nothing may be left out.
                let renamed = expression.replace_columns(|column| Some(quote_ident(&format!("{} 2", column.name))));
                if let Some(error) = refusal(&mut client, &renamed, "renamed") {
                    wrong.push(format!("{text} became {renamed}: {error}"));
                }
            }
            Err(errors) => wrong.push(format!("{text} is refused: {errors:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_expression_is_refused() {
    let database = Sandbox::shared().unwrap().database("expressions").unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute(TABLE).unwrap();
    let mut wrong = Vec::new();
    for text in INVALID {
        match refusal(&mut client, text, "t") {
            Some(error) if error.starts_with("42601") => {}
            other => wrong.push(format!("the server says of {text}: {other:?}")),
        }
        if Expression::parse(text).is_ok() || Expression::parse_lenient(text).is_ok() {
            wrong.push(format!("{text} is taken"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
