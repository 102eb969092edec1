//! A table that does not exist.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename usres.name to full_name;
        stage expand;
    }
}

fn main() {}
