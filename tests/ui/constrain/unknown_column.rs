//! A column that is not there.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null unique); create table orders (id bigint primary key, user_name text references users (name), total integer);";

    change it {
        constrain orders: check positive "totl >= 0" or reject;
        stage expand;
    }
}

fn main() {}
