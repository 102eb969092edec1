//! The ledger itself: how it is made, who may do what with it, and what the triggers write into it.

use std::time::Duration;

use coexist::{Class, Database, Error, Options, Pace, Runner};

use crate::plans::{USERS, key, rename};
use crate::world::World;

#[test]
fn two_runners_make_the_ledger_at_once() {
    let world = World::new("install", USERS);
    let plans: Vec<_> = (0..4)
        .map(|n| {
            let mut plan = crate::plans::empty(&format!("change_{n}"));
            plan.tables.clear();
            plan
        })
        .collect();
    std::thread::scope(|scope| {
        for plan in &plans {
            let mut runner = world.runner();
            scope.spawn(move || runner.up(plan, &Pace::default()).unwrap());
        }
    });
    assert_eq!(world.count("coexist.version"), 1);
    assert_eq!(world.count("coexist.changes where phase = 'validated'"), 4);
}

#[test]
fn psql_users_can_make_it() {
    let world = World::new("psql", USERS);
    world.execute(coexist::ledger::DDL);
    world.execute(coexist::ledger::DDL);
    world.runner().up(&rename(), &Pace::default()).unwrap();
}

#[test]
fn a_schema_of_somebody_elses_is_left_alone() {
    let world = World::new("foreign", &format!("{USERS}; create schema coexist; create table coexist.things (id int)"));
    let refused = world.runner().up(&rename(), &Pace::default()).unwrap_err();
    assert!(matches!(refused, Error::ForeignLedger), "{refused}");
    assert_eq!(world.count("pg_class where relnamespace = 'coexist'::regnamespace and relkind = 'r'"), 1);
}

#[test]
fn a_ledger_of_a_later_release_is_left_alone() {
    let world = World::new("later", USERS);
    world.execute(coexist::ledger::DDL);
    world.execute("insert into coexist.version (version) values (99)");
    let refused = world.runner().up(&rename(), &Pace::default()).unwrap_err();
    assert_eq!(refused.class(), Class::Refused);
    assert!(
        refused
            .to_string()
            .starts_with("the ledger in schema coexist has version 99, this program knows versions up to "),
        "{refused}"
    );
}

/// A role without any rights but to connect, and one that owns the tables; both are made anew for each test.
fn runner_as(world: &World, role: &str, attributes: &str) -> Runner {
    world.execute(&format!("create role \"{role}\" login {attributes}"));
    let mut config = world.database.config();
    config.user(role);
    Runner::new(Database::opened_by(move || config.connect(postgres::NoTls)), Options::default()).unwrap()
}

#[test]
fn an_owner_who_is_no_superuser_runs_a_change_and_an_application_uses_both_shapes() {
    let world = World::new("owner", USERS);
    let (owner, app) = (format!("{}_owner", world.database.name()), format!("{}_app", world.database.name()));
    let mut runner = runner_as(&world, &owner, "");
    world.execute(&format!("alter table users owner to \"{owner}\"; grant create on database {} to \"{owner}\"; grant create on schema public to \"{owner}\"", world.database.name()));
    runner.up(&rename(), &Pace::default()).unwrap();

    world.execute(&format!("create role \"{app}\" login; grant select, insert, update on users to \"{app}\""));
    let mut application = world.database.config().user(&app).connect(postgres::NoTls).unwrap();
    application.batch_execute("insert into users (name, full_name) values ('', 'by the application')").unwrap();
    let phase: String = application.query_one("select phase from coexist.changes", &[]).unwrap().get(0);
    assert_eq!(phase, "validated");
    application.batch_execute("select coexist.count_conflict('rename_user_name')").unwrap();
    application
        .batch_execute(
            "select coexist.quarantine_row('rename_user_name', 'users', '{\"id\": 1}', 'name', 'x', '22P02', 'no')",
        )
        .unwrap();
    let denied = application.batch_execute("select value from coexist.quarantine").unwrap_err();
    assert_eq!(denied.code().unwrap().code(), "42501", "values of rows are not for everybody (H83)");
}

