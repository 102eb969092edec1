//! `coexist generate`: from the declaration to the folder.

use std::fs;

use super::support::Project;

pub const SCHEMA: &str = "
    create table public.users (id bigint primary key, name text not null, bio text, avatar_url text);
    create table public.orders (id bigint primary key, user_id bigint references public.users, total integer not null);
    create index orders_total on public.orders (total);";

pub const DECLARATION: &str = r#"
coexist::migrations! {
    schema "schema.sql";

    /// Invoices address people by their full name.
    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }

    /// Totals outgrew 2^31 cents.
    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total::bigint",
            backward "total_cents::integer" or reject,
        }
        stage expand;
    }

    /// Profiles are read rarely and are large.
    change split_user_profile {
        split users into profiles { key user_id, move bio, avatar_url }
        stage expand;
    }
}
"#;

/// Makes it a crate that declares these changes.
pub fn declare(project: &Project, declaration: &str) {
    fs::create_dir_all(project.path("src")).unwrap();
    fs::write(project.path("Cargo.toml"), "[package]\nname = \"shop\"\n").unwrap();
    fs::write(project.path("schema.sql"), SCHEMA).unwrap();
    fs::write(project.path("src/migrations.rs"), declaration).unwrap();
}

fn declared(declaration: &str) -> Project {
    let project = Project::new();
    declare(&project, declaration);
    project
}

#[test]
fn it_writes_what_differs_and_nothing_else() {
    let project = declared(DECLARATION);
    let ran = project.run("generate").ends_with(0);
    assert_eq!(ran.out.lines().count(), 3 * 7, "{}", ran.out);
    assert!(ran.out.contains("wrote migrations/rename_user_name/1_expand.sql\n"), "{}", ran.out);
    assert_eq!(project.run("generate").ends_with(3).says("migrations is up to date").out, "");
    project.run("plan").ends_with(0);

    fs::write(project.path("migrations/rename_user_name/verify.sql"), "").unwrap();
    assert_eq!(project.run("generate").ends_with(0).out, "wrote migrations/rename_user_name/verify.sql\n");
}

#[test]
fn check_writes_nothing_and_shows_what_is_stale() {
    let project = declared(DECLARATION);
    project
        .run("generate --check")
        .ends_with(7)
        .says("21 files of migrations are not what the declaration makes of them");
    assert!(!project.path("migrations").exists());
    project.run("generate").ends_with(0);
    project.run("generate --check").ends_with(0).says("up to date");

    let path = project.path("migrations/rename_user_name/verify.sql");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("-- coexist", "-- edited", 1)).unwrap();
    let ran = project.run("generate --check").ends_with(7).says("a file of migrations");
    assert!(ran.out.starts_with("--- migrations/rename_user_name/verify.sql\n"), "{}", ran.out);
    assert!(ran.out.contains("\n--- edited") && ran.out.contains("\n+-- coexist"), "{}", ran.out);
    let json = project.run("generate --check --json").ends_with(7).json();
    assert_eq!(json["files"], serde_json::json!(["migrations/rename_user_name/verify.sql"]));
}

#[test]
fn mistakes_are_shown_as_the_compiler_shows_them() {
    let project = declared(
        &DECLARATION
            .replace("users.name to", "users.nmae to")
            .replace("\"total::bigint\"", "\"total::bigint +\"")
            .replace("users into", "user into"),
    );
    let ran = project.run("generate").ends_with(1);
    insta::assert_snapshot!(ran.err);
    assert!(!project.path("migrations").exists());
    let json = project.run("generate --json").ends_with(1).json();
    assert_eq!(json["mistakes"][0]["line"], 7);
    assert_eq!(json["mistakes"][0]["column"], 22);
    assert_eq!(json["mistakes"][0]["message"], "table `users` has no column `nmae`");
}

#[test]
fn a_schema_that_is_missing_is_a_mistake() {
    let project = declared(DECLARATION);
    fs::remove_file(project.path("schema.sql")).unwrap();
    project.run("generate").ends_with(1).says("schema.sql").says("pg_dump --schema-only");
}

#[test]
fn a_source_that_is_missing_or_in_no_crate_or_without_a_declaration() {
    let project = Project::new();
    project.run("generate").ends_with(2).says("cannot read the declaration src/migrations.rs").says("--source FILE");
    declare(&project, "fn main() {}");
    project.run("generate").ends_with(1).says("the file has no `coexist::migrations! { … }`");
    fs::remove_file(project.path("Cargo.toml")).unwrap();
    project.run("generate").ends_with(2).says("is in no crate");
}

#[test]
fn the_folder_stands_next_to_the_cargo_toml_wherever_the_command_runs() {
    let project = declared(DECLARATION);
    let mut command = project.command("generate --source migrations.rs");
    assert!(command.current_dir(project.path("src")).output().unwrap().status.success());
    assert!(project.path("migrations/rename_user_name/change.toml").exists());
}

#[test]
fn a_change_that_is_no_longer_declared_keeps_its_folder_and_that_is_said() {
    let project = declared(DECLARATION);
    project.run("generate").ends_with(0);
    let from = DECLARATION.find("    /// Profiles").unwrap();
    declare(&project, &format!("{}}}", &DECLARATION[..from]));
    project.run("generate").ends_with(3).says("migrations/split_user_profile belongs to no declared change");
    assert!(project.path("migrations/split_user_profile/change.toml").exists());
}

#[test]
fn a_stage_brings_its_files() {
    let project = declared(DECLARATION);
    project.run("generate").ends_with(0);
    let first = |stage: &str| DECLARATION.replacen("stage expand", &format!("stage {stage}"), 1);
    declare(&project, &first("contract"));
    project.run("generate").ends_with(1).says("stage");
    declare(&project, &first("migrate"));
    project.run("generate").ends_with(0);
    declare(&project, &first("contract"));
    let ran = project.run("generate").ends_with(0);
    assert!(ran.out.contains("wrote migrations/rename_user_name/5_contract.sql"), "{}", ran.out);
}
