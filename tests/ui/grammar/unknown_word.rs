//! A word that the grammar does not have.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        renam users.name to full_name;
        stage expand;
    }

    changes split_user_profile {
        split users into profiles { key user_id, moved bio }
        stage expand;
    }
}

fn main() {}
