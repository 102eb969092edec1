//! Several operations on the columns of one table: one set of triggers, one backfill, and each mapping by itself.

use coexist::plan::{Backfill, Phase};

use crate::support::in_flight::{InFlight, plans};
use crate::support::life::Life;

const SCHEMA: &str =
    "create table t (id integer primary key, a text not null, b integer not null, c text, d text, e text, big text);";
const ROWS: &str = "insert into t values (1, 'a1', 1, 'x 1', 'd1', 'e1'), (2, 'a2', 2, null, 'd2', null)";
const CHANGE: &str = r#"change it {
    rename t.a to name;
    retype t.b to amount: bigint { forward "b::bigint", backward "amount::integer" or reject }
    divide t.c into c1: text, c2: text {
        forward c1 "split_part(c, ' ', 1)" or reject, forward c2 "split_part(c, ' ', 2)" or reject, backward "c1 || ' ' || c2" or reject,
        insert nulls take before,
    }
    combine t.(d, e) into de: text {
        forward "concat_ws('+', d, e)" or reject, backward d "split_part(de, '+', 1)" or reject, backward e "nullif(split_part(de, '+', 2), '')" or reject,
        insert nulls take before,
    }
    stage expand;
}"#;
const ALL: &str = "select a, name, b, amount, c, c1, c2, d, e, de from t order by id";

#[test]
fn they_cost_one_set_of_triggers_and_one_pass() {
    let plan = plans(SCHEMA, CHANGE).remove(0);
    let [Backfill::Update { set, .. }] = plan.backfill.as_slice() else { panic!("{:?}", plan.backfill) };
    assert_eq!(plan.reconcile.len(), 1);
    assert_eq!(set.len(), 7, "five columns and two markers: {set:?}");
    assert!(plan.notes.iter().any(|note| note.contains("one pass of the backfill")), "{:?}", plan.notes);
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGE);
    db.reach(Phase::DualWriting);
    let sync = "select count(*), count(distinct tgfoid) from pg_trigger where tgrelid = 't'::regclass and tgname like 'zz_coexist_3_%'";
    assert_eq!(db.row(sync), "2|1");
}

#[test]
fn each_is_kept_in_step_by_itself() {
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGE);
    db.reach(Phase::DualWriting);
    // New code writes one, old code another, in one statement; the row was not in step.
    db.run("update t set name = 'new', b = 7 where id = 1");
    assert_eq!(db.rows(ALL)[0], "new|new|7|7|x 1|x|1|d1|e1|d1+e1");
    db.run("insert into t (id, a, b, c1, c2, de) values (3, 'a3', 3, 'p', 'q', 'r+s'); insert into t (id, name, amount, c) values (4, 'n4', 4, 'v w')");
    assert_eq!(db.rows(ALL)[2..], ["a3|a3|3|3|p q|p|q|r|s|r+s", "n4|n4|4|4|v w|v|w|-|-|"]);
    db.run("update t set c1 = null where id = 2"); // blind, in one mapping of four
    assert_eq!(db.rows(ALL)[1], "a2|a2|2|2|-|-|-|d2|-|d2");
    db.reach(Phase::Validated);
    assert_eq!(db.rows(ALL)[1], "a2|a2|2|2|-|-|-|d2|-|d2");
    assert_eq!(db.row("select coalesce(sum(count), 0) from coexist.conflicts"), "0");
}

#[test]
fn a_write_to_one_leaves_the_others_alone() {
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGE);
    db.reach(Phase::Backfilled);
    // What only the triggers' absence could make: values that do not follow from each other show what is written.
    db.run("set session_replication_role = replica; update t set name = 'odd', c1 = 'odd' where id = 1; reset session_replication_role");
    db.run("update t set amount = 9 where id = 1; update t set d = 'dd' where id = 1");
    assert_eq!(db.rows(ALL)[0], "a1|odd|9|9|x 1|odd|1|dd|e1|dd+e1");
}

#[test]
fn the_backfill_leaves_alone_what_is_in_step() {
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGE);
    db.reach(Phase::DualWriting);
    // One mapping of the row is in step, with a value that no conversion would give; the others are not.
    db.run("set session_replication_role = replica; update t set name = 'kept', amount = 8 where id = 1; reset session_replication_role");
    db.reach(Phase::Backfilled);
    assert_eq!(db.rows(ALL)[0], "a1|kept|1|8|x 1|x|1|d1|e1|d1+e1");
}

#[test]
fn h50_the_tables_own_triggers_leave_a_backfilled_row_as_it_was() {
    let touch =
        "create function touch() returns trigger language plpgsql as $$ begin new.big := 'touched'; return new; end $$;
        create trigger touch before update on t for each row execute function touch();";
    let mut db = InFlight::new(&format!("{SCHEMA} {touch}"), ROWS, CHANGE);
    db.reach(Phase::Validated);
    assert_eq!(db.rows("select name, amount, big from t order by id"), ["a1|1|-", "a2|2|-"]);
}

