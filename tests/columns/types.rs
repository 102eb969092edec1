//! Columns of every type that a change touches: rename, retype, divide and combine, through both shapes, back, and to the end.

use coexist::plan::Phase;

use crate::support;
use crate::support::in_flight::{InFlight, plans};

/// A change, with a row of old code and one of new code, and what both shapes say of them in the end.
struct Case {
    schema: &'static str,
    change: &'static str,
    /// The old columns, the new ones.
    columns: (&'static str, &'static str),
    /// Values of the old columns of the row that is there before, and what new columns are made of them.
    old: (&'static str, &'static str),
    /// The same of a row that new code writes.
    new: (&'static str, &'static str),
}

impl Case {
    fn check(&self) {
        let change = |stage: &str| format!("change it {{ {} stage {stage}; }}", self.change);
        let (before, after) = self.columns;
        let data = format!("insert into t (id, {before}) values (1, {})", self.old.0);
        let mut db = InFlight::new(self.schema, &data, &change("expand"));
        let catalog = support::catalog_dump(&mut db.client);
        db.reach(Phase::DualWriting);
        db.run(&format!("insert into t (id, {after}) values (2, {})", self.new.1));
        // Old code writes what is there already, under another key.
        db.run(&format!("insert into t (id, {before}) values (3, {})", self.old.0));
        let agree = |db: &mut InFlight| {
            let old = format!("select {before} from t order by id");
            let new = format!("select {after} from t order by id");
            let row = |values: &str| format!("select {values}");
            let expected = |db: &mut InFlight, old: &str, new: &str| [db.row(&row(old)), db.row(&row(new))];
            let [first, made] = expected(db, self.old.0, self.old.1);
            let [second, written] = expected(db, self.new.0, self.new.1);
            assert_eq!(db.rows(&old), [first.clone(), second, first], "{}", self.change);
            assert_eq!(db.rows(&new), [made.clone(), written, made], "{}", self.change);
        };
        db.reach(Phase::Backfilled);
        agree(&mut db);
        // Each row takes what the other one has: through the new shape, and back through the old one.
        db.run(&format!("update t set ({after}) = (select {after} from t where id = 2) where id = 1"));
        db.run(&format!("update t set ({before}) = (select {before} from t where id = 3) where id = 1"));
        db.reach(Phase::Validated);
        agree(&mut db);
        db.roll_back();
        assert!(support::catalog_dump(&mut db.client) == catalog, "{}", self.change);
        let mut db = InFlight::new(self.schema, &data, &change("contract"));
        db.reach(Phase::Contracted);
        let made = db.row(&format!("select {}", self.old.1));
        assert_eq!(db.row(&format!("select {after} from t")), made, "{}", self.change);
    }
}

#[test]
fn arrays() {
    Case {
        schema: "create table t (id integer primary key, tags text[] not null default '{}');",
        change: "rename t.tags to labels;",
        columns: ("tags", "labels"),
        old: ("array['a', null]::text[]", "array['a', null]::text[]"),
        new: ("array['b']", "array['b']"),
    }
    .check();
    Case {
        schema: "create table t (id integer primary key, pair integer[] not null);",
        change: r#"divide t.pair into low: integer not null, high: integer not null {
            forward low "pair[1]" or reject, forward high "pair[2]" or reject, backward "array[low, high]" or reject,
        }"#,
        columns: ("pair", "low, high"),
        old: ("array[1, 2]", "1, 2"),
        new: ("array[3, 4]", "3, 4"),
    }
    .check();
}

#[test]
fn enums_and_an_enum_value_that_goes() {
    Case {
        schema:
            "create type mood as enum ('sad', 'ok', 'happy', 'gone'); create type mood2 as enum ('sad', 'ok', 'happy');
            create table t (id integer primary key, mood mood not null default 'ok');",
        change: r#"retype t.mood to feeling: mood2 {
            forward lossy "mood::text::mood2" or "'ok'", backward "feeling::text::mood" or reject,
        }"#,
        columns: ("mood", "feeling"),
        old: ("'sad'::mood", "'sad'::mood2"),
        new: ("'happy'::mood", "'happy'::mood2"),
    }
    .check();
    let change = r#"change it { retype t.mood to feeling: mood2 {
        forward lossy "mood::text::mood2" or "'ok'", backward "feeling::text::mood" or reject } stage expand; }"#;
    let schema = "create type mood as enum ('sad', 'ok', 'gone'); create type mood2 as enum ('sad', 'ok');
        create table t (id integer primary key, mood mood not null);";
    let mut db = InFlight::new(schema, "insert into t values (1, 'gone'), (2, 'sad')", change);
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select mood, feeling from t order by id"), ["gone|ok", "sad|sad"]);
}

