//! A schema file with a statement that is not SQL.

coexist::migrations! {
    schema "not_sql.sql";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {}
