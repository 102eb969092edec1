//! A column of this name is there.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change add_name {
        add users.name: text;
        stage expand;
    }
}

fn main() {}
