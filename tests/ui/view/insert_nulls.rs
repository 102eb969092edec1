//! Old and new code write one and the same column.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text default $$guest$$);";

    change rename_user_name {
        rename users.name to full_name through view { insert nulls take before }
        stage expand;
    }
}

fn main() {}
