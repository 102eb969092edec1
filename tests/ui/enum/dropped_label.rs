//! PostgreSQL cannot take a label away.

coexist::migrations! {
    schema sql "create type mood as enum ('sad', 'ok'); create table users (id bigint primary key, mood mood);";

    change drop_mood {
        enum mood drop value "sad";
        stage expand;
    }
}

fn main() {}
