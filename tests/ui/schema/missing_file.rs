//! A schema file that does not exist.

coexist::migrations! {
    schema "shcema.sql";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
