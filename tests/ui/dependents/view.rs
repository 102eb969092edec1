//! Views that read the column.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create view greetings as select 'Dear ' || users.name as text from users;
        create materialized view names as select users.name from users;
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
