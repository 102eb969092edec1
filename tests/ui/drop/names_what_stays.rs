//! What is named does not hang on the column.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, legacy text, level integer); create index by_level on users (level);";

    change drop_legacy {
        drop users.legacy { with by_level }
        stage expand;
    }
}

fn main() {}
