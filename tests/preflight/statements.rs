//! Statements that the server has counted, and that name a column which goes.

use coexist::plan::Plan;
use coexist::sandbox::Sandbox;
use coexist::{Finding, Severity};

use crate::plans::declared;
use crate::world::World;
use crate::{RENAME, SHOP, finds, shop};

fn unknown(world: &World, plan: &Plan) -> Vec<Finding> {
    let mut found = world.runner().check(plan).unwrap();
    found.retain(|finding| finding.kind.id() == "statements-unknown");
    found
}

fn contract() -> Plan {
    declared(SHOP, &RENAME.replace("stage expand", "stage contract"))
}

#[test]
fn h86_without_statistics_nothing_is_known() {
    let (world, _) = shop("no_statistics");
    let found = unknown(&world, &contract());
    assert_eq!((found.len(), found[0].severity), (1, Severity::Informs));
    assert!(found[0].reason.contains("it is not installed in this database"), "{}", found[0]);
    // Before the contract, old code is right to name the column.
    let (_, plan) = shop("expand");
    assert!(unknown(&world, &plan).is_empty());
}

#[test]
fn h69_h86_statements_that_name_the_column_are_found() {
    let sandbox = Sandbox::builder().setting("shared_preload_libraries", "pg_stat_statements").start().unwrap();
    let world = World { database: sandbox.database("statements").unwrap(), server: sandbox.version() };
    world.execute(SHOP);
    world.execute("create schema monitoring; create extension pg_stat_statements schema monitoring");
    let plan = contract();
    let mut client = world.client();
    for statement in ["select name from users where id = 7", "select 1 as surname", "select 2 as name"] {
        client.batch_execute(statement).unwrap();
    }
    let id: i64 =
        world.value("select queryid from monitoring.pg_stat_statements where query like 'select name from users%'");
    let found = finds(&world, &plan, &[&format!("statement-text statement {id}")]);
    assert!(found[0].reason.starts_with("role postgres sent it 1 times"), "{}", found[0]);
    let doubts = unknown(&world, &plan);
    let doubt = if world.server < 14 { "does not tell what it forgot" } else { "it counts only for " };
    assert!(doubts[0].reason.contains(doubt), "{}", doubts[0]);

    // What the whole change sends is not taken for code that uses the column.
    world.execute("select monitoring.pg_stat_statements_reset()");
    for stage in ["expand", "migrate", "contract"] {
        let plan = declared(SHOP, &RENAME.replace("stage expand", &format!("stage {stage}")));
        world.runner().up(&plan, &coexist::Pace::default()).unwrap();
    }
    finds(&world, &plan, &[]);
}
