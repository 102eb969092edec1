//! A merge of a table that nothing ties to the other one.

coexist::migrations! {
    schema sql "create table users (id bigint primary key); create table profiles (user_id bigint primary key, bio text);";

    change merge_profiles {
        merge profiles into users { key user_id, move bio }
        stage expand;
    }
}

fn main() {}
