//! The index of a constraint goes with the constraint.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, email text, constraint users_email_key unique (email));";

    change drop_key {
        drop index users_email_key;
        stage expand;
    }
}

fn main() {}
