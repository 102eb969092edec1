//! What `--help` says is part of the interface.

use super::support::Project;

const COMMANDS: [&str; 14] = [
    "status", "plan", "check", "generate", "up", "backfill", "pause", "resume", "stop", "pace", "verify", "contract",
    "retire", "rollback",
];

fn help(arguments: &str) -> String {
    let ran = Project::new().run(arguments).ends_with(0);
    assert_eq!(ran.err, "");
    ran.out
}

#[test]
fn of_the_command() {
    insta::assert_snapshot!(help("--help"));
}

#[test]
fn of_each_command() {
    for command in COMMANDS {
        insta::assert_snapshot!(format!("of_{command}"), help(&format!("{command} --help")));
    }
}

#[test]
fn an_address_in_the_environment_is_not_shown() {
    let help = Project::new().env("DATABASE_URL", "postgres://ann:secret@host/x").run("up --help").ends_with(0);
    assert!(!help.out.contains("secret"));
}

#[test]
fn the_book_has_every_exit_code_and_every_command() {
    let book = include_str!("../../../docs/command.md");
    for exit in coexist_cli::Exit::ALL {
        assert!(book.contains(&format!("| {} | {} |", exit.code(), exit.name())), "{exit:?}");
    }
    for command in COMMANDS {
        assert!(book.contains(&format!("| `{command}")), "{command}");
    }
}

#[test]
fn the_version_is_told() {
    assert_eq!(help("--version"), concat!("coexist ", env!("CARGO_PKG_VERSION"), "\n"));
}
