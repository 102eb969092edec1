//! Changes taken through their whole life by the command alone.

use coexist::catalog;
use coexist::plan::{Plan, Stage};

use super::generate::{DECLARATION, SCHEMA, declare};
use super::plans::{USERS, rename, split};
use super::support::Project;

#[test]
fn phase_by_phase_to_the_contract() {
    let project = Project::live(&[rename()], USERS);
    for phase in ["expanded", "dual-writing", "backfilled", "validated"] {
        let ran = project.run(&format!("up --to {phase}")).ends_with(0);
        assert!(ran.out.starts_with(&format!("rename_user_name: {phase}")), "{}", ran.out);
    }
    project.run("verify").ends_with(0);
    project.write(&[Plan { stage: Stage::Contract, ..rename() }]);
    let ran = project.run("up").ends_with(3);
    assert!(ran.out.contains("coexist contract rename_user_name --confirm rename_user_name"), "{}", ran.out);
    project.run("contract rename_user_name --confirm rename_user_name").ends_with(0);
    let names: i64 =
        project.client().query_one("select count(*) from users where full_name like 'name %'", &[]).unwrap().get(0);
    assert_eq!(names, 1000);
}

#[test]
fn backfill_is_a_command_of_its_own() {
    let project = Project::live(&[rename(), split()], USERS);
    project.run("up --to dual-writing").ends_with(0);
    let ran = project.run("backfill split_users").ends_with(0);
    assert_eq!(ran.out, "split_users: backfilled\n");
    let ran = project.run("backfill").ends_with(0);
    assert_eq!(ran.out, "rename_user_name: backfilled\n");
}

#[test]
fn h88_rollback_from_every_phase_leaves_the_catalog_as_it_was() {
    let project = Project::live(&[rename(), split()], USERS);
    let before = project.catalog();
    for phase in ["expanded", "dual-writing", "backfilled", "validated"] {
        project.run(&format!("up --to {phase}")).ends_with(0);
        for change in ["split_users", "rename_user_name"] {
            let ran = project.run(&format!("rollback {change}")).ends_with(0);
            assert_eq!(ran.out, format!("{change}: taken back\n"));
        }
        assert_eq!(catalog::diff(&before, &project.catalog()), "", "{phase}");
    }
}

/// Several databases with the same tables: each goes its own way, and what failed in one is tried again there alone.
#[test]
fn h89_of_several_databases_only_the_one_that_failed_is_taken_up_again() {
    let plan = Plan { stage: Stage::Contract, ..rename() };
    let shards = [(); 3].map(|()| Project::live(std::slice::from_ref(&plan), USERS));
    let up = || shards.each_ref().map(|shard| shard.run("up").code);
    // A row that can be read, and not be written.
    shards[1].execute("alter table users add constraint no_more check (id <> 500) not valid");
    let contract = "contract rename_user_name --confirm rename_user_name";
    assert_eq!(up(), [0, 1, 0]);
    shards[1].run(contract).ends_with(4);
    shards[1].execute("alter table users drop constraint no_more");
    assert_eq!(up(), [3, 0, 3]);
    for shard in &shards {
        shard.run(contract).ends_with(0);
    }
    assert_eq!(up(), [3, 3, 3]);
}

const ROWS: &str = "
    insert into users select i, 'name ' || i, case when i % 3 > 0 then 'bio ' || i end, null from generate_series(1, 5000) as i;
    insert into orders select i, 1 + i % 5000, i from generate_series(1, 5000) as i";

#[test]
fn a_change_is_retired_when_it_is_contracted_and_out_of_the_declaration() {
    let project = Project::live(&[Plan { stage: Stage::Contract, ..rename() }], USERS);
    let folder = project.path("migrations/rename_user_name");
    let aside = project.path("aside");
    let retire = "retire rename_user_name --confirm rename_user_name";
    project.run(retire).ends_with(4).says("is still in migrations").says("`coexist up` would begin it anew");
    project.run("up").ends_with(0);
    std::fs::rename(&folder, &aside).unwrap();
    project.run(retire).ends_with(4).says("is validated, and must be contracted first");
    std::fs::rename(&aside, &folder).unwrap();
    project.run("contract rename_user_name --confirm rename_user_name").ends_with(0);
    std::fs::remove_dir_all(&folder).unwrap();
    project.run("retire rename_user_name").ends_with(4).says("add --confirm rename_user_name");
    let ran = project.run(retire).ends_with(0);
    assert_eq!(ran.out, "rename_user_name: retired\n");
    for table in ["changes", "steps", "segments", "reconciliations", "leases", "quarantine", "conflicts"] {
        let left: i64 =
            project.client().query_one(&format!("select count(*) from coexist.{table}"), &[]).unwrap().get(0);
        assert_eq!(left, 0, "{table}");
    }
    project.run(retire).ends_with(3);
}

/// From the declaration in a source file to the contract of all its changes, by the command alone.
#[test]
fn from_a_declaration_to_the_contract() {
    let project = Project::live(&[], &format!("{SCHEMA};{ROWS}"));
    let before = project.catalog();
    let stage = |stage: &str| declare(&project, &DECLARATION.replace("stage expand", &format!("stage {stage}")));
    stage("expand");
    project.run("generate").ends_with(0);
    project.run("up").ends_with(0);
    project.execute(
        "update users set full_name = 'new code' where id = 1; update users set name = 'old code' where id = 2;
         insert into profiles (user_id, bio) values (3, 'new code'); update orders set total_cents = 7 where id = 1",
    );
    project.run("verify").ends_with(0);

    // Back, with what new code wrote kept in the before shape, and forth again.
    for change in ["split_user_profile", "widen_order_total", "rename_user_name"] {
        project.run(&format!("rollback {change}")).ends_with(0);
    }
    assert_eq!(catalog::diff(&before, &project.catalog()), "");
    let kept: String = project
        .client()
        .query_one(
            "select concat_ws(', ', (select name from users where id = 1), (select name from users where id = 2),
                (select bio from users where id = 3), (select total from orders where id = 1))",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(kept, "new code, old code, new code, 7");

    project.run("up").ends_with(0);
    for name in ["migrate", "contract"] {
        stage(name);
        project.run("generate").ends_with(0);
        project.run("up").ends_with(3);
    }
    for change in ["split_user_profile", "widen_order_total", "rename_user_name"] {
        project.run(&format!("contract {change} --confirm {change}")).ends_with(0);
    }
    let status = project.run("status --json").ends_with(0).json();
    for change in status["changes"].as_array().unwrap() {
        assert_eq!(change["phase"], "contracted", "{change}");
        assert_eq!(change["attention"], serde_json::json!([]), "{change}");
    }
    let rows: i64 = project
        .client()
        .query_one("select count(*) from users join profiles on profiles.user_id = users.id join orders on orders.user_id = users.id where total_cents > 0 and full_name <> ''", &[])
        .unwrap()
        .get(0);
    assert!(rows > 3000, "{rows}");
}
