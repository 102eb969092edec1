//! Both changes would build what hangs on the reference anew.

coexist::migrations! {
    schema sql "
        create table users (id integer primary key);
        create table orders (id bigint primary key, user_id integer references users);
    ";

    change widen_user_id {
        widen users.id to bigint;
        stage expand;
    }

    change rename_buyer {
        rename orders.user_id to buyer_id;
        stage expand;
    }
}

fn main() {}
