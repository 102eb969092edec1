//! A publication that lists the column.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create publication feed for table users (id, name);
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
