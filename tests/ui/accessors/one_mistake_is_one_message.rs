//! Code that uses a change with a mistake has no faults of its own.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.nmae to full_name;
        stage expand;
    }
    change split_user_profile {
        splt users into profiles { key user_id, move bio }
        stage expand;
    }
}

fn read(db: &mut coexist::postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
    let old: Option<rename_user_name::before::users::Row> = rename_user_name::before::users::find(db, 1)?;
    let backfilled = rename_user_name::Backfilled::prove(db)?;
    let new = rename_user_name::after::users::find(backfilled.on(db), 1)?;
    assert_eq!(old.map(|row| row.name), new.map(|row| row.full_name));
    let backfilled = split_user_profile::Backfilled::prove(db)?;
    let profile = split_user_profile::after::profiles::find(backfilled.on(db), 1)?;
    drop(profile.map(|row| (row.user_id, row.bio)));
    Ok(())
}

fn main() {
    let _ = read;
}
