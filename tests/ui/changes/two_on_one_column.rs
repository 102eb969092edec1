//! Two changes of one column.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
    change shorten_user_name {
        retype users.name to short_name: "varchar(20)" { forward lossy "name::varchar(20)", irreversible }
        stage expand;
    }
}

fn main() {}
