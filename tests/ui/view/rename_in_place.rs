//! Old and new code run at the same time, so a column cannot just get another name.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change rename_user_name {
        rename users.name to full_name in place;
        stage expand;
    }
}

fn main() {}
