use coexist::phases::begin;

fn run(runner: &mut coexist::Runner, plan: &coexist::plan::Plan) -> Result<(), coexist::Error> {
    begin(runner, plan)?.expand()?.backfill(coexist::Pace::default())?;
    Ok(())
}

fn main() {}
