//! What depends on a column that goes, and is not in `schema.sql`.

use coexist::{Class, Pace, Severity};

use crate::plans::declared;
use crate::{RENAME, SHOP, finds, shop};

#[test]
fn h67_dependents_are_listed_before_anything_begins_and_stop_the_contract() {
    let (world, plan) = shop("dependents");
    world.execute(
        "create view names as select name from users;
        create materialized view name_lengths as select length(name) from users;
        create table said (name text); create rule loud as on update to users where new.name = 'x' do also insert into said values (new.name);
        create policy own on users using (name = current_user);
        create function stamp() returns trigger language plpgsql as 'begin return new; end';
        create trigger on_name after update of name on users for each row execute function stamp()",
    );
    let all = [
        "view materialized view name_lengths",
        "view rule loud of users",
        "view view names",
        "policy policy own of users",
        "trigger-on-column trigger on_name of users",
    ];
    let found = finds(&world, &plan, &all);
    // Only the contract fails because of them, and at this stage there is none.
    assert!(found.iter().all(|finding| finding.severity == Severity::Warns), "{found:?}");
    assert!(found.iter().all(|finding| finding.phase.is_some_and(|phase| phase.name() == "contracted")), "{found:?}");
    world.runner().up(&plan, &Pace::default()).unwrap();

    let plan = declared(SHOP, &RENAME.replace("stage expand", "stage migrate"));
    world.runner().up(&plan, &Pace::default()).unwrap();
    let plan = declared(SHOP, &RENAME.replace("stage expand", "stage contract"));
    let found = finds(&world, &plan, &all);
    assert!(found.iter().all(|finding| finding.severity == Severity::Blocks), "{found:?}");
    let refused = world.runner().contract(&plan, &plan.change).unwrap_err();
    assert_eq!(refused.class(), Class::Refused);
    for object in all {
        assert!(refused.to_string().contains(object), "{object}: {refused}");
    }
    world.execute("drop view names; drop materialized view name_lengths; drop rule loud on users; drop policy own on users; drop trigger on_name on users");
    world.runner().contract(&plan, &plan.change).unwrap();
}

#[test]
fn h68_what_would_go_with_the_column_is_found() {
    let (world, plan) = shop("silent");
    world.execute(
        "alter table users add initial text generated always as (left(name, 1)) stored;
        create statistics more on name, id from users;
        create index partial on users (id) where name <> 'x'",
    );
    finds(
        &world,
        &plan,
        &[
            "object-unknown index partial of users",
            "object-unknown statistics more of users",
            "generated-column generated column users.initial",
        ],
    );
}

#[test]
fn h68_published_columns_are_found() {
    let (world, plan) = shop("column_list");
    if world.server < 15 {
        return; // there are no column lists
    }
    world.execute("create publication filtered for table users where (name <> 'x')");
    world.execute("create publication listed for table users (id, name)");
    finds(
        &world,
        &plan,
        &[
            "publication-columns publication filtered",
            "publication-columns publication listed",
            "published table users",
        ],
    );
}

#[test]
fn h69_functions_whose_text_names_the_column_are_found() {
    let (world, plan) = shop("functions");
    world.execute(
        "create function greet(bigint) returns text language sql as 'select name from users where id = $1';
        create function unrelated() returns text language sql as 'select ''surname of users_names''::text';
        create function of_others() returns text language sql as 'select name::text from orders' set check_function_bodies = off;
        create function touch() returns trigger language plpgsql as 'begin new.name := trim(new.NAME); return new; end';
        create trigger touch before insert on users for each row execute function touch()"
            .replace(" set check_function_bodies = off", "")
            .replace("from orders", "from pg_roles as r(name)")
            .as_str(),
    );
    let found = finds(&world, &plan, &["function-text function greet", "function-text function touch"]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Warns));
    if world.server >= 14 {
        world.execute(
            "create function parsed() returns text language sql begin atomic select max(name) from users; end",
        );
        finds(
            &world,
            &plan,
            &["function function parsed", "function-text function greet", "function-text function touch"],
        );
    }
}

#[test]
fn h37_h50_triggers_that_fire_after_ours_and_for_each_row_are_found() {
    let (world, plan) = shop("triggers");
    world.execute(
        "create function stamp() returns trigger language plpgsql as 'begin return new; end';
        create trigger aaa before update on users for each row execute function stamp();
        create trigger zzz before update on users for each row execute function stamp();
        create trigger zzz_off before update on users for each row execute function stamp();
        alter table users disable trigger zzz_off;
        create trigger audit after update on users for each row execute function stamp();
        create trigger once after update on users for each statement execute function stamp()",
    );
    finds(&world, &plan, &["later-trigger trigger zzz of users"]);
    let all = world.runner().check(&plan).unwrap();
    let informs = all.iter().find(|finding| finding.kind.id() == "row-trigger").unwrap();
    assert_eq!((informs.object.as_str(), informs.severity), ("trigger audit of users", Severity::Informs));
}

#[test]
fn event_triggers_are_found() {
    let (world, plan) = shop("event_triggers");
    world.execute(
        "create function on_ddl() returns event_trigger language plpgsql as 'begin end';
        create event trigger watch_ddl on ddl_command_end execute function on_ddl();
        create event trigger asleep on ddl_command_start execute function on_ddl();
        alter event trigger asleep disable",
    );
    finds(&world, &plan, &["event-trigger event trigger watch_ddl"]);
}
