//! A view of a referencing table is found as well.

coexist::migrations! {
    schema sql "
        create table users (id integer primary key);
        create table orders (id bigint primary key, user_id integer references users);
        create view latest as select user_id, max(id) as id from orders group by user_id;
    ";

    change widen_user_id {
        widen users.id to bigint;
        stage expand;
    }
}

fn main() {}
