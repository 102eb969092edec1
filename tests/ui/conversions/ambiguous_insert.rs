//! An INSERT that gives no value to the new column can mean two things.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, mood text default 'fine');";

    change rename_user_mood {
        rename users.mood to feeling;
        stage expand;
    }
}

fn main() {}
