//! A view of an old server shows everybody all rows (H43).

coexist::migrations! {
    schema sql "create table users (id bigint primary key); alter table users enable row level security;";

    change rename_users {
        rename table users to people;
        stage expand;
    }
}

fn main() {}
