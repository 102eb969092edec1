//! A rollback would not know what to do.

coexist::migrations! {
    schema sql "create table users (id bigint primary key);";

    change set_up {
        sql { expand "create schema app" locks nothing }
        stage expand;
    }
}

fn main() {}
