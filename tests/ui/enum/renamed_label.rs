//! Old code writes the old label.

coexist::migrations! {
    schema sql "create type mood as enum ('sad', 'ok'); create table users (id bigint primary key, mood mood);";

    change rename_mood {
        enum mood rename value "sad" to "blue";
        stage expand;
    }
}

fn main() {}
