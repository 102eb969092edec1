//! Columns that do not exist.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    type users.biography = crate::Markdown;

    change rename_user_name {
        rename users.nmae to full_name;
        stage expand;
    }
    change split_user_profile {
        split users into profiles { key user_id, move boi }
        stage expand;
    }
}

fn main() {}
