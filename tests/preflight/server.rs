//! The server, and its settings.

use coexist::sandbox::Sandbox;
use coexist::{Class, Error, Pace};

use crate::plans::declared;
use crate::world::World;
use crate::{RENAME, SHOP, finds, shop};

#[test]
fn h82_a_plan_for_a_later_server_is_found() {
    let (world, mut plan) = shop("later");
    plan.server = 99;
    finds(
        &world,
        &plan,
        &[&format!("server-too-old PostgreSQL {}", world.value::<String>("select current_setting('server_version')"))],
    );
}

#[test]
fn h78_a_database_that_is_read_only_is_found() {
    let (world, plan) = shop("read_only");
    world.execute(&format!("alter database {} set default_transaction_read_only = on", world.database.name()));
    finds(&world, &plan, &["read-only default_transaction_read_only"]);
}

#[test]
fn h81_settings_that_no_session_can_pin_for_others_are_found() {
    let (world, plan) = shop("settings");
    let database = world.database.name();
    world.execute(&format!("alter database {database} set default_transaction_isolation = 'serializable'"));
    world.execute(&format!("alter database {database} set deadlock_timeout = '300ms'"));
    world.execute("alter table users set (autovacuum_enabled = false)");
    finds(
        &world,
        &plan,
        &[
            "setting autovacuum_enabled of table users",
            "setting deadlock_timeout",
            "setting default_transaction_isolation",
        ],
    );
}

#[test]
fn h78_a_standby_can_be_looked_at_and_is_left_alone() {
    let mut sandbox = Sandbox::start().unwrap();
    let world = World { database: sandbox.database("standby").unwrap(), server: sandbox.version() };
    world.execute(SHOP);
    let plan = declared(SHOP, RENAME);
    world.runner().expand(&plan).unwrap();
    // One that follows nobody is a standby, too.
    sandbox.stop().unwrap();
    std::fs::write(sandbox.socket_dir().join("data/standby.signal"), "").unwrap();
    sandbox.restart().unwrap();

    let mut runner = world.runner();
    assert_eq!(runner.status(&plan).unwrap().phase.name(), "expanded");
    let found = finds(&world, &plan, &["read-only server"]);
    assert_eq!(found[0].reason, "it is a standby");
    for refused in [runner.up(&plan, &Pace::default()), runner.rollback(&plan, None), runner.pause(&plan.change)] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::ReadOnly { .. }), "{refused}");
        assert_eq!(refused.class(), Class::Refused);
    }
}
