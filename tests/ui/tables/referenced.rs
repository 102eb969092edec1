//! A foreign key references the table, and nothing is dropped with CASCADE (H67).

coexist::migrations! {
    schema sql "create table users (id bigint primary key); create table posts (user_id bigint references users);";

    change drop_users {
        drop table users;
        stage expand;
    }
}

fn main() {}
