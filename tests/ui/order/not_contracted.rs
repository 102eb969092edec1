//! A change cannot be contracted, nor begin, before one that it builds on is contracted.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change moved_on {
        rename users.name to full_name;
        stage migrate;
    }
    change contracted_name {
        rename users.full_name to legal_name;
        after moved_on;
        stage contract;
    }
    change to_formal_name {
        rename users.full_name to formal_name;
        after moved_on;
        stage expand;
    }
}

fn main() {}
