//! At stage migrate every use of the before shape warns; here the warning is an error, as in a build that lets none through.
#![deny(deprecated)]

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null)";

    change moved_on {
        rename users.name to full_name;
        stage migrate;
    }
}

use moved_on::before::users;

fn greet(user: &users::Row) -> String {
    format!("Dear {}", user.name)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    let user = users::insert(&mut db, &users::Insert::new(1, "Ada"))?;
    println!("{} {:?}", greet(&user), users::COLUMNS);
    Ok(())
}
