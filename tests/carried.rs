//! What hangs on a column that gets other values: it is carried so that PostgreSQL takes it, or refused before a row is touched.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use coexist::plan::Phase;
use support::in_flight::InFlight;

fn with(table: &str, rows: &str, change: &str) -> InFlight {
    InFlight::new(table, rows, &format!("change it {{ {change} stage contract; }}"))
}

/// Through both shapes the same rows are refused, and it is the same index that finds one.
#[test]
fn expressions_over_other_values_say_the_same_of_a_row() {
    let mut db = with(
        "create table t (id bigint primary key, n integer not null check (n % 2 = 0 and n < 1000));
         create index t_n on t ((n / 10)) where n > 4; create statistics t_s on id, n from t;",
        "insert into t select i, 2 * i from generate_series(1, 50) i",
        r#"retype t.n to euros: numeric { forward "n / 100.0" or reject, backward lossy "(euros * 100)::integer" or reject }"#,
    );
    for phase in [Phase::Validated, Phase::Contracted] {
        db.reach(phase);
        assert_eq!(db.fails("insert into t (id, euros) values (100, 0.03)").0, "23514", "{}", phase.name());
        assert_eq!(db.fails("insert into t (id, euros) values (100, 10.02)").0, "23514", "{}", phase.name());
    }
    assert_eq!(
        db.row("select pg_get_indexdef('t_n'::regclass)"),
        "CREATE INDEX t_n ON public.t USING btree (((((euros * (100)::numeric))::integer / 10))) WHERE (((euros * (100)::numeric))::integer > 4)"
    );
}

/// Which operators a type has, and which operator classes, the server knows.
#[test]
fn what_cannot_be_made_for_the_new_type_is_refused_before_a_row_is_touched() {
    const REAL: &str =
        r#"retype t.n to size: real { forward lossy "n::real", backward lossy "size::integer" or reject }"#;
    const BIGINT: &str = r#"retype t.n to size: bigint { forward "n::bigint", backward "size::integer" or reject }"#;
    for (hangs_on_it, change, what, why) in [
        ("alter table t add constraint even check (n % 2 = 0);", REAL, "check even", "operator does not exist"),
        ("create index lines on t (repeat('-', n));", REAL, "index lines", "does not exist"),
        ("create index odd on t (id) where n & 1 = 1;", REAL, "index odd", "operator does not exist"),
        (
            "create index blocks on t using brin (n int4_bloom_ops);",
            BIGINT,
            "index blocks",
            "does not accept data type bigint",
        ),
    ] {
        if hangs_on_it.contains("bloom") && support::version() < 14 {
            continue;
        }
        let mut db = with(
            &format!("create table t (id bigint primary key, n integer not null); {hangs_on_it}"),
            "insert into t values (1, 2)",
            change,
        );
        let before = support::catalog_dump(&mut db.client);
        let said = db.fails_to_reach(Phase::Expanded);
        assert!(said.contains(&format!("{what} cannot be carried over: ")), "{said}");
        assert!(said.contains(why) && said.contains("Drop it before this change"), "{said}");
        assert!(support::catalog_dump(&mut db.client) == before, "{what}");
    }
}

/// Rows without a value of their own get what the triggers gave them until the contract.
#[test]
fn a_default_that_does_not_convert_becomes_what_stands_in_for_it() {
    for (default, rule, becomes, of_new_rows) in [
        ("'none'", r#"or "0""#, "0", "0"),
        ("'none'::text", r#"or "1 - 2""#, "(1 - 2)", "-1"),
        ("'7'", r#"or "0""#, "7", "7"),
        ("upper('none')", "or quarantine", "-", "-"),
    ] {
        let mut db = with(
            &format!("create table t (id bigint primary key, code text default {default});"),
            "insert into t values (1, '1')",
            &format!(
                r#"retype t.code to number: integer {{ forward "code::integer" {rule}, backward "number::text", insert nulls take before }}"#
            ),
        );
        db.reach(Phase::Contracted).run("insert into t (id) values (2)");
        assert_eq!(db.row("select number from t where id = 2"), of_new_rows, "{default} {rule}");
        let default_now = db.rows("select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = 't'::regclass");
        assert_eq!(default_now.first().map_or("-", String::as_str), becomes, "{default} {rule}");
    }
}

#[test]
fn a_default_that_would_be_rejected_is_refused_before_a_row_is_touched() {
    for default in ["'none'", "'none'::text", "upper('none')"] {
        let mut db = with(
            &format!("create table t (id bigint primary key, code text default {default});"),
            "insert into t values (1, '1')",
            r#"retype t.code to number: integer { forward "code::integer" or reject, backward "number::text", insert nulls take before }"#,
        );
        let said = db.fails_to_reach(Phase::Expanded);
        assert!(said.contains("the default that number would get does not convert"), "{said}");
        assert!(said.contains("Give the old column another default"), "{said}");
    }
}
