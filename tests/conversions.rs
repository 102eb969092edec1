//! What is claimed about casts, held against a server: every pair of the types below, over the values at their borders, under settings
//! that change what text and times mean.
//!
//! A claim must not be rosier than the server (a value that fails, two values that become one, a result that depends on a setting that
//! is not named), nor gloomier (`MayFail` where nothing fails).
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

use std::collections::{BTreeMap, BTreeSet};

use coexist::sandbox::Sandbox;
use coexist_core::ident::{QualifiedName, quote_literal};
use coexist_core::schema::{Domain, EnumType, Schema, SqlText, SqlType};
use coexist_core::sql::conversion::{Conversion, Effect, conversion, keeps_null};
use coexist_core::sql::parse_type;
use coexist_core::sql::surely::surely_converts;
use postgres::Client;

/// Types, and texts of values at their borders. A server that does not know a type or a value leaves it out.
const SAMPLES: &[(&str, &[&str])] = &[
    ("smallint", &["0", "-32768", "32767", "12345"]),
    ("integer", &["0", "-1", "-2147483648", "2147483647", "16777217"]),
    ("bigint", &["0", "-1", "-9223372036854775808", "9223372036854775807", "9007199254740993", "4294967295"]),
    ("numeric", &["0", "1.5", "-0.5", "1e400", "1e-400", "NaN", "Infinity", "12345678901234567890.123"]),
    ("numeric(4,2)", &["0.01", "99.99", "-99.99", "NaN"]),
    ("numeric(3,0)", &["999", "-999", "0", "NaN"]),
    ("numeric(15,3)", &["123456789012.345", "-999999999999.999", "0.001", "NaN"]),
    ("numeric(25,0)", &["9999999999999999999999999", "1000000000000000000000001", "1000000000000000000000002"]),
    ("numeric(3,-2)", &["99900", "100", "NaN"]),
    ("real", &["0", "1.5", "0.1", "3.4e38", "-1.2e-38", "NaN", "-Infinity", "16777216"]),
    ("double precision", &["0", "0.1", "1e308", "1e-308", "NaN", "Infinity", "123456789.123456789", "2.5"]),
    ("money", &["0", "12.34", "-92233720368547758.08", "92233720368547758.07"]),
    ("boolean", &["true", "false"]),
    (
        "text",
        &[
            "",
            "abc",
            "ab ",
            "ab",
            "12",
            "true",
            "2020-02-03",
            "{1,2}",
            "ünïcödé",
            "null",
            "1.5e3",
            "a@b",
            "<'&",
            "'",
            "\\x0",
            // On both sides of what surely converts.
            "-9999",
            "99999",
            "-999999999",
            "9999999999",
            "999999999999999999",
            "-9999999999999999999",
            "999999999999999999999999999999.999999",
            "1.",
            "-0",
            "yes",
            "0000-01-01",
            "1900-02-28",
            "2021-02-30",
            "2021-12-28 23:59:59.999999",
            "2021-12-28T00:00",
            "2021-12-28 24:59",
            "00000000-0000-0000-0000-00000000000g",
            "00000000-0000-0000-0000-00000000000F",
            "12\n",
        ],
    ),
    ("character varying", &["", "abcdefghijklmnop", "12 ", "12", "<'&", "'", "\\x0"]),
    ("character varying(3)", &["", "abc", "12 ", "12", "ééé", "<'&", "'", "\\x0"]),
    ("character varying(10)", &["", "abcdefghij", "1", "<'&", "'", "\\x0"]),
    ("character varying(40)", &["", "abcdefghijklmnopqrstuvwxyzabcdefghijklmn", "1", "<'&", "'", "\\x0"]),
    (
        "character varying(70)",
        &["éééééééééééééééééééééééééééééééééééééééééé", "ééééééééééééééééééééééééééééééééé", "<'&", "'", "\\x0"],
    ),
    ("character(3)", &["", "abc", "12", "<'&", "'", "\\x0"]),
    ("character(10)", &["", "abcdefghij", "12", "<'&", "'", "\\x0"]),
    ("bpchar", &["", "abcdefghijklmnop", "12", "<'&", "'", "\\x0"]),
    ("name", &["", "abc", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", "1 ", "<'&", "'", "\\x0"]),
    ("\"char\"", &["", "a", "1", " "]),
    ("date", &["2020-02-03", "infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "294276-12-31"]),
    ("time", &["00:00", "24:00", "12:34:56.789123", "12:34:56.789"]),
    ("time(0)", &["00:00", "24:00", "12:34:56"]),
    ("timetz", &["00:00+00", "24:00-15:59", "12:34:56.789123+05:30", "12:34:56.789123+00"]),
    (
        "timestamp",
        &[
            "2020-02-03 04:05:06.789123",
            "2020-02-03",
            "infinity",
            "-infinity",
            "4713-11-24 BC",
            "294276-12-31 23:59:59",
            "2021-03-14 02:30",
        ],
    ),
    ("timestamp(0)", &["2020-02-03 04:05:06", "2020-02-03", "infinity", "294276-12-31 23:59:59"]),
    (
        "timestamptz",
        &[
            "2020-02-03 04:05:06.789123+00",
            "2020-02-03 00:00+00",
            "infinity",
            "-infinity",
            "4713-11-24 00:00+00 BC",
            "294276-12-31 23:59:59+00",
            "2021-11-07 05:30+00",
            "2021-11-07 06:30+00",
        ],
    ),
    ("timestamptz(3)", &["2020-02-03 04:05:06.789+00", "2020-02-03 00:00+00", "infinity", "294276-12-31 23:59:59+00"]),
    ("interval", &["0", "1 day", "24:00", "-1 month 3 days", "1 year 2 mons 3 days 04:05:06.789123", "infinity"]),
    ("interval(0)", &["0", "1 day 04:05:06", "infinity"]),
    ("interval year to month", &["0", "1 year 2 mons", "infinity"]),
    ("uuid", &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ("json", &["1", "\"a\"", "{\"a\": 1, \"a\": 2}", "null", "\"\\u0000\"", "[1]", "true"]),
    ("jsonb", &["1", "\"a\"", "{\"a\": 1}", "null", "[1]", "true", "1e400", "1.5"]),
    ("xml", &["<a/>", "<a>1</a>", "1"]),
    ("bytea", &["", "\\x00ff", "a\\\\b"]),
    ("inet", &["1.2.3.4", "1.2.3.4/24", "1.2.3.0/24", "::1/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127"]),
    ("cidr", &["1.2.3.0/24", "::/0"]),
    ("macaddr", &["08:00:2b:01:02:03"]),
    ("macaddr8", &["08:00:2b:ff:fe:01:02:03", "08:00:2b:01:02:03:04:05"]),
    ("bit(3)", &["101", "000", "111"]),
    ("bit(8)", &["10100000", "00000001", "11111111"]),
    ("bit(32)", &["10000000000000000000000000000000", "01111111111111111111111111111111"]),
    (
        "bit(70)",
        &[
            "1111111111111111111111111111111111111111111111111111111111111111111111",
            "0000000000000000000000000000000000000000000000000000000000000000000001",
        ],
    ),
    ("bit varying", &["", "1", "10", "101010101010"]),
    ("bit varying(3)", &["", "1", "10", "101"]),
    ("oid", &["0", "4294967295", "2147483648"]),
    ("pg_lsn", &["0/0", "FFFFFFFF/FFFFFFFF"]),
    ("regclass", &["pg_class", "app.thing", "0"]),
    ("regtype", &["integer", "app.mood"]),
    ("int4range", &["empty", "[1,5)", "(,)"]),
    ("numrange", &["empty", "[1.5,5]"]),
    ("daterange", &["empty", "[2020-02-03,2020-03-04)"]),
    ("tstzrange", &["empty", "[2020-02-03 00:00+00,)"]),
    ("int4multirange", &["{}", "{[1,5)}"]),
    ("tsvector", &["", "'a' 'b':1"]),
    ("tsquery", &["", "'a' & 'b'"]),
    ("jsonpath", &["$", "$.\"a\""]),
    ("point", &["(0,0)", "(0.1,1e300)"]),
    ("box", &["(1,1),(0,0)", "(0.1,0.2),(0,0)"]),
    ("circle", &["<(0,0),1>", "<(0.1,0),2>"]),
    ("path", &["[(0,0),(1,1)]", "((0,0),(1,1),(2,0))"]),
    ("polygon", &["((0,0),(1,1),(2,0))", "((0,0),(0.1,1))"]),
    ("integer[]", &["{}", "{1,NULL,2147483647}", "{{1,2},{3,4}}"]),
    ("bigint[]", &["{}", "{9223372036854775807}"]),
    ("text[]", &["{}", "{abc,NULL}", "{1}"]),
    ("character varying(3)[]", &["{}", "{abc,NULL}", "{\"1 \"}"]),
    ("date[]", &["{}", "{2020-02-03}"]),
    ("double precision[]", &["{}", "{0.1}", "{1e300}"]),
    ("jsonb[]", &["{}", "{null,NULL,1}", "{\"\\\"a\\\"\"}"]),
    ("app.mood", &["sad", "ok", "very happy"]),
    ("app.mood[]", &["{}", "{ok,NULL}"]),
    ("app.other", &["sad"]),
    ("app.small", &["1", "-2147483648", "2147483647"]),
    ("app.code", &["abc", "12", "<'&", "'", "\\x0"]),
    ("app.pair", &["(1,2)"]),
];

/// A setting, and a value that is not its default.
const SETTINGS: &[(&str, &str)] = &[
    ("TimeZone", "America/New_York"),
    ("TimeZone", "Pacific/Kiritimati"),
    ("DateStyle", "SQL, DMY"),
    ("IntervalStyle", "sql_standard"),
    ("extra_float_digits", "-5"),
    ("bytea_output", "escape"),
    ("xmloption", "document"),
    ("search_path", "app"),
];

/// Converts one stored value. The result comes in binary form, which depends on no setting; NULL comes as `null`.
const PROBE: &str = "
    create schema app;
    create table app.thing ();
    create type app.mood as enum ('sad', 'ok', 'very happy');
    create type app.other as enum ('sad');
    create domain app.small as integer check (value <> 7);
    create domain app.code as text;
    create type app.pair as (a integer, b integer);
    create table public.sample (source integer, id integer, identity text, primary key (source, id));
    create function public.probe(source integer, id integer, target text) returns table (state text, result text) language plpgsql as $$
    begin
        execute format(
            'select null, case when v is null then ''null'' else encode(pg_catalog.record_send(row(v)), ''hex'') end
             from (select v::%s as v from public.values_%s where id = %s offset 0) as converted',
            target, source, id) into state, result;
        return next;
    exception when others then
        state := sqlstate;
        return next;
    end $$;";

fn schema() -> Schema {
    let name = |name: &str| QualifiedName::new("app", name);
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    let domain = |domain: &str, base: &str, checks: &[&str]| Domain {
        name: name(domain),
        base: parse_type(base).unwrap(),
        not_null: false,
        checks: checks.iter().map(|check| SqlText { text: (*check).to_owned(), line: 1 }).collect(),
        default: None,
        line: 1,
    };
    let enumeration = |named: &str, with: &[&str]| EnumType { name: name(named), labels: labels(with), line: 1 };
    let mut schema = Schema { source: "schema.sql".to_owned(), ..Schema::default() };
    for domain in [domain("small", "integer", &["value <> 7"]), domain("code", "text", &[])] {
        schema.domains.insert(domain.name.clone(), domain);
    }
    for declared in [enumeration("mood", &["sad", "ok", "very happy"]), enumeration("other", &["sad"])] {
        schema.enums.insert(declared.name.clone(), declared);
    }
    schema.other_types.insert(name("pair"), 1);
    schema
}

/// What a conversion of one value gave: its binary form, or the error's code.
type Outcome = Result<String, String>;
/// By source and target (positions in [`SAMPLES`]) and value.
type Outcomes = BTreeMap<(usize, usize), BTreeMap<i32, Outcome>>;

/// The types and values that the server knows.
fn store_samples(client: &mut Client) -> BTreeSet<usize> {
    let mut known = BTreeSet::new();
    for (source, (ty, values)) in SAMPLES.iter().enumerate() {
        if client.batch_execute(&format!("create table public.values_{source} (id integer, v {ty})")).is_err() {
            continue;
        }
        for (id, value) in values.iter().enumerate() {
            let value = quote_literal(value);
            let insert = format!(
                "insert into public.values_{source} values ({id}, {value});
                 insert into public.sample
                 select {source}, {id}, encode(record_send(row(v)), 'hex') from public.values_{source} where id = {id};"
            );
            if client.batch_execute(&insert).is_ok() {
                known.insert(source);
            }
        }
    }
    known
}

/// Converts every value to every type, or those of the given pairs.
fn convert(client: &mut Client, pairs: &[(usize, usize)]) -> Outcomes {
    let pairs: Vec<String> =
        pairs.iter().map(|(from, to)| format!("({from}, {to}, {})", quote_literal(SAMPLES[*to].0))).collect();
    let query = format!(
        "select pair.source, pair.target, sample.id, probe.state, probe.result
         from (values {}) as pair (source, target, type)
         join public.sample on sample.source = pair.source
         cross join lateral public.probe(pair.source, sample.id, pair.type) as probe",
        pairs.join(", ")
    );
    let mut outcomes = Outcomes::new();
    for row in client.query(&query, &[]).unwrap() {
        let (source, target): (i32, i32) = (row.get(0), row.get(1));
        let outcome = row.get::<_, Option<String>>(3).map_or_else(|| Ok(row.get(4)), Err);
        let pair = (usize::try_from(source).unwrap(), usize::try_from(target).unwrap());
        outcomes.entry(pair).or_default().insert(row.get(2), outcome);
    }
    outcomes
}

/// Values for which a condition says that they surely convert, and which do not: with the type, and the SQLSTATE.
fn unsure(
    client: &mut Client,
    from: usize,
    to: &SqlType,
    condition: &str,
    outcomes: &BTreeMap<i32, Outcome>,
) -> Vec<String> {
    let sure = client.query(&format!("select id, v::text from public.values_{from} where {condition}"), &[]).unwrap();
    let failing = sure.iter().filter_map(|row| {
        let code = outcomes.get(&row.get(0))?.as_ref().err()?;
        Some(format!("{} → {to}: `{}` surely converts, and is {code}", SAMPLES[from].0, row.get::<_, &str>(1)))
    });
    failing.collect()
}

/// There is no such cast: `cannot_coerce`.
fn is_impossible(outcomes: &BTreeMap<i32, Outcome>) -> bool {
    outcomes.values().all(|outcome| outcome.as_ref().is_err_and(|state| state == "42846"))
}

#[test]
fn h62_h81_casts_do_what_is_claimed() {
    let server = Sandbox::shared().unwrap();
    let database = server.database("conversions").unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute(PROBE).unwrap();
    let known = store_samples(&mut client);
    assert!(known.len() > 70, "only {} types", known.len());

    let identities: BTreeMap<(usize, i32), String> = client
        .query("select source, id, identity from public.sample", &[])
        .unwrap()
        .into_iter()
        .map(|row| ((usize::try_from(row.get::<_, i32>(0)).unwrap(), row.get(1)), row.get(2)))
        .collect();
    let pairs: Vec<(usize, usize)> = known.iter().flat_map(|from| known.iter().map(|to| (*from, *to))).collect();
    let plain = convert(&mut client, &pairs);
    let possible: Vec<(usize, usize)> = pairs.iter().copied().filter(|pair| !is_impossible(&plain[pair])).collect();

    // The settings that make a difference for a pair, and the pairs where one makes a value fail.
    let mut settings: BTreeMap<(usize, usize), BTreeSet<&str>> = BTreeMap::new();
    let mut fails_somewhere = BTreeSet::new();
    for (setting, value) in SETTINGS {
        client.execute("select set_config($1, $2, false)", &[setting, value]).unwrap();
        for (pair, outcomes) in convert(&mut client, &possible) {
            if outcomes.values().any(Result::is_err) {
                fails_somewhere.insert(pair);
            }
            if outcomes != plain[&pair] {
                settings.entry(pair).or_default().insert(setting);
            }
        }
        client.batch_execute(&format!("reset {setting}")).unwrap();
    }

    let schema = schema();
    let types: Vec<SqlType> = SAMPLES.iter().map(|(ty, _)| parse_type(ty).unwrap()).collect();
    let mut disagreements = Vec::new();
    let mut guarded = 0;
    for (pair, outcomes) in &plain {
        let (from, to) = (&types[pair.0], &types[pair.1]);
        let claim = conversion(from, to, &schema, server.version());
        let identity = |id: &i32| identities[&(pair.0, *id)].as_str();
        let seen = settings.get(pair).cloned().unwrap_or_default();
        for mistake in mistakes(&claim, outcomes, identity, &seen, fails_somewhere.contains(pair)) {
            disagreements.push(format!(
                "{} → {}: {:?} ({}), but {mistake}",
                SAMPLES[pair.0].0, SAMPLES[pair.1].0, claim.effect, claim.reason
            ));
        }
        if let Some(condition) = surely_converts(from, to, "v", &schema) {
            guarded += 1;
            disagreements.extend(unsure(&mut client, pair.0, to, &condition, outcomes));
        }
        let makes_null = outcomes.values().any(|outcome| outcome.as_deref() == Ok("null"));
        if makes_null && keeps_null(from, to, &schema) {
            disagreements.push(format!("{} → {} makes a NULL of a value", SAMPLES[pair.0].0, SAMPLES[pair.1].0));
        }
        // What is said about all servers holds for this one.
        let everywhere = conversion(from, to, &schema, 13);
        if everywhere.effect < claim.effect {
            disagreements
                .push(format!("{} → {} is worse on this server than on 13", SAMPLES[pair.0].0, SAMPLES[pair.1].0));
        }
    }
    assert!(guarded > 20, "only {guarded} conditions");
    assert!(disagreements.is_empty(), "{} disagreements:\n{}", disagreements.len(), disagreements.join("\n"));
}

/// Where a claim and the server disagree.
fn mistakes<'a>(
    claim: &Conversion,
    outcomes: &BTreeMap<i32, Outcome>,
    identity: impl Fn(&i32) -> &'a str,
    settings: &BTreeSet<&str>,
    fails_somewhere: bool,
) -> Vec<String> {
    let mut mistakes = Vec::new();
    let failures: Vec<&String> = outcomes.values().filter_map(|outcome| outcome.as_ref().err()).collect();
    let mut results: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (id, outcome) in outcomes {
        if let Ok(result) = outcome {
            results.entry(result).or_default().insert(identity(id));
        }
    }
    let collapsed = results.values().any(|values| values.len() > 1);
    // What some supported server lacks is impossible for all.
    let of_some_servers = claim.reason.starts_with("PostgreSQL after");
    if is_impossible(outcomes) != (claim.effect == Effect::Impossible) && !of_some_servers {
        mistakes.push(format!("the server says {failures:?}"));
    }
    if claim.effect < Effect::MayFail && (fails_somewhere || !failures.is_empty()) {
        mistakes.push(format!("a value fails: {failures:?}"));
    }
    if claim.effect <= Effect::Total && collapsed {
        mistakes.push("two values become one".to_owned());
    }
    if claim.effect == Effect::Identity && results.keys().any(|result| !results[result].contains(result)) {
        mistakes.push("the value changes".to_owned());
    }
    let may_be_gloomy = ["not known here", "since PostgreSQL", "does not take every value"]
        .iter()
        .any(|why| claim.reason.contains(why));
    if claim.effect == Effect::MayFail && !may_be_gloomy && !fails_somewhere {
        mistakes.push("nothing fails".to_owned());
    }
    let unnamed: Vec<_> = settings.iter().filter(|setting| !claim.settings.contains(setting)).collect();
    if !unnamed.is_empty() && claim.effect != Effect::Impossible {
        mistakes.push(format!("it depends on {unnamed:?}"));
    }
    mistakes
}
