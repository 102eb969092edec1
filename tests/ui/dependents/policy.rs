//! A policy that reads the column.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create policy own on users using (name = current_user);
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
