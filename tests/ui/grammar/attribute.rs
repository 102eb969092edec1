//! Only doc comments can stand in a declaration.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    /// Why it changes.
    #[cfg(feature = "new")]
    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
