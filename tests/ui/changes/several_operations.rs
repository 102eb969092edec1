//! A change is what goes through the phases together.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_everything {
        rename users.name to full_name;
        rename users.bio to biography;
        stage expand;
    }
}

fn main() {}
