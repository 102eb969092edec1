//! A proof holds for its own change.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text)";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }

    change split_user_profile {
        split users into profiles { key user_id, move bio }
        stage expand;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    let backfilled = rename_user_name::Backfilled::prove(&mut db)?;
    rename_user_name::after::users::find(backfilled.on(&mut db), 1)?;
    split_user_profile::after::profiles::find(backfilled.on(&mut db), 1)?;
    let _: split_user_profile::DualWriting = backfilled.into();
    Ok(())
}
