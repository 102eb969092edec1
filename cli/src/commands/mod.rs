//! What each command does.

mod backfill;
pub(crate) mod check;
mod contract;
mod control;
mod generate;
mod plan;
mod retire;
mod rollback;
pub(crate) mod run;
pub(crate) mod status;
mod up;
mod verify;

use coexist_core::plan::Plan;

use crate::args::{Command, Common};
use crate::connect::Environment;
use crate::failure::Result;
use crate::migrations;
use crate::output::{Outcome, Output};

/// What every command has at hand.
pub(crate) struct Context<'a> {
    pub common: &'a Common,
    pub output: Output,
    pub environment: Environment<'a>,
}

impl Context<'_> {
    /// The plans of the changes of these names, those first that others build on; of all changes where none is named.
    fn plans(&self, names: &[String]) -> Result<Vec<Plan>> {
        let folder = self.common.folder();
        migrations::select(migrations::read(folder)?, names, folder)
    }
}

/// Does what `command` asks for.
///
/// # Errors
///
/// Why it could not even begin. What went wrong later is part of the outcome, next to what was done before it.
pub(crate) fn run(common: &Common, command: &Command, output: Output, environment: Environment) -> Result<Outcome> {
    let context = Context { common, output, environment };
    match command {
        Command::Status(args) => status::status(&context, args),
        Command::Plan(args) => plan::plan(&context, args),
        Command::Check(args) => check::check(&context, args),
        Command::Generate(args) => generate::generate(&context, args),
        Command::Up(args) => up::up(&context, args),
        Command::Backfill(args) => backfill::backfill(&context, args),
        Command::Pause(args) => control::pause(&context, args),
        Command::Resume(args) => control::resume(&context, args),
        Command::Stop(args) => control::stop(&context, args),
        Command::Pace(args) => control::pace(&context, args),
        Command::Verify(args) => verify::verify(&context, args),
        Command::Contract(args) => contract::contract(&context, args),
        Command::Retire(args) => retire::retire(&context, args),
        Command::Rollback(args) => rollback::rollback(&context, args),
    }
}
