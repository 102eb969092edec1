use coexist::phases::begin;

fn run(runner: &mut coexist::Runner, plan: &coexist::plan::Plan) -> Result<(), coexist::Error> {
    begin(runner, plan)?.expand()?.dual_write()?.verify()?;
    Ok(())
}

fn main() {}
