//! Each exit code, and the one clear message that comes with it.

use std::fs;

use coexist::plan::{Backfill, Plan, Stage};

use super::plans::{USERS, rename, split};
use super::support::Project;

fn at_contract() -> Plan {
    Plan { stage: Stage::Contract, ..rename() }
}

#[test]
fn done_is_0_and_nothing_to_do_is_3() {
    let project = Project::live(&[rename()], USERS);
    project.run("backfill").ends_with(3);
    project.run("verify").ends_with(3);
    project.run("rollback rename_user_name").ends_with(3);
    project.run("up").ends_with(0);
    project.run("up").ends_with(3);
    project.run("backfill rename_user_name").ends_with(3);
    project.run("rollback rename_user_name").ends_with(0);
    project.run("rollback rename_user_name").ends_with(3);
    project.run("up").ends_with(0);
    project.write(&[at_contract()]);
    project.run("contract rename_user_name --confirm rename_user_name").ends_with(0);
    project.run("contract rename_user_name --confirm rename_user_name").ends_with(3);
    project.run("up").ends_with(3);
}

#[test]
fn a_server_that_does_not_answer_is_1() {
    let project = Project::with(&[rename()]).env("DATABASE_URL", "postgres://ann:secret@127.0.0.1:1/shop");
    for command in ["status", "plan", "up", "verify", "rollback rename_user_name"] {
        let ran = project.run(command).ends_with(1).says("no connection to the database shop at 127.0.0.1:1 as ann: ");
        assert!(ran.err.contains("help: see that the address is right"), "{}", ran.err);
        assert!(!ran.err.contains("secret"), "{}", ran.err);
    }
}

#[test]
fn a_statement_that_the_server_refuses_is_1_and_is_told_with_its_step() {
    let project = Project::live(&[rename()], USERS);
    project.execute("drop table users");
    let ran = project.run("up").ends_with(1).says("add_columns");
    assert!(ran.err.contains("relation \"public.users\" does not exist [42P01]"), "{}", ran.err);
}

#[test]
fn a_wrong_command_line_is_2() {
    let project = Project::with(&[rename()]);
    project.run("").ends_with(2);
    project.run("upp").ends_with(2).says("unrecognized subcommand 'upp'");
    project.run("up --lock-timeout soon").ends_with(2).says("a number and a unit is expected, such as 500ms");
    project
        .run("up --to contracted")
        .ends_with(2)
        .says("[possible values: expanded, dual-writing, backfilled, validated]");
    project.run("up --batch 0").ends_with(2);
    project.run("contract").ends_with(2);
    project.run("up --yes").ends_with(2);
}

#[test]
fn a_change_that_is_not_there_is_2_and_a_near_one_is_named() {
    let project = Project::live(&[rename()], USERS);
    project
        .run("up rename_user_nmae")
        .ends_with(2)
        .says("there is no change `rename_user_nmae` in migrations")
        .says("help: is `rename_user_name` meant?");
    project.run("rollback other").ends_with(2).says("`coexist status` lists the changes");
}

#[test]
fn no_database_is_2() {
    let project = Project::with(&[rename()]);
    project.run("up").ends_with(2).says("no database is named").says("DATABASE_URL");
    project.run("plan").ends_with(0);
}

#[test]
fn what_a_rule_forbids_is_4() {
    let project = Project::live(&[rename()], USERS);
    project
        .run("backfill rename_user_name")
        .ends_with(4)
        .says("change `rename_user_name` is declared, and must be dual-writing first")
        .says("coexist up rename_user_name --to dual-writing");
    project.run("verify rename_user_name").ends_with(4);
    project
        .run("contract rename_user_name")
        .ends_with(4)
        .says("must be confirmed with its name")
        .says("add --confirm rename_user_name");
    project.run("contract rename_user_name --confirm rename").ends_with(4);
    project.run("up").ends_with(0);
    project
        .run("contract rename_user_name --confirm rename_user_name")
        .ends_with(4)
        .says("the source says `stage expand;`");
}

#[test]
fn the_point_of_no_return_is_4() {
    let project = Project::live(&[at_contract()], USERS);
    project.run("up").ends_with(0);
    project.run("contract rename_user_name --confirm rename_user_name").ends_with(0);
    project.run("rollback rename_user_name").ends_with(4).says("past the point of no return");
}

#[test]
fn a_rollback_that_loses_something_must_be_confirmed() {
    let lossy = Plan { irreversible: Some("the middle name is not kept".into()), ..rename() };
    let project = Project::live(&[lossy], USERS);
    project.run("up").ends_with(0);
    project.run("rollback rename_user_name").ends_with(4).says("the middle name is not kept");
    project.run("rollback rename_user_name --confirm rename_user_name").ends_with(0);
}

#[test]
fn h21_a_lock_that_cannot_be_had_is_5_and_its_holder_is_named() {
    let project = Project::live(&[rename()], USERS);
    let mut reader = project.client();
    reader.batch_execute("set application_name = 'a long report'; begin; select from users").unwrap();
    project
        .run("up --lock-timeout 20ms --max-wait 200ms")
        .ends_with(5)
        .says("add_columns")
        .says("a long report")
        .says("idle in transaction");
    reader.batch_execute("rollback").unwrap();
    project.run("up").ends_with(0);
}

