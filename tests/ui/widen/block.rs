//! There is nothing to convert.

coexist::migrations! {
    schema sql "create table users (id integer primary key);";

    change widen_user_id {
        widen users.id to bigint { forward "id::bigint", backward "id::integer" or reject }
        stage expand;
    }
}

fn main() {}
