//! A foreign key to columns that no key is on.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null unique); create table orders (id bigint primary key, user_name text references users (name), total integer);";

    change it {
        constrain users: (name) references orders (user_name) or reject;
        stage expand;
    }
}

fn main() {}
