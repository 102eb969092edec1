//! Room in rows, on disks, and in the numbers of transactions.

use coexist::Severity;

use crate::{finds, shop};

#[test]
fn h72_columns_that_were_dropped_count() {
    let (world, plan) = shop("many_columns");
    let add: Vec<String> = (0..1597).map(|n| format!("add c{n} int")).collect();
    let drop: Vec<String> = (0..1597).map(|n| format!("drop c{n}")).collect();
    world.execute(&format!("alter table users {}", add.join(", ")));
    world.execute(&format!("alter table users {}", drop.join(", ")));
    let found = finds(&world, &plan, &["too-many-columns table users"]);
    assert!(found[0].reason.contains("it has used 1600 columns, 1597 of which were dropped"), "{}", found[0]);
    // It is true.
    assert_eq!(
        world.client().batch_execute("alter table users add x int").unwrap_err().code().unwrap().code(),
        "54011"
    );
}

#[test]
fn h06_how_much_is_needed_is_said() {
    let (world, plan) = shop("disk");
    world.execute("insert into users (name, email) select 'name ' || i, repeat('x', 100) from generate_series(1, 20000) as i; analyze users");
    let found = world.runner().check(&plan).unwrap();
    let space = found.iter().find(|finding| finding.kind.id() == "disk-space").unwrap();
    assert_eq!(space.severity, Severity::Informs);
    assert!(
        space.reason.starts_with("the backfill and the new indexes need about ") && space.reason.contains(" MB more"),
        "{space}"
    );
}

#[test]
fn h09_a_table_that_is_due_for_a_vacuum_against_wraparound_is_found() {
    let (world, plan) = shop("old");
    // So that a few transactions are enough.
    let server = coexist::sandbox::Sandbox::builder()
        .setting("autovacuum_freeze_max_age", "100000")
        .setting("autovacuum", "off");
    let server = server.start().unwrap();
    let old = crate::world::World { database: server.database("old").unwrap(), server: world.server };
    old.execute(crate::SHOP);
    let mut client = old.client();
    client
        .batch_execute("do $$ begin for i in 1..100100 loop perform pg_current_xact_id(); commit; end loop; end $$")
        .unwrap();
    let found = crate::findings(&old, &plan);
    assert!(
        found.iter().any(|finding| finding.kind.id() == "wraparound" && finding.object == "table users"),
        "{found:?}"
    );
}
