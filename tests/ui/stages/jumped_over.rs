//! A stage that is jumped over: migrations/ says that the change was at another one, or nowhere.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change expanded {
        rename users.name to full_name;
        stage contract;
    }
    change new_here {
        rename users.bio to biography;
        stage migrate;
    }
}

fn main() {}
