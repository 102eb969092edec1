//! A default knows no row.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change add_handle {
        add users.handle: text not null default "lower(name)";
        stage expand;
    }
}

fn main() {}
