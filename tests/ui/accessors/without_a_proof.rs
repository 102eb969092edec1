//! The after shape is there when the database says so.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn read(db: &mut coexist::postgres::Client) {
    let _ = rename_user_name::after::users::find(db, 1);
}

fn read_too_early(db: &mut coexist::postgres::Client, writing: rename_user_name::DualWriting) {
    let _ = rename_user_name::after::users::find(writing.on(db), 1);
}

fn main() {}
