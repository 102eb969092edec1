//! What the change made, and somebody changed.

use coexist::{Class, Options, Pace};

use crate::plans::declared;
use crate::{RENAME, SHOP, finds, shop};

#[test]
fn h75_what_the_change_made_is_looked_at_before_each_later_phase() {
    let (world, plan) = shop("own");
    world.runner().expand(&plan).unwrap();
    world.execute("alter table users alter full_name type varchar(200)");
    let refused = world.runner().dual_write(&plan).unwrap_err();
    assert_eq!(refused.class(), Class::Drift);
    assert!(
        refused.to_string().contains("own-changed column users.full_name: this change made it, and somebody changed it: it was `text`, and is `character varying(200)`"),
        "{refused}"
    );
    world.execute("alter table users alter full_name type text");
    world.runner().dual_write(&plan).unwrap();

    // A trigger that is switched off, and a function with another body.
    world.execute(
        "alter table users disable trigger user;
        create or replace function coexist_rename_user_name_sync() returns trigger language plpgsql as 'begin return new; end'",
    );
    let found = crate::findings(&world, &plan);
    let objects: Vec<&str> = found.iter().map(|finding| finding.object.as_str()).collect();
    assert!(objects.iter().any(|object| object.starts_with("trigger ")), "{objects:?}");
    assert!(objects.contains(&"function coexist_rename_user_name_sync()"), "{objects:?}");
    world.runner().backfill(&plan, &Pace::default()).unwrap_err();
    world.runner().rollback(&plan, None).unwrap();
    finds(&world, &plan, &[]);
}

#[test]
fn h75_it_can_be_overridden() {
    let (world, plan) = shop("own_overridden");
    world.execute("insert into users (name) values ('a')");
    world.runner().dual_write(&plan).unwrap_err();
    world.runner().expand(&plan).unwrap();
    world.execute("comment on column users.full_name is 'mine'");
    let refused = world.runner().dual_write(&plan).unwrap_err().to_string();
    assert!(refused.contains("it is gone, or lost the comment"), "{refused}");
    world.runner_with(Options::default().overriding("own-changed")).dual_write(&plan).unwrap();
}

#[test]
fn a_change_that_was_run_by_hand_meanwhile_is_not_suspected() {
    let (world, plan) = shop("own_by_hand");
    world.runner().up(&plan, &Pace::default()).unwrap();
    world.runner().rollback(&plan, None).unwrap();
    let stages: Vec<_> = ["expand", "migrate"]
        .map(|stage| declared(SHOP, &RENAME.replace("stage expand", &format!("stage {stage}"))))
        .into();
    for plan in &stages {
        world.runner().up(plan, &Pace::default()).unwrap();
    }
}
