//! A type of one's own must convert in both directions; what is missing is said once, where the type is named.

/// Text that is shown as HTML.
pub struct Markdown(pub String);

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text)";

    type users.bio = crate::Markdown;

    change split_user_profile {
        split users into profiles { key user_id, move bio }
        stage expand;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    let ada = split_user_profile::before::users::find(&mut db, 1)?;
    let bio: Option<Markdown> = ada.and_then(|ada| ada.bio);
    println!("{}", bio.unwrap().0);
    Ok(())
}
