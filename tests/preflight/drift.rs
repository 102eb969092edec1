//! Where the database is otherwise than `schema.sql`.

use coexist::{Class, Options, Pace, Phase, Severity};

use crate::{SHOP, finds, shop};

#[test]
fn a_database_that_is_as_declared_has_none() {
    let (world, plan) = shop("as_declared");
    finds(&world, &plan, &[]);
    for phase in [Phase::Expanded, Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
        let mut runner = world.runner();
        match phase {
            Phase::Expanded => runner.expand(&plan),
            Phase::DualWriting => runner.dual_write(&plan),
            Phase::Backfilled => runner.backfill(&plan, &Pace::default()),
            _ => runner.validate(&plan),
        }
        .unwrap();
        finds(&world, &plan, &[]);
    }
}

#[test]
fn h75_each_difference_that_matters_is_found() {
    let cases: [(&str, &[&str]); 14] = [
        ("alter table users rename to clients", &["table-missing table users"]),
        (
            "alter table users rename name to nickname",
            &[
                "column-missing column users.name",
                "object-differs constraint users_name_check of users",
                "object-differs constraint users_name_key of users",
                "object-differs index users_lower_idx of users",
            ],
        ),
        ("alter table users alter name type varchar(90)", &["column-differs column users.name"]),
        ("alter table users alter name drop not null", &["column-differs column users.name"]),
        ("alter table users alter name set default 'y'", &["column-differs column users.name"]),
        ("alter table users alter name drop default", &["column-differs column users.name"]),
        ("alter table users alter id drop identity", &["column-differs column users.id"]),
        (
            "alter table users drop constraint users_name_check",
            &["object-missing constraint users_name_check of users"],
        ),
        (
            "alter table users drop constraint users_name_check, add constraint users_name_check check (length(name) < 99)",
            &["object-differs constraint users_name_check of users"],
        ),
        (
            "drop index users_lower_idx; create index users_lower_idx on users (lower(name) desc) where name <> ''",
            &["object-differs index users_lower_idx of users"],
        ),
        (
            "drop index users_lower_idx; create index users_lower_idx on users (upper(name) desc nulls last) where name <> ''",
            &["object-differs index users_lower_idx of users"],
        ),
        ("create index on users (name)", &["object-unknown index users_name_idx of users"]),
        ("alter table users add check (name <> 'root')", &["object-unknown constraint users_name_check1 of users"]),
        (
            "create table orders (buyer text references users (name))",
            &["object-unknown constraint orders_buyer_fkey of orders"],
        ),
    ];
    let (world, plan) = shop("drift");
    for (statement, expected) in cases {
        world.execute("drop table if exists orders, clients, users");
        world.execute(SHOP);
        world.execute(statement);
        let found = finds(&world, &plan, expected);
        assert!(
            found.iter().all(|finding| finding.severity == Severity::Blocks && finding.kind.is_drift()),
            "{statement}"
        );
        let refused = world.runner().up(&plan, &Pace::default()).unwrap_err();
        assert_eq!(refused.class(), Class::Drift, "{refused}");
    }
    assert!(!world.value::<bool>("select to_regnamespace('coexist') is not null"), "nothing was touched");
}

#[test]
fn what_is_only_written_otherwise_is_no_difference() {
    let (world, plan) = shop("rewritten");
    world.execute(
        "alter table users drop constraint users_name_check,
            add constraint users_name_check check ((((length((name)::text))) < (100))),
            alter name set default 'x'::character varying;
        drop index users_lower_idx;
        create index users_lower_idx on users using btree (pg_catalog.lower(name) text_ops desc nulls last) where not (name = '');
        alter table users add column nobody_cares integer; create index on users (email)",
    );
    finds(&world, &plan, &[]);
    world.execute("drop index users_lower_idx; create index users_lower_idx on users (lower(name) desc nulls last) where (name)::text != ''::text");
    finds(&world, &plan, &[]);
}

#[test]
fn a_finding_can_be_overridden_by_name_and_is_recorded() {
    let (world, plan) = shop("override");
    world.execute("create index late on users (name); alter table users alter name set default 'y'");
    let options = Options::default().overriding("column-differs").overriding("object-unknown:index other of users");
    let refused = world.runner_with(options).expand(&plan).unwrap_err().to_string();
    assert!(
        refused.contains("object-unknown index late of users") && !refused.contains("column-differs column"),
        "{refused}"
    );
    let options = Options::default().overriding("column-differs").overriding("object-unknown:index late of users");
    world.runner_with(options).expand(&plan).unwrap();
    assert_eq!(world.count("coexist.log where level = 'warning' and message like 'overridden by name: %'"), 2);
    // What cannot be done is not done because somebody insists.
    world.runner().rollback(&plan, None).unwrap();
    world.execute("alter table users rename to clients");
    world.runner_with(Options::default().overriding("table-missing")).expand(&plan).unwrap_err();
}
