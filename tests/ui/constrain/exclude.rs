//! There is no way to add it while the table is in use.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null unique); create table orders (id bigint primary key, user_name text references users (name), total integer);";

    change it {
        constrain orders: exclude using gist (total with =) or reject;
        stage expand;
    }
}

fn main() {}
