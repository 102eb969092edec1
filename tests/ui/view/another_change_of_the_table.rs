//! A view reads every column of its table, so no other change can take one away.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to full_name through view;
        stage expand;
    }
    change rename_bio {
        rename users.bio to biography;
        stage expand;
    }
}

fn main() {}
