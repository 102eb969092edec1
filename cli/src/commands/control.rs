//! `coexist pause`, `resume`, `stop` and `pace`: a backfill that runs elsewhere, steered through the ledger.

use coexist::{Database, Options, PaceChange, Runner};

use super::Context;
use super::run::{failure, warn};
use crate::args::{Control, NewPace};
use crate::connect;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Outcome;

pub(crate) fn pause(context: &Context, args: &Control) -> Result<Outcome> {
    each(context, args, "paused", |runner, change| runner.pause(change))
}

pub(crate) fn resume(context: &Context, args: &Control) -> Result<Outcome> {
    each(context, args, "goes on, where a run of it waits; else run it again", |runner, change| runner.resume(change))
}

pub(crate) fn stop(context: &Context, args: &Control) -> Result<Outcome> {
    each(context, args, "its runs end", |runner, change| runner.stop(change))
}

pub(crate) fn pace(context: &Context, args: &NewPace) -> Result<Outcome> {
    let change = PaceChange {
        batch: args.target,
        rest: args.rest,
        workers: args.workers,
        rows_per_second: args.rate,
        wal_per_second: args.wal_rate,
    };
    if change == PaceChange::default() {
        return Err(Failure::new(Exit::Usage, "no pace is given").help("give one of the options: --workers, --rate, …"));
    }
    each(context, &args.of, "its run changes its pace", |runner, name| runner.set_pace(name, &change))
}

/// Does the same to each of the changes.
fn each(
    context: &Context,
    args: &Control,
    done: &str,
    act: impl Fn(&mut Runner, &str) -> coexist::Result<()>,
) -> Result<Outcome> {
    let server = connect::server(&args.connection, context.environment)?;
    warn(context.output, &server);
    drop(server.connect()?);
    let mut runner = Runner::new(Database::opened_by(move || server.open()), Options::default()).map_err(failure)?;
    for change in &args.changes {
        act(&mut runner, change).map_err(failure)?;
        context.output.result(format_args!("{change}: {done}"))?;
    }
    Ok(Outcome::new(Exit::Done).with("changes", args.changes.clone()))
}
