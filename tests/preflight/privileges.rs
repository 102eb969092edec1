//! What the runner's role may do, and those who write the tables.

use coexist::plan::Plan;
use coexist::{Database, Finding, Options, Pace, Runner, Severity};
use postgres::NoTls;

use crate::plans::declared;
use crate::world::World;
use crate::{finds, shop};

/// A runner as a role of its own, that exists.
fn runner_as(world: &World, role: &str) -> Runner {
    let mut config = world.database.config();
    config.user(role);
    Runner::new(Database::opened_by(move || config.connect(NoTls)), Options::default()).unwrap()
}

fn role(world: &World, name: &str) -> String {
    let role = format!("{}_{name}", world.database.name());
    world.execute(&format!("create role {role} login"));
    role
}

fn names(found: &[Finding]) -> Vec<String> {
    let blocks = found.iter().filter(|finding| finding.severity == Severity::Blocks);
    blocks.map(|finding| format!("{} {}", finding.kind.id(), finding.object)).collect()
}

#[test]
fn h80_all_that_the_role_lacks_is_said_at_once() {
    let (world, plan) = shop("role");
    world.execute("revoke create on schema public from public");
    let role = role(&world, "runner");
    let database = world.database.name();
    let mut runner = runner_as(&world, &role);
    assert_eq!(
        names(&runner.check(&plan).unwrap()),
        ["not-owner table users", "schema-privilege schema public", &format!("database-privilege database {database}")]
    );
    // Each remedy is one.
    world.execute(&format!("grant create on database {database} to {role}; grant create on schema public to {role}"));
    assert_eq!(names(&runner.check(&plan).unwrap()), ["not-owner table users"]);
    world.execute(&format!("create role {role}_owner; alter table users owner to {role}_owner; grant {role}_owner to {role}; grant create on schema public to {role}_owner"));
    assert_eq!(names(&runner.check(&plan).unwrap()), [""; 0]);
    world.execute(&format!("revoke trigger on users from {role}_owner"));
    assert_eq!(names(&runner.check(&plan).unwrap()), ["table-privilege table users"]);
    world.execute(&format!("grant trigger on users to {role}_owner"));
    runner.up(&plan, &Pace::default()).unwrap();

    let other = format!("{role}_other");
    world.execute(&format!(
        "create role {other} login; grant {role}_owner to {other}; grant create on database {database} to {other}"
    ));
    runner.rollback(&plan, None).unwrap();
    assert_eq!(names(&runner_as(&world, &other).check(&plan).unwrap()), ["ledger-privilege schema coexist"]);
}

#[test]
fn h80_a_referenced_table_of_another_owner() {
    let schema = "create table parents (id bigint primary key);
        create table children (id bigint primary key, parent bigint references parents)";
    let world = World::new("referenced", schema);
    let plan = declared(schema, "change rename_parent { rename children.parent to parent_id; stage expand; }");
    let role = role(&world, "owner");
    let database = world.database.name();
    world.execute(&format!("grant create on database {database} to {role}; grant create on schema public to {role}; alter table children owner to {role}"));
    assert_eq!(names(&runner_as(&world, &role).check(&plan).unwrap()), ["table-privilege table parents"]);
    world.execute(&format!("grant references, update on parents to {role}"));
    let mut runner = runner_as(&world, &role);
    assert_eq!(names(&runner.check(&plan).unwrap()), [""; 0]);
    runner.up(&plan, &Pace::default()).unwrap();
}

#[test]
fn h79_what_the_role_cannot_see_is_said() {
    let (world, plan) = shop("blind");
    let role = role(&world, "blind");
    let blind = |found: Vec<Finding>| found.iter().any(|finding| finding.kind.id() == "blind");
    assert!(blind(runner_as(&world, &role).check(&plan).unwrap()));
    world.execute(&format!("grant pg_read_all_stats to {role}"));
    assert!(!blind(runner_as(&world, &role).check(&plan).unwrap()));
}

const USERS: &str = "create table users (id bigint primary key, email text)";

const SPLIT: &str = "change split_users { split users into profiles { key user_id, move email } stage expand; }";

#[test]
fn h41_writers_that_would_be_refused_in_the_after_shape_are_found() {
    let world = World::new("writers", USERS);
    let plan = declared(USERS, SPLIT);
    let writer = role(&world, "writer");
    world.execute(&format!("grant select, insert, update on users to {writer}"));
    finds(&world, &plan, &[]);
    world.runner().expand(&plan).unwrap();
    finds(&world, &plan, &[]); // the new table has the same grants
    world.execute(&format!("revoke insert on profiles from {writer}; grant delete on users to {writer}"));
    let found = finds(&world, &plan, &[&format!("writer-lacks role {writer}")]);
    assert!(found[0].reason.contains("no DELETE and INSERT on profiles"), "{}", found[0]);
}

#[test]
fn h41_writers_of_single_columns() {
    let (world, plan) = shop("column_writers");
    let writer = role(&world, "writer");
    world.execute(&format!("grant update (name) on users to {writer}"));
    world.runner().expand(&plan).unwrap();
    finds(&world, &plan, &[]); // granted along
    world.execute(&format!("grant insert (name) on users to {writer}"));
    let found = finds(&world, &plan, &[&format!("writer-lacks role {writer}")]);
    assert_eq!(found[0].remedy, format!("grant insert (full_name) on users to {writer}"));
}

#[test]
fn h41_a_schema_that_writers_may_not_use() {
    let schema = "create schema inner_things; create table inner_things.users (id bigint primary key, email text)";
    let world = World::new("schema_usage", schema);
    let mut plan: Plan = declared(
        schema,
        "change split_users { split inner_things.users into inner_things.profiles { key user_id, move email } stage expand; }",
    );
    let writer = role(&world, "writer");
    world.execute(&format!(
        "grant usage on schema inner_things to {writer}; grant insert on inner_things.users to {writer}"
    ));
    finds(&world, &plan, &[]);
    world.execute("create schema elsewhere");
    if let [coexist::plan::Backfill::Insert { target, .. }] = plan.backfill.as_mut_slice() {
        target.schema = "elsewhere".into();
    }
    let found = finds(&world, &plan, &[&format!("writer-lacks role {writer}")]);
    assert_eq!(found[0].remedy, format!("grant usage on schema elsewhere to {writer}"));
}

#[test]
fn h43_policies_that_hide_rows_from_the_runner_are_found() {
    let (world, plan) = shop("row_security");
    let role = role(&world, "owner");
    let database = world.database.name();
    world.execute(&format!(
        "grant create on database {database} to {role}; grant create on schema public to {role}; alter table users owner to {role};
        alter table users enable row level security; create policy mine on users using (id > 5)"
    ));
    // An owner is not subject to them, unless they are forced on it.
    assert_eq!(names(&runner_as(&world, &role).check(&plan).unwrap()), [""; 0]);
    world.execute("alter table users force row level security");
    assert_eq!(names(&runner_as(&world, &role).check(&plan).unwrap()), ["row-security table users"]);
    world.execute(&format!("alter role {role} bypassrls"));
    assert_eq!(names(&runner_as(&world, &role).check(&plan).unwrap()), [""; 0]);
}
