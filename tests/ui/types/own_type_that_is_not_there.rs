//! A type of one's own that does not exist.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text)";

    type users.bio = crate::Markdown;

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