#[test]
fn composite_types() {
    Case {
        schema: "create type place as (lat integer, lon integer); create table t (id integer primary key, at place not null);",
        change: r#"divide t.at into lat: integer, lon: integer {
            forward lat "(at).lat" or reject, forward lon "(at).lon" or reject, backward "row(lat, lon)::place" or reject,
            insert nulls take before,
        }"#,
        columns: ("at", "lat, lon"),
        old: ("row(1, null)::place", "1, null::integer"),
        new: ("row(3, 4)::place", "3, 4"),
    }
    .check();
    Case {
        schema: "create type place as (lat integer, lon integer); create table t (id integer primary key, at place);",
        change: "rename t.at to spot;",
        columns: ("at", "spot"),
        old: ("row(1, null)::place", "row(1, null)::place"),
        new: ("row(3, 4)::place", "row(3, 4)::place"),
    }
    .check();
}

#[test]
fn jsonb_to_columns_and_back() {
    Case {
        schema: "create table t (id integer primary key, address jsonb not null);",
        change: r#"divide t.address into street: text, zip: integer {
            forward street "address->>'street'" or reject,
            forward zip "(address->>'zip')::integer" or quarantine,
            backward "jsonb_build_object('street', street, 'zip', zip)" or reject,
            insert nulls take before,
        }"#,
        columns: ("address", "street, zip"),
        old: (r#"'{"street": "s", "zip": 7}'::jsonb"#, "'s', 7"),
        new: (r#"'{"street": "v", "zip": null}'::jsonb"#, "'v', null::integer"),
    }
    .check();
    Case {
        schema: "create table t (id integer primary key, street text not null, zip integer);",
        change: r#"combine t.(street, zip) into address: jsonb not null {
            forward "jsonb_build_object('street', street, 'zip', zip)" or reject,
            backward street "address->>'street'" or reject,
            backward zip "(address->>'zip')::integer" or reject,
        }"#,
        columns: ("street, zip", "address"),
        old: ("'s', 7", r#"'{"street": "s", "zip": 7}'::jsonb"#),
        new: ("'v', null::integer", r#"'{"street": "v", "zip": null}'::jsonb"#),
    }
    .check();
}

#[test]
fn domains_without_constraints_and_from_one_with() {
    Case {
        schema: "create domain name as text; create table t (id integer primary key, a public.name not null);",
        change: "rename t.a to b;",
        columns: ("a", "b"),
        old: ("'x'", "'x'"),
        new: ("'y'", "'y'"),
    }
    .check();
    Case {
        schema: "create domain positive as integer check (value > 0); create table t (id integer primary key, a positive not null);",
        change: r#"retype t.a to b: bigint { forward "a::bigint", backward "b::positive" or reject }"#,
        columns: ("a", "b"),
        old: ("1", "1"),
        new: ("2", "2"),
    }
    .check();
}

#[test]
fn collations() {
    Case {
        schema: "create table t (id integer primary key, a text collate \"C\" not null, b text collate \"C\" not null);
            create index t_a_b on t (a, b);",
        change: r#"combine t.(a, b) into c: text not null {
            forward "a || '/' || b" or reject, backward a "split_part(c, '/', 1)" or reject, backward b "split_part(c, '/', 2)" or reject,
        }"#,
        columns: ("a, b", "c"),
        old: ("'x', 'y'", "'x/y'"),
        new: ("'v', 'w'", "'v/w'"),
    }
    .check();
    let mut db = InFlight::new(
        "create table t (id integer primary key, a text collate \"C\" not null);",
        "insert into t values (1, 'b a')",
        r#"change it { divide t.a into b: text, c: text {
            forward b "split_part(a, ' ', 1)" or reject, forward c "split_part(a, ' ', 2)" or reject, backward "b || ' ' || c" or reject,
            insert nulls take before } stage contract; }"#,
    );
    db.reach(Phase::Contracted);
    let collations = "select collname from pg_attribute a join pg_collation c on c.oid = attcollation
        where attrelid = 't'::regclass and attname in ('b', 'c') and not attisdropped";
    assert_eq!(db.rows(collations), ["C", "C"]);
}

#[test]
fn types_of_extensions() {
    let database = support::database("extensions");
    let available = "select count(*) from pg_available_extensions where name in ('citext', 'hstore')";
    if database.connect().unwrap().query_one(available, &[]).unwrap().get::<_, i64>(0) < 2 {
        println!("this server comes without citext and hstore, and this test shows nothing");
        return;
    }
    Case {
        schema: "create extension citext; create table t (id integer primary key, a citext not null); create unique index t_a on t (a);",
        change: "rename t.a to b;",
        columns: ("a", "b"),
        old: ("'Ada'::citext", "'Ada'::citext"),
        new: ("'Ben'::citext", "'Ben'::citext"),
    }
    .carries_what_looks_equal();
    Case {
        schema: "create extension hstore; create table t (id integer primary key, a hstore not null);",
        change: r#"divide t.a into k: text, v: text {
            forward k "a->'k'" or reject, forward v "a->'v'" or reject, backward "hstore(array['k', k, 'v', v])" or reject,
            insert nulls take before,
        }"#,
        columns: ("a", "k, v"),
        old: ("'k=>1, v=>2'::hstore", "'1', '2'"),
        new: ("'k=>3, v=>NULL'::hstore", "'3', null::text"),
    }
    .check();
}

