//! A schema file that is a folder.

coexist::migrations! {
    schema "migrations";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
