//! What new code writes before dual-writing begins, old code never sees.

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
    let user = users::insert(&mut db, &users::Insert::new(1, "Ada"))?;
    users::update(&mut db, user.id, &users::Update { full_name: "Ada Lovelace".into(), ..Default::default() })?;
    users::delete(&mut db, user.id)?;
    Ok(())
}
