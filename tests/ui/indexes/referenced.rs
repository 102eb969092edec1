//! A foreign key needs the index.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, code text);
        create unique index users_code on users (code);
        create table badges (code text references users (code));
    ";

    change drop_index {
        drop index users_code;
        stage expand;
    }
}

fn main() {}
