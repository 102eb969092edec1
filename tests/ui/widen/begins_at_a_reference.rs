//! A reference that is wider than its key could hold values that the key cannot have.

coexist::migrations! {
    schema sql "
        create table users (id integer primary key);
        create table orders (id bigint primary key, user_id integer references users);
    ";

    change widen_user_id {
        widen orders.user_id to bigint;
        stage expand;
    }
}

fn main() {}
