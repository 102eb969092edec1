//! The ways to name a database, and to give a password without showing it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::plans::{USERS, rename};
use super::support::Project;

#[test]
fn an_address_that_cannot_be_read_is_2_and_is_not_shown() {
    for address in ["secret", "postgres://ann:secret/x@host/shop", "host=x secret", "host=x secret=1"] {
        let project = Project::with(&[rename()]).env("DATABASE_URL", address);
        let ran = project.run("status").ends_with(2).says("the address of the database cannot be read");
        assert!(!ran.err.replace("option `secret`", "").contains("secret"), "{}", ran.err);
    }
}

#[test]
fn the_option_comes_before_the_environment() {
    let project = Project::live(&[rename()], USERS);
    let url = project.database().url();
    let project = project.env("DATABASE_URL", "postgres://127.0.0.1:1/x");
    project.run("status").ends_with(1);
    project.run(&format!("status --database-url {url}")).ends_with(0);
}

#[test]
fn h84_a_password_in_the_arguments_is_warned_of() {
    let address = "postgres://ann:secret@127.0.0.1:1/x";
    let project = Project::with(&[rename()]);
    let ran = project.run(&format!("status --database-url {address}")).ends_with(1);
    assert!(ran.err.contains("a password stands in the arguments") && !ran.err.contains("secret"), "{}", ran.err);
    let ran = project.env("DATABASE_URL", address).run("status").ends_with(1);
    assert!(!ran.err.contains("arguments"), "{}", ran.err);
}

#[test]
fn libpqs_variables_name_a_database() {
    let project = Project::live(&[rename()], USERS);
    let url = project.database().url();
    let host = url.split("host=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let name = project.database().name().to_owned();
    let project =
        project.env("DATABASE_URL", "").env("PGHOST", &host).env("PGDATABASE", &name).env("PGUSER", "postgres");
    project.run("status").ends_with(0);
    // What the address says comes first.
    project.run("status --database-url dbname=nowhere").ends_with(1).says("\"nowhere\" does not exist");
}

#[test]
fn a_service_file_is_not_read_and_not_passed_over_in_silence() {
    let project = Project::with(&[rename()]).env("PGSERVICE", "shop");
    project.run("status").ends_with(2).says("PGSERVICE");
}

#[test]
fn an_sslmode_that_is_not_known_is_2() {
    let project = Project::with(&[rename()]);
    project.run("status --database-url postgres://h/x?sslmode=allow").ends_with(2).says("verify-full");
    project.run("status --sslmode perhaps").ends_with(2);
}

#[test]
fn a_password_file_must_be_there_and_have_a_password() {
    let project = Project::with(&[rename()]).env("DATABASE_URL", "postgres://127.0.0.1:1/x");
    project.run("status --password-file none").ends_with(2).says("cannot read the password file none");
    fs::write(project.path("empty"), "").unwrap();
    project.run("status --password-file empty").ends_with(2).says("the password file empty is empty");
}

#[test]
fn a_pgpass_that_others_may_read_is_not_used_and_that_is_said() {
    let project = Project::with(&[rename()]).env("DATABASE_URL", "postgres://127.0.0.1:1/x");
    let passfile = project.path("pgpass");
    fs::write(&passfile, "*:*:*:*:secret").unwrap();
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o644)).unwrap();
    let project = project.env("PGPASSFILE", passfile.to_str().unwrap());
    project.run("status").ends_with(1).says("warning").says("others may read it");
}

#[test]
fn h78_a_standby_or_read_only_server_says_so() {
    let project = Project::live(&[rename()], USERS);
    let name = project.database().name();
    project.execute(&format!("alter database {name} set default_transaction_read_only = on"));
    project.run("status").ends_with(0);
    project.run("plan").ends_with(0);
    project.run("up").ends_with(4).says("read-only default_transaction_read_only: it is on");
}
