//! Who reviews the change would not know whom it holds up.

coexist::migrations! {
    schema sql "create table users (id bigint primary key);";

    change set_up {
        sql { expand "create schema app" undo "drop schema if exists app" }
        stage expand;
    }
}

fn main() {}