#[test]
fn h79_what_a_role_may_not_see_of_others_is_said() {
    let world = World::new("blind", USERS);
    let owner = format!("{}_owner", world.database.name());
    world.execute(&format!("create role \"{owner}\" login; alter table users owner to \"{owner}\"; grant create on database {} to \"{owner}\"; grant create on schema public to \"{owner}\"", world.database.name()));
    let mut config = world.database.config();
    config.user(&owner);
    let database = Database::opened_by(move || config.connect(postgres::NoTls));
    let options = Options::default().lock_timeout(Duration::from_millis(50)).deadline(Duration::from_millis(500));
    let mut reader = world.client();
    reader.batch_execute("begin; select from users limit 1").unwrap();
    let blocked = Runner::new(database, options).unwrap().expand(&rename()).unwrap_err().to_string();
    assert!(blocked.contains("more is visible to members of pg_read_all_stats"), "{blocked}");
}

#[test]
fn h80_a_role_that_may_not_says_so() {
    let world = World::new("stranger", USERS);
    let role = format!("{}_stranger", world.database.name());
    let refused = runner_as(&world, &role, "").up(&rename(), &Pace::default()).unwrap_err().to_string();
    for part in [
        "database-privilege database stranger",
        "not-owner table users",
        &format!("role {role} may not create a schema"),
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    assert!(!world.value::<bool>("select to_regnamespace('coexist') is not null"), "nothing was touched");
}

#[test]
fn h34_conflicts_are_counted_without_a_row_that_writers_share() {
    let world = World::new("conflicts", USERS);
    let plan = rename();
    world.runner().up(&plan, &Pace::default()).unwrap();
    let (mut one, mut other) = (world.client(), world.client());
    for client in [&mut one, &mut other] {
        client.batch_execute("begin; select coexist.count_conflict('rename_user_name')").unwrap();
    }
    other.batch_execute("rollback").unwrap();
    one.batch_execute("select coexist.count_conflict('rename_user_name'); commit").unwrap();
    assert_eq!(world.runner().status(&plan).unwrap().conflicts, 2);
    world.runner().verify(&plan).unwrap();
    assert_eq!(world.count("coexist.conflicts"), 1, "added up");
    assert_eq!(world.runner().status(&plan).unwrap().conflicts, 2);
}

#[test]
fn h55_quarantine_holds_each_value_once_and_lets_mended_rows_go() {
    let world = World::new("quarantine", "
        create table orders (tenant integer, id text, total text, primary key (tenant, id));
        insert into orders select i % 3, 'k' || i, case when i <= 2 then 'abc' else i::text end from generate_series(1, 100) as i");
    let mut plan = crate::plans::empty("retype_total");
    plan.tables = vec![crate::plans::table("orders")];
    let convert = "public.to_cents(total, jsonb_build_object('tenant', tenant, 'id', id))";
    plan.steps.push(
        crate::plans::step("add_columns", coexist::Phase::Expanded)
            .runs("alter table public.orders add column total_cents bigint, add column synced boolean")
            .runs("create function public.to_cents(total text, key jsonb) returns bigint language plpgsql as $$
                begin return total::bigint;
                exception when others then
                    perform coexist.quarantine_row('retype_total', 'orders', key, 'total_cents', total, sqlstate, sqlerrm);
                    return null;
                end $$")
            .build(),
    );
    plan.backfill.push(coexist::plan::Backfill::Update {
        conversions: Vec::new(),
        operation: "retype_total".into(),
        table: crate::plans::table("orders"),
        set: vec![("total_cents".into(), convert.into()), ("synced".into(), "true".into())],
        pending: "synced is null".into(),
        key: key(&[("tenant", "integer"), ("id", "text")]),
    });
    let mut runner = world.runner();
    runner.up(&plan, &Pace::default()).unwrap();
    world.execute(&format!("select {convert} from orders"));
    let held = runner.status(&plan).unwrap().quarantine;
    assert_eq!((held[0].table.as_str(), held[0].column.as_str(), held[0].rows), ("orders", "total_cents", 2));

    // One is written again by old code, the other one is deleted.
    world.execute("update orders set total = '7' where id = 'k1'");
    runner.verify(&plan).unwrap();
    assert_eq!(world.value::<String>("select key ->> 'id' from coexist.quarantine"), "k2");
    world.execute("delete from orders where id = 'k2'");
    runner.verify(&plan).unwrap();
    assert_eq!(runner.status(&plan).unwrap().quarantine, vec![]);
}
