//! Rows that are there would have no value.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change add_vip {
        add users.vip: boolean not null;
        stage expand;
    }
}

fn main() {}
