//! At stage contract every use of the before shape says what to use instead.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null)";

    /// Invoices address people by their full name.
    change contracted_name {
        rename users.name to full_name;
        stage contract;
    }
}

use contracted_name::before::users;

fn greet(user: &users::Row) -> String {
    format!("Dear {}", user.name)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    if let Some(user) = users::find(&mut db, 42)? {
        println!("{}", user.name);
    }
    let new = users::Insert::new(1, "Ada");
    users::delete(&mut db, 42)?;
    println!("{:?}", users::COLUMNS);
    Ok(())
}
