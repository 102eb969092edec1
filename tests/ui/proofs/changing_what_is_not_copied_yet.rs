//! A row of the new table of a split may not be there before the backfill is complete: to change it would change nothing.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text)";

    change split_user_profile {
        split users into profiles { key user_id, move bio }
        stage expand;
    }
}

use split_user_profile::{DualWriting, after::profiles};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    let dual_writing = DualWriting::prove(&mut db)?;
    profiles::insert(dual_writing.on(&mut db), &profiles::Insert::new(1))?;
    profiles::update(dual_writing.on(&mut db), 1, &profiles::Update { bio: "…".into(), ..Default::default() })?;
    profiles::delete(dual_writing.on(&mut db), 1)?;
    Ok(())
}
