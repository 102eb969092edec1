//! A view reads it, and nothing is dropped with CASCADE (H67).

coexist::migrations! {
    schema sql "create table users (id bigint primary key, legacy text); create view old_users as select legacy from users;";

    change drop_legacy {
        drop users.legacy;
        stage expand;
    }
}

fn main() {}
