//! While the backfill runs, new code may write the after shape and not read it.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null)";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

use rename_user_name::{DualWriting, after::users};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    let dual_writing = DualWriting::prove(&mut db)?;
    users::insert(dual_writing.on(&mut db), &users::Insert::new(1, "Ada"))?;
    users::find(dual_writing.on(&mut db), 1)?;
    Ok(())
}
