//! A change says which stage the source code is at.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to full_name;
    }
}

fn main() {}
