//! A condition that is true today.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, seen timestamptz);";

    change find_users {
        create index on users (id) where "seen > now()";
        stage expand;
    }
}

fn main() {}
