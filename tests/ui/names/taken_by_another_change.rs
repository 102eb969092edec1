//! A new name that another change makes.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to text;
        stage expand;
    }
    change rename_user_bio {
        rename users.bio to text;
        stage expand;
    }
}

fn main() {}
