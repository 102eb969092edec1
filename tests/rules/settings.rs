//! `default`, `comment`, `unconstrain`.

use coexist::plan::Phase;

use super::support::in_flight::{InFlight, plans};
use super::support::life::Life;

const USERS: &str = "create table users (id bigint primary key, level integer default 1, name text not null);";

#[test]
fn the_whole_life_of_a_default() {
    let life = |change, after| Life { before: USERS, data: "insert into users values (1, 1, 'a')", change, after };
    life(
        "default users.level: \"2 * 5\";",
        "create table users (id bigint primary key, level integer default 2 * 5, name text not null);",
    )
    .check();
    life(
        "default users.level: none;",
        "create table users (id bigint primary key, level integer, name text not null);",
    )
    .check();
    life(
        "default users.name: \"'nobody'\";",
        "create table users (id bigint primary key, level integer default 1, name text not null default 'nobody');",
    )
    .check();
}

#[test]
fn a_new_default_holds_from_dual_writing_on_and_goes_with_a_rollback() {
    let mut db = InFlight::new(USERS, "", "change it { default users.level: \"7\"; stage expand; }");
    let insert =
        |db: &mut InFlight, id| db.row(&format!("insert into users (id, name) values ({id}, 'a') returning level"));
    assert_eq!(insert(db.reach(Phase::Expanded), 1), "1");
    assert_eq!(insert(db.reach(Phase::DualWriting), 2), "7");
    assert_eq!(insert(db.roll_back(), 3), "1");
    let notes = plans(USERS, "change it { default users.level: \"7\"; stage expand; }").remove(0).notes;
    assert!(notes.iter().any(|note| note.contains("in old code as well")), "{notes:?}");
}

#[test]
fn a_default_that_goes_holds_until_the_contract() {
    let mut db = InFlight::new(USERS, "", "change it { default users.level: none; stage contract; }");
    let insert =
        |db: &mut InFlight, id| db.row(&format!("insert into users (id, name) values ({id}, 'a') returning level"));
    assert_eq!(insert(db.reach(Phase::Validated), 1), "1");
    assert_eq!(insert(db.reach(Phase::Contracted), 2), "-");
}

#[test]
fn the_whole_life_of_a_comment() {
    let life = |change, after| Life { before: USERS, data: "", change, after };
    life(
        "comment users.level: \"It's a level\";",
        "create table users (id bigint primary key, level integer default 1, name text not null);
         comment on column users.level is 'It''s a level';",
    )
    .check();
    life(
        "comment users: \"People\";",
        "create table users (id bigint primary key, level integer default 1, name text not null); comment on table users is 'People';",
    )
    .check();
}

#[test]
fn two_names_can_be_those_of_a_table() {
    let schema = "create schema app; create table app.users (id integer); comment on table app.users is 'x';";
    let mut db = InFlight::new(schema, "", "change it { comment app.users: none; stage contract; }");
    db.reach(Phase::Contracted);
    assert_eq!(db.row("select obj_description('app.users'::regclass)"), "-");
}

// --- unconstrain ---

const SHOP: &str = "create table users (id bigint primary key, email text, constraint users_email_key unique (email));
    create table orders (id bigint primary key, user_id bigint, total integer,
        constraint positive check (total > 0), constraint of_user foreign key (user_id) references users on delete cascade);";
const ROWS: &str = "insert into users values (1, 'a'); insert into orders values (1, 1, 5)";

#[test]
fn the_whole_life_of_constraints_that_go() {
    let users = "create table users (id bigint primary key, email text, constraint users_email_key unique (email));";
    let life = |change, after| Life { before: SHOP, data: ROWS, change, after };
    life(
        "unconstrain orders: positive; unconstrain orders: of_user;",
        Box::leak(
            format!("{users} create table orders (id bigint primary key, user_id bigint, total integer);")
                .into_boxed_str(),
        ),
    )
    .check();
    life(
        "unconstrain users: users_email_key;",
        "create table users (id bigint primary key, email text);
         create table orders (id bigint primary key, user_id bigint, total integer,
            constraint positive check (total > 0), constraint of_user foreign key (user_id) references users on delete cascade);",
    )
    .check();
}

/// Old code relies on a constraint until the contract.
#[test]
fn a_constraint_holds_until_the_contract() {
    let mut db = InFlight::new(SHOP, ROWS, "change it { unconstrain orders: positive; stage contract; }");
    db.reach(Phase::Validated);
    assert_eq!(db.fails("insert into orders values (2, 1, 0)").0, "23514");
    db.reach(Phase::Contracted).run("insert into orders values (2, 1, 0)");
}

/// H25: the referenced table is locked first.
#[test]
fn h25_a_foreign_key_that_goes_locks_parent_and_child_in_this_order() {
    let plan = plans(SHOP, "change it { unconstrain orders: of_user; stage contract; }").remove(0);
    let [step] = plan.steps.as_slice() else { panic!("{:?}", plan.steps) };
    let tables: Vec<&str> = step.action.locks.iter().map(|lock| lock.table.name.as_str()).collect();
    assert_eq!(tables, ["users", "orders"]);
    assert!(step.action.statements[0].starts_with("lock table \"public\".\"users\" in access exclusive mode"));
}
