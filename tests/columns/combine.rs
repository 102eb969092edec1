//! `combine`: several columns become one, or several others.

use coexist::plan::Phase;

use crate::support::in_flight::InFlight;
use crate::support::life::Life;

const PLACES: &str =
    "create table places (id integer primary key, lat numeric(8,5) not null, lon numeric(8,5) not null, note text);";
const ROWS: &str = "insert into places values (1, 1.5, 2.25, 'n'), (2, -3, 4, null);";
const COMBINE: &str = r#"change it {
    combine places.(lat, lon) into spot: text not null {
        forward "lat || ',' || lon" or reject,
        backward lat "split_part(spot, ',', 1)::numeric(8,5)" or reject,
        backward lon "split_part(spot, ',', 2)::numeric(8,5)" or reject,
    }
    stage expand;
}"#;

fn places(db: &mut InFlight) -> Vec<String> {
    db.rows("select lat, lon, spot from places order by id")
}

#[test]
fn both_shapes_through_every_phase() {
    let mut db = InFlight::new(PLACES, ROWS, COMBINE);
    db.reach(Phase::DualWriting)
        .run("insert into places values (3, 5, 6, null); insert into places (id, spot) values (4, '7.00000,8.00000')");
    db.run("update places set lon = 9 where id = 2");
    assert_eq!(
        places(&mut db),
        [
            "1.50000|2.25000|-",
            "-3.00000|9.00000|-3.00000,9.00000",
            "5.00000|6.00000|5.00000,6.00000",
            "7.00000|8.00000|7.00000,8.00000"
        ]
    );
    db.reach(Phase::Backfilled)
        .run("update places set spot = '0.00000,0.50000' where id = 1; update places set note = 'x'");
    assert_eq!(places(&mut db)[0], "0.00000|0.50000|0.00000,0.50000");
    assert_eq!(db.fails("update places set spot = 'nowhere' where id = 1").0, "22P02");
    assert_eq!(db.fails("insert into places (id, spot) values (9, null)").0, "23502");
    db.run("delete from places where id = 4; update places set id = 5 where id = 3")
        .reach(Phase::Validated)
        .roll_back();
    assert_eq!(
        db.rows("select id, lat, lon from places order by id"),
        ["1|0.00000|0.50000", "2|-3.00000|9.00000", "5|5.00000|6.00000"]
    );
}

#[test]
fn h35_a_blind_null_in_what_can_be_null() {
    let change = r#"change it {
        combine t.(a, b) into c: text {
            forward "a || '-' || b" or reject, backward a "split_part(c, '-', 1)" or reject, backward b "split_part(c, '-', 2)" or reject,
            insert nulls take before,
        }
        stage expand;
    }"#;
    let schema = "create table t (id integer primary key, a text, b text);";
    let mut db = InFlight::new(schema, "insert into t values (1, 'x', 'y'), (2, 'x', null), (3, 'v', 'w')", change);
    db.reach(Phase::DualWriting).run("update t set c = null where id = 1; update t set b = 'u' where id = 3");
    assert_eq!(db.rows("select a, b, c from t order by id"), ["-|-|-", "x|-|-", "v|u|v-u"]);
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select a, b, c from t order by id"), ["-|-|-", "x|-|-", "v|u|v-u"]);
}

#[test]
fn many_to_many() {
    let change = r#"change it {
        combine t.(euros, cents) into total: bigint not null, negative: boolean not null {
            forward total "abs(euros * 100 + cents)" or reject,
            forward negative "euros * 100 + cents < 0" or reject,
            backward euros "case when negative then -total else total end / 100" or reject,
            backward cents "case when negative then -total else total end % 100" or reject,
        }
        stage expand;
    }"#;
    let schema =
        "create table t (id integer primary key, euros integer not null default 0, cents integer not null default 0);";
    let mut db = InFlight::new(schema, "insert into t values (1, 3, 50), (2, -1, -5)", change);
    db.reach(Phase::DualWriting)
        .run("insert into t (id) values (3); insert into t (id, total, negative) values (4, 199, true)");
    db.run("update t set negative = true where id = 1");
    assert_eq!(
        db.rows("select euros, cents, total, negative from t order by id"),
        ["-3|-50|350|t", "-1|-5|-|-", "0|0|0|f", "-1|-99|199|t"]
    );
    db.reach(Phase::Validated).run("update t set cents = 1 where id = 2");
    assert_eq!(db.row("select euros, cents, total, negative from t where id = 2"), "-1|1|99|t");
}

#[test]
fn irreversible_leaves_the_before_columns_alone() {
    let change = r#"change it {
        combine t.(a, b) into c: text not null { forward lossy "md5(a || b)" or reject, irreversible }
        stage expand;
    }"#;
    let schema = "create table t (id integer primary key, a text not null, b text not null);";
    let mut db = InFlight::new(schema, "insert into t values (1, 'x', 'y')", change);
    db.reach(Phase::DualWriting).run("insert into t (id, c) values (2, 'new'); update t set a = 'z' where id = 1");
    assert_eq!(db.rows("select a, b, c = md5('zy'), c = 'new' from t order by id"), ["z|y|t|f", "-|-|f|t"]);
    // What new code wrote is compared with nothing; what old code writes over it, with that.
    db.reach(Phase::Validated).run("update t set c = 'newer' where id = 1; update t set a = 'p', b = 'q' where id = 2");
    assert_eq!(db.rows("select a, b, c = md5('pq'), c = 'newer' from t order by id"), ["z|y|f|t", "p|q|t|f"]);
}

#[test]
fn h41_a_role_gets_what_it_has_on_all_that_a_column_is_made_of() {
    let mut db = InFlight::new(PLACES, ROWS, COMBINE);
    for role in ["coexist_reads_both", "coexist_reads_one"] {
        db.run(&format!("do $$ begin create role {role}; exception when duplicate_object then end $$"));
    }
    db.run("grant select (id, lat, lon), update (lat) on places to coexist_reads_both; grant select (lat) on places to coexist_reads_one");
    db.reach(Phase::Expanded);
    let may = "select has_column_privilege('coexist_reads_both', 'places', 'spot', 'select'),
        has_column_privilege('coexist_reads_both', 'places', 'spot', 'update'),
        has_column_privilege('coexist_reads_one', 'places', 'spot', 'select')";
    assert_eq!(db.row(may), "t|f|f");
    db.reach(Phase::DualWriting).run("set role coexist_reads_both; update places set lat = 0 where id = 1; reset role");
    assert_eq!(places(&mut db)[0], "0.00000|2.25000|0.00000,2.25000");
    db.run("drop owned by coexist_reads_both, coexist_reads_one");
}

#[test]
fn a_whole_life() {
    Life {
        before: "create table t (a text not null default 'x', n integer, b text not null, id integer primary key);
            alter table t add constraint t_key unique (b, n, a); create index t_a_b on t (a, b desc);
            alter table t add constraint t_b check (b <> ''); create unique index t_both on t (a, b) where n > 0;",
        data: "insert into t select 'a' || n, n, 'b' || n, n from generate_series(1, 50) n",
        change: r#"combine t.(a, b) into c: text not null {
            forward "a || '/' || b" or reject,
            backward a "split_part(c, '/', 1)" or reject,
            backward b "split_part(c, '/', 2)" or reject,
        }"#,
        after: "create table t (n integer, id integer primary key, c text not null default ('x' || '/') || null::text);
            alter table t add constraint t_key unique (c, n); create index t_a_b on t (c);
            alter table t add constraint t_b check (split_part(c, '/', 2) <> ''); create unique index t_both on t (c) where n > 0;",
    }
    .check();
}
