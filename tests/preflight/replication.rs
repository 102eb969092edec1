//! Logical replication.

use coexist::{Pace, Severity};

use crate::{finds, shop};

#[test]
fn h59_h74_published_tables_are_found() {
    let (world, plan) = shop("published");
    world.execute("create publication everything for all tables");
    let found = finds(&world, &plan, &["published table users"]);
    assert_eq!(found[0].severity, Severity::Warns);
    world.execute("insert into users (name) values ('a'); alter table users replica identity nothing");
    let found = finds(&world, &plan, &["no-replica-identity table users", "published table users"]);
    assert_eq!(found[0].severity, Severity::Blocks);
    // It is true: a published update of such a table is refused.
    let refused = world.client().execute("update users set name = 'b'", &[]).unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "55000");
    for remedy in ["alter table users replica identity full", "alter table users replica identity default"] {
        world.execute(remedy);
        finds(&world, &plan, &["published table users"]);
    }
    world.runner().up(&plan, &Pace::default()).unwrap();
}

#[test]
fn h44_h74_tables_that_a_subscription_writes_are_found() {
    let (world, plan) = shop("subscribed");
    // No publisher is needed for the server to say which tables it would write.
    world.execute("create subscription incoming connection 'host=/nowhere' publication p with (connect = false, slot_name = none)");
    world.execute("insert into pg_subscription_rel (srsubid, srrelid, srsubstate) select oid, 'users'::regclass, 'r' from pg_subscription where subname = 'incoming'");
    let found = finds(&world, &plan, &["subscribed table users"]);
    assert_eq!(found[0].severity, Severity::Blocks);
    world.execute("delete from pg_subscription_rel; drop subscription incoming");
}

#[test]
fn h44_writers_without_triggers_are_found() {
    let (world, plan) = shop("replica_role");
    let database = world.database.name();
    world.execute(&format!("create role {database}_loader; alter role {database}_loader in database {database} set session_replication_role = replica"));
    finds(&world, &plan, &[&format!("replica-role role {database}_loader in database {database}")]);
    world.execute(&format!("alter role {database}_loader in database {database} reset session_replication_role"));
    world.execute(&format!("alter database {database} set session_replication_role = replica"));
    finds(&world, &plan, &[&format!("replica-role database {database}"), "replica-role this role"]);
}
