//! The key stays.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change split_user_profile {
        split users into profiles { key user_id, move id, bio }
        stage expand;
    }
}

fn main() {}
