//! A constraint that is not there.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null unique); create table orders (id bigint primary key, user_name text references users (name), total integer);";

    change it {
        unconstrain orders: orders_user_name_fk;
        stage expand;
    }
}

fn main() {}
