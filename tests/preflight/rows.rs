//! Rows in the way of a phase.

use std::time::Duration;

use coexist::plan::{Phase, Plan, Probe, Search};
use coexist::{Class, Options, Pace, Severity};

use crate::plans::{key, rename, table};
use crate::world::World;
use crate::{findings, finds};

const TABLES: &str = "
    create table groups (id bigint primary key);
    create table users (id bigint primary key, name text, total text, group_id bigint);
    insert into groups values (1);
    insert into users select i, 'name ' || i, i::text, 1 from generate_series(1, 5000) as i";

fn probe(id: &str, blocks: Phase, search: Search) -> Probe {
    Probe { id: id.into(), title: format!("rows with {id}"), remedy: "mend them".into(), blocks, search }
}

fn rows(condition: &str) -> Search {
    Search::Rows { table: table("users"), key: key(&[("id", "bigint")]), join: None, condition: condition.into() }
}

/// One of each sort, in front of the phases of [`rename`].
fn plan() -> Plan {
    let without_key =
        Search::Rows { table: table("users"), key: Vec::new(), join: None, condition: "source.name = 'nobody'".into() };
    let orphans = Search::Rows {
        table: table("users"),
        key: key(&[("id", "bigint")]),
        join: Some((table("groups"), "target.id = source.group_id".into())),
        condition: "source.group_id is not null and target.id is null".into(),
    };
    let duplicates = Search::Groups {
        table: table("users"),
        query: "select 'name ' || name || ': ' || count(*) from public.users where name is not null group by name having count(*) > 1".into(),
    };
    Plan {
        probes: vec![
            probe("nulls", Phase::Expanded, rows("source.name is null")),
            probe("words", Phase::Backfilled, rows("source.total !~ '^[0-9]+$'")),
            probe("nobody", Phase::Backfilled, without_key),
            probe("orphans", Phase::Validated, orphans),
            probe("duplicates", Phase::Validated, duplicates),
        ],
        ..rename()
    }
}

#[test]
fn h53_h54_h55_h56_rows_in_the_way_are_counted_with_their_keys() {
    let world = World::new("rows", TABLES);
    let plan = plan();
    finds(&world, &plan, &[]);
    world.execute(
        "update users set name = null where id in (7, 4999);
        update users set total = 'many' where id = 8;
        update users set name = 'nobody' where id = 9;
        update users set group_id = 2 where id > 4988;
        update users set name = 'twin' where id in (10, 11)",
    );
    let found = finds(&world, &plan, &["rows duplicates", "rows nobody", "rows nulls", "rows orphans", "rows words"]);
    let reason = |id: &str| found.iter().find(|finding| finding.object == id).unwrap().reason.clone();
    assert_eq!(reason("nulls"), "rows with nulls: 2, for example {\"id\": 7} and {\"id\": 4999}");
    assert_eq!(reason("words"), "rows with words: 1, for example {\"id\": 8}");
    assert!(reason("nobody").starts_with("rows with nobody: 1, for example {\"ctid\": "), "{}", reason("nobody"));
    assert!(
        reason("orphans").starts_with("rows with orphans: 12, for example {\"id\": 4989}"),
        "{}",
        reason("orphans")
    );
    assert_eq!(reason("duplicates"), "rows with duplicates: 1, for example name twin: 2");
    assert!(found.iter().all(|finding| finding.severity == Severity::Blocks && finding.remedy == "mend them"));

    let refused = world.runner().up(&plan, &Pace::default()).unwrap_err();
    assert_eq!(refused.class(), Class::Refused);
    assert!(!world.value::<bool>("select to_regnamespace('coexist') is not null"), "nothing was touched");
}

#[test]
fn h53_h54_h55_h56_they_are_looked_for_again_before_the_phase_that_they_block() {
    let world = World::new("rows_again", TABLES);
    let plan = plan();
    let mut runner = world.runner();
    runner.expand(&plan).unwrap();
    world.execute("update users set name = null where id = 1");
    runner.dual_write(&plan).unwrap(); // past what these were in the way of
    world.execute("update users set total = 'many', name = 'x' where id = 1");
    let refused = runner.backfill(&plan, &Pace::default()).unwrap_err();
    assert_eq!(refused.class(), Class::Refused);
    assert!(refused.to_string().contains("rows words: rows with words: 1, for example {\"id\": 1}"), "{refused}");
    assert!(!refused.to_string().contains("nulls"), "{refused}");
    assert_eq!(world.phase(&plan), "dual-writing");
    world.execute("update users set total = '1' where id = 1");
    runner.backfill(&plan, &Pace::default()).unwrap();
    world.execute("update users set group_id = 2 where id = 1");
    assert!(runner.validate(&plan).unwrap_err().to_string().contains("rows orphans"));
    world.execute("update users set group_id = 1 where id = 1");
    runner.validate(&plan).unwrap();
}

#[test]
fn a_search_that_cannot_be_made_does_not_hide_the_others() {
    let world = World::new("rows_locked", TABLES);
    let plan = plan();
    let mut other = world.client();
    other.batch_execute("begin; lock table groups").unwrap();
    world.execute("update users set name = null where id = 7");
    let options = Options::default().lock_timeout(Duration::from_millis(50));
    let found = world.runner_with(options).check(&plan).unwrap();
    let names: Vec<String> = found.iter().map(|finding| format!("{} {}", finding.kind.id(), finding.object)).collect();
    assert!(names.contains(&"rows nulls".to_string()), "{names:?}");
    assert!(names.contains(&"not-checked rows (rows with orphans)".to_string()), "{names:?}");
    other.batch_execute("rollback").unwrap();
    assert_eq!(findings(&world, &plan).len(), 1);
}
