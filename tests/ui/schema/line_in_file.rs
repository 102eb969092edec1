//! What stands in the way is named with its line in the file.

coexist::migrations! {
    schema "schema.sql";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
