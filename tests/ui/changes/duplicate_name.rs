//! Two changes of one name.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_it {
        rename users.name to full_name;
        stage expand;
    }
    change rename_it {
        rename users.bio to biography;
        stage expand;
    }
}

fn main() {}
