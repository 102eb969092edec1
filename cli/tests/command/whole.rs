//! Changes taken through their whole life by the command alone.

use coexist::catalog;
use coexist::plan::{Plan, Stage};

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
