//! PostgreSQL would drop an index, a check and statistics without a word (H68).

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, legacy text, level integer, constraint short check (length(legacy) < level));
        create index users_level on users (level) where legacy is null;
        create statistics users_both on legacy, level from users;
    ";

    change drop_legacy {
        drop users.legacy { with users_level }
        stage expand;
    }
}

fn main() {}
