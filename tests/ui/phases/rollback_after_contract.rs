use coexist::phases::{Change, Contracted};

fn run(change: Change<'_, Contracted>) -> Result<(), coexist::Error> {
    change.rollback(None)
}

fn main() {}
