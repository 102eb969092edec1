//! At stage `migrate` every use of the before shape warns.
#![deny(deprecated)]

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change moved_on {
        rename users.name to full_name;
        stage migrate;
    }
}

fn read(db: &mut coexist::postgres::Client) {
    let _ = moved_on::before::users::find(db, 1);
}

fn main() {}
