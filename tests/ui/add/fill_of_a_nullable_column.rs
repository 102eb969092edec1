//! The same for a value that is declared.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change add_handle {
        add users.handle: text fill "lower(name)";
        stage expand;
    }
}

fn main() {}
