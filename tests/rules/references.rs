//! `constrain t: (a) references u (x)`

use coexist::plan::{LockLevel, Phase};

use super::support::in_flight::{InFlight, plans};
use super::support::life::Life;
use super::{blocks, found};

const SHOP: &str = "create table users (id bigint primary key, tenant integer, email text, unique (tenant, email));
    create table orders (id bigint primary key, user_id bigint, tenant integer, email text);";
const ROWS: &str = "insert into users values (1, 1, 'a'), (2, 1, 'b');
    insert into orders values (1, 1, 1, 'a'), (2, 7, 1, null), (3, null, 9, 'z')";

#[test]
fn the_whole_life() {
    let users = "create table users (id bigint primary key, tenant integer, email text, unique (tenant, email));";
    let good = "insert into users values (1, 1, 'a'); insert into orders values (1, 1, 1, 'a'), (2, null, 1, null)";
    for (change, constraint) in [
        ("(user_id) references users or reject;", "foreign key (user_id) references users"),
        (
            "(user_id) references users (id) on delete cascade on update set null or reject;",
            "foreign key (user_id) references users (id) on delete cascade on update set null",
        ),
        (
            "foreign key of_tenant (tenant, email) references users (tenant, email) deferrable initially deferred or reject;",
            "constraint of_tenant foreign key (tenant, email) references users (tenant, email) deferrable initially deferred",
        ),
        (
            "foreign key parent (user_id) references orders or reject;",
            "constraint parent foreign key (user_id) references orders",
        ),
    ] {
        let change = Box::leak(format!("constrain orders: {change}").into_boxed_str());
        let after = format!(
            "{users} create table orders (id bigint primary key, user_id bigint, tenant integer, email text, {constraint});"
        );
        Life { before: SHOP, data: good, change, after: Box::leak(after.into_boxed_str()) }.check();
    }
}

/// H56
#[test]
fn h56_orphans_are_found_with_their_keys() {
    let mut db = InFlight::new(
        SHOP,
        ROWS,
        "change it { constrain orders: (user_id) references users or reject; stage expand; }",
    );
    assert_eq!(found(&mut db, "orphans_orders_user_id_fkey"), ["2"]);
    let error = db.fails_to_reach(Phase::Expanded);
    assert!(error.contains("rows of orders that reference no row of users"), "{error}");
    assert_eq!(blocks(&db.plans[0], "orphans_orders_user_id_fkey"), Phase::DualWriting);
    let both =
        "change it { constrain orders: (tenant, email) references users (tenant, email) or reject; stage expand; }";
    let mut db = InFlight::new(SHOP, ROWS, both);
    assert_eq!(found(&mut db, "orphans_orders_tenant_email_fkey"), ["3"]);
    let full = "change it { constrain orders: (tenant, email) references users (tenant, email) match full or reject; stage expand; }";
    let mut db = InFlight::new(SHOP, ROWS, full);
    assert_eq!(found(&mut db, "orphans_orders_tenant_email_fkey"), ["2", "3"]);
}

#[test]
fn orphans_are_mended_and_old_writes_rejected() {
    let change = "change it { constrain orders: (user_id) references users on delete cascade { fix user_id \"null\", old writes reject } stage contract; }";
    let mut db = InFlight::new(SHOP, ROWS, change);
    db.reach(Phase::DualWriting);
    assert_eq!(db.fails("insert into orders values (4, 9)").0, "23503");
    db.run("update orders set email = 'x' where id = 2; delete from users where id = 1").reach(Phase::Contracted);
    assert_eq!(db.rows("select id, user_id, email from orders order by id"), ["2|-|x", "3|-|z"]);
}

#[test]
fn orphans_of_a_table_that_references_itself() {
    let schema = "create table nodes (id integer primary key, parent integer);";
    let change = "change it { constrain nodes: (parent) references nodes { fix parent \"id\" or reject, old writes reject } stage contract; }";
    let mut db = InFlight::new(schema, "insert into nodes values (1, 1), (2, 1), (3, 99)", change);
    db.reach(Phase::Contracted);
    assert_eq!(db.rows("select id, parent from nodes order by id"), ["1|1", "2|1", "3|3"]);
}

/// H25: in every transaction that locks both tables, the referenced one comes first.
#[test]
fn h25_parent_and_child_are_locked_in_this_order() {
    let plan =
        plans(SHOP, "change it { constrain orders: (user_id) references users or reject; stage expand; }").remove(0);
    let hold = plan.steps_to(Phase::DualWriting).next().unwrap();
    for (action, level) in [(&hold.action, LockLevel::ShareRowExclusive), (&hold.undo[0], LockLevel::AccessExclusive)] {
        let locks: Vec<_> = action.locks.iter().map(|lock| (lock.table.name.as_str(), lock.level)).collect();
        assert_eq!(locks[0].0, "users");
        assert!(locks.iter().all(|(_, is)| *is == level), "{locks:?}");
        let sql = &action.statements;
        let lock = sql.iter().position(|sql| sql.contains("lock table \"public\".\"users\"")).unwrap();
        let alter = sql.iter().position(|sql| sql.starts_with("alter table")).unwrap();
        assert!(lock < alter, "{sql:?}");
    }
}

#[test]
fn a_missing_index_is_named() {
    let plan =
        plans(SHOP, "change it { constrain orders: (user_id) references users or reject; stage expand; }").remove(0);
    assert!(
        plan.notes.iter().any(|note| note.starts_with("no index of orders begins with user_id")),
        "{:?}",
        plan.notes
    );
    let indexed = format!("{SHOP} create index on orders (user_id, id);");
    let plan = plans(&indexed, "change it { constrain orders: (user_id) references users or reject; stage expand; }")
        .remove(0);
    assert!(!plan.notes.iter().any(|note| note.contains("no index")), "{:?}", plan.notes);
}
