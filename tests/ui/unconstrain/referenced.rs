//! A key that a foreign key points at.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null unique); create table orders (id bigint primary key, user_name text references users (name), total integer);";

    change it {
        unconstrain users: users_name_key;
        stage expand;
    }
}

fn main() {}
