//! The message names both tables that stand for the one that was split.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text, avatar_url text)";

    change contracted_bio {
        split users into profiles { key user_id, move bio, avatar_url }
        stage contract;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = postgres::Client::connect("", postgres::NoTls)?;
    let user = contracted_bio::before::users::find(&mut db, 1)?;
    println!("{}", user.unwrap().bio);
    Ok(())
}
