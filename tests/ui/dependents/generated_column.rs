//! A generated column that reads the column.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        alter table users add column shouted text generated always as (upper(name)) stored;
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
