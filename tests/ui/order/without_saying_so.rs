//! A change that builds on another says so.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change contracted_name {
        rename users.name to full_name;
        stage contract;
    }
    change to_legal_name {
        rename users.full_name to legal_name;
        stage expand;
    }
}

fn main() {}
