//! A child has its columns from its parent.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text); create table users (email text) inherits (people);";

    change rename_user_name {
        rename users.name to full_name through view;
        stage expand;
    }
}

fn main() {}