#[test]
fn rolled_back_they_leave_what_new_code_wrote() {
    let mut db = InFlight::new(SCHEMA, ROWS, CHANGE);
    db.reach(Phase::Backfilled)
        .run("update t set name = 'n', amount = 5, c2 = 'z', de = 'k+l' where id = 1")
        .roll_back();
    assert_eq!(db.rows("select a, b, c, d, e from t where id = 1"), ["n|5|x z|k|l"]);
}

#[test]
fn what_stands_on_columns_of_several_is_built_once() {
    Life {
        before: "create table t (id integer primary key, a text not null, b integer not null, c text not null);
            alter table t add constraint t_key unique (a, b); create index t_all on t (c, a desc) where b > 0;
            alter table t add constraint t_check check (length(a) < b + 100);",
        data: "insert into t select n, 'a' || n, n, 'c' || n from generate_series(1, 50) n",
        change: r#"rename t.a to x; retype t.b to y: bigint { forward "b::bigint", backward "y::integer" or reject } rename t.c to z;"#,
        after: "create table t (id integer primary key, x text not null, y bigint not null, z text not null);
            alter table t add constraint t_key unique (x, y); create index t_all on t (z, x desc) where y > 0;
            alter table t add constraint t_check check (length(x) < y + 100);",
    }
    .check();
}

#[test]
fn other_tables_have_triggers_of_their_own() {
    let schema = format!("{SCHEMA} create table u (id integer primary key, a text not null);");
    let change = "change it { rename t.a to name; rename u.a to name; rename t.big to large; stage expand; }";
    let mut db = InFlight::new(&schema, &format!("{ROWS}; insert into u values (1, 'u1')"), change);
    db.reach(Phase::Backfilled).run("update t set name = 'tn', large = 'l' where id = 1; update u set name = 'un'");
    assert_eq!(db.row("select a, big from t where id = 1"), "tn|l");
    assert_eq!(db.row("select a from u"), "un");
    db.reach(Phase::Validated).roll_back();
}

/// The backfill of one operation writes rows in which a column that another one says is NOT NULL is not filled yet: the other one fills it, and
/// what it does is not put back along with what the table's own trigger does (H50).
#[test]
fn the_backfill_of_one_is_a_write_for_the_others() {
    let schema = "create table users (id integer primary key, name text not null, team integer references users, city text, updates integer default 0);
        create index on users (team);
        create table profiles (user_id integer primary key references users, theme text not null);
        create table places (user_id integer primary key references users, town text not null);
        create function touch() returns trigger language plpgsql as 'begin new.updates := new.updates + 1; return new; end';
        create trigger touch before update on users for each row execute function touch();";
    let rows = "insert into users values (1, 'Ada'), (2, 'Ben'); insert into profiles values (1, 'dark'); insert into places values (2, 'Rome')";
    let operations = [
        "move places.town to users.town { via places.user_id }",
        "merge profiles into users { key user_id, move theme or \"'light'\" }",
        "add users.source: text not null fill \"'import'\";",
        "rename users.name to full_name;",
    ];
    let expected = ["1|Ada|dark|import|-|0", "2|Ben|light|import|Rome|0"];
    let in_one = format!("change it {{ {} stage expand; }}", operations.concat());
    let in_each = operations.iter().enumerate().map(|(n, it)| format!("change it{n} {{ {it} stage expand; }}"));
    for changes in [in_one, in_each.collect()] {
        let mut db = InFlight::new(schema, rows, &changes);
        db.reach(Phase::DualWriting);
        for phase in [Phase::Backfilled, Phase::Validated] {
            db.reach(phase);
            let all = "select id, full_name, theme, source, town, updates from users order by id";
            assert_eq!(db.rows(all), expected, "{changes}");
        }
        db.roll_back();
    }
}

/// Looking again at what did not convert converts it again, also in rows that are in step.
#[test]
fn a_value_in_quarantine_keeps_the_change_from_its_contract() {
    let change = r#"change it {
        rename t.a to name; retype t.c to number: integer { forward "c::integer" or quarantine, backward "number::text" }
        stage contract;
    }"#;
    let mut db = InFlight::new(SCHEMA, ROWS, change);
    db.reach(Phase::Validated);
    let error = db.fails_to_reach(Phase::Contracted);
    assert!(error.contains("1 values of t.number did not convert"), "{error}");
    db.run("update t set c = '7' where id = 1").reach(Phase::Contracted);
    assert_eq!(db.rows("select id, number from t order by id"), ["1|7", "2|-"]);
}
