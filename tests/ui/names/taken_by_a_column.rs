//! A new name that the table has already.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to bio;
        stage expand;
    }
}

fn main() {}
