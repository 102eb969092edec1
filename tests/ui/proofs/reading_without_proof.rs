//! The after shape is not there before the backfill is complete.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null)";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

use rename_user_name::after::users;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    users::find(&mut db, 42)?;
    let mut transaction = db.transaction()?;
    let page = users::page(&mut transaction, None, 10)?;
    println!("{}", page[0].full_name);
    Ok(())
}