#[test]
fn h04_another_runner_is_5() {
    let project = Project::live(&[rename()], USERS);
    project.run("up --to expanded").ends_with(0);
    project.execute(
        "update coexist.leases set holder = 'process 7 on pluto', expires_at = clock_timestamp() + interval '1 hour'",
    );
    project.run("up").ends_with(5).says("another runner is at work on change `rename_user_name`: process 7 on pluto");
}

#[test]
fn a_paused_change_is_6() {
    let project = Project::live(&[rename()], USERS);
    project.run("up --to dual-writing").ends_with(0);
    project.execute("update coexist.changes set paused = true");
    project.run("up").ends_with(6).says("change `rename_user_name` is paused");
}

#[test]
fn rows_that_differ_are_7_and_are_listed() {
    let project = Project::live(&[rename()], USERS);
    project.run("up").ends_with(0);
    project.execute("alter table users disable trigger user; update users set name = 'x' where id in (7, 8)");
    let ran = project.run("verify").ends_with(7).says("the two shapes differ: change `rename_user_name`");
    assert!(ran.out.contains("rename_user_name: 2 of 1,000 rows differ"), "{}", ran.out);
    assert!(ran.out.contains("{\"id\": 7}") && ran.out.contains("{\"id\": 8}"), "{}", ran.out);
}

#[test]
fn rows_that_differ_stop_up_with_7() {
    let wrong = Plan {
        backfill: rename()
            .backfill
            .into_iter()
            .map(|backfill| match backfill {
                Backfill::Update { operation, table, conversions, pending, key, .. } => Backfill::Update {
                    conversions,
                    operation,
                    table,
                    pending,
                    key,
                    set: vec![("full_name".into(), "'always the same'".into())],
                },
                other => other,
            })
            .collect(),
        ..rename()
    };
    Project::live(&[wrong], USERS).run("up").ends_with(7).says("1000 of 1000 rows differ between the two shapes");
}

#[test]
fn h17_a_plan_that_changed_while_it_was_under_way_is_7() {
    let project = Project::live(&[rename()], USERS);
    project.run("up --to expanded").ends_with(0);
    let mut other = rename();
    other.steps[0].action.statements[0].push_str(" collate \"C\"");
    project.write(&[other]);
    project
        .run("up")
        .ends_with(7)
        .says("change `rename_user_name` was begun with another plan than this one")
        .says("step `add_columns` does something else");
    // The way back needs only what the ledger knows.
    project.run("rollback rename_user_name").ends_with(0).says("begun with another plan than the one in the folder");
    project.run("up").ends_with(0);
}

#[test]
fn a_change_that_left_the_folder_can_be_taken_back() {
    let project = Project::live(&[rename(), split()], USERS);
    project.run("up").ends_with(0);
    fs::remove_dir_all(project.path("migrations/rename_user_name")).unwrap();
    project.run("up rename_user_name").ends_with(2);
    project.run("rollback rename_user_name").ends_with(0).says("is not in the folder");
    let columns: i64 = project
        .client()
        .query_one(
            "select count(*) from pg_attribute where attrelid = 'users'::regclass and attname = 'full_name'",
            &[],
        )
        .unwrap()
        .get(0);
    assert_eq!(columns, 0);
}

#[test]
fn h79_what_must_be_seen_and_cannot_be_is_8() {
    let project = Project::live(&[rename()], USERS);
    let (name, url) = (project.database().name().to_owned(), project.database().url());
    let role = format!("{name}_blind");
    project.execute(&format!(
        "create role {role} login; grant create on database {name} to {role}; grant create on schema public to {role};
        alter table users owner to {role}"
    ));
    let project = project.env("DATABASE_URL", &url.replace("user=postgres", &format!("user={role}")));
    for required in ["all", "lag,sessions"] {
        project
            .run(&format!("up --max-active 100 --require {required}"))
            .ends_with(8)
            .says("active sessions: only members of pg_read_all_stats see which sessions are active");
    }
    assert!(project.client().query_one("select to_regnamespace('coexist') is null", &[]).unwrap().get::<_, bool>(0));
    project
        .run("up --require transactions")
        .ends_with(4)
        .says("long transactions is required to be seen, and has no limit");
    // Where nothing is required, it is said.
    project.run("up --max-active 100").ends_with(0).says("blind-spot active sessions");
    project.execute(&format!("drop owned by {role} cascade; drop role {role}"));
}

#[test]
fn the_first_change_that_fails_ends_the_run_and_the_report_has_those_before_it() {
    let broken = Plan { change: "z_broken".into(), ..split() };
    let broken = Plan {
        steps: broken
            .steps
            .into_iter()
            .map(|mut step| {
                step.action.statements = vec!["select no_such_thing".into()];
                step
            })
            .collect(),
        ..broken
    };
    let ran = Project::live(&[rename(), broken], USERS).run("up --json").ends_with(1);
    let end = ran.json();
    assert_eq!(end["changes"][0]["to"], "validated");
    assert_eq!(end["changes"][1]["to"], "declared");
    assert!(end["error"]["message"].as_str().unwrap().contains("no_such_thing"), "{end}");
}
