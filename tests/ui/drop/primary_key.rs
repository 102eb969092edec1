//! Without its key, a row could not be told from the others.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text);";

    change drop_key {
        drop users.id { default "0", with users_pkey }
        stage expand;
    }
}

fn main() {}