impl Case {
    /// `=` of citext calls 'Ada' and 'ADA' equal; a write of one over the other is carried all the same.
    fn carries_what_looks_equal(&self) {
        let change = format!("change it {{ {} stage expand; }}", self.change);
        let mut db = InFlight::new(self.schema, "insert into t values (1, 'Ada')", &change);
        db.reach(Phase::Backfilled).run("update t set a = 'ADA'");
        assert_eq!(db.row("select a, b from t"), "ADA|ADA");
        db.run("update t set b = 'aDa'").reach(Phase::Validated);
        assert_eq!(db.row("select a, b from t"), "aDa|aDa");
        db.roll_back();
    }
}

#[test]
fn h48_toasted_values_that_nobody_touches_are_not_written_again() {
    let schema = "create table t (id integer primary key, big text not null, large text not null, n integer not null);
        alter table t alter big set storage external, alter large set storage external;";
    let data =
        "insert into t select n, repeat(md5(n::text), 400), repeat(md5(n::text), 300), n from generate_series(1, 50) n";
    let change = r#"change it {
        rename t.big to huge; rename t.n to number;
        divide t.large into l1: text not null, l2: text not null {
            forward l1 "left(large, 16)" or reject, forward l2 "substr(large, 17)" or reject, backward "l1 || l2" or reject,
        }
        stage expand;
    }"#;
    let mut db = InFlight::new(schema, data, change);
    db.reach(Phase::Backfilled);
    let toast = "select pg_relation_size(reltoastrelid) from pg_class where oid = 't'::regclass";
    let before = db.row(toast);
    db.run("update t set n = n + 1; update t set number = number + 1");
    assert_eq!(db.row(toast), before, "large values were written again");
    assert_eq!(db.row("select count(*) from t where big = huge and number = id + 2 and l1 || l2 = large"), "50");
}

#[test]
fn h38_generated_columns_are_refused() {
    use coexist_core::compile::{Context, compile};
    let context =
        Context { manifest_dir: std::path::Path::new("."), missing_feature: &|_| None, writes_migrations: false };
    let mistakes = |generated: &str, change: &str| {
        let schema = format!(
            "create table t (id integer primary key, a text, g text generated always as (upper(a)) {generated});"
        );
        let tokens = format!("schema sql r#\"{schema}\"#; change it {{ {change} stage expand; }}").parse().unwrap();
        let found = compile(tokens, &context).diagnostics;
        found.iter().map(|mistake| mistake.text()).collect::<Vec<_>>().join("\n")
    };
    let combine =
        r#"combine t.(a, id) into c: text { forward "a || id" or reject, irreversible, insert nulls take before }"#;
    for generated in ["stored", "virtual"] {
        for change in ["rename t.a to b;", combine] {
            let text = mistakes(generated, change);
            assert!(text.contains("the generated column `g` reads it"), "{generated}: {text}");
        }
        let text = mistakes(generated, "rename t.g to h;");
        assert!(text.contains("it is a generated column"), "{generated}: {text}");
    }
    // What it is for: in a BEFORE trigger a generated column is null.
    assert!(
        !plans(
            "create table t (id integer primary key, a text, g text);",
            "change it { rename t.g to h; stage expand; }"
        )
        .is_empty()
    );
}

#[test]
fn h57_tables_with_other_keys_or_none() {
    for (key, value) in [
        ("k integer", "n"), // no key at all
        ("k uuid primary key", "md5(n::text)::uuid"),
        ("k text collate \"C\" primary key", "'k' || n"),
        ("k text primary key", "chr(64 + n % 50) || n"),
        ("k bigint unique", "nullif(n, 5)"), // nullable: no key to go by
        ("k bigint not null unique", "9223372036854775807 - n"),
        ("k integer not null, k2 uuid not null, primary key (k2, k)", "n % 3, md5(n::text)::uuid"),
    ] {
        let schema = format!("create table t ({key}, a text not null, n integer not null);");
        let data = format!("insert into t select {value}, 'x y' || n, n from generate_series(1, 200) n");
        let change = r#"change it {
            divide t.a into b: text not null, c: text not null {
                forward b "split_part(a, ' ', 1)" or reject, forward c "split_part(a, ' ', 2)" or reject, backward "b || ' ' || c" or reject,
            }
            rename t.n to m;
            stage expand;
        }"#;
        let mut db = InFlight::new(&schema, &data, change);
        db.reach(Phase::DualWriting);
        db.run("update t set c = 'new' where n = 7; update t set a = 'old old' where n = 8");
        db.reach(Phase::Validated);
        let rows = db.rows("select a, b, c, m from t where n in (7, 8, 9) order by n");
        assert_eq!(rows, ["x new|x|new|7", "old old|old|old|8", "x y9|x|y9|9"], "{key}");
        assert_eq!(db.row("select count(*) from t where a = b || ' ' || c and m = n"), "200", "{key}");
        db.roll_back();
        assert_eq!(db.row("select count(distinct a) from t"), "200", "{key}");
    }
}
