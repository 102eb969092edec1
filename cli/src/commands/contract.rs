//! `coexist contract`: the end of the before shape.

use super::Context;
use super::run::Work;
use crate::args::{Contract, Metrics};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Outcome;

pub(crate) fn contract(context: &Context, args: &Contract) -> Result<Outcome> {
    let name = &args.change;
    let plans = context.plans(std::slice::from_ref(name))?;
    if args.confirm.as_ref() != Some(name) {
        let message = format!("the contract of change `{name}` must be confirmed with its name");
        return Err(Failure::new(Exit::Refused, message)
            .help(format!("it removes the before shape for good; if that is meant, add --confirm {name}")));
    }
    let mut work = Work::begin(
        context,
        &args.connection,
        &args.limits,
        &args.overrides,
        &Metrics::default(),
        args.readers.workers,
    )?;
    let result = plans.into_iter().try_for_each(|plan| {
        let ((), phase) = work.on(&plan, |runner| runner.contract(&plan, name))?;
        let next = "the change can leave the declaration, and then the database";
        context.output.result(format_args!("{name}: {}; {next}: coexist retire {name} --confirm {name}", phase.name()))
    });
    Ok(work.end(result))
}
