//! The command `coexist`: runs parallel changes on a live PostgreSQL, from the folder `migrations/` alone.

mod args;
mod commands;
mod connect;
mod exit;
mod failure;
mod log;
mod metrics;
mod migrations;
mod output;
mod progress;
mod table;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::Arguments;
use crate::output::{Outcome, Output};

pub use exit::Exit;

/// Does what a command line asks for, with this process's environment, and says on standard output and standard error what came of it.
///
/// `arguments` begin with the name of the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => carry_out(&parsed),
        Err(error) => {
            // Where nobody listens, the exit code still says it.
            let _ = error.print();
            match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            }
        }
    }
}

fn carry_out(arguments: &Arguments) -> Exit {
    let common = &arguments.common;
    let output = Output { json: common.json, quiet: common.quiet, logs: common.log.is_some() };
    let environment = |name: &str| std::env::var(name).ok();
    let outcome = log::start(common)
        .and_then(|()| commands::run(common, &arguments.command, output, &environment))
        .unwrap_or_else(Outcome::from);
    let exit = outcome.exit;
    if let Some(failure) = &outcome.failure {
        output.failure(failure);
    }
    if output.json
        && let Err(failure) = output.document(&outcome.document(arguments.command.name()))
    {
        output.failure(&failure);
        return failure.exit;
    }
    exit
}
