//! A column of a well-known type whose Rust type comes with a feature.

coexist::migrations! {
    schema sql "create table users (id uuid primary key, name text not null, since timestamptz);";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
