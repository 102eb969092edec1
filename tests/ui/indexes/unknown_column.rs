//! A column that the table does not have.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text, email text);";

    change find_users {
        create index on users (lower(emial), name desc);
        stage expand;
    }
}

fn main() {}
