//! The view stands in a schema that is named after the change.

coexist::migrations! {
    schema sql "create schema shop; create table shop.users (id bigint primary key, name text not null);";

    change shop {
        rename shop.users.name to full_name through view;
        stage expand;
    }
}

fn main() {}
