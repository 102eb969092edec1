//! Rows that share a key are not mended one by one.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null unique); create table orders (id bigint primary key, user_name text references users (name), total integer);";

    change it {
        constrain orders: unique (total) { fix total "0" }
        stage expand;
    }
}

fn main() {}
