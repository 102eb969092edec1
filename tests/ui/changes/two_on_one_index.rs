//! Two changes that would build one index anew.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create index users_text on users (name, bio);
    ";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
    change rename_user_bio {
        rename users.bio to biography;
        stage expand;
    }
}

fn main() {}
