//! The command `coexist`.

use std::process::ExitCode;

fn main() -> ExitCode {
    coexist_cli::run(std::env::args_os()).into()
}
