use coexist::phases::begin;

fn run(runner: &mut coexist::Runner, plan: &coexist::plan::Plan) -> Result<(), coexist::Error> {
    let mut change = begin(runner, plan)?.expand()?.dual_write()?.backfill(coexist::Pace::default())?;
    let evidence = change.verify()?;
    change.contract(evidence)?;
    Ok(())
}

fn main() {}
