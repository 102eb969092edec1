//! A declaration without a schema.

coexist::migrations! {
    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
