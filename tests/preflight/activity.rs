//! What goes on at the moment.

use crate::world::eventually;
use crate::{finds, shop};

#[test]
fn h23_prepared_transactions_are_found() {
    let (world, plan) = shop("prepared");
    let gid = format!("{}_payment", world.database.name());
    world.execute(&format!("begin; insert into users (name) values ('a'); prepare transaction '{gid}'"));
    let found = finds(
        &world,
        &plan,
        &[
            &format!("prepared-transaction prepared transaction {gid}"),
            &format!("lock-held prepared transaction {gid}"),
        ],
    );
    assert!(found[1].reason.contains("holds RowExclusiveLock on users"), "{}", found[1]);
    world.execute(&format!("rollback prepared '{gid}'"));
    finds(&world, &plan, &[]);
}

#[test]
fn h21_who_holds_a_lock_is_found() {
    let (world, plan) = shop("held");
    let mut reader = world.client();
    reader.batch_execute("set application_name = 'nightly report'; begin; select from users limit 1").unwrap();
    let found = crate::findings(&world, &plan);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].reason.contains("application \"nightly report\""), "{}", found[0]);
}

#[test]
fn h28_invalid_indexes_are_found() {
    let (world, plan) = shop("invalid");
    world.execute("alter table users drop constraint users_name_key; insert into users (name, email) values ('a', 'x'), ('b', 'x')");
    world.execute("alter table users add constraint users_name_key unique (name)");
    world.client().batch_execute("create unique index concurrently emails on users (email)").unwrap_err();
    finds(&world, &plan, &["invalid-index index emails"]);
    world.execute("drop index emails");
    finds(&world, &plan, &[]);
}

#[test]
fn h28_what_a_failed_reindex_leaves_behind_is_no_drift() {
    let (world, plan) = shop("reindexed");
    let mut reader = world.client();
    reader.batch_execute("begin isolation level repeatable read; select count(*) from pg_class").unwrap();
    let mut reindex = world.client();
    reindex.batch_execute("set lock_timeout = '50ms'").unwrap();
    reindex.batch_execute("reindex index concurrently users_lower_idx").unwrap_err();
    reader.batch_execute("commit").unwrap();
    let found = finds(&world, &plan, &["invalid-index index users_lower_idx_ccnew"]);
    assert!(found[0].remedy.contains("REINDEX CONCURRENTLY left it behind"), "{}", found[0]);
}

#[test]
fn h09_a_running_vacuum_is_found() {
    let (world, plan) = shop("vacuum");
    world.execute(
        "insert into users (name, email) select 'name ' || i, repeat('x', 100) from generate_series(1, 5000) as i",
    );
    let mut vacuum = world.client();
    vacuum.batch_execute("set vacuum_cost_delay = 100; set vacuum_cost_limit = 1").unwrap();
    let thread = std::thread::spawn(move || vacuum.batch_execute("vacuum (freeze) users"));
    eventually("the vacuum is seen", || world.count("pg_stat_progress_vacuum where relid = to_regclass('users')") > 0);
    let found = crate::findings(&world, &plan);
    assert!(
        found.iter().any(|finding| finding.kind.id() == "vacuum-running" && finding.object == "table users"),
        "{found:?}"
    );
    world.execute("select pg_cancel_backend(pid) from pg_stat_progress_vacuum where relid = to_regclass('users')");
    let _ = thread.join().unwrap();
}
